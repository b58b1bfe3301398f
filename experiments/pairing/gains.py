"""What pairing and control variates gain for a metric, from its values under two policies on the same seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.evaluation.statistics import LEVEL, t_quantile

Array = NDArray[np.float64]

RESAMPLES = 2000
"""Bootstrap samples; each draws replications, so a pair stays a pair."""

TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclass(frozen=True)
class Gain:
    """What pairing gains for one metric.

    Attributes:
        sd_reference, sd_other, correlation: of the two policies, over the replications that recorded both.
        ratio: Var reference + Var other, over the variance of their difference. low, high: bootstrap interval.
        most: the ratio at a correlation of 1; below infinity where one policy makes the metric vary more.
    """

    sd_reference: float
    sd_other: float
    correlation: float
    ratio: float
    low: float
    high: float
    most: float


def gain(reference: Sequence[float], other: Sequence[float]) -> Gain:
    """What pairing gains for one metric.

    Args:
        reference: one value per replication, nan where it was not recorded.
        other: the same, in the same order; a replication counts where both are recorded.
    """
    a, b = np.array(reference, float), np.array(other, float)
    both = ~np.isnan(a - b)
    a, b = a[both], b[both]
    if len(a) < 2:
        return Gain(*[math.nan] * 7)
    sd_a, sd_b = float(a.std(ddof=1)), float(b.std(ddof=1))
    drawn = np.random.default_rng(0).integers(0, len(a), (RESAMPLES, len(a)))
    with np.errstate(divide="ignore", invalid="ignore"):
        (found,) = _ratios(a[None], b[None])
        ratios = _ratios(a[drawn], b[drawn])
        most = np.divide(sd_a**2 + sd_b**2, (sd_a - sd_b) ** 2)
        correlation = np.divide(np.cov(a, b)[0, 1], sd_a * sd_b)
    ratios = ratios[~np.isnan(ratios)]
    low, high = np.quantile(ratios, TAILS, method="nearest") if len(ratios) else (math.nan, math.nan)
    return Gain(sd_a, sd_b, float(correlation), float(found), float(low), float(high), float(most))


def _ratios(a: Array, b: Array) -> Array:
    """The ratio in each row; rounding does not make a variance."""
    apart = a.var(axis=-1, ddof=1) + b.var(axis=-1, ddof=1)
    paired = (b - a).var(axis=-1, ddof=1)
    paired[paired <= 1e-24 * apart] = 0.0
    return np.asarray(apart / paired)


def shares(reference: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Share of each term in the variance of the difference of the sums.

    A share is the term's covariance with the whole. They add up to 1; a term that offsets others has a negative one.

    Args:
        reference: by term, one value per replication.
        other: the same, in the same order.
    """
    covariances = np.cov([np.subtract(other[term], values) for term, values in reference.items()])
    whole = covariances.sum()
    return dict(zip(reference, (covariances.sum(axis=1) / whole).tolist(), strict=True)) if whole > 0 else {}


class Controls(NamedTuple):
    """Control variates: what is known of an episode whatever the policy.

    Attributes:
        given: deviation from the mean, of shape (replications, variates).
        errors: covariances of the errors of these means.
    """

    given: Array
    errors: Array

    @classmethod
    def of(cls, values: Array, further: Array) -> Controls:
        """Control variates whose means come from further episodes, which need not be simulated.

        Args:
            values: shape (replications, variates).
            further: the same of other episodes.
        """
        return cls(values - further.mean(axis=0), np.atleast_2d(np.cov(further.T)) / len(further))

    def resampled(self, drawn: NDArray[np.int64]) -> Controls:
        """The same of some of the replications."""
        return Controls(self.given[drawn], self.errors)

    def adjust(self, values: Array) -> tuple[float, float]:
        """The mean of values, one per replication, adjusted by linear regression, and the variance of that mean."""
        design = np.column_stack([np.ones(len(values)), self.given])
        slopes, *_ = np.linalg.lstsq(design, values, rcond=None)
        left = float(np.sum((values - design @ slopes) ** 2)) / (len(values) - design.shape[1])
        of_the_mean = left * float(np.linalg.pinv(design.T @ design)[0, 0])
        return float(slopes[0]), of_the_mean + float(slopes[1:] @ self.errors @ slopes[1:])


class Interval(NamedTuple):
    """A mean difference and half of the width of its 95% interval."""

    mean: float
    half: float


@dataclass(frozen=True)
class Estimates:
    """The mean difference of two policies by four ways to estimate it from equally many replications.

    Attributes:
        apart, apart_adjusted: if each policy met patients of its own, plain and with control variates.
        paired, paired_adjusted: on the same patients.
        ratio: variance of ``apart`` over that of ``paired_adjusted``. low, high: bootstrap interval.
    """

    apart: Interval
    apart_adjusted: Interval
    paired: Interval
    paired_adjusted: Interval
    ratio: float
    low: float
    high: float


def estimates(reference: Array, other: Array, controls: Controls) -> Estimates:
    """Estimate the mean difference, other minus reference, in four ways."""
    n, lost = len(reference), controls.given.shape[1]
    difference = other - reference
    variances = [values.var(ddof=1) / n for values in (reference, other, difference)]
    mean, adjusted = controls.adjust(difference)
    alone = sum(controls.adjust(values)[1] for values in (reference, other))
    generator = np.random.default_rng(0)
    ratios = []
    for drawn in generator.integers(0, n, (RESAMPLES, n)):
        again = controls.resampled(drawn)
        apart = (reference[drawn].var(ddof=1) + other[drawn].var(ddof=1)) / n
        ratios.append(apart / again.adjust(difference[drawn])[1])
    low, high = np.quantile(ratios, TAILS)
    plain = float(difference.mean())
    return Estimates(
        Interval(plain, _half(variances[0] + variances[1], 2 * n - 2)),
        Interval(mean, _half(alone, 2 * (n - 1 - lost))),
        Interval(plain, _half(variances[2], n - 1)),
        Interval(mean, _half(adjusted, n - 1 - lost)),
        float((variances[0] + variances[1]) / adjusted),
        float(low),
        float(high),
    )


def _half(variance: float, degrees: int) -> float:
    return t_quantile(0.5 + LEVEL / 2, degrees) * math.sqrt(variance)
