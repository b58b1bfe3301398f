"""Means and paired differences with Student-t intervals over replications."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import variance

LEVEL = 0.95
"""Coverage of every interval."""

NAN = float("nan")


@dataclass(frozen=True)
class Estimate:
    """A mean over ``n`` replications and its interval; nan where ``n`` is too small for one."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def clear(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def mean_interval(values: Iterable[float], level: float = LEVEL) -> Estimate:
    """Mean of independent values with its t interval.

    Args:
        values: one per replication; nan where it was not recorded, which leaves the replication out.
        level: coverage of the interval.
    """
    recorded = [value for value in values if not math.isnan(value)]
    n = len(recorded)
    if n == 0:
        return Estimate(NAN, NAN, NAN, 0)
    mean = math.fsum(recorded) / n
    if n == 1:
        return Estimate(mean, NAN, NAN, 1)
    variance = math.fsum((value - mean) ** 2 for value in recorded) / (n - 1)
    half = t_quantile(0.5 + level / 2, n - 1) * math.sqrt(variance / n)
    return Estimate(mean, mean - half, mean + half, n)


def paired_difference(other: Sequence[float], reference: Sequence[float], level: float = LEVEL) -> Estimate:
    """Mean of ``other - reference`` on the same replications with its t interval.

    Args:
        other: one value per replication, nan where it was not recorded.
        reference: the same, in the same order; a replication counts where both are recorded.
        level: coverage of the interval.

    Raises:
        ValueError: if they differ in length.
    """
    return mean_interval((a - b for a, b in zip(other, reference, strict=True)), level)


def variance_ratio(other: Sequence[float], reference: Sequence[float]) -> float:
    """What common random numbers gain: (Var other + Var reference) / Var (other - reference).

    Above the line stands the variance that a difference would have, had each of the two met patients of its own.
    1 means that nothing is gained; r, that r times as many replications would be needed without the pairing.

    Args:
        other: one value per replication, nan where it was not recorded.
        reference: the same, in the same order; a replication counts where both are recorded.

    Returns:
        The ratio; infinity if only the difference is the same in all replications, nan if neither value varies or
        fewer than two replications count.

    Raises:
        ValueError: if they differ in length.
    """
    pairs = [(a, b) for a, b in zip(other, reference, strict=True) if not math.isnan(a - b)]
    if len(pairs) < 2:
        return NAN
    apart = variance([a for a, _ in pairs]) + variance([b for _, b in pairs])
    paired = variance([a - b for a, b in pairs])
    if paired > 1e-24 * apart:
        return apart / paired
    return math.inf if apart > 0 else NAN


def t_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))
