"""Readings: what rewards and KPIs read from a world, and from nothing else.

A reading has a running value (:meth:`Reading.read`, since the world began) and a result over the measured time, which
begins when the warm-up ends. What happens to patients counts until the end of the run-out; what resources do
counts until the end of the episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from marl_health.kernel.entity import Entity
from marl_health.kernel.measures import GroupedSpan

if TYPE_CHECKING:
    from marl_health.kernel.pool import Pool
    from marl_health.worlds.flow.groups import Tally
    from marl_health.worlds.flow.world import FlowWorld

NAN = float("nan")
RESOURCE = "a resource's time is kept for all who use it"
"""Why what resources do cannot be split by who uses them."""


def _tally(world: FlowWorld) -> Tally:
    """What a world of a scenario with groups keeps by cell."""
    assert world.tally is not None
    return world.tally


class Reading:
    """A running value, from which the value at the end of the warm-up is subtracted.

    Attributes:
        unit: unit of the result. meaning: how it is computed, in words.
        cumulative: whether it only ever adds up, so that a reward may be paid for its gains.
        index: its number in the program, by which its opening and closing values are kept.
        whole: why it cannot be split by groups of entities; empty if it can.
    """

    whole = ""
    cumulative = True
    until_horizon = False

    def __init__(self, unit: str, meaning: str) -> None:
        self.unit = unit
        self.meaning = meaning
        self.index = -1

    def read(self, world: FlowWorld) -> float:
        """The running value now."""
        raise NotImplementedError

    def total(self, world: FlowWorld) -> float:
        """The running value now, or at the end of the episode if what comes after it does not count."""
        return world.closing[self.index] if self.until_horizon and world.closing else self.read(world)

    def result(self, world: FlowWorld) -> float:
        """The value over the measured time so far."""
        return self.total(world) - world.opening[self.index]

    def cells(self, world: FlowWorld) -> list[float]:
        """The running value now of each cell of the scenario's groups; they add up to :meth:`read`."""
        raise NotImplementedError

    def split(self, world: FlowWorld, members: Sequence[int], groups: int) -> list[float]:
        """The value over the measured time so far, by group.

        Args:
            world: of a scenario with groups, which keeps this reading by cell.
            members: the group of each cell.
            groups: how many there are.
        """
        found = [0.0] * groups
        for group, value, before in zip(members, self.cells(world), _tally(world).opening[self.index], strict=True):
            found[group] += value - before
        return found


class Marks(Reading):
    """How often a mark was set."""

    def __init__(self, name: str, mark: int) -> None:
        super().__init__("", f"times the mark '{name}' was set")
        self.mark = mark

    @override
    def read(self, world: FlowWorld) -> float:
        return float(world.marked[self.mark])

    @override
    def cells(self, world: FlowWorld) -> list[float]:
        return [float(count) for count in _tally(world).marked[self.mark]]


class Outcomes(Reading):
    """How many left with an outcome."""

    def __init__(self, name: str, outcome: int) -> None:
        super().__init__("", f"entities that left as '{name}'")
        self.outcome = outcome

    @override
    def read(self, world: FlowWorld) -> float:
        return float(world.left[self.outcome])

    @override
    def cells(self, world: FlowWorld) -> list[float]:
        return [float(count) for count in _tally(world).left[self.outcome]]


class Arrivals(Reading):
    """How many of a kind came during warm-up and episode."""

    def __init__(self, name: str, kind: int) -> None:
        super().__init__("", f"entities of type '{name}' that came")
        self.kind = kind

    @override
    def read(self, world: FlowWorld) -> float:
        return float(world.arrived[self.kind])

    @override
    def cells(self, world: FlowWorld) -> list[float]:
        return [float(count) for count in _tally(world).arrived[self.kind]]


class Spent(Reading):
    """Money spent by the agents' levers."""

    whole = "money is spent on nobody in particular"

    def __init__(self) -> None:
        super().__init__("usd", "money spent on levers, call-ins, repair and maintenance")

    @override
    def read(self, world: FlowWorld) -> float:
        return world.spent.read(world.now)


