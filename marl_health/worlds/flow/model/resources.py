"""Words for what there is: staff and places."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from marl_health.spec.numbers import (
    ClockTime,
    Name,
    Sourced,
    Value,
)
from marl_health.worlds.flow.model.base import Count


class Resource(Sourced):
    """Something with capacity: a fixed ``count``, or levels that start at times of the day."""

    count: Count | Literal["unlimited"] | None = Field(None, description="Units there are, all day")
    shifts: dict[ClockTime, Count] | None = Field(None, description="Units from each time of the day on")
    absent: Value | None = Field(None, description="Units missing for the whole episode (a vary name)")

    @model_validator(mode="after")
    def _one_capacity(self) -> Resource:
        if (self.count is None) == (self.shifts is None):
            raise ValueError("needs exactly one of count and shifts")
        if self.shifts is not None and not self.shifts:
            raise ValueError("shifts needs at least one time of day")
        if self.shifts is not None and max(self.shifts) >= 1440:
            raise ValueError("a shift starts at a time between 00:00 and 23:59")
        if self.absent is not None and self.count == "unlimited":
            raise ValueError("an unlimited count cannot have absent units")
        return self


class Staff(Resource):
    """People or crews; taken for a task and given back after it."""


class Place(Resource):
    """Beds, bays, scanners, theatres; an entity occupies one from step to step."""

    clean: Value | None = Field(None, description="Time before a vacated place can be used again")
    department: Name | None = Field(None, description="For pictures: places of one department stand together")
