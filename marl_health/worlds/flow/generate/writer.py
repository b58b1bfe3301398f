"""Text of generated functions, line by line, with the constants it refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from marl_health.kernel.entity import Value
from marl_health.kernel.formula import constant, formula_of
from marl_health.kernel.world import SLICE

_ENTITY = re.compile(r"\bentity\b")


class Writer:
    """Python functions that are being written.

    Args:
        sliced: whether worlds keep what lies further off out of their heap.

    Attributes:
        names: what the names in the text stand for.
    """

    def __init__(self, sliced: bool = True) -> None:
        self.sliced = sliced
        self.names: dict[str, Any] = {}
        self._lines: list[str] = []
        self._depth = 0
        self._known: dict[int, str] = {}

    @property
    def text(self) -> str:
        """What was written so far."""
        return "\n".join(self._lines) + "\n"

    def line(self, text: str) -> None:
        """Write one line at the present depth."""
        self._lines.append("    " * self._depth + text)

    def lines(self, *texts: str) -> None:
        """Write several lines."""
        for text in texts:
            self.line(text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write a head such as ``if busy:``; what is written inside is indented below it."""
        self.line(head)
        self._depth += 1
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self._depth -= 1

    def name(self, thing: Any) -> str:
        """How the text refers to a thing."""
        known = self._known.get(id(thing))
        if known is None:
            made = constant(thing)
            self.names.update(made.names)
            known = self._known[id(thing)] = made.text
            self.names.setdefault(known, thing)  # keeps it alive, so that its id stays its own
        return known

    def value(self, value: Value, entity: str) -> str:
        """The expression of a compiled number, for the entity that the text calls so."""
        formula = formula_of(value)
        self.names.update(formula.names)
        return _ENTITY.sub(entity, formula.text)

    def schedule(self, time: str, thing: str, epoch: str) -> None:
        """Put a thing on the agenda: what :meth:`World.at` does."""
        entry = f"({time}, 1, next(world.numbers), {thing}, {epoch})"
        if not self.sliced:
            self.line(f"heappush(world.near, {entry})")
            return
        with self.block(f"if {time} < world.edge:"):
            self.line(f"heappush(world.near, {entry})")
        with self.block("else:"):
            self.line(f"world.far[{time} // {SLICE!r}].append({entry})")
