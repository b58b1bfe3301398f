"""Beds kept back for the critical: the decision process, the formula and the world agree on how many."""

from pathlib import Path

import pytest

import marl_health
import policies
from policies.optimal.trunk_reservation import Unit, best_reserve, cost, refused
from tests.policies.rules.played import differences, mean_and_error, returns

TRUNK_LINE = Path(__file__).with_name("trunk_line.yaml")
UNIT = Unit(beds=8, rates=(1.6, 2.4), days=2.0, costs=(5.0, 1.0))
"""As in the file."""
DAYS = 360
SEEDS = range(16)
Z = 3.66


@pytest.mark.parametrize("price", [1.0, 2.0, 5.0, 10.0, 20.0, 50.0])
@pytest.mark.parametrize("load", [0.5, 1.0, 1.5])
def test_the_optimum_of_the_decision_process_is_the_best_number_of_the_formula(price, load):
    unit = Unit(8, (1.6 * load, 2.4 * load), 2.0, (price, 1.0))
    assert best_reserve(unit) == min(range(9), key=lambda kept: cost(unit, kept))


def test_without_a_reserve_it_is_erlangs_loss_formula():
    term, whole = 1.0, 1.0
    for bed in range(1, 9):
        term *= 8.0 / bed
        whole += term
    assert refused(UNIT, 0) == pytest.approx((term / whole, term / whole))


@pytest.fixture(scope="module")
def played():
    """Returns by number of beds kept back, on the same seeds."""
    scenario = marl_health.load(TRUNK_LINE)
    names = {kept: f"constant:unit=set bed.reserve {kept}" if kept else "wait" for kept in (0, 1, 2, 4)}
    return {kept: returns(scenario, name, SEEDS) for kept, name in names.items()}


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 1, 2, 4])
def test_the_world_loses_what_the_formula_says(played, kept):
    mean, error = mean_and_error(played[kept])
    assert error < 0.05 * DAYS * cost(UNIT, kept)
    assert abs(mean + DAYS * cost(UNIT, kept)) < Z * error


@pytest.mark.slow
def test_the_world_rewards_the_optimum(played):
    assert best_reserve(UNIT) == 2
    for other in (0, 4):
        mean, error = mean_and_error([a - b for a, b in zip(played[2], played[other], strict=True)])
        assert mean > Z * error, other


@pytest.mark.slow
def test_in_the_unit_itself_the_index_of_returns_is_worth_more_than_any_reserve():
    for other in ("trunk_reservation", "wait"):
        mean, error = differences("icu_resource_allocation", "rule", other, range(24))
        assert mean > Z * error, other


@pytest.mark.parametrize("slip", ["reserve", "reserve:9", "trunk_reservation:2"])
def test_slips_are_told(slip):
    with pytest.raises(policies.PolicyError, match=r"nothing may stand|write how many beds"):
        policies.make(slip)
