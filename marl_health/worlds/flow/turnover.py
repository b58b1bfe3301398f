"""Jobs that make vacated places ready: who they are, and what is shown of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.formula import constant, value_of
from marl_health.kernel.pool import Pool
from marl_health.kernel.randomness import derived_row
from marl_health.kernel.turnover import TurnoverPool

if TYPE_CHECKING:
    from marl_health.worlds.flow.program import PoolSpec
    from marl_health.worlds.flow.world import FlowWorld


@dataclass(frozen=True)
class TurnoverSpec:
    """The jobs of one place.

    ``kind``: their entity type. ``has``: (slot, value for whoever left the unit) of attributes that follow from those.
    """

    kind: int
    has: tuple[tuple[int, Value], ...]

    def pool(self, spec: PoolSpec, number: int, capacity: int) -> TurnoverPool:
        """The place in a new world."""
        assert spec.clean is not None
        return TurnoverPool(
            spec.name, number, capacity, clean=spec.clean, preempting=spec.preempting, job_kind=self.kind
        )

    def begin(self, world: FlowWorld, pool: Pool, entity: Entity) -> None:
        """A unit was vacated: its job begins.

        The job's row follows from that of whoever left, so that it is the same under every policy.
        """
        patient = entity.root
        if patient.visits is None:
            patient.visits = {}
        purpose = -1 - pool.index  # the columns of numbers, counted here too, are not negative
        times = patient.visits[purpose] = patient.visits.get(purpose, 0) + 1
        ordinal = 2 + pool.index + (times - 1) * len(world.pools)  # 1 is whoever comes again
        known = tuple((slot, _settled(value(world, patient))) for slot, value in self.has)
        if world.cast is not None:
            world.cast.becomes_job(patient.key, pool.name, times)
        job = world.create(self.kind, derived_row(patient.key, ordinal, world.program.columns), known)
        job.place = pool
        world.arrive(job)


def _settled(value: object) -> Value:
    return lambda world, entity: value


def longest_wait(world: FlowWorld, job: Entity) -> float:
    """Minutes that the first of those has waited who wait for the place that a job makes ready."""
    place, now = job.place, world.now
    lines = () if place is None else place.lines
    return max([line.oldest(cls, now) for line in lines if line.waiting for cls in range(len(line.tickets))], default=0)


def called(world: FlowWorld, entity: Entity) -> int:
    """1 if somebody who waits was put first already, and is served when those are who were before."""
    line = entity.line
    return int(line is not None and any(ticket[1] == entity.ticket for ticket in line.called))


SHOWN_OF_WAITING: dict[str, tuple[Value, float]] = {
    "wanted": (value_of("(0 if entity.place is None else entity.place.waiting)"), 2.0),
    "longest": (value_of("{0}(world, entity)", constant(longest_wait)), 120.0),
    "called": (value_of("{0}(world, entity)", constant(called)), 0.0),
}
"""What may be shown of those who wait beside their attributes, and its scale; only ``called`` of others than jobs."""
