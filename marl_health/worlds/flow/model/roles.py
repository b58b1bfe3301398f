"""Words for who decides: queues, slots, levers, choices, agents, measures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from marl_health.spec.common import Each, Names
from marl_health.spec.numbers import (
    Amount,
    Minutes,
    Model,
    MoneyRate,
    Name,
    Quantity,
    Sourced,
    Value,
)
from marl_health.worlds.flow.model.base import Count, If
from marl_health.worlds.flow.model.machines import Maintain, Switch
from marl_health.worlds.flow.model.pathway import Next
from marl_health.worlds.flow.model.stock import Issue, OrderStock


class ByClassOrder(Model):
    """Classes in this order; those not named come last."""

    first: list[str | int] = Field(min_length=1, description="Classes, the first one first")


class AgeingOrder(Model):
    """Urgency grows while waiting: points per hour for each class."""

    ageing: dict[str, float] = Field(
        min_length=1, description="Points an hour for each class; whoever has most is next"
    )


Order = Literal["arrival", "class", "set_up"] | ByClassOrder | AgeingOrder


class Queue(Sourced):
    """A named line: by which attribute it is divided into classes, and in which order it serves them."""

    classes: Name | None = Field(None, description="Attribute that divides the line into classes")
    order: Order = Field("arrival", description="Who is next; `set_up`: whoever needs no change of a free unit")


class Slots(Sourced):
    """A list of candidates that an agent sees and can point at: slot i is the same entity in both.

    They wait for a queue or resource (``waiting``) or are in a step (``inside``). Order: ``by: waited`` puts those
    first who are there longest, ``by: NAME`` the lowest value of an attribute, ``by: {left: NAME}`` those first whose
    planned duration (an attribute) is over soonest. Beside attributes, `show` knows `waited` and `stayed`, `called`
    (1 if somebody who waits was put first already), and, of turnover jobs, `wanted` (how many wait for the place) and
    `longest` (how long the first of them has waited).
    """

    waiting: Name | None = Field(None, description="A queue or resource that they wait for")
    inside: Name | None = Field(None, alias="in", description="A stay or wait step that they are in")
    top: int = Field(ge=1, le=32, description="How many slots")
    by: Name | Left = Field("waited", description="Who comes first")
    when: If | None = Field(None, description="Only those for whom this holds")
    show: list[Name] = Field(
        [],
        max_length=10,
        description="Attributes seen of each, `waited` or `stayed`; of turnover jobs `wanted`, `longest`",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Slots:
        if (self.waiting is None) == (self.inside is None):
            raise ValueError("needs exactly one of waiting and in")
        return self


class Left(Model):
    """Order by planned time left."""

    left: Name = Field(description="Attribute that holds the planned duration")


class Sight(Model):
    """One thing an agent sees, where a plain reference does not say enough."""

    see: str = Field(max_length=200, description="A reference, such as `ed_queue.waiting`")
    each: Each = None
    by: Name | None = Field(None, description="One number for each class")
    scale: Amount | None = Field(None, description="Seen as x / (x + scale)")
    days: int | None = Field(None, ge=1, le=60, description="Of `STEP.due`: one number for today and each day after it")
    of: Name | None = Field(None, description="Of `STEP.due`: the sum of this attribute, instead of how many")
    from_: Name | None = Field(None, alias="from", description="Of `SITE.minutes_away`: the site one starts from")
    within: list[Minutes] = Field(
        [], max_length=20, description="Of a stock: how many of the units on hand expire within each of these times"
    )


class Lever(Model):
    """What all levers share."""

    at_least: Minutes = Field(0.0, description="A new position is kept at least this long")
    lead: Minutes = Field(0.0, description="Time until a change takes effect")
    at_most: int | None = Field(None, ge=1, le=1000, description="Changes allowed in an episode")
    each: Each = None


class SetOrder(Lever):
    """Choose a queue's order among named ones; the first is in force at the start."""

    set: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\.order$", description="A queue and `.order`")
    to: dict[Name, Order] = Field(min_length=2, max_length=20, description="Orders by name")


class SetExtra(Lever):
    """Add units to a resource: levels, of which the first is in force at the start."""

    set: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\.extra$", description="A resource and `.extra`")
    levels: list[Annotated[int, Field(ge=-100_000, le=100_000)]] = Field(
        min_length=2, max_length=20, description="Extra units to choose from; the first is 0"
    )
    costs: MoneyRate = Field(0.0, description="For one unit and an hour")


class SetReserve(Lever):
    """Keep units back for those who meet a condition: levels, of which the first is in force at the start."""

    reserve: Name = Field(description="The resource")
    condition: If = Field(alias="for", description="Who may use the reserved units")
    levels: list[Count] = Field(
        min_length=2, max_length=20, description="Units kept back to choose from; the first is 0"
    )


class SetNext(Lever):
    """Choose a step's way on among named ones; the first is the step's own, in force at the start."""

    set: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\.next$", description="A step and `.next`")
    to: dict[Name, Next] = Field(min_length=2, max_length=20, description="Ways on by name, each as in a step's `next`")

    @property
    def step(self) -> str:
        """Name of the step."""
        return self.set.removesuffix(".next")


class SetIssue(Lever):
    """Choose which units of a stock are handed out first; the first is the stock's own, in force at the start."""

    set: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\.issue$", description="A stock and `.issue`")
    to: list[Issue] = Field(min_length=2, max_length=2, description="`oldest` and `newest`, in this order or the other")


