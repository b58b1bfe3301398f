"""Discounting: by decision, or by the time that passes until the next one.

Where decisions come at unequal times, a discount of so much per decision would call an hour as long as a minute. With a
unit of time, a step of `elapsed` minutes counts `gamma ** (elapsed / unit)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ELAPSED = "elapsed_minutes"
"""Key in `info` of the minutes that passed since the decision before."""

DECISIONS = 144
"""Decisions in an episode of the hospital (three days, every half hour), for which the discounts here were chosen."""

DISCOUNT = "discount"
"""Column of a batch: what the value of what comes next is multiplied by."""


def discounts(infos: Sequence[Any], gamma: float, minutes: float | None) -> NDArray[np.float32]:
    """The discount of each step, float32 of shape (T,).

    Args:
        infos: what the agent was told after each step, T of them.
        gamma: discount of a decision, or of `minutes`.
        minutes: in which the discount is `gamma`; None where it is that of a decision.

    Raises:
        KeyError: the environment does not tell how long a step was.
    """
    if minutes is None:
        return np.full(len(infos), gamma, np.float32)
    try:
        elapsed = np.array([info[ELAPSED] for info in infos], np.float64)
    except KeyError:
        raise KeyError(
            f"no '{ELAPSED}' in info, which gamma_minutes needs; leave gamma_minutes out, or let the environment tell "
            "how long its steps are"
        ) from None
    return np.power(gamma, elapsed / minutes).astype(np.float32)


def usual_minutes(env: Any) -> float | None:
    """Minutes in which an environment's discount is that of a decision; None where decisions come every so often.

    Where they come at events, it is as if the episode at its longest were cut into ``DECISIONS`` equal ones.
    """
    clock = getattr(getattr(env, "scenario", None), "clock", None)
    return clock.episode / DECISIONS if getattr(clock, "decide", None) is not None else None


def check_minutes(who: str, minutes: Any) -> None:
    """Refuse a unit of time that is none.

    Raises:
        ValueError: it is not None and not longer than 0.
    """
    if minutes is not None and not minutes > 0:
        raise ValueError(f"{who}: gamma_minutes is longer than 0, or None for a discount by decision; not {minutes}")
