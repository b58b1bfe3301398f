"""Places whose vacated units are made ready by a job: an entity that goes its own way and gives the unit back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.kernel.pool import Pool

if TYPE_CHECKING:
    from marl_health.kernel.entity import Entity, Value
    from marl_health.kernel.world import World


class TurnoverPool(Pool):
    """Units that are not ready when they are vacated.

    The world makes a job of each, an entity of ``job_kind`` whose place the unit is. While there is one the unit counts
    as being cleaned; it is free once the job gives up its place, which it does at the latest when it leaves.

    Args:
        clean: anything; it says to others that vacated units are not free at once.
        job_kind: index of the entity type of the jobs. Nobody else of that type may ever have the place.
    """

    __slots__ = ("job_kind",)

    def __init__(self, name: str, index: int, capacity: int, *, clean: Value, preempting: bool, job_kind: int) -> None:
        super().__init__(name, index, capacity, clean=clean, identified=False, preempting=preempting)
        self.job_kind = job_kind

    @override
    def __getstate__(self) -> Any:
        nothing, state = super().__getstate__()
        return nothing, state | {"job_kind": self.job_kind}

    @override
    def give_back(self, world: World, units: int, entity: Entity) -> None:
        if entity.kind == self.job_kind:
            self.cleaning -= 1
            self.free += 1
            return
        now = world._now
        self.used += units * now
        if self.free < 0:
            self._integrate_over(now)
        self.cleaning += units
        if self.preempting:
            self.users.pop(entity, None)
        for _ in range(units):
            world.vacated_unit(self, entity)
