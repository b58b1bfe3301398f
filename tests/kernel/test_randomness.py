"""Random numbers: uniform, independent of their neighbours, and the same whatever else happens."""

import numpy as np
import pytest
from scipy import stats

from marl_health.kernel.randomness import Rows, derived_row, hashed, stream

KEYS = [int(value) for value in np.random.default_rng(1).integers(0, 2**53, 40)]


def test_hashed_numbers_lie_strictly_between_0_and_1():
    numbers = [hashed(key, column, visit) for key in range(50) for column in range(20) for visit in range(5)]
    assert all(0.0 < number < 1.0 for number in numbers)


def test_hashed_numbers_are_uniform_over_each_argument():
    for sample in (
        [hashed(key, 3, 1) for key in range(4000)],
        [hashed(KEYS[0], column, 1) for column in range(4000)],
        [hashed(KEYS[0], 3, visit) for visit in range(4000)],
    ):
        assert stats.kstest(sample, "uniform").pvalue > 1e-3
        counts = np.histogram(sample, 50, (0, 1))[0]
        assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("step", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1)])
def test_neighbours_are_independent(step):
    pairs = np.array(
        [
            (hashed(key, column, visit), hashed(key + step[0], column + step[1], visit + step[2]))
            for key in KEYS
            for column in range(20)
            for visit in range(5)
        ]
    )
    table = np.histogram2d(pairs[:, 0], pairs[:, 1], 8, ((0, 1), (0, 1)))[0]
    assert stats.chisquare(table.ravel()).pvalue > 1e-3
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 3.66 / np.sqrt(len(pairs))


def test_derived_rows_are_uniform_and_unlike_their_parents():
    rows = np.array([derived_row(key, 1, 30) for key in KEYS])
    assert stats.kstest(rows.ravel(), "uniform").pvalue > 1e-3
    assert derived_row(KEYS[0], 1, 30) == derived_row(KEYS[0], 1, 30)
    assert derived_row(KEYS[0], 1, 30) != derived_row(KEYS[0], 2, 30)
    first = np.array([[hashed(key, column, 0) for column in range(30)] for key in KEYS])
    assert abs(np.corrcoef(rows.ravel(), first.ravel())[0, 1]) < 3.66 / np.sqrt(rows.size)


def test_a_row_depends_on_seed_source_and_ordinal_alone():
    plain = Rows(7, "emergency", 5)
    rows = [plain.next() for _ in range(200)]
    other, again = Rows(7, "elective", 5), Rows(7, "emergency", 5)
    mixed = []
    for _ in range(200):
        other.next()
        mixed.append(again.next())
    assert mixed == rows
    assert Rows(8, "emergency", 5).next() != rows[0]
    assert stats.kstest(np.array(rows).ravel(), "uniform").pvalue > 1e-3


def test_streams_differ_by_name_and_seed_and_repeat():
    assert stream(1, "a").random(3).tolist() == stream(1, "a").random(3).tolist()
    assert stream(1, "a").random() != stream(1, "b").random()
    assert stream(1, "a").random() != stream(2, "a").random()
