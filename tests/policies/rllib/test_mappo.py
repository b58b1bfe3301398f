"""MAPPO: the critic sees the state of its own timestep, the actor never does, and that makes the difference."""

import numpy as np
import pytest
import ray
import torch
from gymnasium.spaces import Box, Discrete
from ray import tune
from ray.rllib.algorithms.ppo import PPO
from ray.rllib.core.columns import Columns
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner

from marl_health.adapters.rllib import masked_space, with_mask
from policies.registry import make
from policies.rllib.mappo import MAPPO, CentralCriticModule, mappo_config
from policies.rllib.ppo import masked_ppo_config
from policies.rllib.runner import BatchedEnvRunner
from policies.rllib.state import STATE, SharesState
from tests.adapters.leaving_env import LeavingEnv
from tests.policies.games import LuckyTeam, NoLuck
from tests.policies.saving import saves
from tests.policies.toy_env import ToyEnv


@pytest.fixture(scope="module")
def local_ray():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


class Recorded(LeavingEnv):
    """Agents that leave; every observation names its episode and step, every state is drawn at random and kept."""

    episodes = 0
    states = {}

    def __init__(self):
        super().__init__([("terminated", 2), ("truncated", 5), ("terminated", 7), ("truncated", 7)], shape=(2,))
        self.possible_agents = ["nurse_0", "nurse_1", "doctor_0", "porter_0"]

    def reset(self, seed=None, options=None):
        Recorded.episodes += 1
        self.number = Recorded.episodes
        self.rng = np.random.default_rng(self.number)
        _, infos = super().reset(seed)
        self._draw()
        return self._seen(self.agents), infos

    def step(self, actions):
        before = self.agents
        _, *rest = super().step(actions)
        self._draw()
        return self._seen(before), *rest

    def state(self):
        return self.states[self.number, self.t]

    def _draw(self):
        self.states[self.number, self.t] = self.rng.random(5).astype(np.float32)

    def _seen(self, agents):
        return {a: np.array([self.number, self.t], np.float32) for a in agents}


@pytest.mark.parametrize("kind", [BatchedEnvRunner, MultiAgentEnvRunner])
def test_critic_gets_exactly_the_state_of_its_timestep(kind):
    config = mappo_config("recorded", make_env=Recorded)
    config.env_runners(num_envs_per_env_runner=2, env_runner_cls=kind)
    runner = kind(config=config, worker_index=1)
    learner = config.build_learner(env=runner.env.envs[0].unwrapped)
    rows, bootstraps = 0, 0
    for _ in range(3):
        episodes = runner.sample(num_timesteps=22)  # cuts episodes of 7 steps in the middle
        batch = learner._learner_connector(
            rl_module=learner.module, batch={}, episodes=episodes, shared_data={}, metrics=learner.metrics
        )
        assert batch.keys() == {"nurse", "doctor", "porter"}
        for of_role in batch.values():
            seen, states, real = (of_role[k].numpy() for k in (Columns.OBS, STATE, Columns.LOSS_MASK))
            assert len(seen) == len(states) == len(real)
            for (number, t), state in zip(seen[:, :2], states, strict=True):
                np.testing.assert_array_equal(state, Recorded.states[number, t])
            rows, bootstraps = rows + real.sum(), bootstraps + (~real).sum()
    assert rows > 150
    assert bootstraps > 15


def module(inference_only=False):
    torch.manual_seed(0)
    return CentralCriticModule(
        observation_space=masked_space(Box(-1, 1, (4,), np.float32), Discrete(3)),
        action_space=Discrete(3),
        inference_only=inference_only,
        model_config={"hidden": (16,), "state_size": 5},
    )


def test_actor_acts_on_its_own_observation_and_the_critic_values_the_state():
    whole, acting = module(), module(inference_only=True)
    assert not hasattr(acting, "vf")
    row = torch.from_numpy(with_mask(np.array([0.3, -0.2, 0.9, 0.1]), np.array([1, 0, 1]), 3))[None]
    acting.load_state_dict({k: v for k, v in whole.state_dict().items() if k.startswith("pi.")})
    alone = acting.forward_exploration({Columns.OBS: row})[Columns.ACTION_DIST_INPUTS]
    one, other = ({Columns.OBS: row, STATE: torch.randn(1, 5)} for _ in range(2))
    for batch in (one, other):
        torch.testing.assert_close(whole.forward_train(batch)[Columns.ACTION_DIST_INPUTS], alone)
    assert torch.softmax(alone, -1)[0, 1] == 0.0
    assert whole.compute_values(one) != whole.compute_values(other)
    unlike = {Columns.OBS: row + torch.tensor([0.5, 0, 0, 0, 0, 0, 0]), STATE: one[STATE]}
    assert whole.compute_values(one) != whole.compute_values(unlike), "what the agent sees counts too"


