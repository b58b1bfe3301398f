"""A way on that an agent sets: the lever, and the way that follows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from marl_health.kernel.entity import Entity
from marl_health.worlds.flow.decisions import Levels
from marl_health.worlds.flow.program import Way

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld


class Switched:
    """The way on that a lever has in force.

    Attributes:
        lever: index of the lever's state. by_position: the ways.
    """

    def __init__(self, lever: int, ways: Sequence[Way]) -> None:
        self.lever = lever
        self.by_position = tuple(ways)

    def ways(self) -> list[Way]:
        """Where it may lead."""
        return list(self.by_position)

    def enter(self, world: FlowWorld, entity: Entity) -> None:
        """Take it."""
        self.by_position[world.levers[self.lever].in_force].enter(world, entity)


class NextLever(Levels):
    """Switch a step's way on, for those who finish the step from now on; its :class:`Switched` reads the position."""

    @override
    def switch(self, world: FlowWorld, before: int, after: int) -> None:
        pass
