"""Compiles stock: what is on the shelves, the steps that take and give, orders, and what is seen and read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marl_health.spec.errors import Where
from marl_health.worlds.flow import model, readings
from marl_health.worlds.flow.decisions import Move
from marl_health.worlds.flow.model.base import WEEKDAYS
from marl_health.worlds.flow.program import PoolSpec
from marl_health.worlds.flow.sights import Sight
from marl_health.worlds.flow.sources import DAY
from marl_health.worlds.flow.stock import PLENTY, StockSpec
from marl_health.worlds.flow.stock_steps import Give, Take
from marl_health.worlds.flow.stock_views import (
    HELD,
    MEAN,
    READINGS,
    Expiring,
    IssueLever,
    OrderMove,
    StockCount,
    StockHours,
    StockNow,
)

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.compile_lines import LineTable
    from marl_health.worlds.flow.references import ReadingTable


def compile_stocks(compiler: Compiler) -> None:
    """Make a pool of each stock."""
    scenario, program = compiler.scenario, compiler.program
    taken = {name for step in scenario.pathway.values() if isinstance(step, model.Take) for name in step.take}
    for name, stock in scenario.stock.items():
        path: Where = ("stock", name)
        other = next((part for part in ("staff", "places") if name in getattr(scenario, part)), None)
        if other is not None:
            compiler.names.problem(path, f"'{name}' is also under {other}; every name stands for one thing")
            continue
        if name not in taken and taken <= scenario.stock.keys():
            compiler.names.problem(path, f"no step takes '{name}'; name it in a step or remove it")
        program.stocks.append(len(program.pools))
        program.pool_index[name] = len(program.pools)
        program.pools.append(
            PoolSpec(
                name=name,
                place=False,
                shifts=((0.0, PLENTY),),
                absent=None,
                clean=None,
                identified=False,
                preempting=False,
                department=None,
                unlimited=True,
                stock=_spec(compiler, name, stock, path),
            )
        )


def _spec(compiler: Compiler, name: str, stock: model.Stock, path: Where) -> StockSpec:
    def number(word: str, want: str) -> Any:
        value = getattr(stock, word)
        return None if value is None else compiler.numbers.compile(value, (*path, word), want)

    lead, life, age = (number(word, "time") for word in ("lead", "shelf_life", "age"))
    if life is not None and life.may_be_zero:
        compiler.names.problem((*path, "shelf_life"), "a unit may expire the moment it comes; write a longer time")
    reviews = {WEEKDAYS.index(day.lower()) * DAY + review.at for review in stock.review or () for day in review.on}
    reorder = None
    if stock.reorder is not None:
        rule = stock.reorder
        reorder = (rule.up_to - 1 if rule.at is None else rule.at, rule.up_to)
        if not reviews and lead is not None and lead.may_be_zero and life is not None:
            compiler.names.problem((*path, "lead"), "may be 0, so that what expires could be ordered anew for ever")
    steps = compiler.scenario.pathway.values()
    costs = stock.costs
    return StockSpec(
        start=number("start", "number").value,
        lead=None if lead is None else lead.value,
        reviews=tuple(sorted(reviews)),
        reorder=reorder,
        shelf_life=None if life is None else life.value,
        age=None if age is None else age.value,
        newest=stock.issue == "newest",
        room=stock.room,
        price=costs.unit.value,
        order_cost=costs.order.value,
        holding=costs.holding,
        waste_cost=costs.waste.value,
        variable=any(isinstance(step, model.Take) and name in step.take and step.units != 1 for step in steps),
    )


# ------------------------------------------------------------ steps
def make_take(compiler: Compiler, lines: LineTable, name: str, spec: model.Take, index: int) -> Take:
    """The step that takes units."""
    path: Where = ("pathway", name)
    step = Take(compiler.program, name, index)
    step.line = lines.line_for(name, spec, path)
    known = compiler.program.pool_index
    step.stocks = tuple(known[item] for item in dict.fromkeys(spec.take) if item in known)
    step.newest = None if spec.issue is None else spec.issue == "newest"
    step.slot = _units(compiler, spec.units, (*path, "units"), name)
    if spec.units != 1 and len(set(spec.take)) < len(spec.take):
        compiler.names.problem((*path, "units"), "units says how many; name each stock in take once")
    if spec.age is not None:
        kinds = compiler.graph.kinds_of[name]
        found = compiler.names.attribute(spec.age, (*path, "age"), kinds)
        lasting = [item for item in spec.take if compiler.scenario.stock[item].shelf_life is None] if found else []
        if found is not None:
            step.age = found[0]
            for kind in kinds:
                if compiler.names.attributes[kind][spec.age].dimension not in ("time", "any"):
                    compiler.names.problem((*path, "age"), f"'{spec.age}' is no duration; begin it with 0 min")
        if len(set(spec.take)) > 1 or lasting:
            compiler.names.problem((*path, "age"), "needs one stock, with a shelf_life")
    return step


def make_give(compiler: Compiler, name: str, spec: model.Give, index: int) -> Give:
    """The step that adds units."""
    path: Where = ("pathway", name)
    step = Give(compiler.program, name, index)
    if spec.give not in compiler.scenario.stock:
        compiler.names.unknown((*path, "give"), "stock", spec.give, compiler.scenario.stock)
        return step
    step.stock = compiler.program.pool_index.get(spec.give, 0)
    if isinstance(spec.units, int):
        step.units = spec.units
    step.slot = _units(compiler, spec.units, (*path, "units"), name, keep=True)
    return step


def _units(compiler: Compiler, units: int | str, path: Where, step: str, *, keep: bool = False) -> int | None:
    """Slot of the attribute that holds how many units; ``None`` for a number that the line or step knows."""
    if isinstance(units, int):
        if units < 1:
            compiler.names.problem(path, "needs a whole number of 1 or more, or an attribute")
        elif units > 1 and not keep:
            compiler.names.problem(path, f"write the stock's name {units} times in take, or name an attribute")
        return None
    kinds = compiler.graph.kinds_of[step]
    found = compiler.names.attribute(units, path, kinds)
    if found is None:
        return None
    slot, possible = found
    whole = possible is not None and all(type(value) is int and value >= 1 for value in possible)
    if not whole:
        compiler.names.problem(
            path,
            f"'{units}' must be a whole number of 1 or more, drawn by choice, such as {{choice: {{1: 40%, 2: 60%}}}}",
        )
    return slot


# ------------------------------------------------------------ moves, sights, readings
def make_order(compiler: Compiler, move: model.OrderStock, path: Where, lever: int) -> Move | None:
    """The move that orders."""
    index = _stock(compiler, move.order, (*path, "order"))
    if index is None:
        return None
    spec = compiler.program.pools[index].stock
    assert spec is not None
    lead = None
    if move.lead is not None:
        lead = len(compiler.program.rush_leads)
        compiler.program.rush_leads.append(compiler.numbers.compile(move.lead, (*path, "lead"), "time").value)
    elif spec.lead is None:
        compiler.names.problem((*path, "order"), f"give '{move.order}' a lead: how long does an order take?")
    if spec.room is not None and min(move.levels) > spec.room:
        compiler.names.problem((*path, "levels"), f"there is room for {spec.room} units only")
    return OrderMove(move.order, index, move.levels, lever, spec.room, lead, move.costs.value, move.at_most)


def make_issue(compiler: Compiler, move: model.SetIssue, path: Where, settings: dict[str, Any]) -> Move | None:
    """The move that sets which units are handed out first."""
    name = move.set.removesuffix(".issue")
    index = _stock(compiler, name, (*path, "set"))
    if index is None:
        return None
    stock = compiler.scenario.stock[name]
    if stock.shelf_life is None:
        compiler.names.problem((*path, "set"), f"'{name}' has no shelf_life, so no unit is older than another")
    if move.to[0] != stock.issue or move.to[0] == move.to[1]:
        compiler.names.problem((*path, "to"), f"write [{stock.issue}, ...]: the stock's own first, then the other")
    return IssueLever(index, **settings)


def _stock(compiler: Compiler, name: str, path: Where) -> int | None:
    if name not in compiler.scenario.stock:
        compiler.names.unknown(path, "stock", name, compiler.scenario.stock)
        return None
    return compiler.program.pool_index.get(name)


def stock_sights(compiler: Compiler) -> list[str]:
    """Every reference to stock that can be seen."""
    return [f"{name}.{what}" for name in compiler.scenario.stock for what in StockNow.WORDS]


def stock_sight(
    compiler: Compiler, name: str, what: str, within: list[float], scale: float | None, path: Where
) -> Sight | None:
    """What is seen of a stock, or ``None`` if there is no such thing."""
    if what not in StockNow.WORDS:
        return None
    index = compiler.program.pool_index[name]
    stock = compiler.scenario.stock[name]
    size = max(4.0, 0.5 * (stock.room or (stock.reorder.up_to if stock.reorder is not None else 20)))
    if within:
        if what != "on_hand" or stock.shelf_life is None:
            compiler.names.problem((*path, "within"), "needs STOCK.on_hand of a stock with a shelf_life")
        return Expiring(name, index, within, scale or size)
    return StockNow(name, index, what, scale or (3.0 if what == "waiting" else size))


def stock_readings(compiler: Compiler) -> list[str]:
    """Every reference to stock that can be read."""
    return [f"{name}.{what}" for name in compiler.scenario.stock for what in READINGS]


def stock_reading(table: ReadingTable, reference: str, name: str, what: str) -> readings.Reading | None:
    """What is read of a stock, or ``None`` if there is no such thing."""
    index = table.program.pool_index[name]
    if what in (HELD, MEAN):
        held = table.keep(f"{name}.{HELD}", StockHours(name, index))
        if what == HELD:
            return held
        clocked = table.keep("clocked", readings.Clocked())
        return table.keep(reference, readings.Ratio("", f"time average of '{name}' on hand", held, clocked))
    return table.keep(reference, StockCount(name, index, what)) if what in READINGS else None
