"""What there is in a flow world: pools, lines and rosters, and capacity by the calendar."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from marl_health.kernel.entity import Entity
from marl_health.kernel.measures import Accrual
from marl_health.kernel.pool import Pool, Reserve
from marl_health.kernel.randomness import stream
from marl_health.kernel.roster import Roster
from marl_health.kernel.rota import RotaPool
from marl_health.kernel.world import EARLY, World
from marl_health.worlds.flow.fleets import FleetPool
from marl_health.worlds.flow.machines import MachinePool
from marl_health.worlds.flow.program import PoolSpec, Program, on_duty
from marl_health.worlds.flow.set_up_order import of_line
from marl_health.worlds.flow.sources import DAY
from marl_health.worlds.flow.stock import Stock


class ShiftChange:
    """The next change of a resource's capacity by the time of the day."""

    __slots__ = ("epoch", "pool")

    def __init__(self, pool: int) -> None:
        self.epoch = 0
        self.pool = pool

    def fire(self, world: Any) -> None:
        """A shift begins."""
        world.base[self.pool] = world.scheduled(self.pool, world.now)
        world.refresh_capacity(self.pool)
        world.at(world.next_shift(self.pool), self, EARLY)


class CrewChange:
    """The next time at which a crew of a rota comes or goes."""

    __slots__ = ("epoch", "pool")

    def __init__(self, pool: int) -> None:
        self.epoch = 0
        self.pool = pool

    def fire(self, world: Any) -> None:
        """Crews whose shift ends go, crews whose shift begins come."""
        crews = world.program.pools[self.pool].crews
        minute = (world.now + world.program.start) % DAY
        world.base[self.pool] = world.scheduled(self.pool, world.now)
        world.pools[self.pool].relieve(
            world,
            [number for number, (_, end, _) in enumerate(crews) if _same(end, minute)],
            {number: count for number, (begin, _, count) in enumerate(crews) if _same(begin, minute)},
            world.capacity_of(self.pool),
        )
        world.at(world.next_shift(self.pool), self, EARLY)


def _same(a: float, b: float) -> bool:
    """Whether two minutes of the day are the same."""
    return abs((a - b + DAY / 2) % DAY - DAY / 2) < 1e-6


