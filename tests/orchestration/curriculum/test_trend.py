"""The slope of recent evaluations against an independent computation."""

import math

import numpy as np
import pytest
from scipy import stats

from orchestration.curriculum.trend import trend_of


def test_a_trend_is_the_least_squares_line_with_its_t_interval():
    rng = np.random.default_rng(3)
    steps = np.cumsum(rng.integers(500, 3000, 10))
    values = 0.004 * steps + rng.normal(0, 5, 10)
    found = trend_of(list(zip(steps.tolist(), values.tolist(), strict=True)))
    line = stats.linregress(steps, values)
    half = stats.t.ppf(0.975, 8) * line.stderr
    assert found.n == 10
    assert (found.slope, found.low, found.high) == pytest.approx(
        (1000 * line.slope, 1000 * (line.slope - half), 1000 * (line.slope + half))
    )


def test_too_few_evaluations_have_no_trend():
    assert math.isnan(trend_of([]).slope) and math.isnan(trend_of([(5, 1.0)]).slope)
    two = trend_of([(0, 1.0), (2000, 5.0)])
    assert two.slope == 2.0 and math.isnan(two.low)
    assert math.isnan(trend_of([(7, 1.0), (7, 2.0), (7, 3.0)]).slope)
