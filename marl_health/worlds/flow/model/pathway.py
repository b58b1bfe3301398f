"""Words for what happens: steps, ways on, timers and health."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from marl_health.spec.common import Names
from marl_health.spec.numbers import (
    Flag,
    Minutes,
    Model,
    Name,
    Share,
    Sourced,
    Value,
)
from marl_health.worlds.flow.model.base import If
from marl_health.worlds.flow.model.rides import Ride
from marl_health.worlds.flow.model.sites import Journey
from marl_health.worlds.flow.model.stock import Issue


class Branch(Model):
    """One branch of a condition; the last one has only ``else``."""

    condition: If | None = Field(None, alias="if", description="When this branch is taken")
    go: Next | None = Field(None, description="The way on if it is")
    otherwise: Next | None = Field(None, alias="else", description="The way on for everybody else")

    @model_validator(mode="after")
    def _if_or_else(self) -> Branch:
        if self.otherwise is not None and (self.condition is not None or self.go is not None):
            raise ValueError("write {if: condition, go: step}, and the last one {else: step}")
        if self.otherwise is None and (self.condition is None or self.go is None):
            raise ValueError("needs both if and go, or only else")
        return self


class When(Model):
    """The first branch whose condition holds."""

    when: list[Branch] = Field(min_length=1, max_length=50, description="Branches, tried in order")

    @model_validator(mode="after")
    def _ends_with_else(self) -> When:
        if self.when[-1].otherwise is None:
            raise ValueError("the last branch must be {else: step}, so that everybody has a way on")
        if any(branch.otherwise is not None for branch in self.when[:-1]):
            raise ValueError("else must come last")
        return self


class Split(Model):
    """A way on by chance: shares of steps, or ``by`` an attribute a mapping of shares for each of its values."""

    split: dict[str, Any] = Field(
        min_length=1,
        max_length=100,
        description="Shares of steps, such as `{imaging: 35%, home: else}`; or `by`, and such shares for each value",
    )

    @property
    def by(self) -> str | None:
        """The attribute that the shares depend on, if any."""
        by = self.split.get("by")
        return by if isinstance(by, str) and any(isinstance(v, dict) for v in self.split.values()) else None

    @property
    def cases(self) -> dict[str, dict[str, Any]]:
        """Shares by attribute value; a single case under the empty key if there is no ``by``."""
        if self.by is None:
            return {"": self.split}
        return {key: case for key, case in self.split.items() if key != "by"}


class ByValue(Model):
    """A way on for each value of an attribute, ``else`` for the rest: ``{by: colour, red: theatre, else: door}``."""

    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True, defer_build=True)
    __pydantic_extra__: dict[str, Next]

    by: Name = Field(description="The attribute")
    otherwise: Next | None = Field(None, alias="else", description="For values without a way of their own")

    @property
    def cases(self) -> dict[str, Any]:
        """The way for each value, by key as written."""
        return self.__pydantic_extra__ or {}


def _way(value: Any) -> str | None:
    if isinstance(value, ByValue) or (isinstance(value, dict) and "by" in value):
        return "<by>"
    if isinstance(value, When) or (isinstance(value, dict) and "when" in value):
        return "<when>"
    if isinstance(value, Split) or (isinstance(value, dict) and "split" in value):
        return "<split>"
    return "<step>" if isinstance(value, str) else None


Next = Annotated[
    Annotated[Name, Tag("<step>")]
    | Annotated[When, Tag("<when>")]
    | Annotated[Split, Tag("<split>")]
    | Annotated[ByValue, Tag("<by>")],
    Discriminator(
        _way,
        custom_error_type="next_form",
        custom_error_message="the way on is a step's name, {split: {a: 35%, b: else}}, "
        "{when: [{if: condition, go: step}, {else: step}]}, or {by: attribute, value: step, else: step}",
    ),
]


class GiveUp(Model):
    """What someone does who has waited long enough in this step."""

    after: Value = Field(description="How long they wait")
    go: Name = Field(description="Where they go then")


class StepBase(Sourced):
    """What every step may say."""

    next: Next | None = Field(None, description="The way on; without one, a branch of `together` ends here")
    mark: Names = Field([], max_length=5, description="Time stamps when the step begins in earnest (after any wait)")
    mark_end: Names = Field([], max_length=5, description="Time stamps when the step ends")
    set: dict[Name, Value] = Field({}, description="Attributes that change when the step begins")
    reveal: Names = Field(
        [], max_length=20, description="Hidden attributes whose truth agents see from then on, in slots that show them"
    )
    adds: dict[Name, Value] = Field(
        {}, max_length=20, description="Amounts added to totals when the step begins, read as `NAME.total`"
    )


class Queued(StepBase):
    """A step that may have to wait."""

    queue: Name | None = Field(None, description="The line to wait in; steps with the same needs may share one")
    give_up: GiveUp | None = Field(None, alias="or", description="Where to go after waiting too long in this step")


class Rises(Model):
    """Whoever has waited long enough goes before others: those of other lines and, in the line, of other classes."""

    after: Minutes = Field(gt=0, description="How long they have waited by then")
    to: float = Field(ge=-1000, le=1000, description="The priority from then on; lower goes first")


class Ranked(Queued):
    """A step that may have to wait for resources that others wait for as well."""

    priority: float = Field(0.0, ge=-1000, le=1000, description="Between lines for one resource; lower goes first")
    rises: Rises | None = Field(None, description="Another priority for those who have waited for some time")

    @model_validator(mode="after")
    def _goes_up(self) -> Ranked:
        if self.rises is not None and self.rises.to >= self.priority:
            raise ValueError(f"rises must go to a priority below {self.priority:g}: lower goes first")
        return self


class Waiting(Ranked):
    """A step that may have to wait for resources, and may take them from others."""

    preempt: Literal["resume", "resume_first", "restart"] | None = Field(
        None,
        description="Interrupts less urgent work, which later resumes or restarts; `resume_first`: resumes before "
        "anyone else of its queue is served",
    )


class Use(Waiting):
    """Take staff for a while: all of them at once, or wait."""

    use: Names = Field(min_length=1, max_length=10, description="Staff; a name written twice takes two")
    duration: Value = Field(alias="for", description="How long")
    same: Flag = Field(False, description="The very person of the first kind who served this entity before")


class MoveTo(Waiting):
    """Take the next place, then free the old one; until then the old one is kept (boarding)."""

    move_to: Name = Field(description="The place")
    staff: Names = Field([], alias="with", max_length=10, description="Staff needed meanwhile")
    duration: Value | None = Field(
        None, alias="for", description="How long the work there lasts; without it the way on opens at once"
    )


class Visit(Waiting):
    """Go somewhere for a while and keep one's own place."""

    visit: Name = Field(description="The place")
    staff: Names = Field([], alias="with", max_length=10, description="Staff needed meanwhile")
    duration: Value = Field(alias="for", description="How long")


