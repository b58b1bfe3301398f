"""Groups: KPIs split by who the entities are, and the gaps between groups.

A scenario names attributes under ``groups``; each combination of their values is a *cell*, and what KPIs read is kept
by cell. An entity carries its cell among its values, renewed when an attribute is set; to record it is one look-up.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from marl_health.worlds.flow.readings import NAN, SpanStatistic, divided
from marl_health.worlds.game import WITHOUT

if TYPE_CHECKING:
    from marl_health.worlds.flow.clocks import HealthClock
    from marl_health.worlds.flow.program import KpiSpec, Program
    from marl_health.worlds.flow.world import FlowWorld

FEWEST = 30
"""Records that a group needs to take part in a gap: with fewer, the gap would tell of noise alone."""


@dataclass(frozen=True)
class Grouping:
    """One attribute by which KPIs are split.

    Attributes:
        slot: of the attribute among an entity's values. codes: from its value to the number of its group.
        names: the groups as a scenario writes them; ``WITHOUT`` is the last if some kind of entity lacks the attribute.
        members: the number of the group of each cell.
    """

    slot: int
    codes: dict[Hashable, int]
    names: tuple[str, ...]
    members: tuple[int, ...]


@dataclass(frozen=True)
class GroupTable:
    """The cells of a scenario, and what is kept by cell because some KPI reads it.

    Attributes:
        slot: where an entity's values hold its cell. cells: how many there are.
        by: the attributes, by name.
        codes: (slot of an attribute, from its value to its share of the number of the cell), for each of them.
        marks, outcomes, kinds, spans: counted marks, outcomes, arrivals, and measures. deaths: expected ones.
        opened: indices of the readings of which the value at the end of the warm-up is kept.
    """

    slot: int
    cells: int
    by: dict[str, Grouping]
    codes: tuple[tuple[int, dict[Hashable, int]], ...]
    marks: frozenset[int]
    outcomes: frozenset[int]
    kinds: frozenset[int]
    spans: frozenset[int]
    deaths: bool
    opened: tuple[int, ...]

    def cell(self, values: Sequence[Any]) -> int:
        """The cell of an entity with these values."""
        return sum(codes[values[slot]] for slot, codes in self.codes)


def _nobody(cells: int) -> array[int]:
    """A count of 0 for each cell: an array, because worlds are copied often."""
    return array("q", [0]) * cells


class Tally:
    """What one world has recorded by cell, beside its measures.

    Attributes:
        marked, left, arrived: counts by cell, by mark, outcome and kind.
        opening: values by cell at the end of the warm-up, by reading.
    """

    def __init__(self, table: GroupTable) -> None:
        self.marked = {mark: _nobody(table.cells) for mark in table.marks}
        self.left = {outcome: _nobody(table.cells) for outcome in table.outcomes}
        self.arrived = {kind: _nobody(table.cells) for kind in table.kinds}
        self.opening: dict[int, array[float]] = {}
        self._deaths, self._rates, self._since = (array("d", [0.0]) * table.cells for _ in range(3))
        self._dying: dict[tuple[int, int], tuple[int, float]] = {}  # cell and rate of each clock that may kill

    def open(self, world: FlowWorld) -> None:
        """Keep the values at the end of the warm-up."""
        table = world.program.groups
        assert table is not None
        for index in table.opened:
            self.opening[index] = array("d", world.program.readings[index].cells(world))

    def expect(self, cell: int, deaths: float) -> None:
        """Somebody in a cell dies with this chance."""
        self._deaths[cell] += deaths

    def expect_rate(self, clock: HealthClock, cell: int, now: float, deadly: float) -> None:
        """From now on the hazard of death of a clock's entity is this, and counts in this cell."""
        assert clock.spec is not None
        key = (clock.entity.id, clock.spec.index)
        before, rate = self._dying.pop(key, (cell, 0.0))
        if rate:
            self._change(before, now, -rate)
        if deadly:
            self._dying[key] = (cell, deadly)
            self._change(cell, now, deadly)

    def expected(self, now: float) -> list[float]:
        """Expected deaths by cell."""
        each = zip(self._deaths, self._rates, self._since, strict=True)
        return [deaths + rate * (now - since) for deaths, rate, since in each]

    def _change(self, cell: int, now: float, rate: float) -> None:
        """Change the rate of expected deaths in a cell from now on, as :meth:`Accrual.change` does."""
        self._deaths[cell] += self._rates[cell] * (now - self._since[cell])
        self._since[cell] = now
        self._rates[cell] += rate


def value_of_kpi(world: FlowWorld, kpi: KpiSpec) -> float:
    """A KPI over the measured time so far."""
    if kpi.gap:
        return _gap(world, kpi)
    value = kpi.reading.result(world)
    return value if kpi.per is None else divided(value, kpi.per.result(world))


def split_kpis(world: FlowWorld, attribute: str) -> dict[str, dict[str, float]]:
    """KPI to group to its value over the measured time so far; without the KPIs that cannot be split.

    Raises:
        ValueError: the scenario does not split by this attribute.
    """
    grouping = grouping_of(world.program, attribute)
    return {
        kpi.name: dict(zip(grouping.names, _split(world, kpi, grouping), strict=True))
        for kpi in world.program.kpis
        if not kpi.whole
    }


def grouping_of(program: Program, attribute: str) -> Grouping:
    """How a scenario is split by an attribute.

    Raises:
        ValueError: it is not.
    """
    table = program.groups
    if table is None or attribute not in table.by:
        name = program.scenario.name
        known = f"only by {', '.join(table.by)}" if table else "by nothing"
        raise ValueError(
            f"KPIs of '{name}' can be split {known}, not by '{attribute}'; "
            "name attributes of its entities under groups: in the scenario"
        )
    return table.by[attribute]


def _split(world: FlowWorld, kpi: KpiSpec, grouping: Grouping) -> list[float]:
    """A KPI by group."""
    groups = len(grouping.names)
    values = kpi.reading.split(world, grouping.members, groups)
    if kpi.per is None:
        return values
    return [divided(*pair) for pair in zip(values, kpi.per.split(world, grouping.members, groups), strict=True)]


def _gap(world: FlowWorld, kpi: KpiSpec) -> float:
    """The largest difference between two groups of an attribute that have enough records; nan if there are no two."""
    largest = NAN
    for attribute in kpi.gap:
        grouping = grouping_of(world.program, attribute)
        records: Sequence[float]
        if kpi.per is not None:
            records = kpi.per.split(world, grouping.members, len(grouping.names))
        else:
            assert isinstance(kpi.reading, SpanStatistic)
            records = kpi.reading.records(world, grouping.members, len(grouping.names))
        values = [
            value
            for name, value, count in zip(grouping.names, _split(world, kpi, grouping), records, strict=True)
            if count >= FEWEST and name != WITHOUT
        ]
        if len(values) >= 2:
            gap = max(values) - min(values)
            largest = gap if largest != largest else max(largest, gap)
    return largest
