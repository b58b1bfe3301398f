"""Numbers that follow from others: rules over attributes, the time since a mark, a curve in a table."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Entity, Value
from marl_health.spec import numbers as spec
from marl_health.spec.errors import Where
from marl_health.spec.wording import NAME
from marl_health.worlds.flow.values import fixed

if TYPE_CHECKING:
    from marl_health.worlds.flow.numbers import Context, Number, NumberCompiler

_WORD = re.compile(NAME)


class Derived:
    """Compiles such numbers.

    Args:
        numbers: compiles their parts.

    Attributes:
        elapsed: the times since a mark whose mark is not known yet, with the names and places of the marks.
    """

    def __init__(self, numbers: NumberCompiler) -> None:
        self.numbers = numbers
        self.elapsed: list[tuple[Elapsed, str, Where]] = []

    # ------------------------------------------------------------ rules
    def rules(self, value: spec.Rules, path: Where, context: Context) -> list[tuple[Any, Number]]:
        """(test or ``None`` for everybody, number) of each rule, on the same columns: only one of them is drawn."""
        from marl_health.worlds.flow.conditions import compile_test  # which needs names, which need numbers

        numbers = self.numbers
        first = last = numbers.columns
        compiled: list[tuple[Any, Number]] = []
        for place, rule in enumerate(value.when):
            where: Where = (*path, "when", place)
            test = None
            if rule.condition is not None:
                test = compile_test(numbers.names, rule.condition, (*where, "if"), context.kinds)
            word = "else" if rule.condition is None else "is"
            given = rule.otherwise if rule.condition is None else rule.value
            numbers.columns = first
            compiled.append((test, self._said(given, (*where, word), context)))
            last = max(last, numbers.columns)
        numbers.columns = last
        return compiled

    def _said(self, value: Any, path: Where, context: Context) -> Number:
        """What a rule says: a number, or a word that stands for itself."""
        from marl_health.worlds.flow.numbers import Number  # which needs this module

        names = self.numbers.names
        plain = isinstance(value, str) and value not in ("yes", "no", "never") and _WORD.fullmatch(value)
        if plain and value not in names.slots and value not in names.globals:
            return Number(fixed(value), "text", frozenset([value]))
        return self.numbers.compile_part(value, path, context)

    # ------------------------------------------------------------ time
    def since(self, value: spec.Since, path: Where, context: Context) -> Value | None:
        """Minutes since a mark; ``None`` after a problem."""
        names = self.numbers.names
        if "set" not in path[:-1] and "adds" not in path[:-1]:
            names.problem(path, "since may only stand where something is set, or added by a step (set, adds)")
            return None
        target = path[path.index("set") + 1] if "set" in path[:-1] else None
        for kind in context.kinds:
            has = names.scenario.entities[names.kinds[kind]].has
            if getattr(has.get(str(target)), "hidden", False):
                names.problem(
                    path, f"'{target}' is hidden, and what is hidden may not depend on when something was done"
                )
                return None
        elapsed = Elapsed()
        self.elapsed.append((elapsed, value.since, (*path, "since")))
        return elapsed

    def settle(self, mark: Callable[[str, Where], int]) -> None:
        """Say which mark each of them means, once all marks are known."""
        for elapsed, name, path in self.elapsed:
            elapsed.mark = mark(name, path)

    # ------------------------------------------------------------ curves
    def along(self, value: spec.Along, path: Where, context: Context) -> tuple[Value, tuple[float, ...]] | None:
        """The curve as a function, and its values in the table; ``None`` after a problem."""
        names = self.numbers.names
        at = self.numbers.compile_part(value.along, (*path, "along"), context)
        rows = names.tables.keyed(value.table, names.column(value.column), (*path, "table"))
        if rows is None or at.dimension == "any":
            return None
        if at.dimension not in ("number", "time"):
            names.problem((*path, "along"), "a plain number or a duration is needed here, such as {since: arrival}")
            return None
        xs = [x for x in rows if isinstance(x, int | float) and not isinstance(x, bool)]
        if len(xs) != len(rows) or xs != sorted(xs):
            names.problem((*path, "table"), f"the first column of {value.table} must hold numbers that rise")
            return None
        curve = Curve(tuple(float(x) for x in xs), tuple(rows.values()))
        where = at.value
        return lambda world, entity: curve(where(world, entity)), curve.ys


class Elapsed:
    """Minutes since a mark was set on an entity, 0 before that.

    Attributes:
        mark: index of the mark.
    """

    def __init__(self) -> None:
        self.mark = 0

    def __call__(self, world: Any, entity: Entity) -> float:
        """How long ago it was."""
        then = entity.marks[self.mark]
        return 0.0 if then is None else float(world.now - then)


@dataclass(frozen=True)
class Curve:
    """Straight lines between points, flat before the first and after the last."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    def __call__(self, x: float) -> float:
        """The height of the curve."""
        after = bisect_right(self.xs, x)
        if after == 0:
            return self.ys[0]
        if after == len(self.xs):
            return self.ys[-1]
        left, right = self.xs[after - 1], self.xs[after]
        share = (x - left) / (right - left)
        return self.ys[after - 1] * (1.0 - share) + self.ys[after] * share


def first_that_holds(rules: list[tuple[Any, Number]]) -> Value:
    """The value of the first rule whose test holds; the last one has none."""
    tests = tuple((test, number.value) for test, number in rules[:-1])
    otherwise = rules[-1][1].value

    def value(world: Any, entity: Entity) -> Any:
        values = entity.values
        for test, found in tests:
            if test(values):
                return found(world, entity)
        return otherwise(world, entity)

    return value
