"""QMIX and VDN on the two-step game that tells them apart; the mixer is monotonic; a checkpoint holds everything."""

import numpy as np
import pytest
import ray
import torch
from ray import tune
from ray.rllib.core.columns import Columns

from marl_health.adapters.rllib import with_mask
from policies.registry import make
from policies.rllib.algorithms import algorithm_config
from policies.rllib.joint.mixer import team_spec
from policies.rllib.joint.replay import NEXT_STATE, TEAM
from policies.rllib.qmix import QMIX, MonotonicMixer
from policies.rllib.state import STATE
from policies.rllib.vdn import VDN
from tests.policies.games import Later, NoLuck, TwoSteps
from tests.policies.saving import saves
from tests.policies.toy_env import ToyEnv


@pytest.fixture(scope="module", autouse=True)
def local_ray():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def small(config):
    """The paper explores at random throughout; so the data say nothing of what is being learned."""
    config.env_runners(num_env_runners=0, num_envs_per_env_runner=8, rollout_fragment_length=4)
    config.training(
        epsilon=1.0, updates=16, n_step=1, learning_starts=100, target_update=3, lr=5e-3, capacity=2000, gamma=0.99
    )
    config.rl_module(model_config={"hidden": (32,)})
    return config.reporting(min_sample_timesteps_per_iteration=800)


def values_of_the_second_step(algorithm):
    """The learned value of each pair of actions in the state that pays [[0, 1], [1, 8]], in units of the reward."""
    modules = algorithm.learner_group._learner.module
    seen = torch.from_numpy(with_mask(np.eye(3)[2], None, 2))[None]
    first, second = (modules[m].forward_inference({Columns.OBS: seen})[Columns.ACTION_DIST_INPUTS][0] for m in "ab")
    pairs = torch.stack([torch.stack([x, y]) for x in first for y in second])
    with torch.no_grad():
        mixed = modules[TEAM].mix(pairs, {STATE: torch.eye(3)[2].repeat(4, 1)})
    return (mixed * algorithm.scale.value).numpy().reshape(2, 2)


class Named(TwoSteps):
    """The same game; modules in the order of the payoffs' axes."""

    shapes = {"a_0": (3, 2), "b_0": (3, 2)}

    def play(self, actions):
        return super().play({"first_0": actions["a_0"], "second_0": actions["b_0"]})


@pytest.mark.slow
@pytest.mark.parametrize(("name", "best"), [("qmix", 8.0), ("vdn", 7.0)])
def test_two_step_game(name, best):
    for seed in range(5):
        algorithm = small(algorithm_config(name, "two_steps", seed=seed, make_env=Named)).build_algo()
        algorithm.train()
        assert algorithm.env_runner.play([0]) == [best], f"seed {seed}"
        learned = values_of_the_second_step(algorithm)
        if best == 8.0:
            np.testing.assert_allclose(learned, Named.payoffs[2], atol=0.7, err_msg=f"seed {seed}")
        else:
            # The least squares of a sum, for payoffs met equally often.
            np.testing.assert_allclose(learned, [[-1.5, 2.5], [2.5, 6.5]], atol=0.7, err_msg=f"seed {seed}")


def test_no_agents_value_can_lower_the_teams():
    torch.manual_seed(0)
    spec = team_spec(MonotonicMixer, agents=5, state_size=7, width=16)
    mixer = spec.build()
    for parameter in mixer.parameters():
        torch.nn.init.normal_(parameter, std=2.0)  # whatever the weights
    mixer.make_target_networks()
    values = (10 * torch.randn(500, 5)).requires_grad_()
    team = {STATE: torch.randn(500, 7), NEXT_STATE: torch.randn(500, 7)}
    for mix in (mixer.mix, mixer.mix_ahead):
        (gradient,) = torch.autograd.grad(mix(values, team).sum(), values)
        assert (gradient >= 0).all()
        assert (gradient > 0).float().mean() > 0.9
    other = {STATE: torch.randn(500, 7)}
    assert not torch.allclose(mixer.mix(values, team), mixer.mix(values, other)), "the state decides how"


