"""Where entities come from: arrivals at a rate, timetables, those present at the start, and those who come again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from heapq import heappush
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from marl_health.kernel.arrivals import ArrivalTimes, MakeArrivals, PoissonArrivals
from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.randomness import Rows, stream
from marl_health.kernel.world import NORMAL

if TYPE_CHECKING:
    from marl_health.worlds.flow.burst import BurstSpec
    from marl_health.worlds.flow.steps import Leave
    from marl_health.worlds.flow.world import FlowWorld

WEEK = 10_080.0
DAY = 1_440.0


@dataclass(frozen=True)
class RateSpec:
    """At random: mean rate per minute, relative rate by hour of the week, daily variation, multiplier, process."""

    per_minute: float
    profile: tuple[float, ...]  # 168 factors of mean 1, from Monday 00:00
    daily_cv: float | None
    times: Value | None
    process: MakeArrivals = PoissonArrivals

    def start(self, world: FlowWorld, source: SourceSpec) -> None:
        """Schedule the first arrival from now on."""
        factor = 1.0 if self.times is None else float(self.times(world, world.nobody))
        edges, rates = self.rates(world.program.start, world.program.length, world.seed, source.name)
        times = self.process(world.seed, source.name, edges, rates * factor, world.now)
        Source(source, times, Rows(world.seed, source.name, world.program.columns)).schedule(world)

    def rates(
        self, start: float, length: float, seed: int, name: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Edges (minutes of the world's clock) and rates (per minute) of the piecewise constant rate."""
        edges, rates, days = _by_hour(self.per_minute, self.profile, start, length, self.daily_cv is not None)
        if self.daily_cv is not None:
            shape = self.daily_cv**-2
            rates = rates * stream(seed, "days:" + name).gamma(shape, 1 / shape, days[-1] + 1)[days]
        return edges, rates


