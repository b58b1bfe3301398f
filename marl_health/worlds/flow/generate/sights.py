"""Text of observations: functions that make the list of scaled numbers that one agent sees, or all of them."""

from __future__ import annotations

from math import cos, sin
from typing import TYPE_CHECKING

from marl_health.worlds.flow.generate.moves import seen_of, write_slots
from marl_health.worlds.flow.sights import Cycle, LineNow, PoolNow, RecentArrivals, Sight, SlotList, SpanNow, TimeLeft
from marl_health.worlds.flow.sources import DAY
from marl_health.worlds.flow.steps import Activity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from marl_health.worlds.flow.generate.writer import Writer
    from marl_health.worlds.flow.program import AgentSpec, Program


def scaled(values: Sequence[float], scales: Sequence[float]) -> list[float]:
    """Raw numbers brought into [-1, 1]: x becomes x / (abs(x) + scale), or stays as it is where that is 0."""
    return [
        raw if not raw or not scale else raw / (raw + scale) if raw > 0 else raw / (scale - raw)
        for raw, scale in zip(values, scales, strict=True)
    ]


class SightText:
    """Writes what agents see: what ``look`` of the sights and levers does, scaled at once."""

    def __init__(self, program: Program, writer: Writer) -> None:
        self.program = program
        self.writer = writer
        self._ready: list[str] = []  # expressions of numbers that are still to be written
        self._named: dict[str, str] = {}  # expressions that already have a name in the function at hand
        self._listed: set[int] = set()  # slot lists that have one
        self._personal = {  # queues of those who may want a certain unit: each unit asked for gets a line of its own
            step.line for step in program.steps if isinstance(step, Activity) and step.same is not None
        }

    def write(self) -> None:
        """Write ``observe_<agent>(world)`` for each, and ``observe_all(world)`` for all of them one after the other."""
        for number, agent in enumerate(self.program.agents):
            self._function(f"observe_{number}", [agent])
        self._function("observe_all", self.program.agents)

    def _function(self, name: str, agents: Sequence[AgentSpec]) -> None:
        writer = self.writer
        self._named, self._listed = {}, set()
        with writer.block(f"def {name}(world):"):
            writer.lines("now = world._now", "out = []")
            for agent in agents:
                for sight in agent.sights:
                    self._sight(sight)
                for move in agent.moves:
                    seen = seen_of(move)
                    if seen is None:
                        self._flush()
                        writer.line(f"{writer.name(move)}.look(world, out)")
                    else:
                        self._ready += seen
            self._flush()
            writer.line("return out")
        writer.line("")

    def _flush(self) -> None:
        if self._ready:
            self.writer.line(f"out += [{', '.join(self._ready)}]")
            self._ready = []

    def _known_as(self, value: str) -> str:
        """The name of a value that several numbers are made of."""
        name = self._named.get(value)
        if name is None:
            name = self._named[value] = f"v{len(self._named)}"
            self.writer.line(f"{name} = {value}")
        return name

    def _pool(self, number: int) -> str:
        return self._known_as(f"world.pools[{number}]")

    def _line(self, number: int) -> str:
        return self._known_as(f"world.lines[{number}]")

    def _sight(self, sight: Sight) -> None:
        scale = sight.scales[0] if sight.scales else 0.0
        if isinstance(sight, Cycle):
            minute = self._known_as(f"(now + {self.program.start!r}) % {7 * DAY!r}")
            angle = self._known_as(f"{minute} * {sight.turn!r}")
            self._ready += [self._known_as(f"{self.writer.name(turned)}({angle})") for turned in (sin, cos)]
        elif isinstance(sight, TimeLeft):
            program = self.program
            left = f"({program.horizon!r} - now) / {program.horizon - program.warm_up!r}"
            self._ready.append(f"x if (x := {left}) > 0.0 else 0.0")
        elif isinstance(sight, RecentArrivals) and scale:
            rate = self._known_as(f"world.recent_rate({sight.kind})")
            self._ready.append(f"{rate} / ({rate} + {scale!r})")
        elif isinstance(sight, PoolNow) and scale:
            self._ready.append(f"x / (x + {scale!r}) if (x := {self._of_pool(sight)}) > 0 else 0.0")
        elif isinstance(sight, LineNow) and scale and self._single(sight):
            self._queue(sight, scale)
        elif isinstance(sight, SpanNow) and scale:
            span = self._known_as(f"world.spans[{sight.span}]")
            value = f"{span}.oldest(now)" if sight.oldest else f"len({span}.starts)"
            self._ready.append(f"(x := {value}) / (x + {scale!r})")
        elif isinstance(sight, SlotList):
            self._flush()
            self._slots(sight)
        else:
            self._flush()
            self.writer.lines("raw = []", f"{self.writer.name(sight)}.look(world, raw)")
            self.writer.line(f"out += {self.writer.name(scaled)}(raw, {self.writer.name(sight.scales)})")

    def _of_pool(self, sight: PoolNow) -> str:
        """What is seen of a resource; all its lines are known, unless some are for certain units."""
        if sight.read_as == "waiting" and not self.program.pools[sight.pool].identified:
            lines = [
                number
                for number, line in enumerate(self.program.lines)
                if any(pool == sight.pool for pool, _ in line.needs)
            ]
            return " + ".join(f"{self._line(number)}.waiting" for number in lines) or "0"
        return f"{self._pool(sight.pool)}.{sight.read_as}"

    def _single(self, sight: LineNow) -> bool:
        """Whether a queue is but one line: nobody there may want a certain unit, for which there would be others."""
        return len(sight.lines) == 1 and sight.lines[0] not in self._personal

    def _queue(self, sight: LineNow, scale: float) -> None:
        line = self._line(sight.lines[0])
        several = len(self.program.lines[sight.lines[0]].classes)
        if sight.oldest and not sight.by_class and several > 1:
            oldest = ", ".join(f"{line}.oldest({cls}, now)" for cls in range(several))
            self._ready.append(f"(x := max({oldest})) / (x + {scale!r}) if {line}.waiting else 0.0")
            return
        count = self._known_as(f"{line}.counts") if sight.by_class and several > 1 else ""
        tickets = self._known_as(f"{line}.tickets") if sight.oldest else ""
        for cls in sight.classes:
            waiting = f"{count}[{cls}]" if count else f"{line}.waiting"
            if sight.oldest:  # the first ticket is seldom void
                first = f"(first := {tickets}[{cls}][0])"
                wait = f"now - first[0] if {first}[2].ticket == first[1] else {line}.oldest({cls}, now)"
                self._ready.append(f"(x := {wait}) / (x + {scale!r}) if {waiting} else 0.0")
            else:
                self._ready.append(f"(x := {waiting}) / (x + {scale!r})")

    def _slots(self, sight: SlotList) -> None:
        writer = self.writer
        numbers = ["1.0"]
        for _, value, scale in self.program.slot_lists[sight.slots].shown:
            raw = writer.value(value, "entity")
            if scale:
                numbers.append(f"x / (x + {scale!r}) if (x := {raw}) >= 0 else x / ({scale!r} - x)")
            else:
                numbers.append(f"float({raw})")
        found = f"found_{sight.slots}"
        if sight.slots not in self._listed:
            self._listed.add(sight.slots)
            write_slots(self.program, writer, sight.slots, found)
        with writer.block(f"for entity in {found}:"):
            writer.line(f"out += [{', '.join(numbers)}]")
        writer.line(f"out += {[0.0] * len(numbers)} * ({sight.top} - len({found}))")
