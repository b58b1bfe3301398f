"""Who will come, drawn anew: what varies by episode, arrivals, those who are late, and those who may come again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp, inf, log
from typing import TYPE_CHECKING, Any

import numpy as np

from marl_health.kernel.randomness import Rows
from marl_health.worlds.flow.remaining import MOST_TRIES, Luck, Remaining
from marl_health.worlds.flow.sources import DAY, AtStartSpec, Leaver, Missing, RateSpec, TimetableSpec

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld

CANDIDATES = 24
"""Draws of what varies by episode, of which one is taken."""


class _Watched:
    """A list that remembers which of its items were looked at."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.items = items
        self.seen: set[int] = set()

    def __getitem__(self, index: int) -> Any:
        self.seen.add(index)
        return self.items[index]


class Coming:
    """Draws anew who will come to a world.

    Args:
        world: a copy that nobody else holds, without arrivals on its heap.
        luck: where uniforms come from. remaining: draws what has lasted for a while already.
    """

    def __init__(self, world: FlowWorld, luck: Luck, remaining: Remaining) -> None:
        self.world = world
        self.luck = luck
        self.remaining = remaining
        self.rows = Rows(world.seed, "missing", world.program.columns)

    # ------------------------------------------------------------ what varies by episode
    def what_varies(self) -> None:
        """What is drawn once per episode: from several draws, one by how well it explains how many came so far.

        What shows in the number of people on duty is kept. That many came says much of an hourly rate that varies by
        episode; it is weighed as a Poisson count whose variance is larger by the day-to-day variation.
        """
        world, nobody, luck = self.world, self.world.nobody, self.luck
        varied, row = world.varied, nobody.row
        seen_varied, seen_row = self._seen_on_duty()
        rates = [_Rate(world, source.kind, source.how, source.name) for source in world.program.sources
                 if isinstance(source.how, RateSpec) and source.how.times is not None]  # fmt: skip
        draws: list[tuple[list[Any], list[float]]] = []
        scores: list[float] = []
        for _ in range(CANDIDATES if rates else 1):
            nobody.row = luck  # type: ignore[assignment]
            nobody.visits = None
            world.varied = fresh = []
            for index, (_, value) in enumerate(world.program.varied):
                drawn = value(world, nobody)
                fresh.append(varied[index] if index in seen_varied else drawn)
            nobody.row = [row[at] if at in seen_row else luck.next() for at in range(len(row))]
            draws.append((fresh, nobody.row))
            scores.append(sum(rate.score(world) for rate in rates))
        best = max(scores)
        weights = [exp(score - best) if best > -inf else 1.0 for score in scores]
        world.varied, nobody.row = draws[picked(weights, luck.next())]
        nobody.visits = None

    def _seen_on_duty(self) -> tuple[set[int], set[int]]:
        """Indices of vary draws, and of nobody's row, from which the number of people on duty follows."""
        world, nobody = self.world, self.world.nobody
        varied, row = world.varied, nobody.row
        seen_varied, seen_row = _Watched(varied), _Watched(row)
        world.varied, nobody.row = seen_varied, seen_row  # type: ignore[assignment]
        for pool in world.program.pools:
            if pool.absent is not None:
                pool.absent(world, nobody)
        world.varied, nobody.row = varied, row
        return seen_varied.seen, seen_row.seen

    # ------------------------------------------------------------ who comes
    def who_comes(self) -> None:
        """Arrivals from now on, and those whose appointment is over and who may still come."""
        for source in self.world.program.sources:
            if not isinstance(source.how, AtStartSpec):
                source.how.start(self.world, source)
        for missing in tuple(self.world.missing):
            self._missing(missing)

    def _missing(self, missing: Missing) -> None:
        """Whether somebody who is late will come, and when."""
        world = self.world
        source = world.program.sources[missing.source]
        how = source.how
        assert isinstance(how, TimetableSpec) and how.late is not None
        passed = world.now - missing.since
        missing.entity = None
        population = world.population
        for tries in range(MOST_TRIES):
            row = self.rows.next()
            if row[how.no_show_column] < how.no_show:
                return
            entity = world.create(source.kind, row, how.appointments[missing.number][2], present=False)
            late = how.late(world, entity)
            if late < passed and tries + 1 < MOST_TRIES:
                world.population = population
                continue
            if late < passed:
                late = self.remaining.whole(entity.kind, entity.values, how.late, passed)
            missing.expect(world, entity, late)
            return

    def who_comes_again(self) -> None:
        """Whether and when those who left come again."""
        for leaver in tuple(self.world.leavers):
            self._leaver(leaver)

    def _leaver(self, leaver: Leaver) -> None:
        world, draw = self.world, self.remaining.draw
        step: Any = world.program.steps[leaver.step]
        chance, delay, _, _ = step.again
        passed = world.now - leaver.since
        for _ in range(MOST_TRIES):
            if not draw(leaver.kind, leaver.values, chance):
                return
            minutes = draw(leaver.kind, leaver.values, delay)
            if minutes >= passed:
                break
        else:
            minutes = self.remaining.whole(leaver.kind, leaver.values, delay, passed)
        world.at(leaver.since + minutes, leaver)


class _Rate:
    """A rate of arrivals that varies by episode, and how many came of those who were expected so far."""

    def __init__(self, world: FlowWorld, kind: int, how: RateSpec, name: str) -> None:
        program = world.program
        assert how.times is not None
        edges, rates = replace(how, daily_cv=None).rates(program.start, program.length, world.seed, name)
        self.times = how.times
        self.came = world.arrived_all[kind] - world.returned[kind]
        self.expected = float(np.interp(world.now, edges, np.concatenate(([0.0], np.cumsum(rates * np.diff(edges))))))
        self.spread = 1.0 + self.expected * (how.daily_cv or 0.0) ** 2 / max(1.0, world.now / DAY)

    def score(self, world: FlowWorld) -> float:
        """Log-likelihood of what varies now, up to a constant."""
        expected = self.expected * float(self.times(world, world.nobody))
        if expected <= 0:
            return 0.0 if not self.came else -inf
        return (self.came * log(expected) - expected) / self.spread


def picked(weights: Sequence[float], uniform: float) -> int:
    """An index by weight."""
    level = uniform * sum(weights)
    for index, weight in enumerate(weights):
        level -= weight
        if level < 0:
            return index
    return len(weights) - 1
