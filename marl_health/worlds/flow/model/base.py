"""Small types that all words share: conditions, lists of names, counts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from marl_health.spec.condition_form import If, as_condition

__all__ = ["WEEKDAYS", "Count", "If", "Most", "as_condition"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Most = 10_000_000
"""Upper bound on counts, so that a slip of the keyboard does not fill the memory."""

Count = Annotated[int, Field(ge=0, le=100_000)]
