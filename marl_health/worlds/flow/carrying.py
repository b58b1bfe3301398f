"""The step in which a unit of a fleet fetches somebody and brings them to another site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from marl_health.kernel.entity import Entity, Value
from marl_health.worlds.flow.fleets import FleetPool
from marl_health.worlds.flow.program import Program
from marl_health.worlds.flow.steps import Activity
from marl_health.worlds.flow.units import OUT

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld


class Carry(Activity):
    """Wait for a unit, wait until it is there, be loaded, ride, be handed over; the unit is one's place from then on.

    Whoever keeps a unit of one of these fleets already (at the door of a full hospital, say) goes on with that.

    Attributes:
        to: the site. heads: what is assigned when it is settled where to.
        unload: minutes; ``duration`` is that of loading, or ``None``.
        reached_marks, off_marks: set when the unit is there, and when it sets off.
    """

    def __init__(self, program: Program, name: str, index: int, to: Value) -> None:
        super().__init__(program, name, index)
        self.to = to
        self.heads: tuple[tuple[int, Value], ...] = ()
        self.unload: Value | None = None
        self.reached_marks: tuple[int, ...] = ()
        self.off_marks: tuple[int, ...] = ()

    @override
    def enter(self, world: FlowWorld, entity: Entity) -> None:
        line, place = world.lines[self.line], entity.place
        if not isinstance(place, FleetPool) or not any(pool is place for pool, _ in line.needs):
            super().enter(world, entity)
            return
        entity.step = self
        entity.held = line
        self.begins(world, entity, place)
        place.units[place.given[entity][0]].ask(world, entity)

    @override
    def granted(self, world: FlowWorld, entity: Entity) -> None:
        assert entity.held is not None
        fleets = [pool for pool, _ in entity.held.needs if isinstance(pool, FleetPool)]
        units = [pool.units[number] for pool in fleets for number in pool.given.get(entity, ())]
        site = entity.values[units[0].pool.fleet.site]
        first = units[0] if len(units) == 1 else min(units, key=lambda unit: unit.reach(world.now, site)[0])
        self.begins(world, entity, first.pool)
        for unit in units:
            unit.drive(world, site, OUT)

    def begins(self, world: FlowWorld, entity: Entity, pool: FleetPool) -> None:
        """A unit is sent: it is known where to, and the unit of which fleet will be there first."""
        if self.give_up is not None and entity.clocks:
            self.give_up.stop(world, entity)
        if world.log is not None:
            world.write(entity, "resource_use", self.name, pool.name)
        self.begin(world, entity)
        world.assign(entity, self.heads)
        world.underway[entity] = None

    def loads(self, world: FlowWorld, entity: Entity) -> float:
        """Minutes that loading takes."""
        return 0.0 if self.duration is None else float(self.duration(world, entity))

    def unloads(self, world: FlowWorld, entity: Entity) -> float:
        """Minutes that handing over takes."""
        return 0.0 if self.unload is None else float(self.unload(world, entity))

    def reached(self, world: FlowWorld, entity: Entity) -> None:
        """The unit is there."""
        for mark in self.reached_marks:
            world.mark(entity, mark)

    def aboard(self, world: FlowWorld, entity: Entity, pool: FleetPool) -> None:
        """The entity is loaded: its old place is free, the unit is its place."""
        place = entity.place
        entity.place = pool
        if place is not None and place is not pool:
            if world.program.holding:
                world.vacated(entity, place)
            place.vacate(world, entity)

    def set_off(self, world: FlowWorld, entity: Entity) -> None:
        """The unit drives off, to where the entity is to go by now."""
        world.assign(entity, self.heads)
        for mark in self.off_marks:
            world.mark(entity, mark)

    def delivered(self, world: FlowWorld, entity: Entity) -> None:
        """The ride is over: the entity goes on, and keeps the unit until it has a place."""
        place = entity.place
        assert isinstance(place, FleetPool)
        place.rides += entity.counted
        entity.held = None
        if world.log is not None:
            world.write(entity, "resource_use_end", self.name, place.name)
        self.go_on(world, entity)
