"""Conditions as a field of a model."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from marl_health.spec.conditions import Condition, parse_condition
from marl_health.spec.scalars import form


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
