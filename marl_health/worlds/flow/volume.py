"""How much work an episode is: what no computer could simulate in reasonable time is refused when it is read.

Everything that is random is taken at the middle of its distribution (what varies by episode, near its top), so these
are orders of magnitude: enough to tell a scenario from a slip of the keyboard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Entity
from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.burst import MOST, BurstSpec
from marl_health.worlds.flow.clocks import HealthSpec
from marl_health.worlds.flow.sources import DAY, WEEK, AtStartSpec, RateSpec, SourceSpec, TimetableSpec

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler

MOST_ENTITIES = 5_000_000
MOST_APPOINTMENTS = 1_000_000
MOST_AT_START = 200_000
MOST_UNIFORMS = 2_000_000_000
MOST_SHIFTS = 5_000_000
INSTANT = 0.001
"""Minutes; a loop whose steps last no longer than this keeps a computer busy for hours."""


class Rehearsal:
    """Stands for a world while numbers are tried out: one episode's draws, and a typical entity of each kind."""

    def __init__(self, compiler: Compiler) -> None:
        self.program = compiler.program
        self.now = 0.0
        self.varied: list[Any] = []
        for _, value in self.program.varied:
            self.varied.append(value(self, self.somebody(-1, 0.9)))

    def somebody(self, kind: int, level: float = 0.5) -> Entity:
        """An entity whose every draw is at the same level; of no kind if ``kind`` is negative."""
        entity = Entity(kind, 0, [level] * self.program.columns, self.program.steps[0])
        entity.values = [None] * len(self.program.slots_of_values)
        entity.marks = [None] * len(self.program.marks)
        for slot, value in self.program.attributes[kind] if kind >= 0 else ():
            entity.values[slot] = value(self, entity)
        return entity


def check_volume(compiler: Compiler) -> None:
    """Note what makes an episode endless: too many entities, loops and returns in next to no time."""
    program, names = compiler.program, compiler.names
    rehearsal = Rehearsal(compiler)
    expected = [(_expected(rehearsal, source), source) for source in program.sources]
    total = sum(count for count, _ in expected)
    days = program.length / DAY
    for count, source in expected:
        path: Where = ("entities", source.name, "arrive")
        most, what = MOST_ENTITIES, "in one episode"
        if isinstance(source.how, TimetableSpec):
            most, what = MOST_APPOINTMENTS, "by timetable in one episode"
        elif isinstance(source.how, BurstSpec):
            most, what = MOST, "in a burst"
        elif isinstance(source.how, AtStartSpec):
            most, what = MOST_AT_START, "at the start"
        if count > most or (total > MOST_ENTITIES and count == max(expected, key=lambda item: item[0])[0]):
            names.problem(
                path,
                f"about {count:.3g} would come {what} of {days:.4g} days; at most {most:,} can be simulated: "
                "lower the number or shorten the clock",
            )
    if total <= MOST_ENTITIES and total * program.columns > MOST_UNIFORMS:
        names.problem(
            ("clock",),
            f"about {total:.3g} entities with {program.columns} random numbers each are too many; shorten the clock",
        )
    shifts = sum(len(pool.shifts) for pool in program.pools if len(pool.shifts) > 1) * days
    if shifts > MOST_SHIFTS:
        names.problem(("clock",), f"about {shifts:.3g} shifts would begin in one episode; shorten the clock")
    _check_loops(compiler, rehearsal)


def _expected(rehearsal: Rehearsal, source: SourceSpec) -> float:
    """About how many come from a source in one episode."""
    program, how = rehearsal.program, source.how
    if isinstance(how, RateSpec):
        factor = 1.0 if how.times is None else float(how.times(rehearsal, rehearsal.somebody(-1, 0.9)))
        return how.per_minute * program.length * factor
    if isinstance(how, TimetableSpec):
        return sum(count for _, count, _ in how.appointments) * (program.length / WEEK + 1.0)
    if isinstance(how, BurstSpec):
        return float(how.expected(rehearsal, rehearsal.somebody(-1, 0.9)))
    if how.pool is None or how.share is None:
        return float(how.count)
    share = float(how.share(rehearsal, rehearsal.somebody(-1, 0.9)))
    return share * max(units for _, units in program.pools[how.pool].shifts)


def _check_loops(compiler: Compiler, rehearsal: Rehearsal) -> None:
    program, graph = compiler.program, compiler.graph
    people = [rehearsal.somebody(kind) for kind in range(len(program.kinds))]
    instant: set[str] = set()
    for name, spec in compiler.scenario.pathway.items():
        step = program.steps[program.step_index[name]]
        duration = getattr(step, "duration", None)
        minutes = [_tried(duration, rehearsal, people[kind]) for kind in graph.kinds_of[name]] if duration else [0.0]
        if not isinstance(spec, model.Leave | model.Together) and min(minutes, default=1.0) < INSTANT:
            instant.add(name)
        again = getattr(step, "again", None)
        if again is not None:
            delays = [_tried(again[1], rehearsal, people[kind]) for kind in graph.kinds_of[name]]
            if min(delays, default=1.0) < INSTANT:
                path: Where = ("pathway", name, "again", "after")
                compiler.names.problem(path, "they would be back at once; write a duration of some minutes or more")
    graph.check_time(instant | graph.timeless, graph.balking)
    machines = [clock for clock in program.clocks if isinstance(clock, HealthSpec)]
    for (name, machine), clock in zip(compiler.scenario.health.items(), machines, strict=True):
        affected = [people[program.kinds.index(kind)] for kind in machine.applies_to]
        for (state, ways), transitions in zip(machine.states.items(), clock.states, strict=True):
            for to, transition in zip(ways, transitions, strict=True):
                values = [_tried(transition.value, rehearsal, entity) for entity in affected]
                quick = (
                    min(values, default=1.0) < INSTANT if transition.fixed else max(values, default=0.0) > 1 / INSTANT
                )
                if quick and transition.target is not None:
                    compiler.names.problem(
                        ("health", name, "states", state, to), "is over in next to no time; write a longer one"
                    )


def _tried(value: Any, rehearsal: Rehearsal, entity: Entity) -> float:
    entity.visits = None
    return float(value(rehearsal, entity))
