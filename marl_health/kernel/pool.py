"""Pools: staff, beds, scanners; capacity over time, cleaning, reserves, and units that can be told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marl_health.kernel.entity import Entity, Value
    from marl_health.kernel.line import Line
    from marl_health.kernel.world import World


class Reserve:
    """Units kept back for entities that qualify.

    Attributes:
        qualifies: tells from an entity's attribute values whether it may use the reserved units.
        level: how many units are kept back now.
    """

    __slots__ = ("level", "qualifies")

    def __init__(self, qualifies: Callable[[Sequence[Any]], bool]) -> None:
        self.qualifies: Callable[[Sequence[Any]], bool] | None = qualifies
        self.level = 0

    def __getstate__(self) -> Any:
        """``qualifies`` belongs to the compiled scenario, which puts it back into copies."""
        return None, {"level": self.level}


class Cleaning:
    """A unit that is being cleaned; it is free again when its entry comes up.

    Attributes:
        unit: which, if they differ. began: when.
        kind, values: what whoever left it was like then.
    """

    __slots__ = ("began", "epoch", "kind", "pool", "unit", "values")

    def __init__(self, pool: Pool, unit: int | None, began: float, entity: Entity) -> None:
        self.epoch = 0
        self.pool = pool
        self.unit = unit
        self.began = began
        self.kind = entity.kind
        self.values = entity.values[:]

    def fire(self, world: World) -> None:
        """The unit is clean."""
        pool = self.pool
        pool.integrate(world._now)
        pool.cleaning -= 1
        pool.free += 1
        if self.unit is not None:
            pool.put_back(world, self.unit)
        if pool.free > 0 and pool.wanted:
            pool.dispatch(world)


class Pool:
    """Capacity that entities take and give back.

    ``free`` may be negative: after a shift change an over-full pool drains, and the excess is overtime.
    The order among waiting entities is the lines' business; the pool compares the heads of its lines by
    (priority, rank, time of joining).

    Attributes:
        capacity: units there are now. busy: units taken. cleaning: units not ready yet.
        free: ``capacity - busy - cleaning``.
        lines: the lines that draw on it.
        idle: ids of the free units when units can be told apart, else ``None``; then ``given`` holds those taken, by
            who has them, and ``on_duty`` all that have not gone home.
        users: who has units, kept where they may be interrupted.
        job_kind: index of the entity type that makes vacated units ready, where such jobs do.
        out: units that are neither free nor taken nor being cleaned, where units may be out of use.
        consumed: whether units are used up instead of given back.
    """

    job_kind = -1
    out = 0
    consumed = False

    __slots__ = (
        "busy_minutes",
        "capacity",
        "capacity_last",
        "capacity_minutes",
        "clean",
        "cleaning",
        "dispatching",
        "free",
        "given",
        "idle",
        "index",
        "lines",
        "name",
        "next_unit",
        "on_duty",
        "over_last",
        "over_minutes",
        "plain",
        "preempting",
        "reserves",
        "used",
        "users",
    )

    def __init__(
        self, name: str, index: int, capacity: int, *, clean: Value | None, identified: bool, preempting: bool
    ) -> None:
        self.name = name
        self.index = index
        self.capacity = self.free = capacity
        self.cleaning = 0
        self.dispatching = False
        self.lines: list[Line] = []
        self.clean: Value | None = clean
        self.reserves: list[Reserve] = []
        self.used = 0.0  # the sum of the times at which use of a unit ended, minus that of those at which it began
        self.capacity_last = self.over_last = 0.0
        self.busy_minutes = self.capacity_minutes = self.over_minutes = 0.0
        self.idle: list[int] | None = list(range(capacity))[::-1] if identified else None
        self.on_duty: set[int] = set(range(capacity)) if identified else set()
        self.given: dict[Entity, list[int]] = {}
        self.next_unit = capacity
        self.preempting = preempting
        self.users: dict[Entity, None] = {}
        self.plain = clean is None and not identified and not preempting

    def __getstate__(self) -> Any:
        """``clean`` belongs to the compiled scenario, which puts it back into copies."""
        return None, {name: getattr(self, name) for name in Pool.__slots__ if name != "clean"}

    @property
    def waiting(self) -> int:
        """Entities waiting for this pool, over all its lines."""
        lines = self.lines
        return lines[0].waiting if len(lines) == 1 else sum([line.waiting for line in lines])

    @property
    def wanted(self) -> bool:
        """Whether anybody waits for this pool; quicker to tell than how many."""
        for line in self.lines:  # noqa: SIM110 - a loop costs half of a generator, and every unit given back comes here
            if line.waiting:
                return True
        return False

    def integrate(self, now: float) -> None:
        """Bring the time integrals (busy, capacity, overtime; unit-minutes) up to ``now``."""
        self.busy_minutes = self.used + self.busy * now
        self.capacity_minutes += self.capacity * (now - self.capacity_last)
        self.capacity_last = now
        self._integrate_over(now)

    def _integrate_over(self, now: float) -> None:
        if self.free < 0:
            self.over_minutes -= self.free * (now - self.over_last)
        self.over_last = now

    @property
    def busy(self) -> int:
        """Units that are taken."""
        return self.capacity - self.free - self.cleaning

    def take(self, now: float, units: int, entity: Entity, wanted: int | None = None) -> None:
        """Give units to the entity; the caller has seen that they are free."""
        self.free -= units
        self.used -= units * now
        if self.plain:
            return
        if self.idle is not None:
            self._assign(units, entity, wanted)
        if self.preempting:
            self.users[entity] = None

    def give_back(self, world: World, units: int, entity: Entity) -> None:
        """Take units back from the entity, without offering them to anyone yet."""
        now = world._now
        self.used += units * now
        if self.free < 0:
            self._integrate_over(now)
        if self.plain:
            self.free += units
            return
        if self.clean is not None:
            given: Sequence[int | None] = (None,) * units if self.idle is None else self._unassign(units, entity)
            minutes = self.clean(world, entity)
            self.cleaning += units
            for unit in given:
                world.at(now + minutes, Cleaning(self, unit, now, entity))
        elif self.idle is None:
            self.free += units
        else:
            for unit in self._unassign(units, entity):
                self.free += 1
                self.put_back(world, unit)
        if self.preempting:
            self.users.pop(entity, None)

    def vacate(self, world: World, entity: Entity) -> None:
        """Take one unit back from the entity and offer it to those who wait."""
        lines = self.lines
        if self.plain and self.free == 0 and len(lines) == 1 and lines[0].waiting and lines[0].pass_on(world):
            return
        self.give_back(world, 1, entity)
        if self.free > 0 and self.wanted:
            self.dispatch(world)

    def dispatch(self, world: World) -> None:
        """Offer free units to the best head among the lines, until none is free or nobody can use them.

        Whoever is served may free a unit at the same moment; the call under way then goes on, so that a long queue
        passes one after the other and not one inside the other.
        """
        if self.dispatching:
            return
        self.dispatching = True
        now = world._now
        while self.free > 0 and self.wanted:
            lines = self.lines
            if len(lines) == 1:
                if not lines[0].serve_next(world):
                    break
            else:
                ready = [line for line in lines if line.waiting and line.feasible() and line.head(now)]
                if not ready:
                    break
                best = ready[0] if len(ready) == 1 else min(ready, key=lambda line: line.claim(now))
                best.serve(world)
        self.dispatching = False

    def set_capacity(self, world: World, capacity: int) -> None:
        """Change the number of units; raising it by k lets up to k entities in at once."""
        self.integrate(world.now)
        change = capacity - self.capacity
        self.capacity = capacity
        self.free += change
        if self.idle is not None:
            if change > 0:
                for _ in range(max(0, min(change, self.free))):
                    self.idle.append(self.next_unit)
                    self.on_duty.add(self.next_unit)
                    self.next_unit += 1
            while len(self.idle) > max(0, self.free):
                self._retire(world, self.idle.pop(0))
        if self.free > 0 and self.wanted:
            self.dispatch(world)

    def kept_from(self, entity: Entity) -> int:
        """How many units the reserves keep from this entity."""
        kept = 0
        for reserve in self.reserves:
            if reserve.level and not (reserve.qualifies and reserve.qualifies(entity.values)):
                kept += reserve.level
        return kept

    def _assign(self, units: int, entity: Entity, wanted: int | None) -> None:
        assert self.idle is not None
        if wanted is not None:
            self.idle.remove(wanted)
            self.idle.append(wanted)
        taken = [self.idle.pop() for _ in range(units)] if units > 1 else [self.idle.pop()]
        before = self.given.get(entity)
        self.given[entity] = taken if before is None else before + taken
        patient = entity.root
        if patient.units is None:
            patient.units = {}
        patient.units[self.index] = taken[0]

    def _unassign(self, units: int, entity: Entity) -> list[int]:
        given = self.given[entity]
        if len(given) <= units:
            return self.given.pop(entity)
        back, given[:] = given[:units], given[units:]
        return back

    def put_back(self, world: World, unit: int) -> None:
        """A unit that was told apart is free again, or goes home if its shift is over."""
        assert self.idle is not None
        if len(self.idle) < self.free:
            self.idle.append(unit)
        else:  # over-full after a shift change: this one goes home
            self._retire(world, unit)

    def _retire(self, world: World, unit: int) -> None:
        """A unit goes home for good: those who waited for it take anybody, and its line is closed."""
        self.on_duty.discard(unit)
        for line in tuple(self.lines):
            if line.unit == unit and line.base is not None and line.needs[0][0] is self:
                line.hand_over(world, line.base)
                line.close()
