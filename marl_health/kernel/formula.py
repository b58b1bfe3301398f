"""Values as expressions: the same text is what a compiled number evaluates and what generated code spells out.

A value is a function of (world, entity). Most are made from an expression, so that the code generated for a pathway can
write the expression down where it is needed instead of calling a function.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from math import isfinite
from typing import Any, NamedTuple

from marl_health.kernel.entity import Value

Quantile = Callable[[float], float]
"""From a uniform in (0, 1) to the value of a variable."""

_numbers: Iterator[int] = count()
_UNIFORM = re.compile(r"\bu\b")


class Formula(NamedTuple):
    """An expression of Python in which ``world`` and ``entity`` stand for themselves.

    Attributes:
        text: the expression. names: what the other names in it stand for; no name is ever used for two things.
    """

    text: str
    names: Mapping[str, Any]


def constant(value: Any) -> Formula:
    """A constant: numbers are spelt out, everything else gets a name of its own."""
    if isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
        return Formula(f"({value!r})" if value < 0 else repr(value), {})
    name = f"c{next(_numbers)}"
    return Formula(name, {name: value})


def formula_of(value: Value) -> Formula:
    """The expression that a value was made from, or a call of it."""
    known: Formula | None = getattr(value, "formula", None)
    if known is not None:
        return known
    function = constant(value)
    return Formula(f"{function.text}(world, entity)", function.names)


def _made(variables: str, template: str, parts: tuple[Formula, ...]) -> Any:
    text = template.format(*(part.text for part in parts))
    names = {name: value for part in parts for name, value in part.names.items()}
    function: Any = eval(f"lambda {variables}: {text}", {**names})
    function.formula = Formula(text, names)
    return function


def value_of(template: str, *parts: Formula) -> Value:
    """A value made from an expression.

    Args:
        template: the expression, with ``{0}``, ``{1}`` and so on where the parts stand. It comes from this library,
            never from a scenario.
        parts: expressions to put in.
    """
    made: Value = _made("world, entity", template, parts)
    return made


def quantile_of(template: str, *parts: Formula) -> Quantile:
    """A quantile function made from an expression in which ``u`` stands, once, for the uniform."""
    made: Quantile = _made("u", template, parts)
    return made


def drawn(quantile: Quantile, uniform: Value) -> Value:
    """The value that a quantile function makes of a uniform."""
    draw = formula_of(uniform)
    known: Formula | None = getattr(quantile, "formula", None)
    if known is None:
        return value_of("{0}({1})", constant(quantile), draw)
    return value_of("{0}", Formula(_UNIFORM.sub(draw.text, known.text), {**known.names, **draw.names}))
