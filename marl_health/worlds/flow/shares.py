"""Shares of values as the steps of a cumulative distribution."""

from __future__ import annotations

from typing import Any

from marl_health.spec.scalars import read_key


def cumulative(shares: dict[str, Any]) -> tuple[list[float], list[Any]]:
    """Upper bounds of each value's share in [0, 1], and the values; ``else`` takes what is left."""
    known = sum(share for share in shares.values() if share != "else")
    tops, values, top = [], [], 0.0
    for key, share in shares.items():
        top += max(0.0, 1.0 - known) if share == "else" else share
        tops.append(top)
        values.append(read_key(key))
    tops[-1] = 2.0  # so that rounding never leaves a gap at the top
    return tops, values
