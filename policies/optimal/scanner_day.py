"""The best way through one day of a shared scanner, by dynamic programming.

Out-patients with appointments, in-patients and emergencies wait for one scanner, a scan takes two periods, and at
closing time whoever still waits costs a penalty (Green, Savin and Wang, Operations Research 2006, 54(1), 11-25, with
a scan of one period and two classes beside emergencies). The state is who waits, and whether a scan is under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, factorial

import numpy as np

CLASSES = ("outpatient", "inpatient", "emergency")
WAIT = 3
"""The decision to take nobody; 0 to 2 take one of a class."""
MOST = (21, 24, 12)
"""Most who wait, of each class; who comes beyond that is not followed. It happens in a day of hundreds of thousands."""

Table = np.ndarray
"""Of the shape of the numbers waiting: (22, 25, 13)."""


@dataclass(frozen=True)
class Day:
    """A day in periods of a fixed length.

    Attributes:
        hours: length of a period.
        booked: (period, appointments in its middle), of all periods with one or more.
        no_show: chance that an appointment is in vain.
        rates: mean number of in-patients and of emergencies who come in each period.
        cost: of an hour's wait. penalty: of who still waits at the end. Both by class.
    """

    hours: float
    booked: tuple[int, ...]
    no_show: float
    rates: tuple[tuple[float, ...], tuple[float, ...]]
    cost: tuple[float, float, float]
    penalty: tuple[float, float, float]


@dataclass(frozen=True)
class Plan:
    """What is best.

    Attributes:
        decisions: (periods, 22, 25, 13): what to do with an idle scanner, by period and numbers waiting.
        value: expected return of the day from its beginning, when nobody waits.
    """

    decisions: Table
    value: float


@lru_cache(maxsize=64)
def best_plan(day: Day) -> Plan:
    """Solve a day backwards, from closing time to its beginning."""
    shape = tuple(most + 1 for most in MOST)
    waiting = np.indices(shape)
    penalty = sum(day.penalty[one] * waiting[one] for one in range(3))
    per_period = sum(day.cost[one] * day.hours * waiting[one] for one in range(3))
    free = -np.asarray(penalty, dtype=float)
    busy = free.copy()
    decisions = np.full((len(day.booked), *shape), WAIT, dtype=np.int8)
    for period in reversed(range(len(day.booked))):
        comes, paid = _comes(day, period)
        later_free, later_busy = (_expected(table, comes) - paid - per_period for table in (free, busy))
        # Whoever is taken stops to wait at once, and keeps the scanner for this period and the next.
        options = [_taken(later_busy, one) for one in range(3)]
        options.append(later_free)
        stacked = np.stack(options)
        decisions[period] = np.argmax(stacked, axis=0)
        free, busy = stacked.max(axis=0), later_free
    return Plan(decisions, float(free[0, 0, 0]))


def _comes(day: Day, period: int) -> tuple[list[Table], float]:
    """Matrices by class from how many wait to how many will, and the expected cost of the first bit of their wait."""
    shows = 1.0 - day.no_show
    booked = day.booked[period]
    numbers = [_binomial(booked, shows), *(_poisson(rates[period]) for rates in day.rates)]
    means = [booked * shows, *(rates[period] for rates in day.rates)]
    paid = sum(cost * mean * day.hours / 2 for cost, mean in zip(day.cost, means, strict=True))
    return [_matrix(most, chances) for most, chances in zip(MOST, numbers, strict=True)], paid


def _matrix(most: int, chances: Sequence[float]) -> Table:
    found = np.zeros((most + 1, most + 1))
    for now in range(most + 1):
        for more, chance in enumerate(chances):
            found[now, min(most, now + more)] += chance
    return found


def _binomial(trials: int, chance: float) -> list[float]:
    return [
        factorial(trials) / factorial(k) / factorial(trials - k) * chance**k * (1 - chance) ** (trials - k)
        for k in range(trials + 1)
    ]


def _poisson(mean: float) -> list[float]:
    chances = [exp(-mean) * mean**k / factorial(k) for k in range(12)]
    return [*chances, max(0.0, 1.0 - sum(chances))]


def _expected(table: Table, comes: list[Table]) -> Table:
    found: Table = np.einsum("ia,jb,kc,abc->ijk", *comes, table, optimize=True)
    return found


def _taken(table: Table, one: int) -> Table:
    """The table at one fewer of a class; minus infinity where there is none."""
    found = np.full_like(table, -np.inf)
    to, of = [slice(None)] * 3, [slice(None)] * 3
    to[one], of[one] = slice(1, None), slice(None, -1)
    found[tuple(to)] = table[tuple(of)]
    return found
