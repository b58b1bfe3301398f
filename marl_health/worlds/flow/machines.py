"""Machines: units of a place that have a state of their own. They age, fail, are repaired and maintained, are set up.

Each unit has a stream of random numbers of its own: its n-th life and its n-th repair are the same under every policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.pool import Pool
from marl_health.kernel.preemption import interrupt
from marl_health.kernel.randomness import hashed
from marl_health.worlds.flow.cast import Person

if TYPE_CHECKING:
    from marl_health.worlds.flow.program import PoolSpec
    from marl_health.worlds.flow.world import FlowWorld

NOTHING, REPAIR, MAINTENANCE, SET_UP = range(4)
"""Why a unit is out, or will be when it comes free."""
WORDS = ("", "repair", "maintenance", "set_up")
"""The same in event logs."""
MOST_UNITS = 1_000_000
"""Beyond every number of a unit of a place."""

MOST_LIVES = 1000
"""Lives drawn for a unit that is old already when the world begins; then it begins a new one."""

REMEMBERED = 10
"""Checks of which agents see how many warned."""


@dataclass(frozen=True)
class WearSpec:
    """How units of a place fail; numbers are for whoever stands for the unit.

    ``fails``, ``defect``, ``age``: minutes. ``repair``, ``maintenance``: (minutes, US dollars), by reason.
    ``resumes``: whether interrupted work does. ``sign``: minutes between checks, chances that one of a sound and of a
    defective unit warns, and the column of its random numbers.
    """

    fails: Value
    defect: Value | None
    age: Value | None
    outages: Mapping[int, tuple[Value, float]]
    resumes: bool
    sign: tuple[float, float, float, int] | None


@dataclass(frozen=True)
class SetUpSpec:
    """What units of a place are set up for: the ``slot`` of the attribute, minutes that a change to each value takes.

    ``paid`` is the slot in which entities carry the minutes for which a unit was changed for them.
    """

    slot: int
    takes: Mapping[Any, Value]
    only: bool
    paid: int


class Machine:
    """One unit. Its next event is its own entry on the heap: a failure, or the end of the time that it is out.

    Attributes:
        since: when it was new or as good as new. began: when it went out.
        fails_at, defect_at: when it will fail, and when its defect arises (``inf``: without one).
        out: why it is out now. due: why it will be when it comes free.
        called: whether an engineer is on the way to maintain it.
        set_up: what it is set up for. wanted: what it will be. changed: whether it was changed for whoever has it.
        signs: results of the checks in this life, in order. checked: number of the last one, counted from the first
            minute of the world.
        somebody: stands for it where a number is drawn.
    """

    __slots__ = (
        "began", "called", "changed", "checked", "defect_at", "due", "epoch", "fails_at", "number", "out", "pool",
        "set_up", "signs", "since", "somebody", "until", "wanted",
    )  # fmt: skip

    def __init__(self, pool: MachinePool, number: int, set_up: Any) -> None:
        self.pool = pool
        self.number = number
        self.epoch = 0
        self.since = self.began = self.until = 0.0
        self.fails_at = self.defect_at = inf
        self.out = self.due = NOTHING
        self.set_up = self.wanted = set_up
        self.changed = self.called = False
        self.signs: list[bool] = []
        self.checked = 0
        self.somebody: Entity | None = None

    def fire(self, world: FlowWorld) -> None:
        """It fails, or is back."""
        self.pool.fails(world, self) if self.out == NOTHING else self.pool.comes_back(world, self)

    # ------------------------------------------------------------ lives
    def begin(self, world: FlowWorld, spec: PoolSpec, *, spare: bool = False) -> None:
        """It is there: new, or of some age; a spare one never fails."""
        self.somebody = world.stand_in(f"unit:{spec.name}:{self.number}")
        wear = spec.wear
        self.since = world.now
        self.checked = self._checks(world, wear)
        if wear is None or spare:
            return
        age = 0.0 if wear.age is None else float(wear.age(world, self.somebody))
        for _ in range(MOST_LIVES):
            self._live(world, wear)
            if self.fails_at - self.since > age:
                break
        else:
            age = 0.0
        self.since -= age
        self.fails_at -= age
        self.defect_at -= age
        world.at(self.fails_at, self)

    def renew(self, world: FlowWorld, wear: WearSpec) -> None:
        """It is as good as new."""
        self.since = world.now
        self.signs.clear()
        self._live(world, wear)

    def _live(self, world: FlowWorld, wear: WearSpec) -> None:
        assert self.somebody is not None
        start = self.since
        if wear.defect is not None:
            start = self.defect_at = start + float(wear.defect(world, self.somebody))
        self.fails_at = start + float(wear.fails(world, self.somebody))

    # ------------------------------------------------------------ checks
    def _checks(self, world: FlowWorld, wear: WearSpec | None) -> int:
        """Number of the last check before now."""
        return 0 if wear is None or wear.sign is None else int(world.now / wear.sign[0])

    def read(self, world: FlowWorld, wear: WearSpec) -> list[bool]:
        """The checks of this life so far; each depends on its number alone, so it matters not when somebody looks."""
        if self.out == NOTHING and wear.sign is not None:
            every, sound, defective, column = wear.sign
            assert self.somebody is not None
            key = self.somebody.key
            last = self._checks(world, wear)
            for check in range(self.checked + 1, last + 1):
                chance = defective if check * every >= self.defect_at else sound
                self.signs.append(hashed(key, column, check) < chance)
            self.checked = last
        return self.signs

    def back(self, world: FlowWorld, wear: WearSpec | None) -> None:
        """It is in use again, and checked from now on."""
        self.checked = self._checks(world, wear)


class _Guard:
    """Makes lines ask the pool whom a unit may serve, as a reserve does, while it keeps none back by itself."""

    __slots__ = ()
    level = 0
    qualifies = None


class MachinePool(Pool):
    """A place whose units are machines.

    Units that are out are neither free nor taken, nor among those being cleaned.

    Attributes:
        machines: by number. out: how many are out.
        wear, set_ups: the specs, which belong to the compiled scenario.
        counts: how often units went out, by reason, changes for somebody included.
        gone: for each reason, the sum of the times at which units came back, minus that of those at which they went.
        away: units out now, by reason. setting_up: minutes for which units were changed for those who came.
    """

    __slots__ = ("away", "counts", "gone", "machines", "out", "set_ups", "setting_up", "wear")

    def __init__(self, spec: PoolSpec, index: int, capacity: int) -> None:
        super().__init__(spec.name, index, capacity, clean=None, identified=True, preempting=spec.preempting)
        self.wear: WearSpec | None = spec.wear
        self.set_ups: SetUpSpec | None = spec.set_up
        self.out = 0
        self.counts = [0, 0, 0, 0]
        self.away = [0, 0, 0, 0]
        self.gone = [0.0, 0.0, 0.0, 0.0]
        self.setting_up = 0.0
        self.machines: dict[int, Machine] = {}
        for number in range(capacity):
            self._make(number)
        if self.set_ups is not None and self.set_ups.only:
            self.reserves.append(_Guard())  # type: ignore[arg-type]

    @override
    def __getstate__(self) -> Any:
        nothing, state = super().__getstate__()
        own = {name: getattr(self, name) for name in MachinePool.__slots__ if name not in ("wear", "set_ups")}
        return nothing, state | own

    def _make(self, number: int) -> Machine:
        classes = [] if self.set_ups is None else list(self.set_ups.takes)
        machine = Machine(self, number, classes[number % len(classes)] if classes else None)
        self.machines[number] = machine
        return machine

    def begin(self, world: Any) -> None:
        """The world begins."""
        for machine in self.machines.values():
            machine.begin(world, world.program.pools[self.index])

    @property
    def busy(self) -> int:
        """Units that are taken."""
        return self.capacity - self.free - self.cleaning - self.out

    # ------------------------------------------------------------ who gets which unit
    @override
    def kept_from(self, entity: Entity) -> int:
        kept, spec = super().kept_from(entity), self.set_ups
        if spec is None or not spec.only:
            return kept
        wanted = entity.values[spec.slot]
        assert self.idle is not None
        matching = [unit for unit in self.idle if self.machines[unit].set_up == wanted]
        return kept + self.free - len(matching)

    @override
    def _assign(self, units: int, entity: Entity, wanted: int | None) -> None:
        spec = self.set_ups
        if spec is None:
            super()._assign(units, entity, wanted)
            return
        assert self.idle is not None
        needed = entity.values[spec.slot]
        if wanted is None:
            wanted = next((unit for unit in self.idle if self.machines[unit].set_up == needed), None)
        super()._assign(units, entity, wanted)
        for unit in self.given[entity]:
            machine = self.machines[unit]
            machine.changed = machine.set_up != needed
            if machine.changed:
                machine.set_up = machine.wanted = needed
                self.counts[SET_UP] += 1

    def ready_for(self, value: Any) -> bool:
        """Whether a free unit has this set-up."""
        return any(self.machines[unit].set_up == value for unit in self.idle or ())

    def changed_for(self, world: FlowWorld, entity: Entity) -> float:
        """Minutes for which the unit that somebody was given has to be changed first."""
        assert self.set_ups is not None and entity.units is not None
        machine = self.machines[entity.units[self.index]]
        if not machine.changed:
            return 0.0
        minutes = float(self.set_ups.takes[machine.set_up](world, entity))
        self.setting_up += minutes
        return minutes

    # ------------------------------------------------------------ out, and back
    def order(self, world: FlowWorld, machine: Machine, why: int) -> None:
        """A unit goes out, now or when it comes free."""
        machine.due = why
        if self.idle is not None and machine.number in self.idle:
            self.integrate(world.now)
            self.idle.remove(machine.number)
            self.free -= 1
            self._goes_out(world, machine)

    def _goes_out(self, world: FlowWorld, machine: Machine) -> None:
        """The unit, neither free nor taken any more, goes out for what it is due for."""
        why, machine.due, now = machine.due, NOTHING, world.now
        if self.wear is not None:
            machine.read(world, self.wear)
        machine.epoch += 1
        machine.out = why
        machine.began = now
        if why != SET_UP:
            machine.fails_at = machine.defect_at = inf
        self.out += 1
        self.away[why] += 1
        self.counts[why] += 1
        self.gone[why] -= now
        assert machine.somebody is not None
        if why == SET_UP:
            assert self.set_ups is not None
            machine.set_up = machine.wanted
            minutes = float(self.set_ups.takes[machine.set_up](world, machine.somebody))
        else:
            assert self.wear is not None
            duration, price = self.wear.outages[why]
            minutes = float(duration(world, machine.somebody))
            if world.counting:
                world.spent.add(price)
        machine.until = now + minutes
        world.at(machine.until, machine)
        if world.log is not None:
            self._log(world, machine, WORDS[why])

    def comes_back(self, world: FlowWorld, machine: Machine) -> None:
        """A unit that was out is free."""
        self.integrate(world.now)
        why, machine.out, machine.until = machine.out, NOTHING, 0.0
        machine.epoch += 1
        self.out -= 1
        self.away[why] -= 1
        self.gone[why] += world.now
        machine.back(world, self.wear)
        if world.log is not None:
            self._log(world, machine, "back")
        if self.wear is not None:
            if why != SET_UP:
                machine.renew(world, self.wear)
            world.at(max(world.now, machine.fails_at), machine)
        self.free += 1
        self.put_back(world, machine.number)
        if self.free > 0 and self.wanted:
            self.dispatch(world)

    def _log(self, world: FlowWorld, machine: Machine, event: str) -> None:
        """Write a row about a unit. In the log units have numbers below 0, and names such as ``scanner[0]``."""
        assert world.log is not None and world.cast is not None
        number = -1 - self.index * MOST_UNITS - machine.number
        world.cast.people.setdefault(number, Person(f"{self.name}[{machine.number}]", self.name, {}, []))
        world.log.append((world.now, number, "unit", event, self.name))

    def fails(self, world: FlowWorld, machine: Machine) -> None:
        """A unit breaks down; whoever is served by it waits again, unless it is their place."""
        assert self.wear is not None
        self.order(world, machine, REPAIR)
        if machine.due == NOTHING:
            return
        user = next(entity for entity, units in self.given.items() if machine.number in units)
        if user.held is not None and any(pool is self for pool, _ in user.held.returned):
            interrupt(world, user, self.wear.resumes)

    @override
    def put_back(self, world: Any, unit: int) -> None:
        machine = self.machines[unit]
        if machine.due == NOTHING:
            super().put_back(world, unit)
            return
        self.integrate(world.now)
        self.free -= 1
        self._goes_out(world, machine)

    @override
    def set_capacity(self, world: Any, capacity: int) -> None:
        # No agent adds machines; the check does, to see what plenty of them is worth. Plenty of wear is worth nothing.
        for number in range(self.next_unit, self.next_unit + max(0, capacity - self.capacity)):
            self._make(number).begin(world, world.program.pools[self.index], spare=True)
        super().set_capacity(world, capacity)

    def minutes_out(self, now: float, reasons: tuple[int, ...]) -> float:
        """Unit-minutes out so far, for some reasons."""
        return sum([self.gone[why] + self.away[why] * now for why in reasons])