@lru_cache(maxsize=256)
def _by_hour(
    per_minute: float, profile: tuple[float, ...], start: float, length: float, hourly: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Edges and rates as they are in every episode, and the day of each interval, counted from the first.

    A rate that never changes is a single interval, unless it has to be ``hourly``.
    """
    if not hourly and len(set(profile)) == 1:
        return np.array([0.0, length]), np.array([per_minute * profile[0]]), np.zeros(1, np.int64)
    hours = np.arange(int(start // 60), int((start + length) // 60) + 2)
    edges = np.clip(hours * 60.0 - start, 0.0, length)
    return edges, per_minute * np.array(profile)[hours[:-1] % 168], hours[:-1] // 24 - hours[0] // 24


@dataclass(frozen=True)
class TimetableSpec:
    """Appointments in every week: (minute of the week, how many, known attributes), no-shows and lateness."""

    appointments: tuple[tuple[float, int, tuple[tuple[int, Value], ...]], ...]
    no_show: float
    no_show_column: int
    late: Value | None

    def start(self, world: FlowWorld, source: SourceSpec) -> None:
        """Schedule the first appointment from now on."""
        times: list[tuple[float, int]] = []
        begin, end = world.program.start, world.program.start + world.program.length
        now = world.now
        for week in range(int(begin // WEEK), int(end // WEEK) + 1):
            for number, (minute, count, _) in enumerate(self.appointments):
                time = week * WEEK + minute
                if begin + now <= time < end:
                    times.extend([(time - begin, number)] * count)
        times.sort(reverse=True)
        rows = Rows(world.seed, source.name, world.program.columns)
        Source(source, Timetable(times), rows).schedule(world)


class Timetable:
    """Times of appointments, last first, with the number of the appointment each belongs to."""

    def __init__(self, times: list[tuple[float, int]]) -> None:
        self.times = times
        self.number = 0

    def next(self) -> float:
        """The next time in minutes, infinity after the last."""
        if not self.times:
            return inf
        time, self.number = self.times.pop()
        return time


@dataclass(frozen=True)
class AtStartSpec:
    """Those who are there when the world begins, in a place (or anywhere), with residual stays."""

    pool: int | None
    share: Value | None
    count: int
    step: int
    share_column: int  # the uniform that says which share of the stay is left

    def start(self, world: FlowWorld, source: SourceSpec) -> None:
        """Create them, in their places."""
        program = world.program
        rows = Rows(world.seed, source.name, program.columns)
        step: Any = program.steps[self.step]
        count = self.count
        if self.pool is not None and self.share is not None:
            pool = world.pools[self.pool]
            count = max(0, min(pool.free, round(float(self.share(world, world.nobody)) * pool.capacity)))
        for _ in range(count):
            entity = world.create(source.kind, rows.next(), ())
            world.found(entity)
            entity.step = step
            if self.pool is not None:
                pool = world.pools[self.pool]
                pool.take(world.now, 1, entity)
                entity.place = pool
            minutes = step.length_biased(world, entity)
            left = minutes * entity.row[self.share_column]
            step.spend(world, entity, left, minutes - left)


@dataclass(frozen=True)
class SourceSpec:
    """How entities of one kind come."""

    index: int
    name: str
    kind: int
    how: RateSpec | TimetableSpec | BurstSpec | AtStartSpec


class Source:
    """Arrivals under way: at each arrival time it creates an entity and schedules the next."""

    __slots__ = ("epoch", "kind", "number", "rows", "source", "times")

    def __init__(self, source: SourceSpec, times: ArrivalTimes, rows: Rows) -> None:
        self.epoch = 0
        self.kind = source.kind
        self.source = source.index
        self.times = times
        self.rows = rows
        self.number = 0

    def schedule(self, world: FlowWorld) -> None:
        """Put the next arrival on the heap."""
        time = self.times.next()
        if time < inf:
            self.number = self.times.number if isinstance(self.times, Timetable) else 0
            world.at(time, self)

    def fire(self, world: Any) -> None:
        """Somebody arrives."""
        ready = self.rows.ready
        row = ready.pop() if ready else self.rows.next()
        if type(self.times) is not Timetable:
            time = self.times.next()
            if time < world.edge:  # what World.at does
                heappush(world.near, (time, NORMAL, next(world.numbers), self, self.epoch))
            else:
                world.at(time, self)
            world.program.comes[self.kind](world, row)
            return
        number = self.number
        self.schedule(world)
        how = world.program.sources[self.source].how
        shows = row[how.no_show_column] >= how.no_show
        if how.late is None:
            if shows:
                world.arrive(world.create(self.kind, row, how.appointments[number][2]))
            return
        missing = Missing(self.source, number, world.now)
        world.missing[missing] = None
        if shows:
            entity = world.create(self.kind, row, how.appointments[number][2], present=False)
            missing.expect(world, entity, how.late(world, entity))


class Missing:
    """Somebody whose appointment is over and who has not come yet, and may be late or never come.

    Attributes:
        source, number: which appointment of which source. since: its time.
        entity: who will come; ``None`` for a no-show. Nobody but the world knows that, nor when.
    """

    __slots__ = ("entity", "epoch", "number", "since", "source")

    def __init__(self, source: int, number: int, since: float) -> None:
        self.epoch = 0
        self.source = source
        self.number = number
        self.since = since
        self.entity: Entity | None = None

    def expect(self, world: FlowWorld, entity: Entity, late: float) -> None:
        """The entity will come so many minutes after the time of the appointment."""
        self.entity = entity
        world.at(self.since + late, self)

    def fire(self, world: Any) -> None:
        """They arrive."""
        del world.missing[self]
        world.admit(self.entity)
        world.arrive(self.entity)


class Leaver:
    """Somebody who left through a step that lets some come again: a new entity then, derived from the one that left.

    Attributes:
        step: index of that step. since: when they left. kind, values: what they were like then.
        key: from which the row of the one who comes again is derived.
    """

    __slots__ = ("epoch", "key", "kind", "since", "step", "values")

    def __init__(self, step: int, since: float, entity: Entity) -> None:
        self.epoch = 0
        self.step = step
        self.since = since
        self.kind = entity.kind
        self.values = entity.values
        self.key = entity.key

    def fire(self, world: Any) -> None:
        """They are back."""
        del world.leavers[self]
        _, _, kind, kept = world.program.steps[self.step].again
        world.returned[kind] += 1
        world.return_of(self.key, kind, tuple((slot, self.values[slot]) for slot in kept))


def let_go(world: FlowWorld, entity: Entity, step: Leave) -> None:
    """Somebody has left through a step with ``again``: draw whether and when they come back."""
    assert step.again is not None
    chance, delay, _, _ = step.again
    leaver = Leaver(step.index, world.now, entity)
    world.leavers[leaver] = None
    if chance(world, entity):
        world.at(world.now + delay(world, entity), leaver)
