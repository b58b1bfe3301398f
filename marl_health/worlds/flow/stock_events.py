"""What happens to stock by itself: units expire, orders leave, and orders come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marl_health.kernel.entity import Value
from marl_health.kernel.world import EARLY

if TYPE_CHECKING:
    from marl_health.worlds.flow.stock import Stock, StockSpec
    from marl_health.worlds.flow.world import FlowWorld

WEEK = 10080.0


class Batch:
    """Units that came together; what is left of them when they expire is wasted.

    Attributes:
        born: when they were of age 0. expires: when. units: left.
    """

    __slots__ = ("born", "epoch", "expires", "stock", "units")

    def __init__(self, stock: Stock, born: float, expires: float, units: int) -> None:
        self.epoch = 0
        self.stock = stock
        self.born = born
        self.expires = expires
        self.units = units

    def fire(self, world: FlowWorld) -> None:
        """They expire."""
        self.stock.expire(world, self)


class Delivery:
    """An order that left; it is there when its entry comes up.

    Attributes:
        placed: when it left. rush: number of its lead time among those of rush orders; ``None`` for the stock's own.
    """

    __slots__ = ("epoch", "placed", "rush", "stock", "units")

    def __init__(self, stock: Stock, units: int, placed: float, rush: int | None) -> None:
        self.epoch = 0
        self.stock = stock
        self.units = units
        self.placed = placed
        self.rush = rush

    def lead(self, world: FlowWorld) -> Value:
        """How long it takes."""
        if self.rush is not None:
            return world.program.rush_leads[self.rush]
        spec = spec_of(world, self.stock)
        assert spec.lead is not None
        return spec.lead

    def fire(self, world: FlowWorld) -> None:
        """It comes."""
        stock = self.stock
        stock.on_order -= self.units
        stock.add(world, self.units, self.placed)


class Leaving:
    """The next time at which orders leave."""

    __slots__ = ("epoch", "stock")

    def __init__(self, stock: Stock) -> None:
        self.epoch = 0
        self.stock = stock

    def fire(self, world: FlowWorld) -> None:
        """Whatever was ordered leaves."""
        stock = self.stock
        stock.reorder(world)
        units, stock.basket = stock.basket, 0
        if units:
            stock.send(world, units)
        world.at(next_review(world, spec_of(world, stock)), self, EARLY)


def spec_of(world: FlowWorld, stock: Stock) -> StockSpec:
    """What the scenario fixes about a stock."""
    spec: StockSpec | None = world.program.pools[stock.index].stock
    assert spec is not None
    return spec


def next_review(world: FlowWorld, spec: StockSpec) -> float:
    """When orders leave next, after now."""
    minute = world.minute_of_week()
    later = [review for review in spec.reviews if review > minute + 1e-9]
    return world._now + (later[0] - minute if later else spec.reviews[0] + WEEK - minute)
