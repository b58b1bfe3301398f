"""The future of vehicles drawn anew: how long loading and unloading still takes. Ways are as long as they are."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from marl_health.worlds.flow.fleets import FleetPool
from marl_health.worlds.flow.units import LOADING, UNLOADING, under_way

if TYPE_CHECKING:
    from marl_health.worlds.flow.remaining import Remaining
    from marl_health.worlds.flow.world import FlowWorld


def redraw_fleets(world: FlowWorld, remaining: Remaining) -> None:
    """Put the next event of every unit back on the heap, later or sooner where nobody knows."""
    for pool in world.pools:
        for unit in pool.units.values() if isinstance(pool, FleetPool) else ():
            entity = unit.current
            if entity is not None and unit.state in (LOADING, UNLOADING):
                step: Any = entity.step
                if under_way(entity) and entity in unit.riders:
                    duration = step.duration if unit.state == LOADING else step.unload
                    left = remaining.left(entity.kind, entity.values, duration, world.now - unit.began)
                    unit.until = world.now + left
            if unit.until < inf:
                world.at(unit.until, unit)
