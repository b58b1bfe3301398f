"""Our treatment centre against the package treat-sim 3.0.0: the mean and the distribution of each of its 16 results.

The figures of the package are committed; where it is installed, they are what it gives. The process by which it draws
arrivals is known to these tests only.
"""

import math

import numpy as np
import pytest

import marl_health
from experiments.validation.treatment_centre import (
    COLUMNS,
    EXACT,
    KPIS,
    PUBLISHED,
    REPLICATIONS,
    RESULTS,
    compare,
    holm,
    ours,
    published,
    report,
)
from tests.validation.previous_arrival import PreviousArrival


@pytest.mark.slow
def test_means_and_distributions_agree_and_the_committed_table_says_so():
    found = {column.title: ours(column) for column in COLUMNS}
    rows = {column.title: compare(column, found[column.title]) for column in COLUMNS}
    for title, of_column in rows.items():
        print("\n".join(map(str, of_column)))
        assert len(of_column) == len(KPIS) == 16
        assert not [str(row) for row in of_column if not row.passes], title
    assert not all(row.passes for row in compare(PUBLISHED, found[EXACT.title])), "the two columns can be told apart"
    remedy = "run python -m experiments.validation.treatment_centre --write"
    assert report(rows) == RESULTS.read_text(encoding="utf-8"), remedy


def test_the_committed_table_is_of_this_scenario():
    scenario = marl_health.load("treatment_centre")
    assert f"version {scenario.version}, hash {scenario.hash}," in RESULTS.read_text(encoding="utf-8")
    assert list(scenario.spec.kpis) == list(KPIS)


@pytest.mark.parametrize(("column", "arrivals"), [(EXACT, 229.5), (PUBLISHED, None)], ids=["exact", "published"])
def test_the_figures_of_the_package_are_whole(column, arrivals):
    figures = published(column)
    assert {len(values) for values in figures.values()} == {REPLICATIONS}
    if arrivals is not None:
        assert abs(figures["arrivals"].mean() - arrivals) <= 3.66 * math.sqrt(arrivals / REPLICATIONS)


def test_the_figures_are_what_the_package_gives():
    model = pytest.importorskip("treat_sim.model", reason="treat-sim is not installed: pip install -e .[reference]")
    figures = published(PUBLISHED)
    for seed in range(3):
        results = model.single_run(model.Scenario(), 1140, seed).iloc[0]
        for name, theirs in KPIS.items():
            assert figures[name][seed] == pytest.approx(results[theirs], abs=1e-5), name


def test_previous_arrivals_come_at_the_rate_of_the_one_before():
    """Half an hour at 1 a minute, then at 2: gaps are exponential, of the mean of the half-hour in which they begin."""
    edges, rates = np.array([0.0, 30.0, 60.0]), np.array([1.0, 2.0])
    gaps = ([], [])
    for seed in range(300):
        source, before = PreviousArrival(seed, "test", edges, rates), 0.0
        while (time := source.next()) < math.inf:
            gaps[before >= 30].append(time - before)
            before = time
    for rate, found in zip(rates, map(np.array, gaps), strict=True):
        assert abs(found.mean() - 1 / rate) <= 3.66 / rate / math.sqrt(len(found))
        assert abs((found**2).mean() - 2 / rate**2) <= 3.66 * math.sqrt(20) / rate**2 / math.sqrt(len(found))


def test_holms_procedure():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
