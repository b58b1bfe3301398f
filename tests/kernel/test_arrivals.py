"""Arrivals: a Poisson process at a piecewise constant rate, by inversion, and days that differ."""

from itertools import count

import numpy as np
import pytest
from scipy import stats

from marl_health.kernel.arrivals import PROCESSES, PUBLIC, PoissonArrivals, register_arrivals
from marl_health.worlds.flow.sources import DAY, RateSpec
from tests.worlds.build import play, scenario

EDGES = np.array([0.0, 60.0, 120.0, 300.0, 320.0, 600.0])
RATES = np.array([0.5, 0.0, 0.1, 2.0, 0.25])


def times(seed, edges=EDGES, rates=RATES):
    source, found = PoissonArrivals(seed, "test", edges, rates), []
    while (time := source.next()) < float("inf"):
        found.append(time)
    assert source.next() == float("inf")
    return np.array(found)


def test_arrivals_come_in_order_and_only_where_the_rate_is_above_0():
    found = times(1)
    assert (np.diff(found) > 0).all()
    assert not ((found > 60) & (found <= 120)).any()
    assert found.max() < 600


def test_counts_in_each_interval_are_poisson_with_the_right_mean():
    counts = np.array([np.histogram(times(seed), EDGES)[0] for seed in range(400)])
    means = RATES * np.diff(EDGES)
    for column, mean in enumerate(means):
        if mean == 0:
            assert counts[:, column].sum() == 0
            continue
        sample = counts[:, column]
        assert abs(sample.mean() - mean) < 3.66 * np.sqrt(mean / 400)
        dispersion = ((sample - mean) ** 2).sum() / mean
        assert 1e-3 < stats.chi2.cdf(dispersion, 400) < 1 - 1e-3
    assert abs(np.corrcoef(counts[:, 0], counts[:, 2])[0, 1]) < 3.66 / 20


def test_gaps_are_exponential_and_independent_on_the_scale_of_the_cumulative_rate():
    cumulative = np.concatenate([[0], np.cumsum(RATES * np.diff(EDGES))])
    gaps = np.concatenate([np.diff(np.interp(times(seed), EDGES, cumulative)) for seed in range(30)])
    # The last gap of each run is cut off by the end, which favours short ones by one in 150.
    assert stats.kstest(gaps, "expon").pvalue > 1e-3
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 3.66 / np.sqrt(len(gaps))


def test_a_long_process_is_drawn_in_chunks_without_a_seam():
    found = times(3, np.array([0.0, 50_000.0]), np.array([0.5]))
    assert abs(len(found) - 25_000) < 3.66 * np.sqrt(25_000)
    assert stats.kstest(found / 50_000, "uniform").pvalue > 1e-3


def test_nobody_comes_at_rate_0():
    assert times(1, np.array([0.0, 100.0]), np.array([0.0])).size == 0


def days_of(spec, seed, count):
    edges, rates = spec.rates(0.0, count * DAY, seed, "source")
    source, found = PoissonArrivals(seed, "source", edges, rates), []
    while (time := source.next()) < float("inf"):
        found.append(time)
    return np.histogram(found, np.arange(count + 1) * DAY)[0]


@pytest.mark.parametrize(("cv", "per_day", "ratio"), [(None, 210.0, 1.0), (0.067, 210.0, 1.9427), (0.3, 60.0, 6.4)])
def test_days_vary_as_much_as_asked_for(cv, per_day, ratio):
    """Variance-to-mean ratio of daily counts: 1 + mean x cv^2."""
    spec = RateSpec(per_day / DAY, (1.0,) * 168, cv, None)
    counts = np.concatenate([days_of(spec, seed, 100) for seed in range(20)])
    assert abs(counts.mean() - per_day) < 3.66 * np.sqrt(ratio * per_day / counts.size)
    spread = np.sqrt(2 / counts.size) * 1.3  # relative standard error of a variance, a little more for gamma days
    assert counts.var() / counts.mean() == pytest.approx(ratio, rel=3.66 * spread)


def test_the_profile_repeats_every_week_from_the_right_hour():
    profile = tuple(2.0 if hour // 24 == 5 else 5 / 6 for hour in range(168))  # Saturdays are busy
    spec = RateSpec(1.0, profile, None, None)
    edges, rates = spec.rates(4 * DAY + 90.0, 14 * DAY, 0, "source")  # from Friday 01:30
    middle = (edges[1:] + edges[:-1]) / 2
    hours = ((middle + 4 * DAY + 90.0) // 60).astype(int) % 168
    wide = np.diff(edges) > 0
    assert rates[wide] == pytest.approx(np.array(profile)[hours[wide]])
    assert (rates * np.diff(edges)).sum() == pytest.approx(14 * DAY)


def test_a_warm_up_that_begins_in_the_week_before_keeps_the_weekday():
    profile = tuple(7.0 if hour // 24 == 6 else 0.0 for hour in range(168))  # only Sundays
    edges, rates = RateSpec(1.0, profile, 0.1, None).rates(-DAY, 3 * DAY, 5, "source")
    assert (rates[edges[1:] <= DAY] > 0).all() and (rates[edges[:-1] >= DAY] == 0).all()


# ---------------------------------------------------------------- other processes
class Regular:
    """Arrivals at equal distances."""

    def __init__(self, seed, source, edges, rates, begins=0.0):
        self.times = (begins + number / rates[0] for number in count(1))

    def next(self):
        return next(self.times)


def built(tmp_path, **rate):
    return scenario(
        tmp_path,
        entities={"patient": {"arrive": {"rate": {"per_hour": 4, **rate}}, "begins": "home"}},
        pathway={"home": {"leave": "discharged"}},
    )


def test_a_scenario_may_name_a_registered_process(tmp_path, monkeypatch):
    monkeypatch.setitem(PROCESSES, "regular", Regular)
    times = [row[0] for row in play(built(tmp_path, process="regular")).events() if row[3] == "arrival"]
    assert times == pytest.approx(np.arange(15, 1440, 15))
    assert PUBLIC == ("poisson",), "the schema goes on to list the public ones only"


def test_poisson_is_what_nobody_need_name(tmp_path):
    assert play(built(tmp_path, process="poisson")).events() == play(built(tmp_path)).events()


def test_a_process_keeps_its_name(monkeypatch):
    monkeypatch.delitem(PROCESSES, "regular", raising=False)
    register_arrivals("regular", Regular)
    register_arrivals("regular", Regular)
    with pytest.raises(ValueError, match="'regular' already"):
        register_arrivals("regular", PoissonArrivals)
    with pytest.raises(ValueError, match="'poisson' already"):
        register_arrivals("poisson", Regular)
    del PROCESSES["regular"]
