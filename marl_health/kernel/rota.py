"""Staff who work in crews: when a shift ends they finish what they do, beside those who relieve them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.kernel.pool import Pool

if TYPE_CHECKING:
    from marl_health.kernel.world import World


class RotaPool(Pool):
    """Units that belong to crews. Whoever is at work when the crew's shift ends goes home afterwards.

    Until then they count among the ``capacity``, and the time is overtime; their work is no longer interrupted.

    Args:
        crews: units of each crew that is on duty at the start.

    Attributes:
        crews: the units of each crew that is on duty, by the number of the crew.
        leaving: units whose shift is over, but not their work.
    """

    __slots__ = ("crews", "leaving")

    def __init__(self, name: str, index: int, crews: Mapping[int, int], *, preempting: bool) -> None:
        super().__init__(name, index, sum(crews.values()), clean=None, identified=True, preempting=preempting)
        self.leaving: set[int] = set()
        self.crews: dict[int, range] = {}
        first = 0
        for crew, count in crews.items():
            self.crews[crew] = range(first, first + count)
            first += count

    @override
    def __getstate__(self) -> Any:
        nothing, state = super().__getstate__()
        return nothing, state | {"crews": self.crews, "leaving": self.leaving}

    def relieve(self, world: World, ended: Iterable[int], begun: Mapping[int, int], capacity: int) -> None:
        """Change crews.

        Args:
            world: the world.
            ended: crews whose shift ends now.
            begun: how many come, by crews whose shift begins now.
            capacity: units there are from now on, without those who finish their work.
        """
        for crew in ended:
            self._end(world, crew)
        for crew, count in begun.items():
            first = self.next_unit
            self.set_capacity(world, self.capacity - len(self.leaving) + count)
            self.crews[crew] = range(first, self.next_unit)
        self.set_capacity(world, capacity)

    def _end(self, world: World, crew: int) -> None:
        assert self.idle is not None
        self.integrate(world.now)
        for unit in self.crews.pop(crew, ()):
            if unit in self.idle:
                self.idle.remove(unit)
                self._go(world, unit)
            elif unit in self.on_duty:  # else an agent has sent them home before
                self.leaving.add(unit)
        for entity, units in self.given.items():
            if not self.leaving.isdisjoint(units) and entity.held is not None:
                for pool, _ in entity.held.needs:  # whoever is served by one of them is not interrupted for anything
                    pool.users.pop(entity, None)

    def _go(self, world: World, unit: int) -> None:
        self.capacity -= 1
        self.free -= 1
        self._retire(world, unit)

    @override
    def put_back(self, world: World, unit: int) -> None:
        if unit not in self.leaving:
            super().put_back(world, unit)
            return
        self.integrate(world.now)
        self.leaving.remove(unit)
        self._go(world, unit)

    @override
    def set_capacity(self, world: World, capacity: int) -> None:
        super().set_capacity(world, capacity + len(self.leaving))

    @override
    def _integrate_over(self, now: float) -> None:
        self.over_minutes += (len(self.leaving) + max(0, -self.free)) * (now - self.over_last)
        self.over_last = now
