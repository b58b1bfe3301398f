"""Words for what there is: staff and places."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from marl_health.spec.numbers import (
    ClockTime,
    Minutes,
    Model,
    Name,
    Sourced,
    Value,
)
from marl_health.worlds.flow.model.base import Count
from marl_health.worlds.flow.model.machines import SetUp, Turnover, Wear


class Crew(Model):
    """People who come and go together, every day."""

    at: ClockTime = Field(lt=1440, description="When their shift begins")
    duration: Minutes = Field(alias="for", gt=0, le=1440, description="How long it is, at most 24 h")
    count: int = Field(ge=1, le=100_000, description="How many they are")


class Resource(Sourced):
    """Something with capacity: a fixed ``count``, or levels that start at times of the day."""

    count: Count | Literal["unlimited"] | None = Field(None, description="Units there are, all day")
    shifts: dict[ClockTime, Count] | None = Field(None, description="Units from each time of the day on")
    absent: Value | None = Field(None, description="Units missing for the whole episode (a vary name)")

    @model_validator(mode="after")
    def _one_capacity(self) -> Resource:
        words = ("count", "shifts", "rota") if isinstance(self, Staff) else ("count", "shifts")
        given = [word for word in words if getattr(self, word) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of {', '.join(words[:-1])} and {words[-1]}")
        if self.shifts is not None and not self.shifts:
            raise ValueError("shifts needs at least one time of day")
        if self.shifts is not None and max(self.shifts) >= 1440:
            raise ValueError("a shift starts at a time between 00:00 and 23:59")
        if self.absent is not None and self.count == "unlimited":
            raise ValueError("an unlimited count cannot have absent units")
        return self


class Staff(Resource):
    """People or crews; taken for a task and given back after it.

    With ``shifts`` the number on duty changes: when it falls, whoever is free next goes home. With a ``rota`` people
    come and go: when their shift ends, those who are at work finish that, beside those who relieve them.
    """

    rota: list[Crew] | None = Field(
        None, min_length=1, max_length=100, description="Crews, each with a shift that it works every day"
    )

    @model_validator(mode="after")
    def _nobody_absent(self) -> Staff:
        if self.rota is not None and self.absent is not None:
            raise ValueError("absent goes with count or shifts; of a rota it would not say which crew is short")
        return self


class Place(Resource):
    """Beds, bays, scanners, theatres; an entity occupies one from step to step."""

    clean: Value | None = Field(None, description="Time before a vacated place can be used again")
    turnover: Turnover | None = Field(None, description="Who makes a vacated place ready, instead of `clean`")
    wear: Wear | None = Field(None, description="How its units fail, and are repaired and maintained")
    set_up: SetUp | None = Field(None, description="What its units are set up for")
    department: Name | None = Field(None, description="For pictures: places of one department stand together")

    @model_validator(mode="after")
    def _what_goes_together(self) -> Place:
        if self.turnover is not None and (self.clean is not None or self.count == "unlimited"):
            raise ValueError("turnover goes with a limited count, and instead of clean")
        if (self.wear or self.set_up) is not None and (
            not isinstance(self.count, int) or self.clean is not None or self.turnover is not None
        ):
            raise ValueError("wear and set_up need a fixed count of units, and go with neither clean nor turnover")
        return self
