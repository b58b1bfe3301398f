"""Small types that all words share: conditions, lists of names, counts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from marl_health.spec.conditions import Condition, parse_condition
from marl_health.spec.scalars import form

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Most = 10_000_000
"""Upper bound on counts, so that a slip of the keyboard does not fill the memory."""


def as_condition(value: Any) -> Condition:
    """Parse a condition; raises ValueError with the remedy."""
    if isinstance(value, Condition):
        return value
    if not isinstance(value, str):
        raise ValueError("a condition is needed here, such as: acuity <= 2 and not walks")
    return parse_condition(value)


If = Annotated[
    Condition,
    BeforeValidator(as_condition),
    form("condition", "acuity <= 2 and not walks", type="string", maxLength=500),
]
Count = Annotated[int, Field(ge=0, le=100_000)]
