"""What agents do about stock and see of it, and what is read of it for score and KPIs."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.worlds.flow.decisions import Levels, Move
from marl_health.worlds.flow.readings import Reading
from marl_health.worlds.flow.sights import PoolNow, Sight

if TYPE_CHECKING:
    from marl_health.worlds.flow.stock import Stock
    from marl_health.worlds.flow.world import FlowWorld

COUNTS = {
    "used": ("issued", "units of '{}' used"),
    "wasted": ("wasted", "units of '{}' that expired"),
    "received": ("received", "units of '{}' that came"),
    "ordered": ("ordered", "units of '{}' ordered"),
    "orders": ("orders", "orders of '{}'"),
    "stock_outs": ("shortages", "times there was not enough of '{}' for who came"),
}
"""What is counted of a stock: the attribute that holds it, and what it is in words."""

HELD = "unit_hours"
MEAN = "mean_on_hand"
READINGS = (*COUNTS, HELD, MEAN)


def shares_of(stock: Any) -> tuple[float, float, float]:
    """(on hand, on order, waiting) for the global state, each in [0, 1]."""
    return (
        stock.free / (stock.free + 20.0),
        stock.on_order / (stock.on_order + 20.0),
        stock.waiting / (stock.waiting + 5.0),
    )


class OrderMove(Move):
    """Order units; one action for each quantity.

    Args:
        name, pool: of the stock. levels: quantities. room: most units on hand and on order, or ``None``.
        lead: number of a rush order's lead time, else ``None``. cost: of such an order.
        at_most: orders in an episode, or ``None``.
    """

    def __init__(
        self,
        name: str,
        pool: int,
        levels: list[int],
        lever: int,
        room: int | None,
        lead: int | None,
        cost: float,
        at_most: int | None,
    ) -> None:
        word = "order" if lead is None else "rush"
        price = f" ({cost:g} usd)" if cost else ""
        sights = [] if at_most is None else [(f"{word} {name} left", "share of the allowed orders that is left")]
        super().__init__(
            [f"{word} {name} {units}" for units in levels],
            [f"{word} {units} units of {name}{price}" for units in levels],
            sights,
        )
        self.pool = pool
        self.levels = levels
        self.lever = lever
        self.room = room
        self.lead = lead
        self.cost = cost
        self.at_most = at_most
        self.all = (1,) * len(levels)
        self.none = (0,) * len(levels)

    def _stock(self, world: FlowWorld) -> Stock:
        stock: Any = world.pools[self.pool]
        found: Stock = stock
        return found

    @override
    def mask(self, world: FlowWorld, out: list[int]) -> None:
        if self.at_most is not None and world.levers[self.lever].used >= self.at_most:
            out.extend(self.none)
        elif self.room is None:
            out.extend(self.all)
        else:
            stock = self._stock(world)
            left = self.room - stock.free - stock.on_order
            out.extend([int(units <= left) for units in self.levels])

    @override
    def act(self, world: FlowWorld, action: int) -> None:
        world.levers[self.lever].used += 1
        world.spent.add(self.cost)
        units = self.levels[action]
        if self.lead is None:
            self._stock(world).order(world, units)
        else:
            self._stock(world).rush(world, units, self.lead)

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        if self.at_most is not None:
            out.append(1.0 - world.levers[self.lever].used / self.at_most)


class IssueLever(Levels):
    """Switch which units of a stock are handed out first."""

    def __init__(self, pool: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.pool = pool

    @override
    def switch(self, world: FlowWorld, before: int, after: int) -> None:
        stock: Any = world.pools[self.pool]
        stock.newest = not stock.newest


class StockNow(PoolNow):
    """Units on hand or on order; entities waiting for some."""

    WORDS = {
        "on_hand": "units on hand",
        "on_order": "units ordered and not here yet",
        "waiting": "entities waiting for it",
    }

    def __init__(self, name: str, pool: int, what: str, scale: float) -> None:
        super().__init__(name, pool, what, scale)
        self.read_as = {"on_hand": "free"}.get(what, what)
        self.read = attrgetter(self.read_as)


class Expiring(Sight):
    """Units on hand that expire within each of some times."""

    def __init__(self, name: str, pool: int, within: list[float], scale: float) -> None:
        times = [f"{minutes / 1440:g} d" if minutes >= 1440 else f"{minutes / 60:g} h" for minutes in within]
        super().__init__(
            tuple(f"{name}.on_hand[{time}]" for time in times),
            tuple(f"{name}: units on hand that expire within {time}" for time in times),
            (scale,) * len(within),
        )
        self.pool = pool
        self.within = within

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        stock: Any = world.pools[self.pool]
        now = world._now
        out.extend([stock.expiring(now, within) for within in self.within])


class StockCount(Reading):
    """Something that is counted of a stock."""

    whole = "stock is used by nobody in particular"
    until_horizon = True

    def __init__(self, name: str, pool: int, what: str) -> None:
        attribute, words = COUNTS[what]
        super().__init__("", words.format(name))
        self.pool = pool
        self.count = attrgetter(attribute)

    @override
    def read(self, world: FlowWorld) -> float:
        return float(self.count(world.pools[self.pool]))


class StockHours(Reading):
    """Unit-hours on hand."""

    whole = StockCount.whole
    until_horizon = True

    def __init__(self, name: str, pool: int) -> None:
        super().__init__("h", f"unit-hours of '{name}' on hand")
        self.pool = pool

    @override
    def read(self, world: FlowWorld) -> float:
        pool = world.pools[self.pool]
        pool.integrate(world.now)
        return pool.capacity_minutes / 60.0
