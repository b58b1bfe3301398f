"""Measures: counters and time integrals, posted where things happen and read by rewards and KPIs."""

from __future__ import annotations

from array import array
from math import inf

from typing_extensions import override


class Accrual:
    """A quantity that grows by lumps and at a rate: a counter, a time integral, or both.

    A count of patients only takes lumps; bed-hours only take a rate; money takes both. Reading is O(1).
    Units: the value is in whatever is posted; the rate is per minute.
    """

    __slots__ = ("last", "rate", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.rate = 0.0
        self.last = 0.0

    def add(self, amount: float) -> None:
        """Post a lump."""
        self.value += amount

    def change(self, now: float, rate: float) -> None:
        """Change the rate by ``rate`` per minute from now on."""
        self.value += self.rate * (now - self.last)
        self.last = now
        self.rate += rate

    def read(self, now: float) -> float:
        """The value at time ``now`` (which may not lie before the last change)."""
        return self.value + self.rate * (now - self.last)


class Span:
    """The time between two marks: how many are inside now, time spent, finished durations, time over a target.

    Beginning and ending are O(1); so is reading the time spent. Reading the time over target looks at those inside.

    Attributes:
        durations: minutes of each finished and recorded interval, in order of finishing.
        within: for each of them, whether it was no longer than its target.
        starts: (start, target) of each entity inside, by entity id, in order of beginning.
        spent: the sum of the times of ends, minus that of the starts. late: minutes over target of those who have left.
    """

    __slots__ = ("durations", "late", "spent", "starts", "within")

    def __init__(self) -> None:
        self.durations: list[float] = []
        self.within: list[bool] = []
        self.starts: dict[int, tuple[float, float]] = {}
        self.spent = 0.0
        self.late = 0.0

    @property
    def inside(self) -> int:
        """How many are between the two marks now."""
        return len(self.starts)

    def begin(self, now: float, number: int, target: float = inf, cell: int = 0) -> None:
        """Entity ``number`` passes the first mark; beyond ``target`` minutes its time counts as over.

        ``cell`` is kept by a :class:`GroupedSpan` only.
        """
        if number not in self.starts:
            self.starts[number] = (now, target)
            self.spent -= now

    def end(self, now: float, number: int, record: bool) -> None:
        """Entity ``number`` passes the second mark; ``record`` says whether its duration is kept."""
        start = self.starts.pop(number, None)
        if start is None:
            return
        began, target = start
        passed = now - began
        self.spent += now
        if passed > target:
            self.late += passed - target
        if record:
            self.durations.append(passed)
            self.within.append(passed <= target)

    def minutes(self, now: float) -> float:
        """Entity-minutes between the two marks until ``now``, of those inside and those who have left."""
        return self.spent + len(self.starts) * now

    def over(self, now: float, alike: bool = False) -> float:
        """Entity-minutes beyond the target until ``now``, of those inside and those who have left.

        ``alike`` says that the target is the same for all, so that who came after somebody within it is within it too.
        """
        over = self.late
        for began, target in self.starts.values():
            if now - began > target:
                over += now - began - target
            elif alike:
                break
        return over

    def oldest(self, now: float) -> float:
        """Longest time anyone inside has been there, in minutes."""
        for began, _ in self.starts.values():
            return now - began
        return 0.0


class GroupedSpan(Span):
    """A span that also keeps by groups of entities what it keeps of all: an interval counts where it began.

    Args:
        cells: how many groups there are, each a combination of attributes.

    Attributes:
        cell_of: the cell of each entity inside, by entity id.
        cells: that of each finished and recorded interval, in order of finishing.
        spent_in, late_in: by cell, the minutes of those who have left, and their minutes over target.
    """

    __slots__ = ("cell_of", "cells", "late_in", "spent_in")

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.cell_of: dict[int, int] = {}
        self.cells: list[int] = []
        self.spent_in = array("d", [0.0]) * cells  # arrays, because worlds are copied often
        self.late_in = array("d", [0.0]) * cells

    @override
    def begin(self, now: float, number: int, target: float = inf, cell: int = 0) -> None:
        if number not in self.starts:
            super().begin(now, number, target)
            self.cell_of[number] = cell

    @override
    def end(self, now: float, number: int, record: bool) -> None:
        if number not in self.starts:
            return
        began, target = self.starts[number]
        cell = self.cell_of.pop(number)
        super().end(now, number, record)
        self.spent_in[cell] += now - began
        if now - began > target:
            self.late_in[cell] += now - began - target
        if record:
            self.cells.append(cell)

    def minutes_in(self, now: float) -> list[float]:
        """By cell, what :meth:`minutes` says of all."""
        found = self.spent_in.tolist()
        for number, (began, _) in self.starts.items():
            found[self.cell_of[number]] += now - began
        return found

    def over_in(self, now: float) -> list[float]:
        """By cell, what :meth:`over` says of all."""
        found = self.late_in.tolist()
        for number, (began, target) in self.starts.items():
            if now - began > target:
                found[self.cell_of[number]] += now - began - target
        return found
