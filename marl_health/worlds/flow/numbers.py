"""Compiles numbers: from what stands in the file to a function of (world, entity).

Every random part gets a column of the entity's row of its own; no column serves two purposes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

from marl_health.kernel import distributions as dist
from marl_health.kernel.entity import Value
from marl_health.kernel.formula import constant, drawn, formula_of, value_of
from marl_health.spec import numbers as spec
from marl_health.spec.errors import Where
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow.derived import Derived, first_that_holds
from marl_health.worlds.flow.dimensions import ACCEPTED, DIMENSIONS, listed_kinds
from marl_health.worlds.flow.quantiles import QuantileCompiler
from marl_health.worlds.flow.shares import cumulative
from marl_health.worlds.flow.signals import Likelihood, compile_signal
from marl_health.worlds.flow.until import ONLY, is_set, minutes_until
from marl_health.worlds.flow.values import fixed, happens, of_slot, uniform

SITE = "site"
"""An attribute that every entity has once there are sites: where it is; on its way, where it set out from."""

if TYPE_CHECKING:
    from marl_health.worlds.flow.names import Names

WITHOUT_ENTITY = ("vary", "choose", "staff", "stock")
"""Sections whose numbers are not about anybody."""


@dataclass(frozen=True)
class Number:
    """A compiled number.

    Attributes:
        value: the function of (world, entity).
        dimension: a key of ``DIMENSIONS``, or ``any`` after an error that was already told.
        possible: the values it can take, if they are few and known.
        may_be_zero, may_be_negative: whether it can be; used to refuse loops without time.
    """

    value: Value
    dimension: str
    possible: frozenset[Any] | None = None
    may_be_zero: bool = False
    may_be_negative: bool = False

    def or_else(self, other: Number) -> Number:
        """This number, if it may also take the values of another one."""
        known = None if self.possible is None or other.possible is None else self.possible | other.possible
        return replace(
            self,
            possible=known,
            may_be_zero=self.may_be_zero or other.may_be_zero,
            may_be_negative=self.may_be_negative or other.may_be_negative,
        )


BROKEN = Number(lambda world, entity: 0.0, "any")


class NumberCompiler:
    """Compiles the numbers of a scenario.

    Args:
        names: what names stand for, and where problems are collected.

    Attributes:
        signals: the likelihood of each compiled signal.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.distributions = QuantileCompiler(names)
        self.columns = 1  # column 0 is the entity's key
        self.signals: dict[Value, Likelihood] = {}
        self.derived = Derived(self)

    def column(self) -> int:
        """A column of its own for one purpose."""
        self.columns += 1
        return self.columns - 1

    def compile(
        self,
        value: Any,
        path: Where,
        want: str | None,
        *,
        kinds: Iterable[int] = (),
        repeats: bool = False,
        length_biased: bool = False,
        never: bool = False,
    ) -> Number:
        """Compile one number.

        Args:
            value: as read from the file.
            path: where it stands.
            want: the dimension needed, or ``None`` if any will do.
            kinds: entity kinds for which it is evaluated; names must be known for all of them.
            repeats: whether it may be evaluated more than once for an entity.
            length_biased: as it is for those found in the middle of it, where long ones are over-represented.
            never: whether the word ``never`` is allowed.
        """
        context = Context(want, tuple(kinds), repeats, length_biased, never)
        signal = isinstance(value, spec.SignalOf)
        number = self._signal(value, path, context) if signal else self._compile(value, path, context)
        if want == "share" and number.dimension in ("share", "number"):
            self._check_share(number, path)
        elif want is not None and number.dimension not in ("any", *ACCEPTED.get(want, (want,))):
            found = DIMENSIONS.get(number.dimension, number.dimension)
            tabled = isinstance(value, spec.By) and value.table is not None
            unit = {"time": "1 min", "rate": "1 per_hour", "money": "1 usd"}.get(want) if tabled else None
            remedy = f"; a table holds plain numbers: write {{times: [{unit}, {{by: .., table: ..}}]}}" if unit else ""
            self.names.problem(path, f"{DIMENSIONS[want]} is needed here, but this is {found}{remedy}")
            return BROKEN
        if want in ("time", "factor") and number.may_be_negative:
            inner = number.value
            return replace(number, value=value_of("{0}(0.0, {1})", constant(max), formula_of(inner)), may_be_zero=True)
        return number

    def _check_share(self, number: Number, path: Where) -> None:
        for value in sorted(number.possible or ()):
            if not 0 <= value <= 1:
                slip = f"; did you mean {value:g}%?" if 1 < value <= 100 else ""
                self.names.problem(path, f"{value:g} is no share, which is between 0 and 1 (or 0% and 100%){slip}")
                return

    def _compile(self, value: Any, path: Where, context: Context) -> Number:
        if isinstance(value, bool):
            return Number(fixed(value), "flag", frozenset([value]))
        if isinstance(value, int | float):
            return self._constant(spec.Quantity(float(value), "number"))
        if isinstance(value, str):
            return self._text(value, path, context)
        if isinstance(value, spec.By):
            return self._by(value, path, context)
        if isinstance(value, spec.Rules):
            return self._rules(value, path, context)
        if isinstance(value, spec.Since):
            elapsed = self.derived.since(value, path, context)
            return BROKEN if elapsed is None else Number(elapsed, "time", may_be_zero=True)
        if isinstance(value, spec.Along):
            curve = self.derived.along(value, path, context)
            if curve is None:
                return BROKEN
            low = min(curve[1])
            return Number(curve[0], "number", may_be_zero=low <= 0, may_be_negative=low < 0)
        if isinstance(value, spec.Times):
            return self._times(value, path, context)
        if isinstance(value, spec.Plus):
            return self._plus(value, path, context)
        if isinstance(value, spec.ShareOf):
            inner = self._compile(value.of, (*path, "of"), context)
            share = value_of("({0} * {1})", constant(value.share), formula_of(inner.value))
            return replace(inner, value=share, possible=None)
        if isinstance(value, spec.Until):
            skip = self.compile(value.skip, (*path, "skip"), "number", kinds=context.kinds, repeats=context.repeats)
            if not is_set(path):
                self.names.problem(path, ONLY)
            return Number(minutes_until(value.until, skip.value), "time")
        if isinstance(value, spec.Nearest):
            return self._nearest(value, path)
        if isinstance(value, spec.Choice):
            return self._choice(value, path, context)
        if isinstance(value, spec.Chance):
            chance = self.compile(
                value.chance, (*path, "chance"), "share", kinds=context.kinds, repeats=context.repeats
            )
            draw = uniform(self.column(), context.repeats)
            return Number(happens(draw, chance.value), "flag", frozenset([True, False]))
        if isinstance(value, spec.SignalOf):
            self.names.problem(
                path,
                "signal_of stands alone as the value of an attribute; what it depends on stands inside, as in "
                "{signal_of: ill, sensitivity: {by: reader, ...}, specificity: 90%}",
            )
            return BROKEN
        return self._distribution(value, path, context)

    # ------------------------------------------------------------ scalars
    def _constant(self, quantity: spec.Quantity) -> Number:
        number = quantity.value
        plain = int(number) if quantity.dimension == "number" and number == int(number) else number
        return Number(
            fixed(plain),
            quantity.dimension,
            frozenset([plain]),
            may_be_zero=number == 0,
            may_be_negative=number < 0,
        )

    def _text(self, text: str, path: Where, context: Context) -> Number:
        if context.never and text == "never":
            return Number(fixed(inf), "time")
        if text in ("yes", "no"):
            return Number(fixed(text == "yes"), "flag", frozenset([text == "yes"]))
        known = self.names.look_up(text, context.kinds)
        if known is not None:
            return known
        if text[:1].isdigit() or text[:1] in "+-.":
            try:
                return self._constant(spec.read_quantity(text))
            except ValueError as error:
                self.names.problem(path, str(error))
                return BROKEN
        if text in self.names.slots:
            self.names.attribute(text, path, context.kinds)  # tells what is wrong with it here
            return BROKEN
        if context.want == "text":
            return Number(fixed(text), "text", frozenset([text]))
        allowed = self.names.numbers(context.kinds)
        words = f"; or write {DIMENSIONS[context.want]}" if context.want else ""
        self.names.problem(path, f"nothing here is named '{text}'{did_you_mean(text, allowed)}{words}")
        return BROKEN

    # ------------------------------------------------------------ dependence
    def _by(self, value: spec.By, path: Where, context: Context) -> Number:
        attribute = self.names.attribute(value.by, (*path, "by"), context.kinds)
        if value.table is not None:
            return self._table(value, path, attribute)
        first = last = self.columns
        cases: dict[str, Number] = {}
        for key, case in value.cases.items():
            cases[key], last = self._case(case, (*path, key), context, first, last)
        otherwise = None
        if value.otherwise is not None:
            otherwise, last = self._case(value.otherwise, (*path, "else"), context, first, last)
        self.columns = last
        if not cases and otherwise is None:
            self.names.problem(path, f"needs a case for each value of {value.by}, or else")
        if attribute is None:
            return BROKEN
        slot, possible = attribute
        self.names.covers(cases, otherwise is not None, possible, value.by, path)
        everything = [*cases.values()] + ([otherwise] if otherwise is not None else [])
        dimension = self._same_dimension(everything, path)
        table = {spec.read_key(key): case.value for key, case in cases.items()}
        default = otherwise.value if otherwise is not None else None
        sets = [number.possible for number in everything]
        known = frozenset().union(*sets) if sets and all(s is not None for s in sets) else None  # type: ignore[arg-type]
        constants = all(number.possible is not None and len(number.possible) == 1 for number in everything)
        if constants:  # the common table of constants costs one dictionary look-up
            plain = {key: next(iter(cases[str_key].possible or ())) for str_key, key in _keys(cases)}
            rest = None if otherwise is None else next(iter(otherwise.possible or ()))
            function = value_of("{0}({1}, {2})", constant(plain.get), formula_of(of_slot(slot)), constant(rest))
        elif default is None:
            function = value_of("{0}[{1}](world, entity)", constant(table), formula_of(of_slot(slot)))
        else:
            function = value_of(
                "{0}({1}, {2})(world, entity)", constant(table.get), formula_of(of_slot(slot)), constant(default)
            )
        return Number(
            function,
            dimension,
            known,
            may_be_zero=any(number.may_be_zero for number in everything),
            may_be_negative=any(number.may_be_negative for number in everything),
        )

    def _rules(self, value: spec.Rules, path: Where, context: Context) -> Number:
        rules = self.derived.rules(value, path, context)
        parts = [number for _, number in rules]
        number = parts[0]
        for part in parts[1:]:
            number = number.or_else(part)
        return replace(number, value=first_that_holds(rules), dimension=self._same_dimension(parts, path))

    def compile_part(self, value: Any, path: Where, context: Context) -> Number:
        """Compile a part of a number as the whole is wanted."""
        return self._compile(value, path, context)

    def _case(self, case: Any, path: Where, context: Context, first: int, last: int) -> tuple[Number, int]:
        """Compile one case on the same columns as the others: only one of them is ever drawn.

        A patient who is more urgent under one policy than under another is then slow, or quick, under both.
        """
        self.columns = first
        number = self._compile(case, path, context)
        return number, max(last, self.columns)

    def _table(self, value: spec.By, path: Where, attribute: tuple[int, frozenset[Any] | None] | None) -> Number:
        if value.column is None:
            self.names.problem(path, f"table needs column: the column of {value.table} that holds the number")
            return BROKEN
        rows = self.names.tables.keyed(value.table or "", self.names.column(value.column), (*path, "table"))
        if attribute is None or rows is None:
            return BROKEN
        slot, possible = attribute
        self.names.covers({str(key): 0 for key in rows}, False, possible, value.by, path, extra_allowed=True)
        return Number(
            value_of("{0}[{1}]", constant(rows), formula_of(of_slot(slot))),
            "number",
            frozenset(rows.values()) if len(rows) <= 200 else None,
            may_be_zero=0 in rows.values(),
            may_be_negative=min(rows.values()) < 0,
        )

    def _times(self, value: spec.Times, path: Where, context: Context) -> Number:
        parts = [self._compile(part, (*path, "times", i), context) for i, part in enumerate(value.times)]
        units = [part.dimension for part in parts if part.dimension not in ("number", "share", "any")]
        if len(units) > 1:
            self.names.problem(
                path, f"only one factor of a product may have a unit, but here are {' and '.join(units)}"
            )
        return Number(
            _combined("1.0", " * ", parts),
            units[0] if units else ("share" if any(part.dimension == "share" for part in parts) else "number"),
            may_be_zero=any(part.may_be_zero for part in parts),
            may_be_negative=any(part.may_be_negative for part in parts),
        )

    def _plus(self, value: spec.Plus, path: Where, context: Context) -> Number:
        parts = [self._compile(part, (*path, "plus", i), context) for i, part in enumerate(value.plus)]
        return Number(
            _combined("0", " + ", parts),
            self._same_dimension(parts, path),
            may_be_zero=any(part.may_be_negative for part in parts) or all(part.may_be_zero for part in parts),
            may_be_negative=any(part.may_be_negative for part in parts),
        )

    def _same_dimension(self, parts: list[Number], path: Where) -> str:
        found = sorted({part.dimension for part in parts if part.dimension != "any"})
        if len(found) > 1:
            self.names.problem(path, f"all parts need the same kind of unit, but here are {listed_kinds(found)}")
            return "any"
        return found[0] if found else "any"

    def _nearest(self, value: spec.Nearest, path: Where) -> Number:
        nearest = self.names.nearest(value, path)
        if not nearest:
            return BROKEN
        here = formula_of(of_slot(self.names.slots[SITE]))
        return Number(value_of("{0}[{1}]", constant(nearest), here), "text", frozenset(nearest.values()))

    def _choice(self, value: spec.Choice, path: Where, context: Context) -> Number:
        tops, values = cumulative(value.choice)
        draw = uniform(self.column(), context.repeats)
        kinds = {type(item) for item in values}
        numeric = kinds <= {int, float}
        if len(kinds) > 1 and not numeric:
            self.names.problem((*path, "choice"), "the values are words, numbers, or yes and no, but not a mixture")
            return BROKEN
        dimension = "number" if numeric else "flag" if kinds == {bool} else "text"
        return Number(
            value_of("{0}[{1}({2}, {3})]", constant(values), constant(bisect_right), constant(tops), formula_of(draw)),
            dimension,
            frozenset(values),
            may_be_zero=numeric and 0 in values,
            may_be_negative=numeric and min(values) < 0,
        )

    # ------------------------------------------------------------ distributions and signals
    def _signal(self, value: spec.SignalOf, path: Where, context: Context) -> Number:
        seen = compile_signal(self, value, path, context, uniform(self.column(), context.repeats))
        if seen is None:
            return BROKEN
        self.signals[seen.value] = seen.likelihood
        return Number(seen.value, seen.dimension, seen.possible, may_be_zero=True, may_be_negative=seen.noisy)

    def _distribution(self, value: Any, path: Where, context: Context) -> Number:
        built = self.distributions.compile(value, path)
        if built is None:
            return BROKEN
        quantile, dimension, low = built
        draw = uniform(self.column(), context.repeats)
        if context.length_biased:
            quantile = dist.length_biased(quantile)
        return Number(drawn(quantile, draw), dimension, may_be_zero=low == 0.0, may_be_negative=low < 0)


def _combined(neutral: str, operator: str, parts: list[Number]) -> Value:
    """The product or the sum of several numbers, from the neutral one on."""
    places = operator.join([neutral, *(f"{{{place}}}" for place in range(len(parts)))])
    return value_of(f"({places})", *(formula_of(part.value) for part in parts))


@dataclass(frozen=True)
class Context:
    """How a number is wanted: see :meth:`NumberCompiler.compile`."""

    want: str | None
    kinds: tuple[int, ...]
    repeats: bool
    length_biased: bool
    never: bool


def _keys(cases: dict[str, Number]) -> list[tuple[str, Any]]:
    return [(key, spec.read_key(key)) for key in cases]
