"""Age replacement: a world of nothing but units costs what the closed form says, and looking at conditions pays."""

from math import exp
from pathlib import Path

import pytest

import marl_health
import policies
from policies.base import PolicyError
from policies.rules.equipment_maintenance import DAY, best_age, cost_rate, survival

SHAPE, MEAN, FAILURE, PLANNED = 3.0, 10 * DAY, 5000.0, 1000.0
LOADED = marl_health.load(Path(__file__).with_name("age_replacement.yaml"))


def test_the_closed_form_is_that_of_known_cases():
    assert survival(7.0, 1.0, 10.0) == pytest.approx(exp(-0.7))
    # Without ageing, replacement is never worth it: failures come at the same rate whatever the age.
    rates = [cost_rate(age, 1.0, 10.0, 5.0, 1.0) for age in (5.0, 20.0, 200.0)]
    assert rates == pytest.approx(
        [0.5 + 0.1 * exp(-age / 10) / (1 - exp(-age / 10)) for age in (5.0, 20.0, 200.0)], rel=1e-3
    )
    # At the best age, hazard times mean life less the chance of failure equals planned / (failure - planned).
    age = best_age(SHAPE, MEAN, FAILURE, PLANNED)
    lives = survival(age, SHAPE, MEAN)
    spent = PLANNED * lives + FAILURE * (1 - lives)
    lasts = spent / cost_rate(age, SHAPE, MEAN, FAILURE, PLANNED)
    scale = MEAN / 0.8929795
    hazard = SHAPE / scale * (age / scale) ** (SHAPE - 1)
    assert hazard * lasts - (1 - lives) == pytest.approx(PLANNED / (FAILURE - PLANNED), rel=1e-2)


def played(age, seed):
    """US dollars spent by each unit and day from the 20th day on, by replacement at an age."""
    game = LOADED.kind.make_game(LOADED.program)
    game.reset(seed, events=False)
    pool, before = game.running.pools[0], 0.0
    while not game.finished:
        if game.now == 20 * DAY:
            before = game.kpis()["spent"]
        for number, machine in pool.machines.items():
            if game.now - machine.since >= age - 60.0 and not machine.out:  # on average an hour late
                assert game.act("equipment_manager_0", 1 + number)
        game.advance()
    return (game.kpis()["spent"] - before) / 100 / 80


@pytest.mark.slow
def test_the_world_costs_what_the_closed_form_says_and_the_best_age_beats_its_neighbours():
    best = best_age(SHAPE, MEAN, FAILURE, PLANNED)
    rates = {}
    for age in (best / 2, best, 2 * best):
        rates[age] = played(age, seed=1)
        expected = DAY * cost_rate(age, SHAPE, MEAN, FAILURE, PLANNED)
        # 100 units for 80 days are more than 1,000 cycles; of a cycle's cost the coefficient of variation is below 1.
        assert rates[age] == pytest.approx(expected, rel=3.66 / 1000**0.5)
    assert rates[best] < rates[best / 2] and rates[best] < rates[2 * best]


@pytest.mark.slow
def test_in_the_department_conditions_beat_the_best_age_and_that_beats_doing_nothing():
    env = marl_health.parallel_env("equipment_maintenance")

    def gained(name):
        found = []
        for seed in range(24):
            policy = policies.make(name)
            observations, infos = env.reset(seed=seed)
            policy.reset(env, seed)
            total = 0.0
            while env.agents:
                observations, rewards, _, _, infos = env.step(policy.act(env, observations, infos))
                total += sum(rewards.values())
            found.append(total)
        return sum(found) / len(found)

    rule, by_age, nothing = gained("rule"), gained("age_replacement:best"), gained("wait")
    assert rule > by_age > nothing


@pytest.mark.parametrize("slip", ["age_replacement:", "age_replacement:-3", "age_replacement:soon"])
def test_slips(slip):
    with pytest.raises(PolicyError, match="write an age in days"):
        policies.make(slip)