class Take(Waiting):
    """Take units of a stock, all at once, and use them up; wait if there are not enough."""

    take: Names = Field(min_length=1, max_length=10, description="Stock; a name written twice takes two")
    units: int | Name = Field(1, description="How many of it: a whole number, or an attribute that holds one")
    issue: Issue | None = Field(None, description="Which units, if not those that the stock hands out first")
    age: Name | None = Field(None, description="Attribute that is set to the age of the oldest unit taken")


class Give(StepBase):
    """Add new units to a stock: a donation, a return, something made in house."""

    give: Name = Field(description="The stock")
    units: int | Name = Field(1, description="How many: a whole number, or an attribute that holds one")


class Meet(Queued):
    """Wait for somebody of each other party of a meeting; then all of them go on, each its own way.

    Every step that names the meeting is a party, and steps that share a queue are one. Whoever is next in its line
    meets those who are next in the others.
    """

    meet: Name = Field(description="The meeting: a name of its own that two steps or more write")


class Carry(Ranked):
    """Be fetched by a unit of a fleet and brought to another site; the old place is free when it sets off.

    The unit is one's place from then on, until the next place is taken. The step begins in earnest (`mark`) when a unit
    is sent, and ends when the entity is handed over. Whoever has a unit already goes on with that, from where it is.
    """

    carry: Ride = Field(description="By whom, and where to")


class Shorten(Model):
    """Agents may end this stay early, once a share of it is over."""

    at_least: Share = Field(0.0, description="Share of the stay that must be over")
    of: Name | None = Field(
        None,
        description="Attribute with the planned duration that `at_least` is a share of; else it is of the stay itself",
    )
    mark: Names = Field(min_length=1, max_length=5, description="Marks set on those whose stay was ended early")
    lead: Minutes = Field(0.0, description="Time between the decision and the end of the stay")
    set: dict[Name, Value] = Field({}, description="Attributes of those whose stay was ended early")


class Stay(StepBase):
    """Time in one's place, with nobody's help."""

    stay: Value = Field(description="How long")
    shorten: Shorten | None = Field(None, description="What agents may do about it")


class Wait(StepBase):
    """Time that passes without any resource (a laboratory that takes 45 minutes)."""

    wait: Value = Field(description="How long")


class TravelTo(StepBase):
    """Go to another site; the place that one had is free from then on."""

    travel: Journey = Field(description="Where to")