class Lend(Lever):
    """Lend units of a resource to one of others, and take them back; at the start they are at home.

    What one gets, the other lacks. Whoever is at work finishes that first.
    """

    lend: Name = Field(description="The resource whose units are lent")
    to: list[Name] = Field(min_length=1, max_length=20, description="Resources that may get them, one at a time")
    count: int = Field(1, ge=1, le=10_000, description="How many are lent together")


class CallIn(Model):
    """Call extra staff in, for a while and at a price."""

    call_in: Name = Field(description="The staff")
    count: int = Field(ge=1, le=10_000, description="How many come")
    lead: Minutes = Field(0.0, description="Time until they are there")
    duration: Minutes = Field(alias="for", gt=0, description="How long they stay")
    at_most: int | None = Field(None, ge=1, le=1000, description="Calls allowed in an episode")
    costs: Amount = Field(Quantity(0.0, "money"), description="For one call")
    each: Each = None


class Choose(Model):
    """Point at one entity of a slot list and do something with it."""

    choose: Name = Field(description="The slot list")
    do: Literal["first", "shorten"] | Go = Field(
        description="`first`: to the head of the line; `shorten`: end the stay; `{go: step}`: send there; "
        "`{set: {attribute: value}}`: change attributes; `{set: {...}, go: step}`: both"
    )
    at_most: int | None = Field(None, ge=1, le=10_000, description="Times allowed in an episode")
    costs: Amount = Field(Quantity(0.0, "money"), description="For each time")
    each: Each = None


class Go(Model):
    """Change attributes of the chosen entity (a label, a protocol, a dose), send it to another step, or both."""

    go: Name | None = Field(None, description="The step; without it the entity stays where it is")
    set: dict[Name, Value] = Field({}, max_length=20, description="Attributes that change, before it goes")

    @model_validator(mode="after")
    def _does_something(self) -> Go:
        if self.go is None and not self.set:
            raise ValueError("needs go, set, or both: {set: {protocol: low}, go: scan}")
        return self


MOVES = {
    "call_in": "<call_in>",
    "choose": "<choose>",
    "reserve": "<reserve>",
    "maintain": "<maintain>",
    "switch": "<switch>",
    "order": "<stock>",
    "lend": "<lend>",
}


MOVE_TAGS: dict[type[Model], str] = {
    CallIn: "<call_in>",
    Choose: "<choose>",
    SetReserve: "<reserve>",
    SetOrder: "<order>",
    SetExtra: "<extra>",
    SetNext: "<next>",
    SetIssue: "<issue>",
    OrderStock: "<stock>",
    Lend: "<lend>",
    Maintain: "<maintain>",
    Switch: "<switch>",
}
SETTINGS = {".order": "<order>", ".extra": "<extra>", ".next": "<next>", ".issue": "<issue>"}


def _move(value: Any) -> str | None:
    if isinstance(value, dict):
        for word, tag in MOVES.items():
            if word in value:
                return tag
        target = value.get("set")
        if isinstance(target, str):
            return next((tag for ending, tag in SETTINGS.items() if target.endswith(ending)), None)
        return None
    return next((tag for move, tag in MOVE_TAGS.items() if isinstance(value, move)), None)


AnyMove = Annotated[
    Annotated[SetOrder, Tag("<order>")]
    | Annotated[SetExtra, Tag("<extra>")]
    | Annotated[SetReserve, Tag("<reserve>")]
    | Annotated[SetNext, Tag("<next>")]
    | Annotated[SetIssue, Tag("<issue>")]
    | Annotated[OrderStock, Tag("<stock>")]
    | Annotated[Lend, Tag("<lend>")]
    | Annotated[CallIn, Tag("<call_in>")]
    | Annotated[Choose, Tag("<choose>")]
    | Annotated[Maintain, Tag("<maintain>")]
    | Annotated[Switch, Tag("<switch>")],
    Discriminator(
        _move,
        custom_error_type="move_form",
        custom_error_message="a move is one of {set: QUEUE.order, to: {...}}, {set: RESOURCE.extra, levels: [...]}, "
        "{set: STEP.next, to: {...}}, {reserve: RESOURCE, for: condition, levels: [...]}, "
        "{set: STOCK.issue, to: [oldest, newest]}, {order: STOCK, levels: [...]}, {lend: STAFF, to: [STAFF]}, "
        "{call_in: STAFF, count: 2, for: 8 h}, {choose: SLOTS, do: first}, {maintain: PLACE}, {switch: PLACE}",
    ),
]


class Agent(Sourced):
    """A role that decides: what it sees and what it can do. Move 0 is always to wait.

    Where decisions come at events, it is asked at all marks of ``clock.decide.when``, or at those that it ``decides``
    only; at the steps of others it sees the world, and can do nothing but wait.

    With ``each`` there is one agent of the role at every site of a template; all of them see and can do the same.
    """

    each: Each = None
    role: Name | None = Field(None, description="The role of several agents, if it is not the name here")
    site: Name | None = Field(None, description="The site where it decides; `each` fills this in")
    sees: list[str | Sight] = Field(min_length=1, max_length=100, description="What is observed, in this order")
    can: list[AnyMove] = Field(
        min_length=1, max_length=30, description="What can be done; each is one or several moves"
    )
    decides: Names | None = Field(
        None, description="Marks of `clock.decide.when` at which it is asked; all of them if absent"
    )


class Measure(Sourced):
    """The time between two marks: its count, hours, mean, median, p90 and more come free."""

    from_: Name = Field(alias="from", description="Mark at which it begins")
    to: Name = Field(description="Mark at which it ends")
    applies_to: Names | None = Field(None, alias="for", description="Entity types; all if absent")
    while_holding: Name | None = Field(None, description="Only while the entity occupies this place")
    target: Value | None = Field(None, description="Time beyond which it counts as over target")
