"""What an environment promises, step by step."""

import copy
import pickle
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

import marl_health

TERMS = [f"reward_{name}" for name in ("clinical", "efficiency", "financial", "risk", "compliance")]


def legal(env, infos, chance):
    return {agent: int(chance.choice(np.flatnonzero(infos[agent]["action_mask"]))) for agent in env.agents}


def play(env, seed, chance, *, steps=10_000):
    """Fingerprint of everything that comes out of an episode."""
    digest = sha256()
    observations, infos = env.reset(seed=seed)
    while env.agents and steps:
        observations, rewards, _, _, infos = env.step(legal(env, infos, chance))
        steps -= 1
        for agent, observation in observations.items():
            digest.update(observation.tobytes() + np.float64(rewards[agent]).tobytes())
            digest.update(infos[agent]["action_mask"].tobytes())
        digest.update(env.state().tobytes())
    return digest.hexdigest()


def test_spaces_are_flat_and_stay_the_same_objects(everywhere):
    env = marl_health.parallel_env(everywhere)
    for agent in env.possible_agents:
        box, choice = env.observation_space(agent), env.action_space(agent)
        assert box is env.observation_space(agent)
        assert choice is env.action_space(agent)
        assert isinstance(box, Box)
        assert box.dtype == np.float32
        assert box.shape == (len(env.observation_names(agent)),)
        assert (box.low == -1).all()
        assert (box.high == 1).all()
        assert isinstance(choice, Discrete)
        assert choice.n == len(env.action_names(agent))
        assert env.action_names(agent)[0] == "wait"
        assert len(set(env.action_names(agent))) == choice.n
        assert len(set(env.observation_names(agent))) == box.shape[0]


def test_every_step_of_an_episode(everywhere):
    env = marl_health.parallel_env(everywhere)
    chance = np.random.default_rng(5)
    observations, infos = env.reset(seed=5)
    keys = set(infos[env.agents[0]])
    steps = 0
    while env.agents:
        for agent in env.agents:
            mask = infos[agent]["action_mask"]
            assert set(infos[agent]) == keys
            assert mask.dtype == np.int8
            assert mask.shape == (env.action_space(agent).n,)
            assert mask[0] == 1
            assert infos[agent]["active"] == float(mask[1:].any())
            assert all(isinstance(infos[agent][key], float) for key in keys - {"action_mask"})
            assert set(env.readings(agent)) == set(env.observation_names(agent))
        state = env.state()
        assert state.shape == env.state_space.shape
        assert state.size <= 1024
        assert env.state_space.contains(state)
        observations, rewards, terminations, truncations, infos = env.step(legal(env, infos, chance))
        steps += 1
        for agent in env.possible_agents:
            assert env.observation_space(agent).contains(observations[agent])
            assert sum(infos[agent][term] for term in TERMS) == pytest.approx(rewards[agent], abs=1e-9)
            assert infos[agent]["illegal_actions"] == 0
            assert infos[agent]["elapsed_minutes"] == env.scenario.clock.decide_every or env.scenario.clock.decide
        assert set(terminations.values()) == {not env.agents and env.game.ended}
        assert set(truncations.values()) == {not env.agents and not env.game.ended}
    assert steps == env.scenario.clock.steps or env.scenario.clock.decide
    total = env.conservation()
    assert total["arrived"] == total["discharged"] + total["died"] + total["left"] + total["inside"]
    assert set(env.kpis()) == set(env.kpi_units())


def test_the_same_seed_and_actions_give_the_same_episode(everywhere):
    first = play(marl_health.parallel_env(everywhere), 3, np.random.default_rng(0))
    env = marl_health.parallel_env(everywhere)
    play(env, 4, np.random.default_rng(1), steps=7)  # what went before leaves no trace
    assert play(env, 3, np.random.default_rng(0)) == first


def test_episodes_without_a_seed_differ_and_follow_from_the_last_seed(clinic):
    env = marl_health.parallel_env(clinic)

    def episodes():
        return [play(env, seed, np.random.default_rng(0)) for seed in (7, None, None)]

    first = episodes()
    assert len(set(first)) == 3
    assert episodes() == first
    assert play(marl_health.parallel_env(clinic), None, np.random.default_rng(0)) not in first


def test_agents_without_an_action_wait(clinic):
    waits, silent = marl_health.parallel_env(clinic), marl_health.parallel_env(clinic)
    waits.reset(seed=1)
    silent.reset(seed=1)
    while waits.agents:
        told = waits.step(dict.fromkeys(waits.agents, 0))
        untold = silent.step({})
        for agent in waits.possible_agents:
            assert (told[0][agent] == untold[0][agent]).all()
            assert told[1][agent] == untold[1][agent]


@pytest.mark.parametrize("action", [1, 99, -1])
def test_an_illegal_action_is_a_counted_wait(clinic, action):
    env, waits = marl_health.parallel_env(clinic), marl_health.parallel_env(clinic)
    _, infos = env.reset(seed=1)
    waits.reset(seed=1)
    assert infos["coordinator_0"]["action_mask"][1] == 0  # the order that is in force already
    for count in (1, 2, 3):
        observations, _, _, _, infos = env.step({"coordinator_0": action})
        expected = waits.step({})[0]
        assert infos["coordinator_0"]["illegal_actions"] == count
        assert infos["bed_manager_0"]["illegal_actions"] == 0
        assert all((observations[agent] == expected[agent]).all() for agent in observations)
    assert env.last_moves == {}


def test_a_team_reward_with_one_agents_own(clinic):
    env = marl_health.parallel_env(clinic)
    env.reset(seed=2)
    own = 0.0
    while env.agents:
        rewards = env.step({})[1]
        assert rewards["coordinator_0"] == rewards["scheduler_0"]
        own += rewards["bed_manager_0"] - rewards["scheduler_0"]
    assert own == pytest.approx(-0.2 * env.kpis()["boarding"], abs=1e-9)


def test_a_step_after_the_end_says_what_to_do(lone):
    env = marl_health.parallel_env(lone, max_cycles=2)
    with pytest.raises(RuntimeError, match=r"call reset\(\)"):
        env.step({})
    env.reset()
    env.step({})
    truncations = env.step({})[3]
    assert truncations == {"manager_0": True}
    assert env.agents == []
    with pytest.raises(RuntimeError, match=r"call reset\(\)"):
        env.step({})


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_continues_like_the_original(everywhere, copied):
    env = marl_health.parallel_env(everywhere, events=True)
    env.reset(seed=6)
    for _ in range(9):
        env.step({})
    twin = copied(env)
    assert twin.scenario is env.scenario
    for _ in range(5):
        left, right = env.step({}), twin.step({})
        assert all((left[0][agent] == right[0][agent]).all() for agent in left[0])
        assert left[1] == right[1]
    assert env.event_log() == twin.event_log()
    first, second = env.reset()[0], twin.reset()[0]
    assert all((first[agent] == second[agent]).all() for agent in first)


def test_an_unknown_render_mode_is_refused(lone):
    with pytest.raises(ValueError, match="'ansi'"):
        marl_health.parallel_env(lone, render_mode="film")


def test_without_agents_there_is_no_environment(tmp_path, lone):
    text = Path(lone).read_text()
    file = tmp_path / "nobody.yaml"
    file.write_text(text[: text.index("agents:")])
    with pytest.raises(ValueError, match="nobody decides in 'lone'"):
        marl_health.parallel_env(file)
