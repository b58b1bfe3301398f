"""Intervals against scipy's, and against their own promise: 95% of them hold the truth."""

import math

import numpy as np
import pytest
from scipy import stats

from orchestration.evaluation.statistics import mean_interval, paired_difference, t_quantile, variance_ratio

NAN = math.nan


@pytest.mark.parametrize("n", [2, 3, 10, 100, 1000])
def test_the_mean_has_the_interval_of_scipy(n):
    values = np.random.default_rng(n).lognormal(size=n)
    found = mean_interval(values.tolist())
    low, high = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    assert (found.mean, found.low, found.high) == pytest.approx((values.mean(), low, high), rel=1e-12)
    assert found.n == n


def test_a_paired_difference_has_the_interval_of_scipy():
    generator = np.random.default_rng(0)
    reference = generator.normal(size=30)
    other = reference + generator.normal(0.3, 0.5, size=30)
    found = paired_difference(other.tolist(), reference.tolist())
    expected = stats.ttest_rel(other, reference).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert found.clear == (stats.ttest_rel(other, reference).pvalue < 0.05)


def test_pairs_count_where_both_are_recorded():
    found = paired_difference([1.0, NAN, 3.0, 9.0, 2.0], [0.0, 5.0, 1.0, NAN, 2.0])
    assert found == mean_interval([1.0, 2.0, 0.0])
    assert found.n == 3


def test_pairs_must_match():
    with pytest.raises(ValueError, match="argument"):
        paired_difference([1.0], [1.0, 2.0])


def test_too_few_values_have_no_interval():
    nothing = mean_interval([NAN])
    assert nothing.n == 0 and math.isnan(nothing.mean) and not nothing.clear
    single = mean_interval([NAN, 7.0])
    assert (single.mean, single.n) == (7.0, 1) and math.isnan(single.low) and not single.clear


def test_equal_values_have_an_interval_of_no_width():
    found = mean_interval([0.1] * 7)
    assert found.low == found.high == found.mean == 0.1
    assert not mean_interval([0.0] * 7).clear and found.clear


def test_the_variance_ratio_is_what_a_correlation_makes_it():
    covariance = [[1.0, 0.9 * 2.0], [0.9 * 2.0, 4.0]]
    values = np.random.default_rng(2).multivariate_normal([3.0, 7.0], covariance, size=200_000)
    assert variance_ratio(*values.T.tolist()) == pytest.approx(5.0 / (5.0 - 3.6), rel=0.01)
    alone = values[:, 0].tolist(), values[::-1, 1].tolist()  # other patients for each
    assert variance_ratio(*alone) == pytest.approx(1.0, abs=0.01)


def test_the_variance_ratio_counts_where_both_are_recorded():
    assert variance_ratio([1.0, NAN, 3.0, 9.0, 6.0], [0.0, 5.0, 1.0, NAN, 5.0]) == variance_ratio(
        [1.0, 3.0, 6.0], [0.0, 1.0, 5.0]
    )


@pytest.mark.parametrize(
    ("other", "reference", "expected"),
    [
        ([1.1, 2.2, 3.3], [0.1, 1.2, 2.3], math.inf),  # the same difference throughout
        ([1.0, 2.0, 3.0], [5.0, 5.0, 5.0], 1.0),
        ([4.0, 4.0], [4.0, 4.0], NAN),
        ([1.0], [2.0], NAN),
        ([], [], NAN),
    ],
)
def test_the_variance_ratio_at_its_limits(other, reference, expected):
    assert variance_ratio(other, reference) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("degrees", [1, 2, 7, 49, 999])
def test_the_quantile_is_that_of_scipy(degrees):
    assert t_quantile(0.975, degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-12)


def test_95_of_100_intervals_hold_the_truth():
    samples = np.random.default_rng(1).normal(5.0, 2.0, size=(4000, 6))
    hits = sum(found.low <= 5.0 <= found.high for found in map(mean_interval, samples.tolist()))
    assert abs(hits / 4000 - 0.95) < 3.66 * math.sqrt(0.95 * 0.05 / 4000)
