"""Policies where several agents have one role, each at a site of its own."""

from pathlib import Path

import numpy as np
import pytest

import marl_health
import policies
from marl_health.adapters.rllib import RLlibEnv, role_of
from policies.rllib.sharing import modules_of

TWO = Path(__file__).parent.parent / "worlds" / "two_hospitals.yaml"
COORDINATORS = ("coordinator_0", "coordinator_1")


def actions_of(name, seed=3, decisions=16):
    """What each agent does at the first decisions of an episode."""
    env = marl_health.parallel_env(TWO)
    observations, infos = env.reset(seed=seed)
    policy = policies.make(name)
    policy.reset(env, seed)
    found = []
    for _ in range(decisions):
        actions = policy.act(env, observations, infos)
        assert all(infos[agent]["action_mask"][action] for agent, action in actions.items())
        found.append({agent: env.action_names(agent)[action] for agent, action in actions.items()})
        observations, _, _, _, infos = env.step(actions)
    return found


def test_a_role_held_constant_is_all_its_agents():
    first = actions_of("constant:coordinator=call in 1 team")[0]
    assert [first[agent] for agent in COORDINATORS] == ["call in 1 team"] * 2 and first["transport_officer_0"] == "wait"


@pytest.mark.parametrize("name", ["random", "adversarial:spray", "lookahead:futures=2,horizon=2"])
def test_agents_of_a_role_decide_each_for_themselves(name):
    done = actions_of(name)
    assert all(set(each) == {*COORDINATORS, "transport_officer_0"} for each in done)
    if name in ("random", "adversarial:spray"):
        assert any(each["coordinator_0"] != each["coordinator_1"] for each in done)


def test_agents_of_a_role_share_one_network():
    env = RLlibEnv(marl_health.parallel_env(TWO), {"seed": 1})
    assert {agent: role_of(agent) for agent in env.possible_agents} == {
        "transport_officer_0": "transport_officer", "coordinator_0": "coordinator", "coordinator_1": "coordinator"
    }  # fmt: skip
    assert modules_of(env.env, "role") == {"coordinator": "coordinator", "transport_officer": "transport_officer"}
    first, second = (env.observation_spaces[agent] for agent in COORDINATORS)
    assert first == second and env.action_spaces["coordinator_0"] == env.action_spaces["coordinator_1"]
    env.reset()
    rewards = 0.0
    done = {"__all__": False}
    while not done["__all__"]:
        _, gained, done, cut, _ = env.step(dict.fromkeys(env.agents, 0))
        rewards += sum(gained.values())
        done = {"__all__": done["__all__"] or cut["__all__"]}
    assert np.isfinite(rewards)
