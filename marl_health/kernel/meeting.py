"""Meetings: entities of different parties wait for each other, then all of them go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from marl_health.kernel.pool import Pool

if TYPE_CHECKING:
    from marl_health.kernel.world import World


class Meeting(Pool):
    """What those who meet wait for. It has no units: whoever comes waits until there is somebody in every line.

    Each line is a party. The head of each line meets the heads of the others, so classes, orders and choices of agents
    decide who meets whom as they decide who is served elsewhere.
    """

    __slots__ = ()

    def __init__(self, name: str, index: int) -> None:
        super().__init__(name, index, 0, clean=None, identified=False, preempting=False)
        self.plain = False

    @override
    def dispatch(self, world: World) -> None:
        """Let those go on who have found each other; whoever comes back to the meeting at once finds it under way."""
        if self.dispatching:
            return
        self.dispatching = True
        now = world._now
        while all(line.waiting and line.head(now) for line in self.lines):
            met = []
            for line in self.lines:
                assert line.best_ticket is not None
                met.append(line.best_ticket[2])
                line.grants += 1
                line.leave(now, met[-1])
            for entity in met:
                entity.step.granted(world, entity)
        self.dispatching = False
