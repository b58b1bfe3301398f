"""What is seen and what is counted of machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.worlds.flow.machines import MAINTENANCE, NOTHING, REMEMBERED, REPAIR, SET_UP, MachinePool
from marl_health.worlds.flow.readings import RESOURCE, Reading
from marl_health.worlds.flow.sights import Sight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marl_health.worlds.flow.program import PoolSpec, Program
    from marl_health.worlds.flow.world import FlowWorld

AGE = 10 * 1440.0
"""Default scale of an age, in minutes."""


class UnitsNow(Sight):
    """Of each unit whether it is in use, out, or ordered to go out, and what its wear and its set-up show."""

    def __init__(
        self, name: str, pool: int, units: int, scale: float, *, wears: bool, warns: bool, set_ups: Sequence[Any]
    ) -> None:
        each: list[tuple[str, str, float]] = [
            ("busy", "1 if it is in use", 0.0),
            ("out", "1 if it is out: under repair, in maintenance or being changed over", 0.0),
            ("ordered", "1 if it will go out when it is free, or an engineer is on the way", 0.0),
        ]
        if wears:
            each.append(("age", "minutes since it was new, repaired or maintained; 0 while it is out for that", scale))
        if warns:
            each.append(("warnings", f"share of the last {REMEMBERED} checks that warned", 0.0))
        each += [(f"is {value}", f"1 if it is set up for {value}", 0.0) for value in set_ups]
        super().__init__(
            tuple(f"{name}[{unit}].{what}" for unit in range(units) for what, _, _ in each),
            tuple(f"{name}, unit {unit}: {meaning}" for unit in range(units) for _, meaning, _ in each),
            tuple(scale for _ in range(units) for _, _, scale in each),
        )
        self.pool = pool
        self.units = units
        self.wears = wears
        self.warns = warns
        self.set_ups = tuple(set_ups)
        self.none = [0.0] * len(each)

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        pool = world.pools[self.pool]
        assert isinstance(pool, MachinePool)
        idle, now = pool.idle or (), world.now
        for number in range(self.units):
            machine = pool.machines.get(number)
            if machine is None:  # absent for the whole episode
                out.extend(self.none)
                continue
            away = machine.out
            out.append(float(away == NOTHING and number not in idle))
            out.append(float(away != NOTHING))
            out.append(float(machine.due != NOTHING or machine.called))
            if self.wears:
                out.append(now - machine.since if away in (NOTHING, SET_UP) else 0.0)
            if self.warns:
                assert pool.wear is not None
                out.append(sum(machine.read(world, pool.wear)[-REMEMBERED:]) / REMEMBERED)
            for value in self.set_ups:
                out.append(float(machine.set_up == value))


class UnitsCounted(Reading):
    """How often units of a place went out for a reason."""

    whole = RESOURCE
    until_horizon = True
    WORDS = {
        "failures": (REPAIR, "failed"),
        "maintained": (MAINTENANCE, "were taken out for maintenance"),
        "set_ups": (SET_UP, "were changed over"),
    }

    def __init__(self, name: str, pool: int, what: str) -> None:
        self.why, words = self.WORDS[what]
        super().__init__("", f"times that units of '{name}' {words}")
        self.pool = pool

    @override
    def read(self, world: FlowWorld) -> float:
        pool = world.pools[self.pool]
        assert isinstance(pool, MachinePool)
        return float(pool.counts[self.why])


class UnitHours(Reading):
    """Unit-hours out: for repair and maintenance (``down_hours``), or for changes over (``set_up_hours``)."""

    whole = RESOURCE
    until_horizon = True

    def __init__(self, name: str, pool: int, what: str) -> None:
        self.down = what == "down_hours"
        words = "under repair or in maintenance" if self.down else "spent on changes over, counted as they begin"
        super().__init__("h", f"unit-hours of '{name}' {words}")
        self.pool = pool

    @override
    def read(self, world: FlowWorld) -> float:
        pool = world.pools[self.pool]
        assert isinstance(pool, MachinePool)
        if self.down:
            return pool.minutes_out(world.now, (REPAIR, MAINTENANCE)) / 60.0
        return (pool.setting_up + pool.minutes_out(world.now, (SET_UP,))) / 60.0


def units_sight(program: Program, pool: int, scale: float | None) -> UnitsNow | None:
    """The sight for ``PLACE.units``, or ``None`` if its units have no state of their own."""
    spec = program.pools[pool]
    if spec.wear is None and spec.set_up is None:
        return None
    return UnitsNow(
        spec.name,
        pool,
        spec.shifts[0][1],
        scale or AGE,
        wears=spec.wear is not None,
        warns=spec.wear is not None and spec.wear.sign is not None,
        set_ups=() if spec.set_up is None else tuple(spec.set_up.takes),
    )


def machine_words(spec: PoolSpec) -> list[str]:
    """What can be read of a place beside what can be of all."""
    worn = [] if spec.wear is None else ["failures", "maintained", "down_hours"]
    return worn + ([] if spec.set_up is None else ["set_ups", "set_up_hours"])


MACHINE_READINGS = (*UnitsCounted.WORDS, "down_hours", "set_up_hours")


def machine_reading(name: str, pool: int, what: str) -> Reading:
    """The reading for ``PLACE.WORD``."""
    return UnitsCounted(name, pool, what) if what in UnitsCounted.WORDS else UnitHours(name, pool, what)
