"""What numbers can be: a duration, a share, an amount of money and so on, and what that is called."""

from __future__ import annotations

from collections.abc import Iterable

DIMENSIONS = {
    "time": "a duration with its unit, such as 30 min or 2 h",
    "share": "a share, such as 9%",
    "rate": "a rate, such as 0.05 per_hour",
    "number": "a plain number",
    "money": "an amount of money, such as 2400 usd",
    "money_rate": "money per time, such as 38 usd per bed_hour",
    "flag": "yes or no",
    "text": "a text",
    "factor": "a plain number or a share, such as 1.2 or 120%",
}

ACCEPTED = {"factor": ("number", "share")}
"""Where several dimensions will do."""


def listed_kinds(dimensions: Iterable[str]) -> str:
    """Dimensions in words."""
    return " and ".join(DIMENSIONS.get(dimension, dimension).partition(",")[0] for dimension in dimensions)
