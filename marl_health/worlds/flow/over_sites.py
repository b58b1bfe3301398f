"""What is seen, scored and reported over all sites of a template: sums, and statistics of all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from marl_health.worlds.flow.readings import Ratio, Reading, SpanStatistic
from marl_health.worlds.flow.sights import Sight

if TYPE_CHECKING:
    from marl_health.worlds.flow.program import Program
    from marl_health.worlds.flow.world import FlowWorld


def at_each(program: Program, reference: str) -> tuple[str, list[str]] | None:
    """The sites of ``TEMPLATE.NAME.what``, and the reference for each of them; ``None`` if it is no such reference."""
    template, dot, rest = reference.partition(".")
    if not dot or "." not in rest:
        return None
    sites = [site.name for site in program.sites.values() if site.template == template]
    return (template, [f"{site}_{rest}" for site in sites]) if sites else None


class SumOver(Reading):
    """The sum of the same reading at several sites."""

    whole = "it is a sum over sites"

    def __init__(self, parts: Sequence[Reading], name: str) -> None:
        super().__init__(parts[0].unit, f"sum over sites: {parts[0].meaning}, and so on" if parts[1:] else name)
        self.parts = tuple(parts)
        self.cumulative = all(part.cumulative for part in parts)

    @override
    def read(self, world: FlowWorld) -> float:
        return sum(part.read(world) for part in self.parts)

    @override
    def total(self, world: FlowWorld) -> float:
        return sum(part.total(world) for part in self.parts)

    @override
    def result(self, world: FlowWorld) -> float:
        return sum(part.result(world) for part in self.parts)


class StatisticOver(Reading):
    """A statistic of the finished intervals of several sites together."""

    whole = "it is taken over sites"
    cumulative = False

    def __init__(self, parts: Sequence[SpanStatistic], name: str) -> None:
        super().__init__(parts[0].unit, f"{parts[0].statistic} of the finished '{name}' intervals of all sites")
        self.parts = tuple(parts)

    @override
    def read(self, world: FlowWorld) -> float:
        return 0.0

    @override
    def result(self, world: FlowWorld) -> float:
        durations: list[float] = []
        within: list[bool] = []
        for part in self.parts:
            span, first = world.spans[part.span], int(world.opening[part.index])
            durations += span.durations[first:]
            within += span.within[first:]
        return self.parts[0].of(durations, within)


def combined(parts: Sequence[Reading], name: str) -> Reading:
    """One reading for all sites: of shares and means that of all together, of everything else the sum."""
    first = parts[0]
    if isinstance(first, Ratio):
        above = SumOver([part.above for part in parts if isinstance(part, Ratio)], name)
        below = SumOver([part.below for part in parts if isinstance(part, Ratio)], name)
        return Ratio(first.unit, f"over all sites together: {first.meaning}, and so on", above, below)
    if isinstance(first, SpanStatistic) and first.statistic != "count":
        return StatisticOver([part for part in parts if isinstance(part, SpanStatistic)], name)
    return SumOver(parts, name)


class SightOver(Sight):
    """The sum of the same sight at several sites, or of how long somebody has waited the largest."""

    def __init__(self, parts: Sequence[Sight], template: str, sites: Sequence[str], scale: float | None) -> None:
        first = parts[0]
        names = tuple(name.replace(f"{sites[0]}_", f"{template}.", 1) for name in first.names)
        self.largest = any(".oldest" in name for name in names)
        word = "largest" if self.largest else "sum"
        meanings = tuple(
            f"{word} over sites: {meaning.replace(f'{sites[0]}_', f'{template}.', 1)}" for meaning in first.meanings
        )
        together = (lambda scales: max(scales)) if self.largest else (lambda scales: sum(scales))
        scales = tuple(scale or together(each) for each in zip(*(part.scales for part in parts), strict=True))
        super().__init__(names, meanings, scales)
        self.parts = tuple(parts)

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        found: list[list[float]] = []
        for part in self.parts:
            numbers: list[float] = []
            part.look(world, numbers)
            found.append(numbers)
        out.extend([(max if self.largest else sum)(each) for each in zip(*found, strict=True)])
