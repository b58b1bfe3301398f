"""What is wrong with a scenario, and where: every complaint names the thing, the place and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

LISTED = 30  # a page of complaints is read, a flood is not


@dataclass(frozen=True)
class Problem:
    """One complaint about one place of a scenario file.

    Attributes:
        file: the file the offending value was written in.
        line: line in that file, counted from 1.
        column: column in that line, counted from 1.
        path: dotted way to the value, such as ``pathway.triage.for.lognormal.sd``; empty for the whole file.
        message: what is wrong, what is allowed, and the nearest name if it looks like a slip.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: "
        text = f"{place}{self.path}: {self.message}" if self.path else f"{place}{self.message}"
        return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class ScenarioError(ValueError):
    """A scenario that cannot be used; carries every problem found, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: list[Problem] = list(problems)
        super().__init__(self.problems)  # the arguments are what pickle rebuilds the error from

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:LISTED]]
        if len(self.problems) > LISTED:
            lines.append(f"... and {len(self.problems) - LISTED} more")
        return "\n".join(lines)


def shown(value: object, most: int = 60) -> str:
    """Return a value as it may stand in a message: one line, printable and never long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    text = str(value) if isinstance(value, (int, float)) else repr(str(value)[: most + 1])
    return text if len(text) <= most else text[:most] + "...'"


Where = tuple[str | int, ...]
"""The way to a value: keys of mappings and indices of lists."""


class Location(NamedTuple):
    """A place in a file; line and column are counted from 1."""

    file: str
    line: int
    column: int


def dotted(path: Where) -> str:
    """Return a path as text: ``("agents", "bed_manager", "can", 0)`` becomes ``agents.bed_manager.can.0``."""
    return ".".join(str(part) for part in path)
