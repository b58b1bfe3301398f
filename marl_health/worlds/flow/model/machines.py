"""Words for machines and rooms as things with a state: wear and failure, set-up, who makes a vacated unit ready."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from marl_health.spec.common import Each
from marl_health.spec.numbers import Amount, Flag, Minutes, Model, Name, Quantity, Share, Sourced, Value


class Outage(Sourced):
    """How long a unit is out of use for a while, and what that costs."""

    duration: Value = Field(alias="for", description="How long the unit is out")
    costs: Amount = Field(Quantity(0.0, "money"), description="For each time; counted in `spent` when it begins")


class Sign(Sourced):
    """A check at regular times that tells, now wrongly, whether a unit is defective."""

    every: Minutes = Field(gt=0, description="Time from one check to the next")
    sound: Share = Field(description="Chance that a check of a sound unit warns (1 - specificity)")
    defective: Share = Field(description="Chance that a check of a defective unit warns (sensitivity)")


class Wear(Sourced):
    """Every unit ages, used or not, until it fails and is repaired. Repair and maintenance make it as good as new.

    With `defect` the life of a unit has two parts that nobody sees (the delay-time model): until a defect arises, and
    from there until it `fails`. A `sign` tells of a defect. Whoever is served by a unit that fails waits again; whoever
    has it as a place (`move_to`) stays, and the unit goes out when it is vacated.
    """

    fails: Value = Field(
        description="Age at which a unit fails: {weibull: {shape: 3, mean: 40 days}}; counted from `defect`, if any"
    )
    defect: Value | None = Field(None, description="Age at which a hidden defect arises, without which nothing fails")
    repair: Outage = Field(description="After a failure")
    maintenance: Outage | None = Field(None, description="When an agent takes a unit out before it fails")
    age: Value | None = Field(None, description="Age of each unit when the world begins, given that it has not failed")
    work: Literal["resume", "restart"] = Field("restart", description="What becomes of work that a failure interrupts")
    sign: Sign | None = Field(None, description="What is seen of a defect")

    @model_validator(mode="after")
    def _sign_of_something(self) -> Wear:
        if self.sign is not None and self.defect is None:
            raise ValueError("a sign tells of a defect; say under defect when that arises")
        return self


class SetUp(Sourced):
    """Every unit is set up for one class of work, and keeps that until another class comes: then it is changed first.

    Whoever comes gets a free unit with their set-up if there is one. At the start the first unit has the set-up of the
    first class in the order of the alphabet, and so on.
    """

    by: Name = Field(description="The attribute whose values are the set-ups")
    takes: Value = Field(description="How long a change takes: no chance in it; it may be `by` that attribute")
    only: Flag = Field(False, description="A unit serves nobody whose set-up it has not; only agents change it")


class Maintain(Model):
    """Take a unit out for maintenance: one move for each. A unit in use goes out when it comes free."""

    maintain: Name = Field(description="The place")
    lead: Minutes = Field(0.0, description="Time until the engineer is there")
    at_most: int | None = Field(None, ge=1, le=1000, description="Times allowed in an episode")
    each: Each = None


class Switch(Model):
    """Change the set-up of a unit: one move for each unit and set-up. A unit in use changes when it comes free."""

    switch: Name = Field(description="The place")
    at_most: int | None = Field(None, ge=1, le=10_000, description="Times allowed in an episode")
    each: Each = None


class Turnover(Sourced):
    """A vacated unit becomes a job: an entity that waits for its crew like any other, and frees the unit by leaving.

    So cleaning has a line with an order, agents see and choose among dirty units (a slot list of those who wait for the
    crew may show `wanted`, how many wait for the place, and `longest`, how long the first of them has waited), and
    measures between the job's marks tell how long turnovers take.
    """

    as_: Name = Field(alias="as", description="The entity type of the jobs, which nobody else belongs to")
    has: dict[Name, Value] = Field(
        {},
        description="Attributes of the job, by what whoever left the unit is like: `{ward: icu, isolation: isolation}`",
    )
