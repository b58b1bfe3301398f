"""The order of the work-list by what a minute's delay costs."""

import pytest

import policies
from policies.rules.imaging_order_prioritization import chance_of_bleeding, index
from tests.policies.rules.played import differences

NAME = "imaging_order_prioritization"
Z = 3.66


def test_what_a_mark_says_follows_from_bayes_rule():
    assert chance_of_bleeding("emergency", True) == pytest.approx(0.12 * 0.9 / (0.12 * 0.9 + 0.88 * 0.05))
    assert chance_of_bleeding("ward", False) == pytest.approx(0.03 * 0.1 / (0.03 * 0.1 + 0.97 * 0.95))


def test_marked_studies_come_first_and_old_ones_catch_up():
    fresh = {(setting, marked): index(setting, marked, 5.0) for setting in ("emergency", "ward") for marked in (0, 1)}
    assert fresh["emergency", 1] > fresh["ward", 1] > fresh["emergency", 0] > fresh["ward", 0]
    assert index("ward", False, 250.0) > fresh["emergency", 0], "costs are convex"


@pytest.mark.slow
def test_the_world_rewards_the_look_at_the_marks():
    mean, error = differences(NAME, "rule", "work_list:first_come", range(80))
    assert mean > Z * error


def test_slips_are_told():
    with pytest.raises(policies.PolicyError, match="write one of"):
        policies.make("work_list:last_come")
