"""Sights: what agents see. Each appends raw numbers; the env scales them into [-1, 1].

A scale s > 0 shows x as x / (|x| + s); a scale of 0 shows x as it is.
"""

from __future__ import annotations

from math import cos, pi, sin
from operator import attrgetter
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld


class Sight:
    """One thing an agent sees: one or several numbers with their names, meanings and scales."""

    def __init__(self, names: tuple[str, ...], meanings: tuple[str, ...], scales: tuple[float, ...]) -> None:
        self.names = names
        self.meanings = meanings
        self.scales = scales

    def look(self, world: FlowWorld, out: list[float]) -> None:
        """Append the raw numbers."""
        raise NotImplementedError


class Cycle(Sight):
    """Time of the day or the week as a point on a circle."""

    def __init__(self, name: str, minutes: float, phase: float = 0.0) -> None:
        turn = "day" if minutes == 1440.0 else "week"
        meanings = (f"sine of the time of the {turn}", f"cosine of the time of the {turn}")
        super().__init__((f"{name}.sin", f"{name}.cos"), meanings, (0.0, 0.0))
        self.turn = 2 * pi / minutes

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        angle = world.minute_of_week() * self.turn
        out.append(sin(angle))
        out.append(cos(angle))


class TimeLeft(Sight):
    """Share of the episode that is left."""

    def __init__(self) -> None:
        super().__init__(("time_left",), ("share of the episode that is left",), (0.0,))

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        program = world.program
        out.append(max(0.0, (program.horizon - world.now) / (program.horizon - program.warm_up)))


class PoolNow(Sight):
    """Units of a resource that are free, taken, being cleaned or on duty; entities waiting for it."""

    WORDS = {
        "free": "units free",
        "occupied": "units taken",
        "cleaning": "units being cleaned",
        "capacity": "units there are",
        "waiting": "entities waiting for it",
    }

    def __init__(self, name: str, pool: int, what: str, scale: float) -> None:
        super().__init__((f"{name}.{what}",), (f"{name}: {self.WORDS[what]}",), (scale,))
        self.pool = pool
        self.read_as = {"occupied": "busy"}.get(what, what)
        self.read = attrgetter(self.read_as)

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        value = self.read(world.pools[self.pool])
        out.append(value if value > 0 else 0.0)


class LineNow(Sight):
    """Entities waiting in a queue, or minutes that the one longest there has waited; in all or by class."""

    def __init__(self, name: str, lines: tuple[int, ...], what: str, classes: dict[object, int], scale: float) -> None:
        words = {"waiting": "entities waiting", "oldest": "minutes the longest wait lasts so far"}
        suffixes = [f"[{value}]" for value in classes] or [""]
        names = tuple(f"{name}.{what}{suffix}" for suffix in suffixes)
        meanings = tuple(f"{name}{suffix}: {words[what]}" for suffix in suffixes)
        super().__init__(names, meanings, (scale,) * len(names))
        self.lines = lines
        self.oldest = what == "oldest"
        self.by_class = bool(classes)
        self.classes = range(len(suffixes))

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        lines = [world.lines[number] for number in self.lines]
        if len(lines) == 1 and not lines[0].personal and (self.by_class or not self.oldest):
            line = lines[0]
            if not self.by_class:
                out.append(line.waiting)
            elif not self.oldest:
                out.extend(line.count)
            else:
                now = world.now
                out.extend([line.oldest(cls, now) if waiting else 0.0 for cls, waiting in enumerate(line.count)])
            return
        for line in tuple(lines):
            if line.personal:
                lines.extend(line.personal.values())
        if not self.oldest:
            if self.by_class:
                out.extend([float(sum(line.count[cls] for line in lines)) for cls in self.classes])
            else:
                out.append(float(sum(line.waiting for line in lines)))
            return
        now = world.now
        if self.by_class:
            out.extend([max(line.oldest(cls, now) for line in lines) for cls in self.classes])
        else:
            out.append(max(line.oldest(cls, now) for line in lines for cls in range(len(line.tickets))))


class SpanNow(Sight):
    """How many are between two marks now, or how long the first of them has been there."""

    def __init__(self, name: str, span: int, what: str, scale: float) -> None:
        words = {"now": "entities inside", "oldest": "minutes since the first of them began"}
        super().__init__((f"{name}.{what}",), (f"{name}: {words[what]}",), (scale,))
        self.span = span
        self.oldest = what == "oldest"

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        span = world.spans[self.span]
        out.append(span.oldest(world.now) if self.oldest else float(span.inside))


class RecentArrivals(Sight):
    """Arrivals per hour lately: what tells a busy day from a quiet one."""

    def __init__(self, name: str, kind: int, scale: float) -> None:
        super().__init__(
            (f"{name}.arriving",), (f"{name}: arrivals per hour, weighted towards the last 3 h",), (scale,)
        )
        self.kind = kind

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        out.append(world.recent_rate(self.kind))


class SlotList(Sight):
    """A slot list: for each slot whether it is filled, and what is shown of who is in it."""

    def __init__(self, name: str, slots: int, top: int, shown: tuple[tuple[str, float], ...]) -> None:
        names, meanings, scales = [], [], []
        for slot in range(top):
            names.append(f"{name}[{slot}]")
            meanings.append(f"1 if slot {slot} of {name} is filled")
            scales.append(0.0)
            for what, scale in shown:
                names.append(f"{name}[{slot}].{what}")
                meanings.append(f"{what} of the one in slot {slot} of {name}")
                scales.append(scale)
        super().__init__(tuple(names), tuple(meanings), tuple(scales))
        self.slots = slots
        self.top = top
        self.empty = [0.0] * (1 + len(shown))

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        found = world.slot_list(self.slots)
        shown = world.program.slot_lists[self.slots].shown
        for entity in found:
            out.append(1.0)
            for _, value, _ in shown:
                out.append(float(value(world, entity)))
        for _ in range(self.top - len(found)):
            out.extend(self.empty)
