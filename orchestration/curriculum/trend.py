"""Whether evaluations are on their way up or down: the slope of a straight line through them, with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.evaluation.statistics import LEVEL, NAN, t_quantile

PER = 1000.0
"""Steps that a slope is per."""


@dataclass(frozen=True)
class Trend:
    """Change per 1,000 steps, by least squares, with its 95% t interval; nan where there are too few evaluations.

    The interval takes evaluations for independent but for the line, and learning for straight: it is a guard against
    reading noise as a trend, no law.
    """

    slope: float
    low: float
    high: float
    n: int


def trend_of(points: Sequence[tuple[int, float]]) -> Trend:
    """The trend of (steps, value) pairs: a slope from two different steps on, an interval from three pairs on."""
    n = len(points)
    if n < 2:
        return Trend(NAN, NAN, NAN, n)
    mean_steps = math.fsum(steps for steps, _ in points) / n
    mean_value = math.fsum(value for _, value in points) / n
    spread = math.fsum((steps - mean_steps) ** 2 for steps, _ in points)
    if spread == 0:
        return Trend(NAN, NAN, NAN, n)
    slope = math.fsum((steps - mean_steps) * (value - mean_value) for steps, value in points) / spread
    if n < 3:
        return Trend(PER * slope, NAN, NAN, n)
    rest = math.fsum((value - mean_value - slope * (steps - mean_steps)) ** 2 for steps, value in points)
    half = t_quantile(0.5 + LEVEL / 2, n - 2) * math.sqrt(rest / (n - 2) / spread)
    return Trend(PER * slope, PER * (slope - half), PER * (slope + half), n)
