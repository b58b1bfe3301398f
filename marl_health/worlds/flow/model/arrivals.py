"""Words for who comes: entity types, rates, timetables, those present at the start."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from marl_health.kernel.arrivals import PROCESSES, PUBLIC
from marl_health.spec.common import as_list
from marl_health.spec.errors import shown
from marl_health.spec.numbers import (
    Choice,
    ClockTime,
    Model,
    Name,
    Share,
    Sourced,
    TableColumn,
    Value,
)
from marl_health.spec.quantities import weekday_slip
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow.model.base import WEEKDAYS, Count, Most


def _known_process(name: str) -> str:
    if name not in PROCESSES:
        raise ValueError(f"there is no arrival process named {shown(name)}{did_you_mean(name, PROCESSES)}")
    return name


Process = Annotated[
    str, AfterValidator(_known_process), WithJsonSchema({"type": "string", "enum": list(PUBLIC)}, mode="validation")
]


class Overdispersion(Model):
    """Day-to-day variation of a rate beyond Poisson: each day's rate is multiplied by a gamma draw of mean 1."""

    cv: float = Field(gt=0, le=3, description="Coefficient of variation of the daily factor")


class DayToDay(Model):
    """How the daily factor is distributed."""

    gamma: Overdispersion = Field(description="A gamma draw of mean 1 for each day")


class Rate(Sourced):
    """Arrivals at random: a mean rate, a profile over the day and the week, and what multiplies it."""

    per_day: float | None = Field(None, ge=0, le=Most, description="Mean number a day")
    per_hour: float | None = Field(None, ge=0, le=Most, description="Mean number an hour")
    times: Value | None = Field(None, description="A vary name that multiplies the rate for the whole episode")
    by_hour: list[float] | TableColumn | None = Field(None, description="24 weights, one for each hour of the day")
    by_weekday: list[float] | TableColumn | None = Field(None, description="7 weights from Monday on")
    day_to_day: DayToDay | None = Field(None, description="Variation from day to day beyond Poisson")
    process: Process = Field("poisson", description="How arrival times follow from the rate")

    @model_validator(mode="after")
    def _one_rate(self) -> Rate:
        if (self.per_day is None) == (self.per_hour is None):
            raise ValueError("needs exactly one of per_day and per_hour")
        for name, count in (("by_hour", 24), ("by_weekday", 7)):
            weights = getattr(self, name)
            if isinstance(weights, list):
                if len(weights) != count:
                    raise ValueError(f"{name} needs {count} weights, not {len(weights)}")
                if min(weights) < 0 or not 0 < sum(weights) < float("inf"):
                    raise ValueError(f"the weights of {name} may not be negative and must add up to more than 0")
        return self

    @property
    def per_minute(self) -> float:
        """Mean arrivals per minute."""
        return self.per_day / 1440 if self.per_day is not None else (self.per_hour or 0.0) / 60


class Appointment(Model):
    """Entities expected at a time of the day on some weekdays, with the attributes that are known beforehand."""

    at: ClockTime = Field(description="Time of the day")
    on: Annotated[list[str], BeforeValidator(as_list, json_schema_input_type=str | list[str])] = Field(
        list(WEEKDAYS), description="Weekdays; every day if absent"
    )
    count: int = Field(1, ge=1, le=10_000, description="How many are expected")
    has: dict[Name, Value] = Field(
        {}, max_length=200, description="Attribute values of these entities, instead of the drawn ones"
    )

    @model_validator(mode="after")
    def _weekdays(self) -> Appointment:
        for day in self.on:
            if day.lower() not in WEEKDAYS:
                raise ValueError(f"{shown(day)} is not a weekday{weekday_slip(day)} (write Monday to Sunday)")
        return self


class AtStart(Model):
    """Who is there when the warm-up begins, with residual stays: part of their stay already lies behind them."""

    fill: Name | None = Field(None, description="A place to fill")
    to: Value | None = Field(None, description="Share of its capacity that is filled")
    count: Count | None = Field(None, description="How many there are, wherever they are")

    @model_validator(mode="after")
    def _one_way(self) -> AtStart:
        if (self.fill is None) == (self.count is None):
            raise ValueError("needs either fill with to, or count")
        if (self.fill is None) != (self.to is None):
            raise ValueError("fill and to go together: {fill: ward_bed, to: 90%}")
        return self


class Burst(Sourced):
    """Many at once, soon after the first decision: the casualties of an incident, found one after another."""

    count: Value = Field(description="How many; rounded, so a vary draw such as {uniform: [40, 60]} will do")
    after: Value = Field("0 min", description="How long after the first decision each of them comes")


class Arrive(Sourced):
    """How entities come: at a rate, by timetable, in a burst, or as those present at the start. Exactly one."""

    rate: Rate | None = Field(None, description="At random, at a rate")
    timetable: list[Appointment] | None = Field(None, max_length=2000, description="Appointments of every week")
    burst: Burst | None = Field(None, description="All at once, after the first decision")
    at_start: AtStart | None = Field(None, description="There already when the warm-up begins")
    no_show: Share = Field(0.0, description="Share of a timetable that does not come")
    late: Value | None = Field(None, description="How late those of a timetable come")

    @model_validator(mode="after")
    def _one_way(self) -> Arrive:
        ways = ("rate", "timetable", "burst", "at_start")
        given = [name for name in ways if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("needs exactly one of rate, timetable, burst and at_start")
        if self.timetable is None and (self.no_show or self.late is not None):
            raise ValueError("no_show and late belong to a timetable")
        return self


class EntityType(Sourced):
    """A kind of patient, claim or order: how they come, what they have, where they begin.

    Without ``arrive`` they come into being only through ``again``.
    """

    at: Name | Choice | None = Field(
        None, description="The site where they come into being; needed if the scenario has `sites`"
    )
    arrive: Arrive | None = Field(None, description="How they come")
    has: dict[Name, Value] = Field({}, max_length=200, description="Their attributes, drawn when they come")
    begins: Name = Field(description="Their first step")
