"""The rules of incidents: who goes first, and where to."""

import pytest

import marl_health
import policies
from policies.base import PolicyError
from policies.rules import mci_surge as rules

SEEN = {"time_left": 1.0, "ambulance.free": 2.0, "ride_line.waiting": 0.0}


@pytest.fixture(scope="module")
def region():
    env = marl_health.parallel_env("mci_small")
    env.reset(seed=0)
    rule = rules.make()
    rule.reset(env, 0)
    return rule.region


def casualty(slot, colour, score, waited=0.0, site=3.0):
    return {"slot": slot, "colour": rules.COLOURS.index(colour), "score": score, "waited": waited, "site": site}


def test_survival_is_that_of_the_published_table():
    assert rules.survival(8, 0) == 0.84 and rules.survival(8, 29) == 0.84
    assert rules.survival(7, 30) == 0.63, "a score of 7 is 6 after half an hour"
    assert rules.survival(9, 95) == 0.84, "a score of 9 is 8 after an hour and a half"
    assert rules.survival(2, 30) == 0.0 and rules.survival(12, 5000) == 0.84
    assert rules.survival(12.4, 0) == 0.98 and rules.survival(-0.3, 0) == 0.0


def test_by_colour_the_longest_wait_goes_first(region):
    waiting = [casualty(0, "yellow", 9, 50), casualty(1, "red", 6, 5), casualty(2, "red", 3, 8)]
    first = rules.by_colour(lambda minute: rules.START)
    assert first(region, SEEN, waiting)["slot"] == 2


def test_restart_turns_to_the_delayed_after_its_time(region):
    waiting = [casualty(0, "yellow", 9), casualty(1, "red", 6)]
    order = policies.rules.mci_surge.restart("30").order
    assert order(region, {**SEEN, "time_left": 1 - 29 / region.episode}, waiting)["slot"] == 1
    assert order(region, {**SEEN, "time_left": 1 - 31 / region.episode}, waiting)["slot"] == 0


def test_assignment_sends_first_whoever_loses_most_by_waiting(region):
    waiting = [casualty(0, "green", 12), casualty(1, "red", 2), casualty(2, "red", 7), casualty(3, "yellow", 10)]
    waiting += [casualty(number, "green", 12) for number in range(4, 9)]
    first = rules.by_survival_drop(region, SEEN, waiting)["slot"]
    assert first in (2, 3), "who scores 2 is lost, who scores 12 can wait"


def test_a_name_that_needs_nothing_behind_it_says_so():
    for spec in ("jsq:3", "sacco:x", "restart:soon"):
        with pytest.raises(PolicyError, match=spec.partition(":")[0]):
            policies.make(spec)


@pytest.mark.parametrize("name", ["rule", "start_nearest", "restart:60", "jsq", "min_expected_time"])
def test_every_rule_plays_the_variants_too(name):
    for scenario in ("mci_small", "mci_rural"):
        env = marl_health.parallel_env(scenario)
        rule = policies.make(name)
        observations, infos = env.reset(seed=1)
        rule.reset(env, 1)
        sent = 0
        while env.agents:
            actions = rule.act(env, observations, infos)
            sent += actions["transport_officer_0"] > 0
            observations, _, _, _, infos = env.step(actions)
        assert sent > 1
