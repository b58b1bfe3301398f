"""Signals: what is seen of an attribute, with errors, and how likely that is for each true value.

A signal is drawn like every other attribute, from a column of the entity's own row. So that a redrawn future knows what
a signal tells of what is hidden, each keeps its likelihood.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from math import exp
from typing import TYPE_CHECKING, Any, NamedTuple

from marl_health.kernel.distributions import NORMAL_QUANTILE
from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.formula import constant, formula_of, value_of
from marl_health.spec import numbers as spec
from marl_health.spec.errors import Where
from marl_health.spec.numbers import read_key
from marl_health.worlds.flow.dimensions import DIMENSIONS

if TYPE_CHECKING:
    from marl_health.worlds.flow.numbers import Context, Number, NumberCompiler

Likelihood = Callable[[Any, Entity, Any], float]
"""Of (world, entity, what was seen): how likely that is for an entity with such attributes. It is at most 1; of what
can be any number it is the density, relative to the highest there is."""


class Seen(NamedTuple):
    """A compiled signal.

    Attributes:
        value: draws what is seen. dimension, possible: as of a number. noisy: whether it may be below 0.
        likelihood: of what is seen.
    """

    value: Value
    dimension: str
    possible: frozenset[Any] | None
    noisy: bool
    likelihood: Likelihood


def compile_signal(
    numbers: NumberCompiler, signal: spec.SignalOf, path: Where, context: Context, draw: Value
) -> Seen | None:
    """Compile a signal, or note why there is none.

    Args:
        numbers: compiles what its quality depends on.
        signal: as read.
        path: where it stands.
        context: for which entities it is drawn.
        draw: the uniform that decides what is seen.
    """
    names = numbers.names
    found = names.attribute(signal.signal_of, (*path, "signal_of"), context.kinds)
    if found is None:
        return None
    slot, possible = found
    dimension = names.attributes[context.kinds[0]][signal.signal_of].dimension
    words = f"{signal.signal_of} is {DIMENSIONS[dimension]}"
    if signal.sensitivity is not None:
        if dimension != "flag":
            names.problem(path, f"{words}, and sensitivity and specificity are of yes or no; write shows or noise")
            return None
        yes, no = (_share(numbers, signal, side, path, context) for side in ("sensitivity", "specificity"))
        return _flag(slot, yes.value, no.value, draw)
    if signal.shows is not None:
        names.covers(signal.shows, False, possible, signal.signal_of, (*path, "shows"))
        return _table(numbers, signal.shows, slot, path, draw)
    if signal.table is not None:
        shows = _shares(numbers, signal, (*path, "table"))
        if shows is None:
            return None
        names.covers(shows, False, possible, signal.signal_of, (*path, "table"), extra_allowed=True)
        return _table(numbers, shows, slot, path, draw)
    if dimension in ("flag", "text"):
        names.problem(path, f"{words}, and only a number has noise; write shows or sensitivity and specificity")
        return None
    where: Where = (*path, "noise")
    sd = numbers.compile(signal.noise, where, dimension, kinds=context.kinds, repeats=context.repeats)
    if sd.may_be_zero or sd.may_be_negative:
        names.problem(where, "the standard deviation of the error must be above 0")
        return None
    return _noise(slot, sd, dimension, draw)


def _shares(numbers: NumberCompiler, signal: spec.SignalOf, path: Where) -> dict[str, dict[str, Any]] | None:
    """The share of what is seen by true value, as a table gives it; what stands there may add up to anything."""
    names = numbers.names
    assert signal.table is not None and signal.column is not None and signal.share is not None
    seen = names.tables.column(signal.table, signal.column, path)
    weights = names.tables.column(signal.table, names.column(signal.share), path)
    truths = names.tables.first(signal.table, path)
    if seen is None or weights is None or truths is None:
        return None
    rows: dict[str, dict[str, Any]] = {}
    for truth, value, weight in zip(truths, seen, weights, strict=True):
        row = rows.setdefault(truth, {})
        if weight > 0:
            row[f"{value:g}"] = row.get(f"{value:g}", 0.0) + weight
    for truth, row in rows.items():
        whole = sum(row.values())
        if not whole or min(weights) < 0:
            names.problem(path, f"the shares of what is seen where the truth is {truth} must be above 0, none negative")
            return None
        rows[truth] = {value: weight / whole for value, weight in row.items()}
    return rows


def _share(numbers: NumberCompiler, signal: spec.SignalOf, side: str, path: Where, context: Context) -> Number:
    value = getattr(signal, side)
    return numbers.compile(value, (*path, side), "share", kinds=context.kinds, repeats=context.repeats)


def _flag(slot: int, yes: Value, no: Value, draw: Value) -> Seen:
    """Yes or no: right with the chance ``yes`` where the truth is yes, and with the chance ``no`` where it is no."""
    value = value_of(
        "({0} < ({1} if entity.values[{2}] else 1.0 - {3}))",
        formula_of(draw),
        formula_of(yes),
        constant(slot),
        formula_of(no),
    )

    def likelihood(world: Any, entity: Entity, seen: Any) -> float:
        chance = float(yes(world, entity) if entity.values[slot] else 1.0 - no(world, entity))
        return chance if seen else 1.0 - chance

    return Seen(value, "flag", frozenset([True, False]), False, likelihood)


def _table(
    numbers: NumberCompiler, shows: dict[str, dict[str, Any]], slot: int, path: Where, draw: Value
) -> Seen | None:
    rows: dict[Any, tuple[list[float], list[Any]]] = {}
    chances: dict[Any, dict[Any, float]] = {}
    for truth, shares in shows.items():
        rest = max(0.0, 1.0 - sum(share for share in shares.values() if share != "else"))
        plain = {read_key(seen): rest if share == "else" else float(share) for seen, share in shares.items()}
        tops, top = [], 0.0
        for share in plain.values():
            top += share
            tops.append(top)
        tops[-1] = 2.0  # so that rounding never leaves a gap at the top
        rows[read_key(truth)] = (tops, list(plain))
        chances[read_key(truth)] = plain
    seen = frozenset(value for _, values in rows.values() for value in values)
    kinds = {type(value) for value in seen}
    numeric = kinds <= {int, float}
    if len(kinds) > 1 and not numeric:
        numbers.names.problem((*path, "shows"), "what is seen are words, numbers, or yes and no, but not a mixture")
        return None
    most = {value: max(row.get(value, 0.0) for row in chances.values()) for value in seen}

    def likelihood(world: Any, entity: Entity, value: Any) -> float:
        highest = most.get(value, 0.0)
        return chances[entity.values[slot]].get(value, 0.0) / highest if highest else 0.0

    picked = value_of(
        "{0}({1}[entity.values[{2}]], {3})", constant(_pick), constant(rows), constant(slot), formula_of(draw)
    )
    return Seen(picked, "number" if numeric else "flag" if kinds == {bool} else "text", seen, False, likelihood)


def _pick(row: tuple[list[float], list[Any]], uniform: float) -> Any:
    """The value of a row whose share the uniform falls into."""
    return row[1][bisect_right(row[0], uniform)]


def _noise(slot: int, sd: Number, dimension: str, draw: Value) -> Seen:
    spread = sd.value
    value = value_of(
        "{0}({1}, entity.values[{2}], {3})",
        NORMAL_QUANTILE,
        formula_of(draw),
        constant(slot),
        formula_of(spread),
    )
    least = min(sd.possible) if sd.possible else None

    def likelihood(world: Any, entity: Entity, seen: Any) -> float:
        wide = float(spread(world, entity))
        return exp(-0.5 * ((seen - entity.values[slot]) / wide) ** 2) * (1.0 if least is None else least / wide)

    return Seen(value, dimension, None, True, likelihood)
