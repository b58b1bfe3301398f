"""Text of setting marks, with the measures and clocks that begin and end there."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from marl_health.worlds.flow.generate.clocks import ClockText

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

    def set(self, mark: int, who: str, kinds: Sequence[int]) -> None:
        """Set a time stamp and tell those who wait for it."""
        writer = self.writer
        writer.line(f"{who}.marks[{mark}] = now")
        sequels = {kind: self.program.sequels[mark][kind] for kind in kinds}
        told = {kind: sequel for kind, sequel in sequels.items() if sequel is not None}
        if told and len(told) == len(sequels) and all(sequel == told[kinds[0]] for sequel in told.values()):
            self._sequel(mark, told[kinds[0]], who)
            return
        for kind, sequel in told.items():
            with writer.block(f"if {who}.kind == {kind}:"):
                self._sequel(mark, sequel, who)

    def _sequel(self, mark: int, sequel: Sequel, who: str) -> None:
        writer = self.writer
        if sequel.ends or sequel.begins:
            writer.line(f"number = {who}.id")
        for span in sequel.ends:
            self.end(span, f"{who}.counted")
        root = who
        if sequel.clocks or any(holding is not None or callable(target) for _, target, holding in sequel.begins):
            root = "root"
            writer.line(f"root = {who} if {who}.parent is None else {who}.root")
        with writer.block(f"if {who}.counted:"):
            writer.line(f"world.marked[{mark}] += 1")
            for span, target, holding in sequel.begins:
                minutes = writer.value(target, root) if callable(target) else writer.name(target)
                held = f"{root}.place is not None and {root}.place.index == {holding} and "
                writer.line(f"span = world.spans[{span}]")
                with writer.block(f"if {'' if holding is None else held}number not in span.starts:"):
                    writer.lines(f"span.starts[number] = (now, {minutes})", "span.spent -= now")
        for act in sequel.clocks:
            self.clocks.act(act, root)

    def end(self, span: int, record: str) -> None:
        """End a measure for the entity ``number``; ``record``: whether its duration is kept, or empty for never."""
        writer = self.writer
        timed = self.program.spans[span].target != inf
        writer.lines(f"span = world.spans[{span}]", "start = span.starts.pop(number, None)")
        with writer.block("if start is not None:"):
            writer.line("span.spent += now")
            if timed or record:
                writer.line("passed = now - start[0]")
            if timed:
                with writer.block("if passed > start[1]:"):
                    writer.line("span.late += passed - start[1]")
            if record:
                with writer.block(f"if {record}:"):
                    writer.lines("span.durations.append(passed)", "span.within.append(passed <= start[1])")
