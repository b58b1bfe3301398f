"""Distributions by inverse CDF: one uniform in, one value out, so that a column of an entity's row is one draw.

Parameters are those of the variable itself (mean, standard deviation), never of its logarithm, unless a name says so.
Each ``*_quantile`` returns a function of a uniform in (0, 1).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from math import exp, log, log1p, sqrt
from statistics import NormalDist, _normal_dist_inv_cdf  # type: ignore[attr-defined]
from typing import Any

import numpy as np

from marl_health.kernel.formula import Quantile, constant, quantile_of

_EXP, _LOG1P = constant(exp), constant(log1p)
_NORMAL = NORMAL_QUANTILE = constant(_normal_dist_inv_cdf)
"""``NormalDist.inv_cdf`` of (uniform, mean, sd) without its check of the argument, which a row's uniform passes."""
_normal_cdf = NormalDist().cdf
FARTHEST = 8.5
"""Standard deviations beyond which no uniform of a row takes a normal variable."""


@cache
def _special() -> Any:
    """SciPy's special functions, imported only by scenarios that need them."""
    from scipy import special

    return special


def constant_quantile(value: float) -> Quantile:
    """Always ``value``."""
    return quantile_of("{0}", constant(value))


def exponential_quantile(mean: float) -> Quantile:
    """Exponential with the given mean."""
    return quantile_of("({0} * {1}(-u))", constant(-mean), _LOG1P)


def lognormal_parameters(mean: float, sd: float) -> tuple[float, float]:
    """(mu, sigma) of the logarithm for a given mean and sd of the variable."""
    variance = log1p((sd / mean) ** 2)
    return log(mean) - variance / 2, sqrt(variance)


def lognormal_quantile(mu: float, sigma: float) -> Quantile:
    """Lognormal with parameters of the logarithm."""
    return quantile_of("{0}({1}(u, {2}, {3}))", _EXP, _NORMAL, constant(mu), constant(sigma))


def gamma_quantile(shape: float, scale: float) -> Quantile:
    """Gamma."""
    inverse = _special().gammaincinv
    return lambda u: float(scale * inverse(shape, u))


def weibull_quantile(shape: float, mean: float) -> Quantile:
    """Weibull with the given mean (not scale)."""
    from math import gamma

    scale = mean / gamma(1 + 1 / shape)
    power = 1 / shape
    return quantile_of("({0} * (-{1}(-u)) ** {2})", constant(scale), _LOG1P, constant(power))


def triangular_quantile(low: float, mode: float, high: float) -> Quantile:
    """Triangular."""
    turn = (mode - low) / (high - low)
    left, right = (high - low) * (mode - low), (high - low) * (high - mode)
    return lambda u: low + sqrt(u * left) if u < turn else high - sqrt((1 - u) * right)


def uniform_quantile(low: float, high: float) -> Quantile:
    """Uniform."""
    width = high - low
    return quantile_of("({0} + {1} * u)", constant(low), constant(width))


def normal_quantile(mean: float, sd: float, low: float, high: float) -> Quantile:
    """Normal truncated to [low, high] (either may be infinite)."""
    bottom = _normal_cdf((low - mean) / sd) if low > -np.inf else 0.0
    top = _normal_cdf((high - mean) / sd) if high < np.inf else 1.0
    if top - bottom < 1e-12:
        raise ValueError(
            f"a normal with mean {mean:g} and sd {sd:g} practically never lies between {low:g} and {high:g}"
        )
    if low < mean - FARTHEST * sd and mean + FARTHEST * sd < high:
        return quantile_of("{0}(u, {1}, {2})", _NORMAL, constant(mean), constant(sd))
    width = top - bottom

    def quantile(u: float) -> float:
        level = bottom + u * width
        if not 0.0 < level < 1.0:  # rounded to an end of the interval
            level = 1e-300 if level <= 0.0 else 1 - 2**-53
        value = _normal_dist_inv_cdf(level, mean, sd)
        return low if value < low else high if value > high else value

    return quantile


def empirical_quantile(values: Sequence[float]) -> Quantile:
    """One of the observed values, each as likely as the next."""
    ordered = sorted(values)
    count = len(ordered)
    return lambda u: ordered[int(u * count)]


def mixture_quantile(shares: Sequence[float], parts: Sequence[Quantile]) -> Quantile:
    """A mixture by composition: the uniform picks the part, what is left of it draws from the part."""
    tops = np.cumsum(np.asarray(shares, float) / sum(shares)).tolist()
    tops[-1] = 1.0
    bottoms = [0.0, *tops[:-1]]

    def quantile(u: float) -> float:
        index = bisect_right(tops, u)
        return parts[index](min(1 - 2**-53, max(2**-54, (u - bottoms[index]) / (tops[index] - bottoms[index]))))

    return quantile


def length_biased(quantile: Quantile) -> Quantile:
    """The distribution as it is for those found in the middle of it: each length is weighted by itself.

    Somebody found in bed at a random moment is more likely to be on a long stay; a uniform share of it is left. The
    draw is taken from 4,096 quantiles weighted by their length, the last split further for heavy tails.
    """
    levels = np.concatenate(((np.arange(4095) + 0.5) / 4096, 1 - (np.arange(4096)[::-1] + 0.5) / 4096 / 4096))
    weights = np.concatenate((np.full(4095, 1 / 4096), np.full(4096, 1 / 4096 / 4096)))
    lengths = np.array([quantile(float(level)) for level in levels])
    total = np.cumsum(weights * lengths)
    if not total[-1] > 0.0:
        return quantile  # it never lasts any time
    tops = (total / total[-1]).tolist()
    by_length = lengths.tolist()

    def draw(u: float) -> float:
        return float(by_length[min(bisect_right(tops, u), len(by_length) - 1)])

    return draw