def test_reward_of_ones_own_stops_the_training():
    class Owned(ToyEnv):
        def step(self, actions):
            seen, rewards, *rest = super().step(actions)
            return seen, rewards | {"loader_0": rewards["loader_0"] - 1.0}, *rest

    with pytest.raises(ValueError, match="VDN needs a reward that all agents share"):
        small(algorithm_config("vdn", "owned", make_env=Owned)).build_algo().train()
    small(algorithm_config("dqn", "owned", make_env=Owned)).build_algo().train()


def test_checkpoint_holds_networks_targets_buffer_and_scale(tmp_path):
    config = small(algorithm_config("qmix", "two_steps", seed=1, make_env=Named))
    algorithm = config.reporting(min_sample_timesteps_per_iteration=300).build_algo()
    algorithm.train()
    other = QMIX.from_checkpoint(algorithm.save_to_path(str(tmp_path / "saved")))
    assert other.env_runner.play([0]) == algorithm.env_runner.play([0])
    np.testing.assert_array_equal(values_of_the_second_step(other), values_of_the_second_step(algorithm))
    assert len(other.replay) == len(algorithm.replay) >= 300
    assert other.scale.value == algorithm.scale.value != 1.0
    drawn, again = (a.replay.sample(50, steps=2) for a in (algorithm, other))
    for module, part in drawn.policy_batches.items():
        for name, values in part.items():
            np.testing.assert_array_equal(values, again[module][name], err_msg=f"{module} {name}")
    weights, restored = (a.learner_group.get_state()["learner"]["rl_module"] for a in (algorithm, other))
    assert any(name.startswith("target_network") for name in weights[TEAM])
    for module in weights:
        for name, values in weights[module].items():
            np.testing.assert_array_equal(values, restored[module][name], err_msg=f"{module} {name}")
    before = restored["a"]["q.1.weight"].copy()
    other.train()
    assert (other.learner_group.get_state()["learner"]["rl_module"]["a"]["q.1.weight"] != before).any()


def test_trains_through_tune_and_is_a_policy_by_name(tmp_path):
    facts = {"algorithm": "vdn", "agents": ToyEnv().possible_agents}
    config = small(algorithm_config("vdn", "toy", seed=1, make_env=ToyEnv))
    config.reporting(min_sample_timesteps_per_iteration=300)
    config.callbacks(saves(tmp_path / "checkpoint", facts))
    stop = {"training_iteration": 2}
    trial = tune.run(VDN, config=config, stop=stop, storage_path=str(tmp_path), verbose=0).trials[0]
    assert trial.last_result["env_runners"]["num_env_steps_sampled_lifetime"] >= 600
    policy, env = make(str(tmp_path / "checkpoint")), ToyEnv()
    assert policy.name == "vdn"
    observations, infos = env.reset(seed=0)
    policy.reset(env, 0)
    while env.agents:
        observations, _, _, _, infos = env.step(policy.act(env, observations, infos))
        assert not any(i["illegal_actions"] for i in infos.values())


@pytest.mark.slow
def test_independent_learners_act_together_on_what_each_sees_alone():
    for seed in range(3):
        config = small(algorithm_config("dqn", "no_luck", seed=seed, make_env=NoLuck)).training(
            epsilon=[[0, 1.0], [800, 0.1]]
        )
        algorithm = config.reporting(min_sample_timesteps_per_iteration=800).build_algo()
        algorithm.train()
        assert np.mean(algorithm.env_runner.play(range(20))) > 7.6, f"seed {seed}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qmix", "dqn"])
def test_several_steps_credit_what_pays_later_unseen(name):
    def earned(n_step):
        config = small(algorithm_config(name, "later", seed=0, make_env=Later)).training(n_step=n_step)
        algorithm = config.reporting(min_sample_timesteps_per_iteration=600).build_algo()
        algorithm.train()
        return algorithm.env_runner.play([0])[0]

    assert earned(n_step=1) == pytest.approx(0.0)
    assert earned(n_step=3) == pytest.approx(3.8)
