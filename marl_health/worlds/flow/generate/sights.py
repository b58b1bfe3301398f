"""Text of observations: one function per agent that makes the list of scaled numbers it sees."""

from __future__ import annotations

from math import cos, sin
from typing import TYPE_CHECKING

from marl_health.worlds.flow.generate.moves import seen_of
from marl_health.worlds.flow.sights import Cycle, LineNow, PoolNow, Sight, SlotList, SpanNow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marl_health.worlds.flow.generate.writer import Writer
    from marl_health.worlds.flow.program import Program


def scaled(values: Sequence[float], scales: Sequence[float]) -> list[float]:
    """Raw numbers brought into [-1, 1]: x becomes x / (abs(x) + scale), or stays as it is where that is 0."""
    return [
        raw if not raw or not scale else raw / (raw + scale) if raw > 0 else raw / (scale - raw)
        for raw, scale in zip(values, scales, strict=True)
    ]


class SightText:
    """Writes ``observe_<agent>(world)``: what ``look`` of the sights and levers does, scaled at once."""

    def __init__(self, program: Program, writer: Writer) -> None:
        self.program = program
        self.writer = writer
        self._ready: list[str] = []  # expressions of numbers that are still to be written
        self._count = 0

    def write(self) -> None:
        """Write the functions of all agents."""
        for number, agent in enumerate(self.program.agents):
            with self.writer.block(f"def observe_{number}(world):"):
                self.writer.lines("now = world._now", "out = []")
                for sight in agent.sights:
                    self._sight(sight)
                for move in agent.moves:
                    seen = seen_of(move)
                    if seen is None:
                        self._flush()
                        self.writer.line(f"{self.writer.name(move)}.look(world, out)")
                    else:
                        self._ready += seen
                self._flush()
                self.writer.line("return out")
            self.writer.line("")

    def _flush(self) -> None:
        if self._ready:
            self.writer.line(f"out += [{', '.join(self._ready)}]")
            self._ready = []

    def _fresh(self, value: str) -> str:
        """A name of its own for a value that several numbers are made of."""
        self._count += 1
        self.writer.line(f"v{self._count} = {value}")
        return f"v{self._count}"

    def _sight(self, sight: Sight) -> None:
        scale = sight.scales[0] if sight.scales else 0.0
        if isinstance(sight, Cycle):
            angle = self._fresh(f"world.minute_of_week() * {sight.turn!r}")
            self._ready += [f"{self.writer.name(sin)}({angle})", f"{self.writer.name(cos)}({angle})"]
        elif isinstance(sight, PoolNow) and scale:
            value = f"world.pools[{sight.pool}].{sight.read_as}"
            self._ready.append(f"x / (x + {scale!r}) if (x := {value}) > 0 else 0.0")
        elif isinstance(sight, LineNow) and scale and self._single(sight):
            self._line(sight, scale)
        elif isinstance(sight, SpanNow) and scale and not sight.oldest:
            self._ready.append(f"(x := len(world.spans[{sight.span}].starts)) / (x + {scale!r})")
        elif isinstance(sight, SlotList):
            self._flush()
            self._slots(sight)
        else:
            self._flush()
            self.writer.lines("raw = []", f"{self.writer.name(sight)}.look(world, raw)")
            self.writer.line(f"out += {self.writer.name(scaled)}(raw, {self.writer.name(sight.scales)})")

    def _single(self, sight: LineNow) -> bool:
        """Whether a queue is but one line, for there are no others for those who want a certain unit."""
        if len(sight.lines) != 1 or (sight.oldest and not sight.by_class):
            return False
        return not any(self.program.pools[pool].identified for pool, _ in self.program.lines[sight.lines[0]].needs)

    def _line(self, sight: LineNow, scale: float) -> None:
        line = f"world.lines[{sight.lines[0]}]"
        if not sight.by_class:
            self._ready.append(f"(x := {line}.waiting) / (x + {scale!r})")
            return
        if sight.oldest:
            line = self._fresh(line)
        count = self._fresh(f"{line}.{'counts' if len(sight.classes) > 1 else 'count'}")
        for cls in sight.classes:
            waiting = f"{count}[{cls}]"
            if sight.oldest:
                self._ready.append(f"(x := {line}.oldest({cls}, now)) / (x + {scale!r}) if {waiting} else 0.0")
            else:
                self._ready.append(f"(x := {waiting}) / (x + {scale!r})")

    def _slots(self, sight: SlotList) -> None:
        writer = self.writer
        numbers = ["1.0"]
        for _, value, scale in self.program.slot_lists[sight.slots].shown:
            raw = f"float({writer.value(value, 'entity')})"
            if scale:
                raw = f"x if not (x := {raw}) else x / (x + {scale!r}) if x > 0 else x / ({scale!r} - x)"
            numbers.append(raw)
        writer.line(f"found = world.candidates.get({sight.slots}) or world.slot_list({sight.slots})")
        with writer.block("for entity in found:"):
            writer.line(f"out += [{', '.join(numbers)}]")
        writer.line(f"out += {[0.0] * len(numbers)} * ({sight.top} - len(found))")
