"""The load that is best for a patient alone is exact, and the world rewards it."""

import json

import pytest

import marl_health
import policies
from policies.optimal.scan_load import Scan
from policies.rules.scan_parameter_optimization import LOADS, SIZES, STANDARD, scan_of
from tests.policies.rules.played import differences, mean_and_error, returns

NAME = "scan_parameter_optimization"
Z = 3.66


@pytest.fixture(scope="module")
def scan():
    return scan_of(marl_health.parallel_env(NAME))


def test_what_a_scan_costs_is_read_from_the_scenario(scan):
    """By hand, for the standard patient with the standard load: 8 mSv, and 6 in 100 scans are repeated."""
    again = 2.5 + 0.06 * 16 + 14 * (1 + 2) / 60
    assert scan.expected(STANDARD, SIZES.index(0)) == pytest.approx(0.06 * 8 + 0.06 * again)
    assert scan.expected(4, SIZES.index(2)) == pytest.approx(
        0.06 * 32 * 0.74 + 3 * 3 / 60 + 0.06 * (2.5 + 0.06 * 47.4 + 14 * 3 / 60)
    )


def test_small_patients_get_more_than_the_table_says_and_large_ones_less(scan):
    best = [scan.best_of_size(place) for place in range(len(SIZES))]
    above = [load - STANDARD - size for load, size in zip(best, SIZES, strict=True)]
    assert above == sorted(above, reverse=True) and above[0] > 0 > above[-1]


def test_the_load_is_the_best_of_all_for_each_size(scan):
    for place in range(len(SIZES)):
        costs = [scan.expected(load, place) for load in LOADS]
        assert costs[scan.best_of_size(place)] == min(costs)


def test_an_uncertain_size_is_weighed_by_bayes_rule():
    scan = Scan(sizes=(0.5, 0.5), smallest=0, error=1.0, cost=((1.0, 1.0), (2.0, 2.0)), fails=((0.0, 1.0), (0.0, 0.0)),
                repeat=(3.0, 3.0))  # fmt: skip
    small, large = scan.posterior(0.5)
    assert small == pytest.approx(large)
    assert [scan.best_for(scan.posterior(seen)) for seen in (-1.0, 2.0)] == [0, 1]


@pytest.mark.slow
def test_an_error_of_any_size_costs_what_the_formula_says(tmp_path, scan):
    """One patient an hour, so that nobody waits: the world's mean cost of a load is the formula's."""
    file = tmp_path / "quiet.yaml"
    part = {"extends": NAME, "name": "quiet", "entities": {"patient": {"arrive": {"rate": {"per_hour": 0.5}}}}}
    file.write_text(json.dumps(part))
    quiet = marl_health.load(file)
    policy = [f"constant:technologist=send to scan with load {load} next_patient[0]" for load in (1, 3)]
    mean, error = mean_and_error(
        [a - b for a, b in zip(*(returns(quiet, one, range(150)) for one in policy), strict=True)]
    )
    cost = [sum(share * scan.expected(load, place) for place, share in enumerate(scan.sizes)) for load in (1, 3)]
    arrivals = 10 * 0.5 * 0.975  # the mean of what varies
    assert abs(mean - arrivals * (cost[1] - cost[0])) < Z * error + 0.1 * arrivals, "but for some who wait after all"
    assert error < 0.4


@pytest.mark.slow
def test_the_world_rewards_the_optimum():
    mean, error = differences(NAME, "exposure_optimum", "rule", range(200))
    assert mean > Z * error


def test_slips_are_told():
    with pytest.raises(policies.PolicyError, match="nothing may stand"):
        policies.make("exposure_optimum:2")
