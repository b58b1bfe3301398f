"""Steps that take units of a stock, or add some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from marl_health.kernel.entity import Entity, Value
from marl_health.worlds.flow.program import Program
from marl_health.worlds.flow.steps import Activity, FlowStep
from marl_health.worlds.flow.stock import Stock

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld


class Take(Activity):
    """Take units and use them up at once, or wait until there are enough.

    Attributes:
        stocks: indices of the stocks. slot: of the attribute that holds how many are needed, if one does.
        newest: whether the newest units are taken, or ``None`` if the stock decides.
        age: slot of the attribute that is set to the age of the oldest unit taken, or ``None``.
    """

    def __init__(self, program: Program, name: str, index: int) -> None:
        super().__init__(program, name, index)
        self.stocks: tuple[int, ...] = ()
        self.slot: int | None = None
        self.newest: bool | None = None
        self.age: int | None = None

    @override
    def enter(self, world: FlowWorld, entity: Entity) -> None:
        entity.step = self
        line = world.lines[self.line]
        found = [world.pools[number] for number in self.stocks]
        if not line.waiting:
            if line.request(world, entity):
                self.granted(world, entity)
                return
            line.join(world, entity, world._now)
        else:  # the line decides whether somebody may pass those who wait for more than there is
            line.join(world, entity, world._now)
            ticket = entity.ticket
            found[0].dispatch(world)
            if entity.ticket != ticket:
                return
        short = [pool for pool in found if isinstance(pool, Stock) and pool.free < self._units(pool, entity)]
        for pool in short or found:  # enough may be there, but for those who came before
            assert isinstance(pool, Stock)
            pool.shortages += 1
            pool.watch(world)
        if world.log is not None:
            world.write(entity, "queue", self.name, "")
        if self.give_up is not None:
            self.give_up.start(world, entity)

    def _units(self, stock: Stock, entity: Entity) -> int:
        return stock.needs(entity, next(units for pool, units in entity.line.needs if pool is stock))  # type: ignore[union-attr]

    @override
    def granted(self, world: FlowWorld, entity: Entity) -> None:
        if self.give_up is not None and entity.clocks:
            self.give_up.stop(world, entity)
        entity.held = None
        if world.log is not None:
            name = world.pools[self.stocks[0]].name
            world.write(entity, "resource_use", self.name, name)
            world.write(entity, "resource_use_end", self.name, name)
        if self.age is not None:
            stock = world.pools[self.stocks[0]]
            assert isinstance(stock, Stock)
            world.assign(entity, ((self.age, _always(world._now - stock.born)),))
        if self.sets:
            world.assign(entity, self.sets)
        for mark in self.marks:
            world.mark(entity, mark)
        for number in self.stocks:
            stock = world.pools[number]
            assert isinstance(stock, Stock)
            stock.watch(world)
        self.go_on(world, entity)


class Give(FlowStep):
    """Add new units to a stock.

    Attributes:
        stock: its index. units: how many, or ``slot`` of the attribute that holds it.
    """

    def __init__(self, program: Program, name: str, index: int) -> None:
        super().__init__(program, name, index)
        self.stock = 0
        self.units = 1
        self.slot: int | None = None

    @override
    def enter(self, world: FlowWorld, entity: Entity) -> None:
        stock = world.pools[self.stock]
        assert isinstance(stock, Stock)
        entity.step = self
        stock.add(world, self.units if self.slot is None else entity.values[self.slot], int(world._now))
        super().enter(world, entity)


def _always(value: float) -> Value:
    return lambda world, entity: value