class ResourceWorld(World):
    """A world with the resources of a program.

    Attributes:
        program: the compiled scenario. seed: the episode's.
        base: units by the shift, and ``extra``: units that agents added, by pool.
        reserves: units kept back, in the order of the program.
        rosters: lists kept in order, by index.
    """

    program: Program
    seed: int
    spent: Accrual
    _nobody: Entity | None = None

    def build(self) -> None:
        """Make pools, lines and rosters; what varies by episode is drawn already."""
        program = self.program
        self.base: list[int] = []
        self.extra: list[int] = []
        for number, spec in enumerate(program.pools):
            self.base.append(self.scheduled(number, 0.0))
            self.extra.append(0)
            self.pools.append(self._pool(number, spec))
        self.reserves = []
        for pool, test in program.reserves:
            reserve = Reserve(test)
            self.pools[pool].reserves.append(reserve)
            self.reserves.append(reserve)
        for number, line in enumerate(program.lines):
            self.lines.append(
                line.make(
                    line.name,
                    number,
                    tuple((self.pools[pool], units) for pool, units in line.needs),
                    kept=None if line.kept is None else self.pools[line.kept],
                    slot=line.slot,
                    classes=line.classes,
                    discipline=line.discipline,
                    priority=line.priority,
                )
            )
        for queue in self.lines:
            queue.discipline = of_line(queue.discipline, queue)
        if self.log is not None:
            for queue in self.lines:
                queue.plain = None  # the short ways through a plain line write no log
        self.rosters = [Roster(spec.key) for spec in program.rosters]
        for roster, place in zip(self.rosters, program.rosters, strict=True):
            for number in place.lines:
                self.lines[number].rosters.append(roster)

    def _pool(self, number: int, spec: PoolSpec) -> Pool:
        if spec.fleet is not None:
            return FleetPool(spec.name, number, self.base[number], spec.fleet)
        if spec.make is not None:
            return spec.make(spec.name, number, self.base[number])
        if spec.stock is not None:
            return Stock(spec.name, number, spec.stock, self.spent)
        if spec.crews:
            minute = self.program.start % DAY
            on = {crew: count for crew, (begin, end, count) in enumerate(spec.crews) if on_duty(begin, end, minute)}
            return RotaPool(spec.name, number, on, preempting=spec.preempting)
        if spec.wear is not None or spec.set_up is not None:
            return MachinePool(spec, number, self.base[number])
        if spec.turnover is not None:
            return spec.turnover.pool(spec, number, self.base[number])
        return Pool(
            spec.name,
            number,
            self.base[number],
            clean=spec.clean,
            identified=spec.identified,
            preempting=spec.preempting,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Put back what belongs to the compiled scenario and does not travel with a copy."""
        super().__setstate__(state)
        for pool, spec in zip(self.pools, self.program.pools, strict=True):
            pool.clean = spec.clean
            if isinstance(pool, MachinePool):
                pool.wear, pool.set_ups = spec.wear, spec.set_up
            elif isinstance(pool, FleetPool) and spec.fleet is not None:
                pool.fleet = spec.fleet
        for reserve, (_, test) in zip(self.reserves, self.program.reserves, strict=True):
            reserve.qualifies = test
        for roster, place in zip(self.rosters, self.program.rosters, strict=True):
            roster.key = place.key

    def begin_shifts(self) -> None:
        """Schedule the first change of every capacity that changes by the time of the day, and begin machines."""
        for pool, spec in enumerate(self.program.pools):
            place = self.pools[pool]
            if isinstance(place, MachinePool | FleetPool):
                place.begin(self)
            if spec.crews:
                self.at(self.next_shift(pool), CrewChange(pool), EARLY)
            elif len(spec.shifts) > 1:
                self.at(self.next_shift(pool), ShiftChange(pool), EARLY)

    @override
    def vacated_unit(self, pool: Pool, entity: Entity) -> None:
        turnover = self.program.pools[pool.index].turnover
        assert turnover is not None
        turnover.begin(self, pool, entity)  # type: ignore[arg-type]

    def stand_in(self, name: str) -> Entity:
        """Somebody with a row of a stream of its own, for numbers that are about nobody."""
        row = stream(self.seed, name).random(self.program.columns).tolist()
        return Entity(0, -1, row, self.program.steps[0])

    @property
    def nobody(self) -> Entity:
        """Stands in where a number is asked for and there is no entity."""
        if self._nobody is None:
            self._nobody = self.stand_in("nobody")
        return self._nobody

    # ------------------------------------------------------------ the calendar
    def minute_of_week(self) -> float:
        """Minutes after Monday 00:00."""
        return (self._now + self.program.start) % (7 * DAY)

    def scheduled(self, pool: int, time: float) -> int:
        """Units on duty at ``time`` by the shifts, without absences; call-ins and extra units come on top."""
        spec = self.program.pools[pool]
        minute = (time + self.program.start) % DAY
        units = spec.shifts[-1][1]
        for start, count in spec.shifts:
            if start <= minute + 1e-9:
                units = count
        if spec.absent is not None:
            units = max(0, units - round(float(spec.absent(self, self.nobody))))
        return units

    def next_shift(self, pool: int) -> float:
        """When the next shift of the resource begins."""
        minute = (self._now + self.program.start) % DAY
        starts = [start for start, _ in self.program.pools[pool].shifts]
        later = [start for start in starts if start > minute + 1e-9]
        return self._now + (later[0] - minute if later else starts[0] + DAY - minute)

    def refresh_capacity(self, pool: int) -> None:
        """Capacity is what the shift says plus what the agents added."""
        self.pools[pool].set_capacity(self, self.capacity_of(pool))

    def capacity_of(self, pool: int) -> int:
        """Units there should be now."""
        return max(0, self.base[pool] + self.extra[pool])
