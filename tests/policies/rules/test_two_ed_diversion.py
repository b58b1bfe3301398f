"""Threshold policies: ambulances are diverted while so many wait, and by nobody else than they say."""

import pytest

import marl_health
import policies


@pytest.fixture(scope="module")
def env():
    return marl_health.parallel_env("two_ed_diversion_crisis")


def play(env, policy, days=2.0):
    """(department, patients who wait, whether it diverts from then on) at each decision."""
    observations, infos = env.reset(seed=3)
    policy.reset(env, 0)
    found = []
    for _ in range(int(days * 144)):
        waiting = [env.readings(f"ed_{one}_0")[f"doctor_{one}.waiting"] for one in (1, 2)]
        actions = policy.act(env, observations, infos)
        assert all(infos[agent]["action_mask"][action] for agent, action in actions.items())
        observations, _, _, _, infos = env.step(actions)
        for one in (1, 2):
            found.append((one, waiting[one - 1], env.readings(f"ed_{one}_0")[f"ambulance_{one}.next position"] == 1))
    return found


def test_the_first_department_diverts_while_so_many_wait(env):
    found = play(env, policies.make("threshold:25"))
    assert all(diverts == (one == 1 and waiting >= 25) for one, waiting, diverts in found)
    assert {diverts for _, _, diverts in found} == {True, False}


def test_both_do_if_both_have_a_threshold(env):
    found = play(env, policies.make("threshold:25/40"))
    assert all(diverts == (waiting >= {1: 25, 2: 40}[one]) for one, waiting, diverts in found)
    assert {(one, diverts) for one, _, diverts in found} == {(1, True), (1, False), (2, True), (2, False)}


@pytest.mark.parametrize("name", ["rule", "threshold:9999"])
def test_the_rule_never_diverts_nor_does_a_threshold_out_of_reach(env, name):
    assert not any(diverts for _, _, diverts in play(env, policies.make(name), days=0.5))


@pytest.mark.parametrize("slip", ["threshold", "threshold:", "threshold:many", "threshold:-1", "threshold:1/2/3"])
def test_a_slip_is_told_with_the_right_forms(slip):
    with pytest.raises(policies.PolicyError, match="threshold:25, or threshold:25/40"):
        policies.make(slip)


def test_the_nearest_name_is_told():
    with pytest.raises(policies.PolicyError, match="did you mean 'threshold'"):
        policies.make("treshold:25")


def test_another_scenario_has_no_such_policy():
    env = marl_health.parallel_env("hospital_throughput")
    env.reset(seed=0)
    with pytest.raises(policies.PolicyError, match="it is for two_ed_diversion"):
        policies.make("threshold:25").reset(env, 0)
