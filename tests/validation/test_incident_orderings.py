"""What is known of priorities in incidents comes out: which rule is ahead of which, under which curve of survival.

ReSTART (delayed casualties first after a while) does at least as well as START where survival falls as Mills, Argon and
Ziya (2013) say; assignment by the drop of survival is ahead of START where it falls as Sacco and others (2005) say;
and where it does not fall at all, nobody is ahead of anybody.
"""

import numpy as np
import pytest

import marl_health
import policies

SEEDS = range(5000, 5020)


def survivors(curve, policy, seeds=SEEDS):
    """Expected survivors of each seed."""
    env = marl_health.parallel_env("mci_surge", chosen={"survival_curve": curve})
    rule = policies.make(policy)
    found = []
    for seed in seeds:
        observations, infos = env.reset(seed=seed)
        rule.reset(env, seed)
        while env.agents:
            observations, _, _, _, infos = env.step(rule.act(env, observations, infos))
        found.append(env.kpis()["expected_survivors"])
    return np.array(found)


def interval(differences):
    half = 1.96 * differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean() - half, differences.mean() + half


@pytest.mark.slow
def test_delayed_first_after_a_while_is_at_least_as_good_under_mills():
    low, _ = interval(survivors("mills", "restart") - survivors("mills", "start_nearest"))
    assert low > 0


@pytest.mark.slow
def test_assignment_by_the_drop_of_survival_is_ahead_under_sacco():
    low, _ = interval(survivors("sacco", "sacco") - survivors("sacco", "start_nearest"))
    assert low > 0


@pytest.mark.slow
def test_nobody_is_ahead_where_time_does_not_matter():
    seeds = SEEDS[:4]
    expected = survivors("flat", "start_nearest", seeds)
    for policy in ("restart", "sacco", "wait"):
        assert survivors("flat", policy, seeds) == pytest.approx(expected)