def test_state_of_unknown_size_is_an_error():
    with pytest.raises(ValueError, match="state_size"):
        CentralCriticModule(
            observation_space=Box(-1, 1, (7,), np.float32), action_space=Discrete(3), model_config={"hidden": (16,)}
        )


def test_environment_that_shares_no_state_is_an_error():
    config = masked_ppo_config("toy", make_env=ToyEnv)
    runner = BatchedEnvRunner(config=config, worker_index=1)
    learner = mappo_config("toy", make_env=ToyEnv).build_learner(env=runner.env.envs[0].unwrapped)
    with pytest.raises(KeyError, match="SharesState"):
        learner._learner_connector(
            rl_module=learner.module, batch={}, episodes=runner.sample(num_timesteps=9), shared_data={}
        )


def test_without_a_state_all_observations_are_the_state():
    env = SharesState(LeavingEnv([("terminated", 1), ("truncated", 2)]))
    _, infos = env.reset(seed=0)
    env.step({"walker_0": 0, "walker_1": 0})
    *_, infos = env.step({"walker_1": 0})
    np.testing.assert_array_equal(infos["walker_1"][STATE], np.float32([0, 0, 0, 0.2, 0.2, 0.2]))


def skill(algorithm):
    """What the greedy policy earns by skill in 40 episodes; the best is 8, random play earns 1.3."""
    env, earned = LuckyTeam(), []
    for seed, value in zip(range(40), algorithm.env_runner.play(range(40)), strict=True):
        env.reset(seed=seed)
        earned.append(value - env.steps * env.luck * env.fortune)
    return np.mean(earned)


def small(config):
    config.env_runners(num_env_runners=0)
    config.training(train_batch_size_per_learner=512, minibatch_size=128, num_epochs=4, lr=5e-3)
    return config


@pytest.mark.slow
def test_learns_where_a_critic_without_the_state_does_not(local_ray):
    def trained(make_config, seed):
        algorithm = small(make_config("lucky", seed=seed, make_env=LuckyTeam)).build_algo()
        for _ in range(7):
            algorithm.train()
        return skill(algorithm)

    assert all(trained(mappo_config, seed) > 7.6 for seed in range(3))
    assert all(trained(masked_ppo_config, seed) < 6.5 for seed in range(3))


@pytest.mark.slow
def test_independent_critics_do_where_there_is_no_luck(local_ray):
    for seed in range(3):
        algorithm = small(masked_ppo_config("no_luck", seed=seed, make_env=NoLuck)).build_algo()
        for _ in range(7):
            algorithm.train()
        earned = np.mean(algorithm.env_runner.play(range(20)))
        assert earned > 7.6, f"seed {seed}; random play earns 1.3, the best 8"


def test_trains_through_tune_and_is_a_policy_by_name(local_ray, tmp_path):
    facts = {"algorithm": "mappo", "agents": ToyEnv().possible_agents}
    config = small(mappo_config("toy", seed=1, make_env=ToyEnv))
    config.callbacks(saves(tmp_path / "checkpoint", facts))
    result = tune.run(
        MAPPO, config=config, stop={"training_iteration": 2}, storage_path=str(tmp_path), verbose=0
    ).trials[0]
    assert result.last_result["training_iteration"] == 2
    policy, env = make(str(tmp_path / "checkpoint")), ToyEnv()
    assert policy.name == "mappo"
    observations, infos = env.reset(seed=0)
    policy.reset(env, 0)
    while env.agents:
        observations, _, _, _, infos = env.step(policy.act(env, observations, infos))
        assert not any(i["illegal_actions"] for i in infos.values())


def test_restored_algorithm_acts_and_learns_alike(local_ray, tmp_path):
    algorithm = small(mappo_config("lucky", seed=0, make_env=LuckyTeam)).build_algo()
    algorithm.train()
    path = algorithm.save_to_path(str(tmp_path / "saved"))
    other = MAPPO.from_checkpoint(path)
    assert isinstance(other, MAPPO)
    assert isinstance(other, PPO)
    assert other.env_runner.play(range(8)) == algorithm.env_runner.play(range(8))
    states = [a.learner_group.get_state()["learner"]["rl_module"] for a in (algorithm, other)]
    for role in states[0]:
        for name, weights in states[0][role].items():
            np.testing.assert_array_equal(weights, states[1][role][name], err_msg=f"{role} {name}")
