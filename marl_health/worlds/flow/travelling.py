"""The step in which an entity goes from one site to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from marl_health.kernel.entity import Entity, Value
from marl_health.worlds.flow.numbers import SITE
from marl_health.worlds.flow.program import Program
from marl_health.worlds.flow.steps import Delay

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld

__all__ = ["HEADING", "MINUTES", "SITE", "Travel"]

HEADING = "site.to"
"""Slot of the site that somebody is on the way to, else ``None``."""
MINUTES = "site.minutes"
"""Slot of the minutes that the way takes which somebody is on."""


class Travel(Delay):
    """Leave the place that one has, be on the way for some minutes, then be at another site.

    Attributes:
        arrival: (slot, value) pairs assigned on arrival. ``sets`` holds where to and how long, which both are fixed
            when it sets out.
    """

    def __init__(self, program: Program, name: str, index: int, duration: Value) -> None:
        super().__init__(program, name, index, duration)
        self.arrival: tuple[tuple[int, Value], ...] = ()

    @override
    def enter(self, world: FlowWorld, entity: Entity) -> None:
        world.underway[entity] = None
        super().enter(world, entity)
        place = entity.place
        if place is not None:
            entity.place = None
            if world.program.holding:
                world.vacated(entity, place)
            place.vacate(world, entity)

    @override
    def done(self, world: FlowWorld, entity: Entity) -> None:
        del world.underway[entity]
        world.assign(entity, self.arrival)
        super().done(world, entity)
