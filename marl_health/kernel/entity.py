"""Entities: whatever moves through a world (patients, claims, orders) and carries its own randomness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from marl_health.kernel.line import Line
    from marl_health.kernel.pool import Pool
    from marl_health.kernel.world import World

KEYS = 2.0**53
"""Keys of entities are whole numbers below this."""

Ticket = tuple[float, int, "Entity"]
"""A place in a line: (time of joining, number, entity). It is valid while ``entity.ticket`` is its number."""

Value = Callable[[Any, "Entity"], Any]
"""A compiled number or choice: what it is for this entity, now."""


class Thing(Protocol):
    """What the world's heap may hold: an epoch that validates entries, and what to do when one comes up."""

    epoch: int

    def fire(self, world: Any) -> None:
        """Act; called once for each entry whose epoch is still current."""


class Step(Protocol):
    """One step of a pathway: immutable, compiled once, shared by every world of the scenario.

    ``world`` is the kind of world that the step was compiled for.
    """

    name: str
    index: int

    def enter(self, world: Any, entity: Entity) -> None:
        """The entity arrives at this step."""

    def granted(self, world: Any, entity: Entity) -> None:
        """The entity was given what it waited for."""

    def done(self, world: Any, entity: Entity) -> None:
        """The entity's time in this step is over."""


class Entity:
    """A patient, claim, order or token. It is its own heap entry.

    Attributes:
        kind: index of the entity's type in the scenario.
        id: unique number within the episode (children of ``together`` share their parent's).
        row: uniforms in (0, 1), one column per purpose; shared with children.
        values: attribute values by slot; shared with children.
        marks: time of each mark in minutes, ``None`` while unset; shared with children.
        step: the step it is in.
        epoch: raised to cancel what is scheduled.
        until: time at which its scheduled entry comes up.
        place: the place it occupies, kept from step to step.
        held: the line whose resources it holds for the current step.
        line, ticket, since: the line it waits in, its ticket's number, and when it joined for its place in the order.
        joined: when it began to stand in line this time, which is later than ``since`` after an interruption.
        began: when it was given what it holds. remaining: minutes of work left after an interruption.
        worked: (``since`` of the work, minutes of it done, minutes it is known to take at least), set when work is
            interrupted; it says nothing of work with another ``since``.
        route: steps still ahead of a token of parallel work.
        units: the individual resource unit last used, by pool index; kept by the patient for all its tokens.
        visits: how often a column was used, for steps that may come again; shared with children.
        clocks: side clocks under way, by clock index; a token has its own.
        parent, children: tokens of parallel work.
        counted: whether measures take notice of it.
    """

    __slots__ = (
        "began",
        "children",
        "clocks",
        "counted",
        "epoch",
        "held",
        "id",
        "joined",
        "kind",
        "line",
        "marks",
        "parent",
        "place",
        "remaining",
        "route",
        "row",
        "since",
        "step",
        "ticket",
        "units",
        "until",
        "values",
        "visits",
        "worked",
    )

    def __init__(
        self,
        kind: int,
        number: int,
        row: Sequence[float],
        step: Step,
        values: list[Any] | None = None,
        marks: list[float | None] | None = None,
    ) -> None:
        self.kind = kind
        self.id = number
        self.row = row
        self.values: list[Any] = [] if values is None else values
        self.marks: list[float | None] = [] if marks is None else marks
        self.step = step
        self.epoch = 0
        self.until = 0.0
        self.place: Pool | None = None
        self.held: Line | None = None
        self.line: Line | None = None
        self.ticket: int | None = None
        self.since = self.joined = self.began = 0.0
        self.remaining: float | None = None
        self.worked: tuple[float, float, float] | None = None
        self.route: tuple[Step, ...] = ()
        self.units: dict[int, int] | None = None
        self.visits: dict[int, int] | None = None
        self.clocks: dict[int, Any] | None = None
        self.parent: Entity | None = None
        self.children: list[Entity] | None = None
        self.counted = True

    def child(self, step: Step) -> Entity:
        """A token for parallel work: the same patient, so the same row, values and marks."""
        token = Entity.__new__(Entity)
        token.kind = self.kind
        token.id = self.id
        token.row = self.row
        token.values = self.values
        token.marks = self.marks
        token.step = step
        token.epoch = 0
        token.until = 0.0
        token.place = None
        token.held = token.line = token.ticket = None
        token.since = token.joined = token.began = 0.0
        token.remaining = token.worked = None
        token.route = ()
        token.units = None
        token.visits = self.visits
        token.clocks = None
        token.parent = self
        token.children = None
        token.counted = self.counted
        return token

    def tokens(self) -> list[Entity]:
        """The entity itself and all its tokens of parallel work."""
        found = [self]
        for child in self.children or ():
            found.extend(child.tokens())
        return found

    @property
    def key(self) -> int:
        """Integer from which further uniforms are hashed (steps visited again, returns): column 0 of the row."""
        return int(self.row[0] * KEYS)

    @property
    def root(self) -> Entity:
        """The patient this token belongs to (itself, unless it is a child)."""
        entity = self
        while entity.parent is not None:
            entity = entity.parent
        return entity

    def fire(self, world: World) -> None:
        """The time in the current step is over."""
        self.step.done(world, self)