class Total(Reading):
    """What steps added up."""

    whole = "a total is kept for all together"

    def __init__(self, name: str, total: int, unit: str) -> None:
        super().__init__(unit, f"'{name}' added up")
        self.number = total

    @override
    def read(self, world: FlowWorld) -> float:
        return world.totals[self.number]


class ExpectedDeaths(Reading):
    """Hazard of death integrated over everybody's time, plus the chance of death where the pathway draws it."""

    def __init__(self) -> None:
        super().__init__("", "chance of death, summed over patients (hazard of death integrated over time)")

    @override
    def read(self, world: FlowWorld) -> float:
        return world.expected_deaths.read(world.now)

    @override
    def cells(self, world: FlowWorld) -> list[float]:
        return _tally(world).expected(world.now)


class SpanHours(Reading):
    """Entity-hours between two marks, or beyond the target; ``alike``: whether that is the same for all."""

    def __init__(self, name: str, span: int, over: bool, alike: bool) -> None:
        super().__init__("h", f"entity-hours of '{name}'" + (" beyond its target" if over else ""))
        self.span = span
        self.over = over
        self.alike = alike

    @override
    def read(self, world: FlowWorld) -> float:
        span = world.spans[self.span]
        now = world._now
        return (span.over(now, self.alike) if self.over else span.minutes(now)) / 60.0

    @override
    def cells(self, world: FlowWorld) -> list[float]:
        span = world.spans[self.span]
        assert isinstance(span, GroupedSpan)
        minutes = span.over_in(world._now) if self.over else span.minutes_in(world._now)
        return [spent / 60.0 for spent in minutes]


class SpanStatistic(Reading):
    """Statistics of finished intervals between two marks: count, mean, percentiles, share within target."""

    def __init__(self, name: str, span: int, statistic: str) -> None:
        unit = {"count": "", "share_within": ""}.get(statistic, "min")
        super().__init__(unit, f"{statistic} of the finished '{name}' intervals")
        self.span = span
        self.statistic = statistic
        self.cumulative = statistic == "count"

    @override
    def read(self, world: FlowWorld) -> float:
        return float(len(world.spans[self.span].durations))

    @override
    def result(self, world: FlowWorld) -> float:
        span = world.spans[self.span]
        first = int(world.opening[self.index])
        return self.of(span.durations[first:], span.within[first:])

    @override
    def split(self, world: FlowWorld, members: Sequence[int], groups: int) -> list[float]:
        span = world.spans[self.span]
        assert isinstance(span, GroupedSpan)
        first = int(world.opening[self.index])
        durations: list[list[float]] = [[] for _ in range(groups)]
        within: list[list[bool]] = [[] for _ in range(groups)]
        for number in range(first, len(span.durations)):
            group = members[span.cells[number]]
            durations[group].append(span.durations[number])
            if self.statistic == "share_within":
                within[group].append(span.within[number])
        return [self.of(*each) for each in zip(durations, within, strict=True)]

    def records(self, world: FlowWorld, members: Sequence[int], groups: int) -> list[int]:
        """How many intervals of each group were finished in the measured time."""
        span = world.spans[self.span]
        assert isinstance(span, GroupedSpan)
        found = [0] * groups
        for cell in span.cells[int(world.opening[self.index]) :]:
            found[members[cell]] += 1
        return found

    def of(self, durations: list[float], within: list[bool]) -> float:
        """The statistic of some intervals, of each of which ``within`` tells whether it met its target."""
        if self.statistic == "count":
            return float(len(durations))
        if not durations:
            return NAN
        if self.statistic == "mean":
            return sum(durations) / len(durations)
        if self.statistic == "share_within":
            return sum(within) / len(durations)
        percentile = {"median": 0.5, "p90": 0.9, "p95": 0.95}[self.statistic]
        ordered = sorted(durations)
        position = percentile * (len(ordered) - 1)
        low = int(position)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (position - low) * (ordered[high] - ordered[low])


