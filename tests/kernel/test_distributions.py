"""Distributions: mean, standard deviation and shape by integrating their quantile functions."""

import itertools
import random
from math import exp, gamma, inf, log, sqrt

import numpy as np
import pytest
from scipy import stats

from marl_health.kernel import distributions as dist

# Midpoints in equal parts of probability, the two ends divided further, so that heavy tails are integrated too.
INNER = (np.arange(1, 9999) + 0.5) / 10_000
TAIL = np.concatenate([(np.arange(100) + 0.5) / 100 * 10.0**-k * 0.9 + 10.0 ** -(k + 1) for k in range(4, 13)])
WEIGHT = np.concatenate([np.full(100, 0.9 * 10.0**-k / 100) for k in range(4, 13)])
LEVELS = np.concatenate([TAIL, INNER, 1 - TAIL])
WEIGHTS = np.concatenate([WEIGHT, np.full(INNER.size, 1e-4), WEIGHT])


def moments(quantile):
    values = np.array([quantile(float(level)) for level in LEVELS])
    mean = (values * WEIGHTS).sum()
    return mean, sqrt((values**2 * WEIGHTS).sum() - mean**2)


CASES = {
    "exponential": (dist.exponential_quantile(7.0), 7.0, 7.0),
    "lognormal": (dist.lognormal_quantile(*dist.lognormal_parameters(6.0, 3.0)), 6.0, 3.0),
    "heavy lognormal": (dist.lognormal_quantile(log(2.0), 1.0), 2 * exp(0.5), 2 * exp(0.5) * sqrt(exp(1) - 1)),
    "gamma": (dist.gamma_quantile(2.5, 4.0), 10.0, sqrt(2.5) * 4.0),
    "flat gamma": (dist.gamma_quantile(0.4, 5.0), 2.0, sqrt(0.4) * 5.0),
    "weibull": (dist.weibull_quantile(1.5, 5.0), 5.0, 5.0 * sqrt(gamma(1 + 2 / 1.5) / gamma(1 + 1 / 1.5) ** 2 - 1)),
    "triangular": (dist.triangular_quantile(2.0, 3.0, 10.0), 5.0, sqrt((4 + 9 + 100 - 6 - 20 - 30) / 18)),
    "triangular at its end": (dist.triangular_quantile(0.0, 6.0, 6.0), 4.0, sqrt((36 + 36 - 36) / 18)),
    "uniform": (dist.uniform_quantile(3.0, 9.0), 6.0, 6.0 / sqrt(12)),
    "constant": (dist.constant_quantile(4.0), 4.0, 0.0),
    "empirical": (dist.empirical_quantile([5.0, 1.0, 3.0, 3.0]), 3.0, sqrt(2.0)),
    "mixture": (
        dist.mixture_quantile([3, 1], [dist.exponential_quantile(2.0), dist.uniform_quantile(10.0, 14.0)]),
        0.75 * 2 + 0.25 * 12,
        sqrt(0.75 * 8 + 0.25 * (144 + 16 / 12) - 4.5**2),
    ),
    "normal": (dist.normal_quantile(5.0, 2.0, -inf, inf), 5.0, 2.0),
    "truncated normal": (
        dist.normal_quantile(5.0, 4.0, 0.0, 12.0),
        float(stats.truncnorm.mean(-1.25, 1.75, 5.0, 4.0)),
        float(stats.truncnorm.std(-1.25, 1.75, 5.0, 4.0)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_mean_and_standard_deviation(name):
    quantile, mean, sd = CASES[name]
    assert moments(quantile) == pytest.approx((mean, sd), rel=2e-3, abs=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_quantiles_stay_finite_at_the_ends_and_rise_unless_parts_are_put_together(name):
    quantile = CASES[name][0]
    values = [quantile(float(level)) for level in [2.0**-54, 1e-9, *INNER[::50], 1 - 1e-9, 1 - 2.0**-53]]
    assert all(np.isfinite(values))
    assert name == "mixture" or all(first <= second + 1e-12 for first, second in itertools.pairwise(values))


def test_lognormal_quantiles_are_scipys():
    mu, sigma = dist.lognormal_parameters(6.0, 3.0)
    expected = stats.lognorm.ppf([0.1, 0.5, 0.99], sigma, scale=exp(mu))
    quantile = dist.lognormal_quantile(mu, sigma)
    assert [quantile(level) for level in (0.1, 0.5, 0.99)] == pytest.approx(list(expected))


def test_a_normal_that_never_falls_into_its_bounds_is_refused():
    with pytest.raises(ValueError, match="practically never"):
        dist.normal_quantile(0.0, 1.0, 30.0, 40.0)


@pytest.mark.parametrize(
    ("quantile", "first", "second", "third"),
    [
        (dist.exponential_quantile(5.0), 5.0, 50.0, 750.0),
        (dist.uniform_quantile(2.0, 8.0), 5.0, 28.0, 170.0),
        (dist.constant_quantile(6.0), 6.0, 36.0, 216.0),
        (dist.lognormal_quantile(0.0, 1.0), exp(0.5), exp(2.0), exp(4.5)),
        (dist.gamma_quantile(0.5, 4.0), 2.0, 0.5 * 1.5 * 16, 0.5 * 1.5 * 2.5 * 64),
    ],
)
def test_the_residual_of_a_stay_has_the_moments_of_renewal_theory(quantile, first, second, third):
    """E[R] = E[X^2] / 2 E[X] and E[R^2] = E[X^3] / 3 E[X]."""
    biased = dist.length_biased(quantile)
    levels = (np.arange(20_000) + 0.5) / 20_000
    lengths = np.array([biased(float(level)) for level in levels])
    assert lengths.mean() / 2 == pytest.approx(second / (2 * first), rel=0.01)
    assert (lengths**2).mean() / 3 == pytest.approx(third / (3 * first), rel=0.06)


def test_length_biased_draws_have_the_right_distribution():
    """The length-biased exponential is a gamma with two stages."""
    generator = random.Random(1)
    biased = dist.length_biased(dist.exponential_quantile(3.0))
    sample = [biased(generator.random()) for _ in range(2000)]
    assert stats.kstest(sample, stats.gamma(2, scale=3.0).cdf).pvalue > 1e-3
