"""The RLlib adapter: masks, ends of episodes, seeds."""

import numpy as np
import pytest
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode
from ray.tune.registry import ENV_CREATOR, _global_registry

from marl_health.adapters.rllib import FIRST_TRAINING_SEED, RLlibEnv, register, role_of
from policies.rllib.ppo import masked_ppo_config
from tests.adapters.leaving_env import ENDS, LeavingEnv
from tests.policies.toy_env import STEPS, ToyEnv


def play(env, limit=50):
    """One episode as RLlib's env runner records it."""
    episode = MultiAgentEpisode(observation_space=env.observation_spaces, action_space=env.action_spaces)
    observations, infos = env.reset()
    episode.add_env_reset(observations=observations, infos=infos)
    while not episode.is_done and limit:
        actions = dict.fromkeys(episode.get_agents_to_act(), 0)
        observations, rewards, terminateds, truncateds, infos = env.step(actions)
        episode.add_env_step(observations, actions, rewards, infos, terminateds=terminateds, truncateds=truncateds)
        limit -= 1
    assert episode.is_done
    return episode


def test_observation_ends_with_the_mask_and_lies_in_its_space():
    inner = ToyEnv()
    env = RLlibEnv(inner)
    observations, infos = env.reset()
    assert list(observations) == env.possible_agents == env.agents == inner.possible_agents
    for _ in range(5):
        for agent, shown in observations.items():
            n = env.action_spaces[agent].n
            assert env.observation_spaces[agent].contains(shown)
            np.testing.assert_array_equal(shown[-n:], inner._masks()[agent])
            np.testing.assert_array_equal(shown[:-n], inner._observations()[agent])
            assert "action_mask" not in infos[agent]
            assert "elapsed_minutes" in infos[agent]
        observations, _, _, _, infos = env.step(dict.fromkeys(env.agents, 0))


def test_observation_without_a_mask_counts_every_action_as_legal():
    class Unmasked(ToyEnv):
        def _infos(self, gains):
            return {a: {} for a in self.possible_agents}

    observations, _ = RLlibEnv(Unmasked()).reset()
    np.testing.assert_array_equal(observations["router_0"][-4:], np.ones(4))


def test_end_by_time_keeps_the_bootstrap():
    env = RLlibEnv(ToyEnv())
    episode = play(env)
    assert episode.env_t == STEPS
    assert env.agents == env.possible_agents
    for agent in env.possible_agents:
        assert episode.agent_episodes[agent].is_truncated
        assert not episode.agent_episodes[agent].is_terminated


@pytest.mark.parametrize("ends", ENDS)
def test_every_mixture_of_ends_is_recorded_agent_by_agent(ends):
    env = RLlibEnv(LeavingEnv(ends, shape=(3, 3)))
    episode = play(env)
    assert env.observation_spaces["walker_0"].shape == (3, 3), "what is not flat has no mask"
    assert episode.env_t == 4
    for agent, (kind, at) in zip(env.possible_agents, ends, strict=True):
        steps = episode.agent_episodes[agent]
        assert len(steps) == at
        # A terminated agent has no value left; a truncated one does, and must not look terminated.
        assert steps.is_terminated == (kind == "terminated")
        assert steps.is_done


def test_workers_and_sub_environments_draw_different_episodes():
    class Recording(ToyEnv):
        def reset(self, seed=None, options=None):
            self.__dict__.setdefault("seeds", []).append(seed)
            return super().reset(seed, options)

    def seeds_of(worker):
        config = masked_ppo_config("toy", make_env=Recording).env_runners(num_envs_per_env_runner=3)
        runner = MultiAgentEnvRunner(config=config, worker_index=worker)
        runner.sample(num_timesteps=3 * 3 * STEPS)
        return [seed for env in runner.env.envs for seed in env.unwrapped.env.seeds]

    first, second = seeds_of(1), seeds_of(2)
    assert len(first) >= 9
    assert len({*first, *second}) == len(first) + len(second), "two episodes share a seed"
    assert min(first + second) >= FIRST_TRAINING_SEED, "small seeds belong to evaluation"
    assert first == seeds_of(1), "the same worker must draw the same episodes again"


def test_seed_of_the_config_decides_and_the_argument_does_not():
    def seeds_of(config, argument):
        env = RLlibEnv(ToyEnv(), config)
        env.reset(seed=argument)
        env.reset(seed=argument)
        return env.env.seed

    assert seeds_of({"seed": 1}, 42) == seeds_of({"seed": 1}, 7) != seeds_of({"seed": 2}, 42)


def test_registered_name_makes_the_environment():
    name = register("toy", ToyEnv)
    env = _global_registry.get(ENV_CREATOR, name)({})
    assert isinstance(env, RLlibEnv)
    assert {role_of(a) for a in env.possible_agents} == {"router", "loader"}
