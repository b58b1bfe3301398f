"""Conditions asked of a site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marl_health.spec.conditions import And, Condition, Not, Or, compile_condition


def holds(condition: Condition, parameters: Mapping[str, Any]) -> bool:
    """Whether a condition holds for the parameters of a site; what compares one that it lacks does not."""
    if isinstance(condition, And):
        return all(holds(part, parameters) for part in condition.parts)
    if isinstance(condition, Or):
        return any(holds(part, parameters) for part in condition.parts)
    if isinstance(condition, Not):
        return not holds(condition.part, parameters)
    if parameters.get(condition.name) is None:
        return False
    try:
        return bool(compile_condition(condition, lambda name: 0)([parameters[condition.name]]))
    except TypeError:  # a word has no order
        return False