class Parallel(Model):
    """One branch of work side by side: steps in order, done with some chance."""

    do: Names = Field(min_length=1, max_length=50, description="Steps, one after the other")
    chance: Value = Field(1.0, description="Chance that this branch is needed")


class Together(StepBase):
    """Work side by side; the way on opens when all branches are finished. The place is kept."""

    together: dict[Name, Parallel] = Field(min_length=1, max_length=20, description="The branches by name")


class Again(Model):
    """Some come back after a while, as a new entity; ``keeps`` names the attributes that stay as they were."""

    chance: Value = Field(description="Chance to come back")
    after: Value = Field(description="How long after")
    as_: Name = Field(alias="as", description="As which entity type")
    keeps: Names = Field([], description="Attributes that stay as they were")


class Leave(Sourced):
    """The end of the pathway. ``discharged`` and ``died`` are counted as such, everything else as left."""

    leave: Name = Field(description="The outcome: `discharged`, `died`, or a name of your own")
    again: Again | None = Field(None, description="Who comes back")
    mark: Names = Field([], max_length=5, description="Time stamps when they leave")


class Route(StepBase):
    """Only a way on."""


VERBS: dict[str, type[Sourced]] = {
    "use": Use,
    "move_to": MoveTo,
    "visit": Visit,
    "take": Take,
    "give": Give,
    "meet": Meet,
    "carry": Carry,
    "stay": Stay,
    "wait": Wait,
    "travel": TravelTo,
    "together": Together,
    "leave": Leave,
}


ROUTE = {field.alias or name for name, field in Route.model_fields.items()}
"""What a step may say that is only a way on; with another word in it, most likely a verb is misspelt."""


def _verb(value: Any) -> str | None:
    if isinstance(value, dict):
        found = [verb for verb in VERBS if verb in value]
        if len(found) > 1:
            return None
        if found:
            return f"<{found[0]}>"
        return "<route>" if "next" in value and value.keys() <= ROUTE else None
    if isinstance(value, Sourced):
        return next((f"<{verb}>" for verb, model in VERBS.items() if type(value) is model), "<route>")
    return None


AnyStep = Annotated[
    Annotated[Use, Tag("<use>")]
    | Annotated[MoveTo, Tag("<move_to>")]
    | Annotated[Visit, Tag("<visit>")]
    | Annotated[Take, Tag("<take>")]
    | Annotated[Give, Tag("<give>")]
    | Annotated[Meet, Tag("<meet>")]
    | Annotated[Carry, Tag("<carry>")]
    | Annotated[Stay, Tag("<stay>")]
    | Annotated[Wait, Tag("<wait>")]
    | Annotated[TravelTo, Tag("<travel>")]
    | Annotated[Together, Tag("<together>")]
    | Annotated[Leave, Tag("<leave>")]
    | Annotated[Route, Tag("<route>")],
    Discriminator(
        _verb,
        custom_error_type="step_form",
        custom_error_message="a step needs exactly one of " + ", ".join(VERBS) + ", or only next",
    ),
]


class Timer(Sourced):
    """A clock beside the pathway: from one mark until another, and where to go if it runs out."""

    applies_to: Names = Field(alias="for", description="Entity types")
    from_: Name = Field(alias="from", description="Mark that starts it")
    until: Name = Field(description="Mark that stops it")
    after: Value | Literal["never"] = Field(description="How long it runs")
    go: Name = Field(description="Where to go when it runs out, whatever was going on")


class Transition(Sourced):
    """A change of health: at a hazard or after a time, to a state, to a step, with changed attributes."""

    hazard: Value | None = Field(None, description="Rate, such as 0.05 per_hour")
    after: Value | None = Field(None, description="Time in the state, instead of a hazard")
    go: Name | None = Field(None, description="A step to go to, whatever was going on")
    set: dict[Name, Value] = Field({}, description="Attributes that change")
    mark: Names = Field([], max_length=5, description="Time stamps when it happens")

    @model_validator(mode="after")
    def _one_clock(self) -> Transition:
        if (self.hazard is None) == (self.after is None):
            raise ValueError("needs exactly one of hazard and after")
        return self


class HealthMachine(Sourced):
    """Competing clocks beside the pathway. The first state is where it starts; each state lists where it leads."""

    applies_to: Names = Field(alias="for", description="Entity types")
    from_: Name = Field(alias="from", description="Mark that starts it")
    until: Name = Field(description="Mark that stops it")
    states: dict[Name, dict[Name, Transition]] = Field(
        min_length=1, max_length=30, description="For each state, where it leads: another state, or any name with `go`"
    )
