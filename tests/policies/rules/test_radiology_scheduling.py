"""The dynamic program of a scanner's day is exact, and the world rewards whoever follows it."""

import json

import pytest

import marl_health
import policies
from policies.optimal.scanner_day import best_plan
from policies.rules.radiology_scheduling import day_of
from tests.policies.rules.played import differences, mean_and_error, returns

NAME = "radiology_scheduling"
Z = 3.66


@pytest.fixture(scope="module")
def certain(tmp_path_factory):
    """The day with its average demand, which the dynamic program takes for granted."""
    file = tmp_path_factory.mktemp("day") / "certain_day.yaml"
    part = {"extends": NAME, "name": "certain_day", "vary": {"ward_demand": 1, "emergency_demand": 1}}
    file.write_text(json.dumps(part))
    return marl_health.load(file)


@pytest.mark.slow
def test_the_return_of_the_exact_policy_is_the_value_of_the_dynamic_program(certain):
    mean, error = mean_and_error(returns(certain, "switching_curve", range(400)))
    assert error < 1
    assert abs(mean - best_plan(day_of(marl_health.parallel_env(certain))).value) < Z * error


@pytest.mark.slow
@pytest.mark.parametrize("order", ["strict:outpatient", "strict:inpatient"])
@pytest.mark.parametrize("policy", ["switching_curve", "rule"])
def test_the_world_rewards_the_switch(policy, order):
    """Without one, the same class always goes first: either it waits, or the other stays undone."""
    mean, error = differences(NAME, policy, order, range(100))
    assert mean > Z * error


@pytest.mark.parametrize("slip", ["strict", "strict:all", "switching_curve:2"])
def test_slips_are_told(slip):
    with pytest.raises(policies.PolicyError, match=r"nothing may stand|write strict:outpatient"):
        policies.make(slip)
