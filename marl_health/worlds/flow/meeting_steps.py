"""The step at which entities wait for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from marl_health.kernel.entity import Entity
from marl_health.worlds.flow.steps import Activity

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld


class Meet(Activity):
    """Wait for somebody of every other party, then go on."""

    @override
    def enter(self, world: FlowWorld, entity: Entity) -> None:
        entity.step = self
        line = world.lines[self.line]
        line.join(world, entity, world._now)
        ticket = entity.ticket
        line.needs[0][0].dispatch(world)
        if entity.ticket != ticket:
            return
        if world.log is not None:
            world.write(entity, "queue", self.name, "")
        if self.give_up is not None:
            self.give_up.start(world, entity)

    @override
    def granted(self, world: FlowWorld, entity: Entity) -> None:
        if self.give_up is not None and entity.clocks:
            self.give_up.stop(world, entity)
        if world.log is not None:
            name = world.lines[self.line].needs[0][0].name
            world.write(entity, "resource_use", self.name, name)
            world.write(entity, "resource_use_end", self.name, name)
        self.begin(world, entity)
        self.go_on(world, entity)
