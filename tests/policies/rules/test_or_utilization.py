"""The newsvendor's allowance is what the world rewards, and so is to begin with the cases of little spread."""

from math import fsum, log
from pathlib import Path
from statistics import NormalDist

import pytest

import marl_health
import policies
from policies.optimal.newsvendor import Lognormal, cost, critical_fraction
from tests.policies.rules.played import differences, mean_and_error

FIRST = Lognormal(100.0, 0.4)
HELD, IDLE = 1.0, 2.0
"""As in the file."""
BEST = round(FIRST.quantile(critical_fraction(HELD, IDLE)) / 10) * 10
Z = 3.66


def sent_for_after(env, minutes, seed):
    """The return if the second case is sent for so many minutes after the beginning, less what nobody can change."""
    env.reset(seed=seed)
    gained = []
    while env.agents:
        now = env.game.now
        _, rewards, _, _, _ = env.step({"coordinator_0": int(now >= minutes)})
        gained.append(fsum(rewards.values()))
    return fsum(gained) + IDLE * (FIRST.mean - 1.0) / 60.0


@pytest.fixture(scope="module")
def played():
    env = marl_health.parallel_env(Path(__file__).with_name("two_cases.yaml"))
    times = (BEST - 30, BEST, BEST + 30, BEST + 60)
    return {minutes: [sent_for_after(env, minutes, seed) for seed in range(200)] for minutes in times}


@pytest.mark.slow
def test_the_price_of_an_allowance_is_that_of_the_formula(played):
    for minutes, returns in played.items():
        mean, error = mean_and_error(returns)
        assert error < 0.15
        assert abs(mean + cost(FIRST, minutes, HELD / 60, IDLE / 60)) < Z * error, minutes


@pytest.mark.slow
def test_the_world_rewards_the_allowance_of_the_newsvendor(played):
    for minutes in played:
        if minutes != BEST:
            pairs = zip(played[BEST], played[minutes], strict=True)
            mean, error = mean_and_error([a - b for a, b in pairs])
            assert mean > Z * error, minutes


def test_no_allowance_is_cheaper_than_the_critical_fraction():
    best = FIRST.quantile(critical_fraction(HELD, IDLE))
    prices = [cost(FIRST, best + away, HELD, IDLE) for away in (-20, -5, 0, 5, 20)]
    assert min(prices) == prices[2]


def test_what_is_left_of_a_length_that_has_lasted_is_its_conditional_quantile():
    normal = NormalDist(FIRST.mu, FIRST.sigma)
    for passed, chance in ((0.0, 0.3), (40.0, 0.5), (150.0, 0.9)):
        end = passed + FIRST.left(passed, chance)
        over = normal.cdf(log(passed)) if passed else 0.0
        assert (normal.cdf(log(end)) - over) / (1 - over) == pytest.approx(chance)


@pytest.mark.slow
def test_little_spread_first_is_better_than_long_cases_first_in_the_rooms_themselves():
    mean, error = differences("or_utilization", "rule", "sequence:long", range(60))
    assert mean > Z * error


@pytest.mark.parametrize("slip", ["sequence", "sequence:tall", "allowance:0", "allowance:x"])
def test_slips_are_told(slip):
    with pytest.raises(policies.PolicyError, match=r"sequence:steady|allowance:1 to"):
        policies.make(slip)
