"""Fleets: pools whose units are somewhere, and the lines of those who wait to be fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.pool import Pool
from marl_health.kernel.rising import RisingLine
from marl_health.worlds.flow.units import IDLE, OFF, STATES, Unit, under_way

if TYPE_CHECKING:
    from marl_health.kernel.world import World
    from marl_health.worlds.flow.network import Network
    from marl_health.worlds.flow.program import Test


@dataclass(frozen=True)
class FleetSpec:
    """What is fixed about a fleet.

    ``bases``: sites, in turn for its units. ``returns``: where free units go instead. ``carries``: how many at once, of
    whom at most one meets ``at_most_one``. ``pace``: its minutes for each minute of the ``network``.
    ``site``, ``heading``: slots of where an entity is and where it is being carried; ``arrival``: what is assigned when
    it is there.
    """

    bases: tuple[str, ...]
    returns: str | None
    carries: int
    at_most_one: Test | None
    pace: float
    network: Network
    site: int
    heading: int
    arrival: tuple[tuple[int, Value], ...]


class FleetPool(Pool):
    """The units of a fleet. Free are those that wait for a call and those that drive back.

    Attributes:
        fleet: belongs to the compiled scenario. units: all that ever were on duty, by number.
        counts: units in each state, and spent: the sum of the times at which units left it, minus that of those at
            which they began. rides: times that somebody was brought to a destination.
    """

    __slots__ = ("counts", "fleet", "rides", "spent", "units")

    def __init__(self, name: str, index: int, capacity: int, fleet: FleetSpec) -> None:
        super().__init__(name, index, capacity, clean=None, identified=True, preempting=False)
        self.fleet = fleet
        self.rides = 0
        self.counts = [0] * len(STATES)
        self.spent = [0.0] * len(STATES)
        self.units: dict[int, Unit] = {}
        for number in range(capacity):
            self._make(number, 0.0)

    @override
    def __getstate__(self) -> Any:
        nothing, state = super().__getstate__()
        return nothing, state | {name: getattr(self, name) for name in FleetPool.__slots__ if name != "fleet"}

    def _make(self, number: int, now: float) -> Unit:
        bases = self.fleet.bases
        unit = self.units[number] = Unit(self, number, bases[number % len(bases)], now)
        self.counts[IDLE] += 1
        self.spent[IDLE] -= now
        return unit

    def begin(self, world: Any) -> None:
        """The world begins: the log tells where the units are."""
        if world.log is not None:
            for unit in self.units.values():
                unit.write(world)

    def count(self, before: int, after: int, now: float) -> None:
        """A unit passes from one state to another."""
        self.counts[before] -= 1
        self.counts[after] += 1
        self.spent[before] += now
        self.spent[after] -= now

    def unit_minutes(self, state: int, now: float) -> float:
        """Unit-minutes spent in a state so far."""
        return self.spent[state] + self.counts[state] * now

    # ------------------------------------------------------------ where
    def minutes(self, a: str, b: str, now: float) -> float:
        """How long its units take from site to site, in minutes."""
        return self.fleet.network.minutes(a, b, now, self.fleet.pace)

    def home(self, unit: Unit) -> str:
        """Where a unit goes when it is free."""
        return self.fleet.returns or unit.base

    def nearest(self, now: float, site: str) -> tuple[float, int]:
        """(minutes, number) of the free unit that would be at a site first."""
        assert self.idle is not None
        return min([(self.units[number].reach(now, site)[0], number) for number in self.idle])

    # ------------------------------------------------------------ who has a unit
    @override
    def take(self, now: float, units: int, entity: Entity, wanted: int | None = None) -> None:
        assert self.idle is not None
        for _ in range(units):
            number = self.nearest(now, entity.values[self.fleet.site])[1]
            self.idle.remove(number)
            self.free -= 1
            self.used -= now
            self._give(entity, self.units[number])

    def _give(self, entity: Entity, unit: Unit) -> None:
        self.given.setdefault(entity, []).append(unit.number)
        unit.riders.append(entity)

    @override
    def give_back(self, world: World, units: int, entity: Entity) -> None:
        self.let_go(world, entity, None)

    def let_go(self, world: Any, entity: Entity, keep: Unit | None) -> None:
        """Take back all units that somebody has but one; those whom nobody else has are free, and drive back."""
        given = self.given.pop(entity, [])
        if keep is not None and keep.pool is self:
            self.given[entity] = [keep.number]
        for number in given:
            unit = self.units[number]
            if unit is keep:
                continue
            unit.riders.remove(entity)
            if unit.riders:
                unit.go_on(world)
                continue
            self.used += world.now
            if self.free < 0:
                self._integrate_over(world.now)
            self.free += 1
            self.put_back(world, number)
            unit.release(world)

    def companion(self, world: Any, unit: Unit) -> Entity | None:
        """Whoever is next of those who wait where a unit is, for this fleet, and may ride along; they are given it."""
        fleet, riders = self.fleet, unit.riders
        goals = {entity.step.to(world, entity) for entity in riders if under_way(entity)}  # type: ignore[attr-defined]
        taken = fleet.at_most_one is not None and any(fleet.at_most_one(entity.values) for entity in riders)
        for line in sorted([line for line in self.lines if line.waiting], key=lambda line: line.priority):
            assert isinstance(line, FleetLine)
            for entity in line.in_order(world.now):
                if (
                    entity.values[fleet.site] == unit.target
                    and entity.step.to(world, entity) in goals  # type: ignore[attr-defined]
                    and not (taken and fleet.at_most_one is not None and fleet.at_most_one(entity.values))
                ):
                    line.grants += 1
                    line.leave(world.now, entity)
                    entity.held = line
                    entity.began = world.now
                    self._give(entity, unit)
                    entity.step.begins(world, entity, self)  # type: ignore[attr-defined]
                    return entity
        return None

    # ------------------------------------------------------------ shifts
    @override
    def _retire(self, world: World, unit: int) -> None:
        """A unit goes off duty, at its base."""
        self.on_duty.discard(unit)
        if self.units[unit].state == IDLE:
            self.units[unit].rest(world)  # type: ignore[arg-type]

    @override
    def set_capacity(self, world: Any, capacity: int) -> None:
        self.integrate(world.now)
        change = capacity - self.capacity
        self.capacity = capacity
        self.free += change
        assert self.idle is not None
        self._call(world, max(0, min(change, self.free)))
        while len(self.idle) > max(0, self.free):
            last = max(self.idle)
            self.idle.remove(last)
            self._retire(world, last)
        if self.free > 0 and self.wanted:
            self.dispatch(world)

    def _call(self, world: Any, count: int) -> None:
        """Units come on duty: the first of those that are not, then new ones."""
        assert self.idle is not None
        absent = [number for number in self.units if number not in self.on_duty]
        new = range(len(self.units), len(self.units) + count - len(absent))
        for number in [*absent, *new][:count]:
            unit = self.units.get(number) or self._make(number, world.now)
            self.on_duty.add(number)
            self.idle.append(number)
            if unit.state == OFF:
                unit.rest(world)


class FleetLine(RisingLine):
    """Those who wait to be fetched by a unit of one of some fleets.

    Args:
        race: whether several units are sent, as many of each fleet as ``needs`` says and as are free; else one is, that
            would be there first.
    """

    __slots__ = ("race",)

    def __init__(self, *settings: Any, race: bool, after: float = inf, to: float = 0.0, **more: Any) -> None:
        super().__init__(*settings, after=after, to=to, **more)
        self.race = race
        self.returned = ()  # whoever is aboard keeps the unit; see release
        self.single = self.plain = None

    @override
    def feasible(self) -> bool:
        return any(pool.free > 0 for pool, _ in self.needs)

    @override
    def admits(self, entity: Entity) -> bool:
        return any(pool.free > pool.kept_from(entity) for pool, _ in self.needs)

    @override
    def take(self, now: float, entity: Entity) -> None:
        entity.held = self
        entity.began = now
        open_to = [(pool, min(units, pool.free - pool.kept_from(entity))) for pool, units in self.needs]
        if self.race or len(open_to) == 1:
            for pool, units in open_to:
                pool.take(now, max(0, units), entity)
            return
        found = [
            (*pool.nearest(now, entity.values[pool.fleet.site]), place)
            for place, (pool, units) in enumerate(open_to)
            if units > 0 and isinstance(pool, FleetPool)
        ]
        open_to[min(found)[2]][0].take(now, 1, entity)

    @override
    def release(self, world: World, entity: Entity) -> None:
        """Whoever is called away before the ride sends the units back; whoever is aboard keeps theirs."""
        entity.held = None
        if entity.place is not None and any(pool is entity.place for pool, _ in self.needs):
            return
        for pool, _ in self.needs:
            assert isinstance(pool, FleetPool)
            pool.give_back(world, 1, entity)
            entity.values[pool.fleet.heading] = None
        for pool, _ in self.needs:
            if pool.free > 0 and pool.wanted:
                pool.dispatch(world)

    def in_order(self, now: float) -> Iterator[Entity]:
        """Everybody who waits, whoever is next first."""
        called = [ticket for ticket in self.called if ticket[2].ticket == ticket[1]]
        found = []
        for cls, queue in enumerate(self.tickets):
            for ticket in queue:
                if ticket[2].ticket == ticket[1] and ticket not in called:
                    waited = now - ticket[0]
                    found.append((waited < self.after, self.discipline.rank(cls, waited), ticket))
        for ticket in [*called, *(ticket for _, _, ticket in sorted(found))]:
            yield ticket[2]
