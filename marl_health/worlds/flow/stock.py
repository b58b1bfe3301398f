"""Stock: units that are used up, that age and expire, and that are ordered and come after a lead time.

A stock is a pool whose units do not come back, so entities wait for it in lines with classes, orders, reserves and
slots like for any resource. ``free`` is what is on hand. What is received, and what was there at the start, is used,
wasted or on hand: :meth:`Stock.balance` says so.

The luck of an order (how long it takes, how old its units are) is a function of the episode's seed, the stock and the
minute at which it leaves, so two policies that order at the same minute meet the same supplier.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.kernel.entity import KEYS, Entity, Value
from marl_health.kernel.pool import Pool
from marl_health.kernel.randomness import hashed, stream
from marl_health.kernel.world import EARLY
from marl_health.worlds.flow.stock_events import Batch, Delivery, Leaving, next_review, spec_of

if TYPE_CHECKING:
    from marl_health.kernel.measures import Accrual
    from marl_health.worlds.flow.remaining import Remaining
    from marl_health.worlds.flow.world import FlowWorld


@dataclass(frozen=True)
class StockSpec:
    """What a scenario fixes about a stock. Money in US dollars, holding per unit and minute.

    Attributes:
        reviews: minutes of the week at which orders leave, ascending; none if they leave at once.
        reorder: (s, S) of what is ordered by itself, or ``None``.
        variable: whether some step takes a number that an attribute holds.
    """

    start: Value
    lead: Value | None
    reviews: tuple[float, ...]
    reorder: tuple[int, int] | None
    shelf_life: Value | None
    age: Value | None
    newest: bool
    room: int | None
    price: float
    order_cost: float
    holding: float
    waste_cost: float
    variable: bool


class _Luck:
    """Stands in for the row of an order: a uniform for each column, by the minute at which it left."""

    def __init__(self, key: int, moment: int) -> None:
        self.key = key
        self.moment = moment

    def __getitem__(self, column: int) -> float:
        return hashed(self.key, column, self.moment)


class _Demand:
    """Keeps nothing back, but makes lines ask for each entity whether there is enough, as a reserve does."""

    __slots__ = ()
    level = 0
    qualifies = None


class Stock(Pool):
    """Units on a shelf.

    Attributes:
        batches: what is on hand, the first to expire first; empty where nothing expires.
        on_order: units that are on their way, or ordered and not left yet (``basket``).
        newest: whether the newest are handed out first.
        first: units there at the start. received, issued, wasted: units since then. shortages: requests that could not
            be met at once. ordered, orders: units and orders that left.
        born: when the oldest unit of those taken last was new.
        charged: whether costs are still posted; they are not once decisions are over.
        endless: whether it never runs out and costs nothing, for comparisons with a world of plenty.
    """

    __slots__ = (
        "basket", "batches", "born", "charged", "endless", "first", "holding", "issued", "key", "newest", "on_order",
        "ordered", "orders", "received", "shortages", "spent", "variable", "wasted",
    )  # fmt: skip
    consumed = True

    def __init__(self, name: str, index: int, spec: StockSpec, spent: Accrual) -> None:
        super().__init__(name, index, 0, clean=None, identified=False, preempting=False)
        self.plain = False
        self.spent = spent
        self.holding = spec.holding
        self.newest = spec.newest
        self.variable = spec.variable
        if spec.variable:
            self.reserves.append(_Demand())  # type: ignore[arg-type]
        self.batches: list[Batch] = []
        self.on_order = self.basket = 0
        self.first = self.received = self.issued = self.wasted = 0
        self.shortages = self.ordered = self.orders = 0
        self.born = 0.0
        self.key = 0
        self.charged = True
        self.endless = False

    @override
    def __getstate__(self) -> Any:
        nothing, state = super().__getstate__()
        return nothing, state | {name: getattr(self, name) for name in Stock.__slots__}

    # ------------------------------------------------------------ taking
    def needs(self, entity: Entity, units: int = 1) -> int:
        """Units that an entity takes in its step, where the line says ``units``."""
        slot = entity.step.slot  # type: ignore[attr-defined]
        wanted: int = units if slot is None else entity.values[slot]
        return wanted

    @override
    def kept_from(self, entity: Entity) -> int:
        kept = super().kept_from(entity)
        return kept + self.needs(entity) - 1 if self.variable else kept

    @override
    def take(self, now: float, units: int, entity: Entity, wanted: int | None = None) -> None:
        units = self.needs(entity, units)
        self.issued += units
        if self.endless:
            self.received += units
            return
        self._change(now, -units)
        if not self.batches:
            return
        step: Any = entity.step
        place = -1 if (self.newest if step.newest is None else step.newest) else 0
        self.born = inf
        while units:
            batch = self.batches[place]
            taken = min(units, batch.units)
            units -= taken
            batch.units -= taken
            self.born = min(self.born, batch.born)
            if not batch.units:
                batch.epoch += 1
                self.batches.pop(place)

    def owed(self) -> int:
        """Units that those who wait need."""
        waiting = (
            self.needs(ticket[2], units)
            for line in self.lines
            if line.waiting
            for pool, units in line.needs
            if pool is self
            for queue in line.tickets
            for ticket in queue
            if ticket[2].ticket == ticket[1]
        )
        return sum(waiting)

    def expiring(self, now: float, within: float) -> int:
        """Units on hand that expire within so many minutes."""
        found = 0
        for batch in self.batches:
            if batch.expires > now + within:
                break
            found += batch.units
        return found

    def balance(self) -> dict[str, int]:
        """Where all units are that there ever were: start + received = used + wasted + on hand, exactly."""
        return {
            "start": self.first,
            "received": self.received,
            "used": self.issued,
            "wasted": self.wasted,
            "on_hand": self.free,
            "on_order": self.on_order,
        }

    # ------------------------------------------------------------ coming and going
    def fill(self, world: FlowWorld, spec: StockSpec) -> None:
        """What is there when the world begins: units of all ages, if they age."""
        self.renew(world)
        units = max(0, round(float(spec.start(world, world.nobody))))
        self.first = units
        self._change(0.0, units)
        for number in range(units if spec.shelf_life is not None else 0):
            somebody = Entity(0, -1, _Luck(self.key, -1 - number), world.nobody.step)  # type: ignore[arg-type]
            assert spec.shelf_life is not None
            life = float(spec.shelf_life(world, somebody))
            self._shelve(world, -hashed(self.key, 0, -1 - number) * life, life, 1)

    def add(self, world: FlowWorld, units: int, moment: float) -> None:
        """Units come, as one batch; ``moment`` is when they were ordered."""
        if self.endless:
            return
        now = world._now
        self.received += units
        self._change(now, units)
        spec = spec_of(world, self)
        if spec.shelf_life is not None:
            somebody = self._somebody(world, moment)
            life = float(spec.shelf_life(world, somebody))
            age = 0.0 if spec.age is None else float(spec.age(world, somebody))
            self._shelve(world, now - age, life, units)
        if self.free > 0 and self.wanted:
            self.dispatch(world)

    def expire(self, world: FlowWorld, batch: Batch) -> None:
        """What is left of a batch is wasted."""
        spec = spec_of(world, self)
        self.wasted += batch.units
        self._change(world._now, -batch.units)
        if self.charged:
            self.spent.add(spec.waste_cost * batch.units)
        self.batches.remove(batch)
        self.watch(world)

    def _shelve(self, world: FlowWorld, born: float, life: float, units: int) -> None:
        batch = Batch(self, born, born + life, units)
        insort(self.batches, batch, key=_expiry)
        world.at(max(world._now, batch.expires), batch)

    def _change(self, now: float, units: int) -> None:
        """On hand changes by so many units."""
        self.capacity_minutes += self.capacity * (now - self.capacity_last)
        self.capacity_last = now
        self.capacity += units
        self.free += units
        if self.holding and self.charged:
            self.spent.change(now, self.holding * units)

    # ------------------------------------------------------------ ordering
    def order(self, world: FlowWorld, units: int) -> None:
        """Order units: they leave with the next review, or at once if there is none."""
        if self.endless:
            return
        if spec_of(world, self).reviews:
            self.basket += units
            self.on_order += units
        else:
            self.on_order += units
            self.send(world, units)

    def rush(self, world: FlowWorld, units: int, lead: int) -> None:
        """Order units that leave at once and have a lead time of their own."""
        if not self.endless:
            self.on_order += units
            self.send(world, units, lead)

    def send(self, world: FlowWorld, units: int, rush: int | None = None) -> None:
        """An order, which counts among what is on order already, leaves."""
        now = world._now
        spec = spec_of(world, self)
        self.ordered += units
        self.orders += 1
        if self.charged:
            self.spent.add(spec.price * units + spec.order_cost)
        delivery = Delivery(self, units, now, rush)
        world.at(now + float(delivery.lead(world)(world, self._somebody(world, now))), delivery)

    def reorder(self, world: FlowWorld) -> None:
        """Order what the (s, S) rule says, if there is one."""
        rule = spec_of(world, self).reorder
        if rule is not None and not self.endless:
            position = self.free + self.on_order - self.owed()
            if position <= rule[0]:
                self.order(world, rule[1] - position)

    def watch(self, world: FlowWorld) -> None:
        """Less is there than before: where there are no reviews the (s, S) rule looks at once."""
        spec = spec_of(world, self)
        if spec.reorder is not None and not spec.reviews:
            self.reorder(world)

    def settle(self, world: FlowWorld) -> None:
        """Decisions are over: what is there and what was paid for is credited, and nothing is charged from now on."""
        if self.charged:
            self.spent.add(-spec_of(world, self).price * (self.free + self.on_order - self.basket))
            self.charged = False

    def open_up(self, world: FlowWorld) -> None:
        """Never run out from now on, at no cost."""
        now = world._now
        self._change(now, 0)
        if self.holding and self.charged:
            self.spent.change(now, -self.holding * self.free)
        for batch in self.batches:
            batch.epoch += 1
        self.batches.clear()
        self.endless, self.charged = True, False
        self.received += PLENTY - self.free
        self.free = self.capacity = PLENTY
        if self.wanted:
            self.dispatch(world)

    # ------------------------------------------------------------ luck
    def renew(self, world: FlowWorld) -> None:
        """Draw the key of its luck from the world's seed."""
        self.key = int(stream(world.seed, f"stock:{self.name}").random() * KEYS)

    def _somebody(self, world: FlowWorld, moment: float) -> Entity:
        """Somebody with the luck of an order that left at a moment."""
        return Entity(0, -1, _Luck(self.key, int(moment)), world.nobody.step)  # type: ignore[arg-type]


PLENTY = 10**6
"""Units on hand of a stock that never runs out."""


def _expiry(batch: Batch) -> float:
    return batch.expires


def begin_stocks(world: FlowWorld) -> None:
    """Put on the shelves what is there at the start, and schedule the first time at which orders leave."""
    for number in world.program.stocks:
        stock: Any = world.pools[number]
        spec = spec_of(world, stock)
        stock.fill(world, spec)
        if spec.reviews:
            at_once = world.minute_of_week() in spec.reviews
            world.at(world._now if at_once else next_review(world, spec), Leaving(stock), EARLY)


def redraw_stocks(world: FlowWorld, deliveries: Iterable[Delivery], remaining: Remaining) -> None:
    """Draw anew what nobody knows: when orders under way come, and the luck of those to come."""
    for number in world.program.stocks:
        stock: Any = world.pools[number]
        stock.renew(world)
    for delivery in sorted(deliveries, key=lambda one: (one.stock.index, one.placed, one.units)):
        left = remaining.left(0, (), delivery.lead(world), world.now - delivery.placed)
        world.at(world.now + left, delivery)
