"""Values that are drawn by their shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from marl_health.spec.distributions import Form
from marl_health.spec.scalars import Share


class Choice(Form):
    """One of several values, by share; one of them may be ``else``."""

    choice: dict[str, Share | Literal["else"]] = Field(
        min_length=1, max_length=200, description="The share of each value"
    )

    @model_validator(mode="after")
    def _sums_to_one(self) -> Choice:
        add_up(self.choice)
        return self


def add_up(shares: Mapping[str, float | Literal["else"]], where: str = "") -> None:
    """Raise ValueError if shares do not add up to 100%."""
    total = sum(share for share in shares.values() if share != "else")
    open_ones = sum(1 for share in shares.values() if share == "else")
    if open_ones > 1:
        raise ValueError(f"{where}only one of the values can be else")
    if open_ones == 0 and abs(total - 1) > 1e-6:
        raise ValueError(f"{where}the shares add up to {100 * total:.6g}%, not to 100%")
    if total > 1 + 1e-6:
        raise ValueError(f"{where}the shares add up to {100 * total:.6g}%, more than 100%")