class PoolHours(Reading):
    """Unit-hours of a resource: busy, on duty, or beyond its capacity after a shift change."""

    whole = RESOURCE

    until_horizon = True

    def __init__(self, name: str, pool: int, what: str) -> None:
        words = {"busy": "taken", "on_duty": "on duty", "overtime": "worked beyond the shift"}
        super().__init__("h", f"unit-hours of '{name}' {words[what]}")
        self.pool = pool
        self.minutes = {"busy": "busy_minutes", "on_duty": "capacity_minutes", "overtime": "over_minutes"}[what]

    @override
    def read(self, world: FlowWorld) -> float:
        pool = world.pools[self.pool]
        pool.integrate(world.now)
        minutes: float = getattr(pool, self.minutes)
        return minutes / 60.0


class BookedHours(Reading):
    """Unit-hours of a resource that are taken so far, and those that the work under way will still take.

    Over the measured time this is the work that began in it, each piece counted in full.
    """

    whole = RESOURCE
    cumulative = False  # work that is broken off takes its remaining hours back
    until_horizon = True

    def __init__(self, name: str, pool: int) -> None:
        super().__init__("h", f"unit-hours of '{name}' taken, work under way counted to its end")
        self.pool = pool

    @override
    def read(self, world: FlowWorld) -> float:
        now = world.now
        pool = world.pools[self.pool]
        pool.integrate(now)
        minutes = pool.busy_minutes
        if pool.busy:
            for entry in world.agenda:  # whoever is at work is there, with the time at which that ends
                entity = entry[3]
                if type(entity) is Entity and entity.epoch == entry[4]:
                    minutes += (entry[0] - now) * _units(entity, pool)
        return minutes / 60.0


def _units(entity: Entity, pool: Pool) -> int:
    """Units of a pool that an entity has."""
    units = 1 if entity.place is pool and entity.kind != pool.job_kind else 0
    if entity.held is not None:
        units += sum(taken for held, taken in entity.held.returned if held is pool)
    return units


class LineTotal(Reading):
    """Totals over some lines: who was served, how long they waited, entity-hours of waiting."""

    whole = "a queue keeps totals of all who wait in it; a measure between two marks can be split"
    until_horizon = True

    def __init__(self, name: str, lines: tuple[int, ...], what: str) -> None:
        words = {
            "served": "entities served from",
            "waited": "minutes waited by those served from",
            "hours": "hours in",
        }
        super().__init__({"served": "", "waited": "min", "hours": "h"}[what], f"{words[what]} '{name}'")
        self.lines = lines
        self.what = what

    @override
    def read(self, world: FlowWorld) -> float:
        lines = [world.lines[index] for index in self.lines]
        for line in world.lines[len(world.program.lines) :]:  # made for those who want one unit only
            if line.base is not None and line.base.index in self.lines:
                lines.append(line)
        if self.what == "served":
            return float(sum(line.grants for line in lines))
        if self.what == "waited":
            return sum(line.waited(world.now) for line in lines)
        now = world.now
        return sum(line.minutes(now) for line in lines) / 60.0


class Clocked(Reading):
    """Hours of the measured time."""

    whole = "the hours of the episode are nobody's"
    until_horizon = True

    def __init__(self) -> None:
        super().__init__("h", "hours of the episode")

    @override
    def read(self, world: FlowWorld) -> float:
        return world.now / 60.0


class Ratio(Reading):
    """One result divided by another."""

    cumulative = False

    def __init__(self, unit: str, meaning: str, above: Reading, below: Reading) -> None:
        super().__init__(unit, meaning)
        self.above = above
        self.below = below
        self.whole = above.whole or below.whole

    @override
    def read(self, world: FlowWorld) -> float:
        return 0.0

    @override
    def result(self, world: FlowWorld) -> float:
        return divided(self.above.result(world), self.below.result(world))


def divided(above: float, below: float) -> float:
    """The one divided by the other; nan if that is 0."""
    return above / below if below else NAN
