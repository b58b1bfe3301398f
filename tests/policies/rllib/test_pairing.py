"""Copies of a world that meet the same patients: what chance brings to all of them is not learned from."""

from types import SimpleNamespace

import numpy as np
import pytest
import ray
import torch
from pettingzoo.utils import BaseParallelWrapper
from ray.rllib.env.single_agent_episode import SingleAgentEpisode

from marl_health.adapters.rllib import PATIENTS
from policies.rllib.algorithms import algorithm_config
from policies.rllib.joint.algorithm import Joint
from policies.rllib.joint.replay import JointReplay
from policies.rllib.pairing import PairingError, leads
from policies.rllib.runner import BatchedEnvRunner
from policies.rllib.scale import ReturnScale
from tests.policies.toy_env import STEPS, ToyEnv


class Fate(BaseParallelWrapper):
    """Pays, besides, what the seed of the episode and the step decide: a thousand times what actions earn."""

    def reset(self, seed=None, options=None):
        self.luck = iter(np.random.default_rng(seed).normal(0.0, 1000.0, STEPS))
        return super().reset(seed, options)

    def step(self, actions):
        observations, rewards, *rest = super().step(actions)
        luck = next(self.luck)
        return observations, {agent: reward + luck for agent, reward in rewards.items()}, *rest


def fated():
    return Fate(ToyEnv())


def chunk(agent, patients, rewards, start=0, told=True):
    n = len(rewards)
    info = {PATIENTS: patients} if told else {}
    return SingleAgentEpisode(
        agent_id=agent,
        observations=[0.0] * (n + 1),
        infos=[info] * (n + 1),
        actions=[0] * n,
        rewards=rewards,
        t_started=start,
        len_lookback_buffer=0,
    )


def test_a_lead_is_over_the_others_at_the_same_time_only():
    found = leads(
        [
            chunk("a", 1, [1.0, 2.0, 3.0]),
            chunk("a", 1, [4.0, 0.0]),  # ended sooner
            chunk("a", 1, [7.0, 4.0]),
            chunk("a", 1, [9.0, 9.0], start=2),  # goes on from a chunk before
            chunk("a", 2, [5.0, 5.0]),  # alone with its patients
            chunk("b", 1, [8.0]),  # another agent
        ]
    )
    assert found[0].tolist() == [1 - 5.5, 2 - 2.0, 3 - 9.0]
    assert found[1].tolist() == [4 - 4.0, 0 - 3.0]
    assert found[2].tolist() == [7 - 2.5, 4 - 1.0]
    assert found[3].tolist() == [9 - 3.0, 0.0]
    assert found[4].tolist() == [0.0, 0.0]
    assert found[5].tolist() == [0.0]


def test_environments_that_do_not_tell_are_an_error():
    with pytest.raises(PairingError, match="same_patients"):
        leads([chunk("a", 1, [1.0], told=False)])


@pytest.mark.parametrize("name", ["mappo", "qmix"])
def test_sub_environments_have_to_come_out_even(name):
    config = algorithm_config(name, "toy", make_env=ToyEnv).env_runners(num_envs_per_env_runner=6)
    with pytest.raises(PairingError, match="same_patients is 4, but num_envs_per_env_runner is 6"):
        config.training(same_patients=4).validate()


def sampled(make_env):
    """Eight episodes, four with one seed and four with another, and the configuration that they were played with."""
    config = algorithm_config("qmix", make_env.__name__, seed=1, make_env=make_env)
    config.env_runners(num_env_runners=0, num_envs_per_env_runner=8)
    config.training(same_patients=4)
    config.validate()
    torch.manual_seed(1)
    return BatchedEnvRunner(config=config, worker_index=1).sample(num_timesteps=8 * STEPS), config


def test_luck_that_all_share_changes_nothing():
    learned = {}
    for make_env in (ToyEnv, fated):
        episodes, config = sampled(make_env)
        seeds = [episode.agent_episodes["loader_0"].get_infos(0)[PATIENTS] for episode in episodes]
        assert len(set(seeds[:4])) == len(set(seeds[4:])) == 1 and len(set(seeds)) == 2
        own = [episode.agent_episodes["loader_0"] for episode in episodes]
        learned[make_env] = np.array(leads(own))
        kept = SimpleNamespace(config=config, replay=JointReplay(1000, seed=0), scale=ReturnScale())
        Joint._keep(kept, episodes)
        rows = kept.replay._columns[("team",)][: 8 * (STEPS + 1)].reshape(8, STEPS + 1)[:, :-1]
        assert np.allclose(rows, learned[make_env]), "so is what the buffer keeps"
        assert 0.1 < kept.scale.value < 10.0
    assert np.abs(learned[ToyEnv]).max() > 0.1
    assert np.allclose(learned[ToyEnv], learned[fated], atol=1e-6)


@pytest.fixture(scope="module")
def local_ray():
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.mark.slow
def test_what_fate_hides_is_learned_in_company_only(local_ray):
    """MAPPO on the toy, whose rewards are drowned: with companions it learns as if nothing were."""
    reached = {}
    for copies in (1, 8):
        config = algorithm_config("mappo", "fated", seed=3, make_env=fated)
        config.env_runners(num_env_runners=0, num_envs_per_env_runner=16)
        config.training(same_patients=copies, train_batch_size_per_learner=16 * STEPS * 2, entropy_coeff=0.0)
        algorithm = config.build_algo()
        for _ in range(50):
            algorithm.train()
        greedy = algorithm.env_runner.play(range(40))
        fate = [np.random.default_rng(seed).normal(0.0, 1000.0, STEPS).sum() for seed in range(40)]
        reached[copies] = np.mean(np.array(greedy) - fate)
        algorithm.stop()
    env, optima = ToyEnv(), []
    for seed in range(40):
        env.reset(seed=seed)
        optima.append(env.optimal_return())
    assert reached[8] > 0.8 * np.mean(optima)
    assert reached[1] < 0.5 * np.mean(optima)
