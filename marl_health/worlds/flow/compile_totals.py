"""Compiles what steps add to totals: doses, harm, money, whatever is counted in amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Value
from marl_health.spec.errors import Where
from marl_health.worlds.flow.dimensions import DIMENSIONS

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler

UNITS = {"number": "", "share": "", "money": "usd", "time": "min", "any": ""}
"""What a total of a dimension is told in."""


def compile_adds(compiler: Compiler, step: str, adds: dict[str, Any]) -> tuple[tuple[int, Value], ...]:
    """Compile what a step adds, as (index of a total, amount)."""
    program, names = compiler.program, compiler.names
    kinds, repeats = compiler.graph.kinds_of[step], step in compiler.graph.repeats
    compiled = []
    for name, amount in adds.items():
        path: Where = ("pathway", step, "adds", name)
        number = compiler.numbers.compile(amount, path, None, kinds=kinds, repeats=repeats)
        if number.dimension not in UNITS:
            names.problem(path, f"amounts can be added up, but this is {DIMENSIONS[number.dimension]}")
            continue
        unit = UNITS[number.dimension]
        if program.totals.setdefault(name, unit) != unit:
            words = {"": "a plain number", "usd": "money", "min": "a duration"}
            names.problem(path, f"'{name}' is {words[program.totals[name]]} elsewhere, but here it is {words[unit]}")
        compiled.append(([*program.totals].index(name), number.value))
    return tuple(compiled)
