"""The Gymnasium view of a scenario with one agent."""

import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import marl_health
from marl_health.envs.gymnasium_view import HealthGymnasiumEnv
from tests.worlds.test_turns import agent, tent


@pytest.fixture
def registered(lone):
    gymnasium.register("marl_health/Lone-v0", HealthGymnasiumEnv, kwargs={"scenario": lone})
    yield "marl_health/Lone-v0"
    del gymnasium.registry["marl_health/Lone-v0"]


@pytest.mark.filterwarnings("error")
def test_gymnasiums_own_check(registered):
    check_env(gymnasium.make(registered, disable_env_checker=True).unwrapped)


@pytest.mark.filterwarnings("error")
def test_it_holds_where_decisions_come_at_events(tmp_path):
    clock = {"until_gone": "casualty"}
    agents = {"ann": agent()}
    loaded = tent(tmp_path, "08:05", "08:40", decide={"when": ["ready", "freed"]}, agents=agents, clock=clock)
    env = HealthGymnasiumEnv(loaded)
    check_env(env, skip_render_check=True)
    env.reset(seed=0)
    ends = [env.step(np.int64(0))[2:4] for _ in range(4)]
    assert ends == [(False, False)] * 3 + [(True, False)]


def test_it_is_the_parallel_one(registered, lone):
    env, parallel = gymnasium.make(registered), marl_health.parallel_env(lone)
    assert env.action_space.n == len(parallel.action_names("manager_0"))
    observation, info = env.reset(seed=3)
    observations, infos = parallel.reset(seed=3)
    chance = np.random.default_rng(0)
    while True:
        assert (observation == observations["manager_0"]).all()
        masks = env.get_wrapper_attr("action_masks")()
        assert masks.dtype == np.bool_
        assert (masks == infos["manager_0"]["action_mask"]).all()
        assert (masks == info["action_mask"]).all()
        action = int(chance.choice(np.flatnonzero(masks)))
        observation, reward, terminated, truncated, info = env.step(action)
        observations, rewards, _, _, infos = parallel.step({"manager_0": action})
        assert reward == rewards["manager_0"]
        assert not terminated
        if truncated:
            break
    assert parallel.agents == []


def test_pickled(lone):
    env = HealthGymnasiumEnv(lone)
    env.reset(seed=1)
    twin = pickle.loads(pickle.dumps(env))
    assert (env.step(0)[0] == twin.step(0)[0]).all()


def test_several_agents_are_refused(clinic):
    with pytest.raises(
        ValueError, match=r"3 agents decide in 'clinic' \(coordinator_0, .*use marl_health.parallel_env"
    ):
        HealthGymnasiumEnv(clinic)
