"""Those who come all at once: the casualties of an incident, found one after another."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.randomness import Rows
from marl_health.spec.errors import Where
from marl_health.worlds.flow.sources import Source, SourceSpec

if TYPE_CHECKING:
    from marl_health.worlds.flow import model
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.world import FlowWorld

MOST = 200_000
"""How many may come in one burst."""


@dataclass(frozen=True)
class BurstSpec:
    """How many come, and how many minutes after the first decision each of them does, by their own row."""

    count: Value
    after: Value

    def start(self, world: FlowWorld, source: SourceSpec) -> None:
        """Schedule those who come from now on, in order; everybody's time and row belong together."""
        program = world.program
        rows = Rows(world.seed, source.name, program.columns)
        somebody = Entity(source.kind, -1, (), program.steps[0])
        coming: list[tuple[float, int, Any]] = []
        for number in range(self.expected(world, world.nobody)):
            row = somebody.row = rows.next()
            somebody.visits = None
            time = program.warm_up + self.after(world, somebody)
            if world.now <= time < program.length:
                coming.append((time, number, row))
        coming.sort(reverse=True)
        rows.ready = [row for _, _, row in coming]
        Source(source, Times([time for time, _, _ in coming]), rows).schedule(world)

    def expected(self, world: Any, nobody: Entity) -> int:
        """How many come."""
        return max(0, round(float(self.count(world, nobody))))


class Times:
    """Times in minutes, the last one first."""

    def __init__(self, times: list[float]) -> None:
        self.times = times

    def next(self) -> float:
        """The next time, infinity after the last."""
        return self.times.pop() if self.times else inf


def compile_burst(compiler: Compiler, burst: model.Burst, path: Where) -> BurstSpec:
    """Compile how a burst comes."""
    count = compiler.numbers.compile(burst.count, (*path, "count"), "number")
    after = compiler.numbers.compile(burst.after, (*path, "after"), "time")
    return BurstSpec(count.value, after.value)
