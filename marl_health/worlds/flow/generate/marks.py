"""Text of setting marks, with the measures and clocks that begin and end there."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from marl_health.worlds.flow.decisions import ShortenStay
from marl_health.worlds.flow.generate.clocks import ClockText
from marl_health.worlds.flow.program import ARRIVAL
from marl_health.worlds.flow.readings import Marks, SpanHours, SpanStatistic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marl_health.worlds.flow.generate.writer import Writer
    from marl_health.worlds.flow.program import Program, Sequel


class MarkText:
    """Writes what :meth:`FlowWorld.mark` does, for the kinds of entities that come to a place of the pathway."""

    def __init__(self, program: Program, writer: Writer) -> None:
        self.program = program
        self.writer = writer
        self.clocks = ClockText(writer)
        self.read = WhatIsRead(program)

    def set(self, mark: int, who: str, kinds: Sequence[int], *, token: bool, new: bool = False) -> None:
        """Set a time stamp and tell those who wait for it.

        ``token``: whether it may be one of parallel work; ``new``: whether it has just come, so no measure knows it.
        """
        writer = self.writer
        if mark in self.read.stamps:
            writer.line(f"{who}.marks[{mark}] = now")
        sequels = {kind: self.program.sequels[mark][kind] for kind in kinds}
        told = {kind: sequel for kind, sequel in sequels.items() if sequel is not None}
        if told and len(told) == len(sequels) and all(sequel == told[kinds[0]] for sequel in told.values()):
            self._sequel(mark, told[kinds[0]], who, token, new)
            return
        for kind, sequel in told.items():
            with writer.block(f"if {who}.kind == {kind}:"):
                self._sequel(mark, sequel, who, token, new)

    def _sequel(self, mark: int, sequel: Sequel, who: str, token: bool, new: bool) -> None:
        writer, groups = self.writer, self.program.groups
        if sequel.ends or sequel.begins:
            writer.line(f"number = {who}.id")
        for span in sequel.ends:
            self.end(span, f"{who}.counted")
        root = who
        patient = sequel.clocks or any(holding is not None or callable(target) for _, target, holding in sequel.begins)
        if token and patient:
            root = "root"
            writer.line(f"root = {who} if {who}.parent is None else {who}.root")
        counts = mark in self.read.marks
        with writer.block(f"if {who}.counted:") if counts or sequel.begins else nullcontext():
            if counts:
                writer.line(f"world.marked[{mark}] += 1")
                self.tally("marked", mark, f"{who}.values")
            for span, target, holding in sequel.begins:
                minutes = writer.value(target, root) if callable(target) else writer.name(target)
                conditions = [] if new else ["number not in span.starts"]
                if holding is not None:
                    conditions.append(f"{root}.place is not None and {root}.place.index == {holding}")
                writer.line(f"span = world.spans[{span}]")
                with writer.block(f"if {' and '.join(conditions)}:") if conditions else nullcontext():
                    writer.lines(f"span.starts[number] = (now, {minutes})", "span.spent -= now")
                    if groups is not None and span in groups.spans:
                        writer.line(f"span.cell_of[number] = {who}.values[{groups.slot}]")
        for act in sequel.clocks:
            self.clocks.act(act, root)

    def tally(self, what: str, index: int, values: str) -> None:
        """Count somebody in the cell of its groups, where a KPI that can be split reads it."""
        groups = self.program.groups
        if groups is None:
            return
        if index in {"marked": groups.marks, "left": groups.outcomes, "arrived": groups.kinds}[what]:
            self.writer.line(f"world.tally.{what}[{index}][{values}[{groups.slot}]] += 1")

    def end(self, span: int, record: str) -> None:
        """End a measure for the entity ``number``; ``record``: whether its duration is kept, or empty for never."""
        writer = self.writer
        late, kept = span in self.read.late, span in self.read.durations and record
        grouped = self.program.groups is not None and span in self.program.groups.spans
        writer.lines(f"span = world.spans[{span}]", "start = span.starts.pop(number, None)")
        with writer.block("if start is not None:"):
            writer.line("span.spent += now")
            if late or kept or grouped:
                writer.line("passed = now - start[0]")
            if grouped:
                writer.lines("cell = span.cell_of.pop(number)", "span.spent_in[cell] += passed")
            if late:
                with writer.block("if passed > start[1]:"):
                    writer.line("span.late += passed - start[1]")
                    if grouped:
                        writer.line("span.late_in[cell] += passed - start[1]")
            if kept:
                with writer.block(f"if {record}:"):
                    writer.line("span.durations.append(passed)")
                    if grouped:
                        writer.line("span.cells.append(cell)")
                    if span in self.read.within:
                        writer.line("span.within.append(passed <= start[1])")


class WhatIsRead:
    """Which counters some reward, KPI or agent reads; nobody misses the others.

    Attributes:
        marks: counted marks. stamps: marks of which the time is read.
        durations, within, late: measures of which the durations of finished intervals, whether each was within its
            target, or the time beyond it are read.
    """

    def __init__(self, program: Program) -> None:
        self.marks: set[int] = set()
        self.stamps: set[int] = {ARRIVAL}
        self.durations: set[int] = set()
        self.within: set[int] = set()
        self.late: set[int] = set()
        for agent in program.agents:
            self.stamps.update(move.mark_index for move in agent.moves if isinstance(move, ShortenStay))
        for reading in program.readings:
            if isinstance(reading, Marks):
                self.marks.add(reading.mark)
            elif isinstance(reading, SpanHours) and reading.over:
                self.late.add(reading.span)
            elif isinstance(reading, SpanStatistic):
                self.durations.add(reading.span)
                if reading.statistic == "share_within":
                    self.within.add(reading.span)
