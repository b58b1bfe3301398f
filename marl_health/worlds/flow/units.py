"""Units of a fleet: vehicles that are somewhere, drive, load, wait at a door and come back."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Entity
from marl_health.worlds.flow.cast import Person
from marl_health.worlds.flow.machines import MOST_UNITS

if TYPE_CHECKING:
    from marl_health.worlds.flow.fleets import FleetPool
    from marl_health.worlds.flow.world import FlowWorld

IDLE, OUT, LOADING, IN, UNLOADING, BLOCKED, BACK, OFF = range(8)
STATES = ("idle", "driving_out", "loading", "driving_in", "unloading", "blocked", "returning", "off_duty")
"""What a unit does, in snapshots and event logs: it waits for a call at a site, drives to somebody, takes them aboard,
drives to the destination, hands over, waits at the door with somebody for whom there is no place, drives back free, or
is not on duty."""


class Unit:
    """One vehicle. Its next event is its own entry on the heap: the end of a drive, of loading or unloading.

    A drive leads along one way, ``origin`` to ``target``. Whoever is sent elsewhere on the way goes on to one of its
    ends first, so times are those of the network and nobody jumps.

    Attributes:
        base: the site that it starts from. made: when it came on duty for the first time.
        state: what it does, ``began``: since when, ``until``: how long, as far as it is known.
        origin, target, since, arrives: the way it drives or drove last; ``since`` is when it is, or was, at its origin.
        stub, left: the place where it was when it was last sent, and when.
        riders: those for whom it is sent, those aboard, and those who still keep it at the door.
        current: who is being loaded or unloaded. queue: those to unload next.
    """

    __slots__ = (
        "arrives", "base", "began", "current", "epoch", "left", "made", "number", "origin", "pool", "queue", "riders",
        "since", "state", "stub", "target", "until",
    )  # fmt: skip

    def __init__(self, pool: FleetPool, number: int, base: str, now: float) -> None:
        self.pool = pool
        self.number = number
        self.base = self.origin = self.target = base
        self.epoch = 0
        self.state = IDLE
        self.made = self.began = self.since = self.arrives = self.left = now
        self.until = inf
        self.stub = (base, base, 0.0, 0.0)
        self.riders: list[Entity] = []
        self.current: Entity | None = None
        self.queue: list[Entity] = []

    # ------------------------------------------------------------ where it is
    def place(self, now: float) -> tuple[str, str, float, float]:
        """The sites between which it is, and the minutes from the first and to the second."""
        if now >= self.arrives:
            return self.target, self.target, 0.0, 0.0
        if now >= self.since:
            return self.origin, self.target, now - self.since, self.arrives - now
        a, b, behind, ahead = self.stub
        passed = now - self.left if self.origin == b else self.left - now
        return a, b, behind + passed, ahead - passed

    def reach(self, now: float, site: str) -> tuple[float, str]:
        """Minutes from where it is now to a site, and the end of its present way over which that leads."""
        a, b, behind, ahead = self.place(now)
        on = ahead + self.pool.minutes(b, site, now)
        back = behind + self.pool.minutes(a, site, now)
        return (on, b) if on <= back else (back, a)

    def where(self, now: float) -> tuple[str, str, float]:
        """The sites between which it is, and the share of the way from the first to the second that is behind it."""
        a, b, behind, ahead = self.place(now)
        return a, b, behind / (behind + ahead) if a != b else 1.0

    # ------------------------------------------------------------ what it does
    def change(self, world: FlowWorld, state: int, until: float = inf) -> None:
        """Do something else, until a time if that is known."""
        self.pool.count(self.state, state, world.now)
        self.state = state
        self.began = world.now
        self.until = until
        self.epoch += 1
        if until < inf:
            world.at(until, self)
        if world.log is not None:
            self.write(world)

    def write(self, world: FlowWorld) -> None:
        """A row of the event log: what it does now, and where, or where to.

        In the log units have numbers below 0, and names such as ``ambulance[0]``.
        """
        assert world.log is not None and world.cast is not None
        number = -1 - self.pool.index * MOST_UNITS - self.number
        world.cast.people.setdefault(number, Person(f"{self.pool.name}[{self.number}]", self.pool.name, {}, []))
        world.log.append((world.now, number, "unit", STATES[self.state], self.target))

    def drive(self, world: FlowWorld, site: str, state: int) -> None:
        """Drive to a site from where it is."""
        now = world.now
        minutes, via = self.reach(now, site)
        self.stub, self.left = self.place(now), now
        self.origin, self.target = via, site
        self.arrives = now + minutes
        self.since = self.arrives - self.pool.minutes(via, site, now)
        self.change(world, state, self.arrives)

    def release(self, world: FlowWorld) -> None:
        """Nobody needs it any more: it drives back, unless it is there already."""
        self.current = None
        self.queue.clear()
        home = self.pool.home(self)
        if self.target == home and world.now >= self.arrives:
            self.rest(world)
        else:
            self.drive(world, home, BACK)

    def rest(self, world: FlowWorld) -> None:
        """It is where it waits for a call, or goes off duty."""
        self.change(world, IDLE if self.number in self.pool.on_duty else OFF)

    def fire(self, world: FlowWorld) -> None:
        """What it does is over."""
        if self.state == BACK:
            self.rest(world)
        elif self.state == OUT:
            self._there(world)
        elif self.state == LOADING:
            self._loaded(world)
        elif self.state == IN:
            self._arrived(world)
        else:
            self._unloaded(world)

    def _there(self, world: FlowWorld) -> None:
        """It is where somebody waits for it; others who were sent for them turn back."""
        entity = self.riders[0]
        line = entity.held
        assert line is not None
        for pool, _ in line.needs:
            pool.let_go(world, entity, self)  # type: ignore[attr-defined]
        _carry(entity).reached(world, entity)
        self._load(world, entity)
        for pool, _ in line.needs:
            if pool.free > 0 and pool.wanted:
                pool.dispatch(world)

    def _load(self, world: FlowWorld, entity: Entity) -> None:
        self.current = entity
        self.change(world, LOADING, world.now + _carry(entity).loads(world, entity))

    def _loaded(self, world: FlowWorld) -> None:
        """Somebody is aboard; then the next who can ride along, or off it goes."""
        entity, self.current = self.current, None
        if entity is not None and entity in self.riders:
            _carry(entity).aboard(world, entity, self.pool)
        other = self.pool.companion(world, self) if len(self.riders) < self.pool.fleet.carries else None
        if other is not None:
            _carry(other).reached(world, other)
            self._load(world, other)
        else:
            self.set_off(world)

    def set_off(self, world: FlowWorld) -> None:
        """Drive to the destination of the first of those aboard."""
        for entity in self.riders:
            if under_way(entity):
                _carry(entity).set_off(world, entity)
        first = next((entity for entity in self.riders if under_way(entity)), None)
        if first is None:  # who is aboard has something else to do, here
            self.change(world, BLOCKED)
        else:
            self.drive(world, first.values[self.pool.fleet.heading], IN)

    def _arrived(self, world: FlowWorld) -> None:
        """All who go here are here, and are handed over one after the other."""
        heading = self.pool.fleet.heading
        for entity in self.riders:
            if entity.values[heading] == self.target:
                if under_way(entity):
                    self.queue.append(entity)
                world.underway.pop(entity, None)
                world.assign(entity, self.pool.fleet.arrival)
        self._next(world)

    def _next(self, world: FlowWorld) -> None:
        """Hand the next one over; when all are, wait until they have found their places, or go on with the others."""
        self.queue = [entity for entity in self.queue if entity in self.riders and under_way(entity)]
        if self.queue:
            self.current = self.queue.pop(0)
            self.change(world, UNLOADING, world.now + _carry(self.current).unloads(world, self.current))
            return
        self.change(world, BLOCKED)
        self.go_on(world)

    def _unloaded(self, world: FlowWorld) -> None:
        """Somebody is handed over: they look for a place, and keep the unit until there is one."""
        entity, self.current = self.current, None
        epoch = self.epoch
        if entity is not None and entity in self.riders and under_way(entity):
            _carry(entity).delivered(world, entity)
        if self.epoch == epoch:  # else that was the last, and it is free or on the way with somebody
            self._next(world)

    def ask(self, world: FlowWorld, entity: Entity) -> None:
        """Somebody aboard wants to go elsewhere, on the way or at the door; with others aboard, after these."""
        if len(self.riders) == 1:
            self.current = None
            self.queue.clear()
            self.set_off(world)
        else:
            self.go_on(world)

    def go_on(self, world: FlowWorld) -> None:
        """At the door: if all who are left have somewhere else to go, drive them there."""
        if self.state == BLOCKED and self.riders and all(map(under_way, self.riders)):
            self.set_off(world)


def under_way(entity: Entity) -> bool:
    """Whether somebody for whom there is a unit is being carried; else they keep it and do something else."""
    line = entity.held
    return line is not None and bool(line.needs) and hasattr(line.needs[0][0], "fleet")


def _carry(entity: Entity) -> Any:
    """The step in which somebody is carried."""
    return entity.step
