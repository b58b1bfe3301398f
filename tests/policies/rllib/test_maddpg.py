"""MADDPG: its critics see the state and everybody's actions, its actors their own observations; and it learns."""

import numpy as np
import pytest
import ray
import torch
from gymnasium.spaces import Box, Discrete
from ray.rllib.core.columns import Columns

from marl_health.adapters.rllib import masked_space, with_mask
from policies.rllib.algorithms import algorithm_config
from policies.rllib.discount import DISCOUNT
from policies.rllib.joint.replay import ALIVE, NEXT_ALIVE, NEXT_STATE, TEAM
from policies.rllib.maddpg import MADDPG, MADDPGModule
from policies.rllib.maddpg.learner import critic_inputs, of_others, with_each_action
from policies.rllib.state import STATE
from tests.policies.games import NoLuck


@pytest.fixture(scope="module")
def local_ray():
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def small(seed):
    config = algorithm_config("maddpg", "no_luck", seed=seed, make_env=NoLuck)
    config.env_runners(num_env_runners=0, num_envs_per_env_runner=8, rollout_fragment_length=4)
    config.training(updates=16, n_step=1, learning_starts=100, target_update=3, lr=5e-3, capacity=2000, gamma=0.99)
    config.rl_module(model_config={"hidden": (32,)})
    return config.reporting(min_sample_timesteps_per_iteration=500)


@pytest.mark.slow
def test_learns_to_act_together(local_ray):
    for seed in range(3):
        algorithm = small(seed).build_algo()
        algorithm.train()
        assert np.mean(algorithm.env_runner.play(range(20))) > 7.6, f"seed {seed}; random play earns 1.3, the best 8"


def test_restored_algorithm_acts_alike_and_goes_on(local_ray, tmp_path):
    algorithm = small(0).reporting(min_sample_timesteps_per_iteration=300).build_algo()
    algorithm.train()
    other = MADDPG.from_checkpoint(algorithm.save_to_path(str(tmp_path / "saved")))
    assert other.env_runner.play(range(8)) == algorithm.env_runner.play(range(8))
    weights, restored = (a.learner_group.get_state()["learner"]["rl_module"]["left"] for a in (algorithm, other))
    assert {name.split(".")[0] for name in weights} == {"pi", "q", "target_pi", "target_q"}
    for name, values in weights.items():
        np.testing.assert_array_equal(values, restored[name], err_msg=name)
    assert len(other.replay) == len(algorithm.replay) > 200
    other.train()


def test_everybodys_action_but_ones_own_stands_in_its_place():
    did = {"nurse": torch.tensor([[[1, 0], [0, 1]]]), "doctor": torch.tensor([[[0, 0, 1]]])}
    others = of_others(did)
    assert others["doctor"].tolist() == [[[0, 0, 0, 1, 0, 0, 1]]]
    assert others["nurse"].tolist() == [[[0, 0, 1, 0, 0, 0, 1], [0, 0, 1, 1, 0, 0, 0]]]
    state, seen = torch.tensor([[0.5]]), torch.tensor([[[0.1], [0.2]]])
    inputs = critic_inputs(state, seen, others["nurse"], did["nurse"])
    others_of_the_second = [0.5, 0.2, 0, 0, 1, 1, 0, 0, 0]
    assert inputs[0, 1].tolist() == pytest.approx([*others_of_the_second, 0, 1])
    each = with_each_action(inputs, 2)[0, 1]
    assert each[0].tolist() == pytest.approx([*others_of_the_second, 1, 0])
    assert each[1].tolist() == pytest.approx([*others_of_the_second, 0, 1])


def module(seed=0, **options):
    torch.manual_seed(seed)
    return MADDPGModule(
        observation_space=masked_space(Box(-1, 1, (4,), np.float32), Discrete(3)),
        action_space=Discrete(3),
        model_config={"hidden": (16,), "state_size": 2, "joint_actions": 6},
        **options,
    )


def test_acting_needs_the_actor_only_and_stays_legal():
    net = module(inference_only=True)
    assert {name.split(".")[0] for name in net.state_dict()} == {"pi"}
    with torch.no_grad():
        net.pi[-1].bias[:] = torch.tensor([0.0, 80.0, 40.0])  # the weights want what is illegal
    masks = np.array([[1, 0, 0], [1, 0, 1], [1, 1, 1]] * 50)
    rows = torch.tensor(np.stack([with_mask(np.zeros(4), mask, 3) for mask in masks]))
    logits = net.forward_exploration({Columns.OBS: rows})[Columns.ACTION_DIST_INPUTS]
    assert (torch.softmax(logits, -1).numpy()[masks == 0] == 0.0).all()
    assert logits.argmax(-1).tolist() == [0, 2, 1] * 50


def gradients(masks, rewards=1.0):
    """Gradients in the modules of two roles from one batch in which these moves were legal."""
    config = algorithm_config("maddpg", "no_luck", make_env=NoLuck)
    learner = config.get_default_learner_class()(config=config)
    learner._module = {"one": module(0), "two": module(1)}
    rng, size = np.random.default_rng(0), len(masks)
    flag = torch.ones(size, 1, dtype=torch.bool)
    batch = {TEAM: {Columns.TERMINATEDS: torch.zeros(size, dtype=torch.bool)}}
    batch[TEAM] |= {DISCOUNT: torch.full((size,), 0.9)}
    batch[TEAM] |= {STATE: torch.rand(size, 2), NEXT_STATE: torch.rand(size, 2)}
    for name, net in learner._module.items():
        net.make_target_networks()
        rows = torch.tensor(np.stack([with_mask(rng.normal(size=4), mask, 3) for mask in masks]))[:, None]
        batch[name] = {
            Columns.OBS: rows,
            Columns.NEXT_OBS: rows,
            Columns.ACTIONS: torch.zeros(size, 1, dtype=torch.int64),
            Columns.REWARDS: torch.full((size, 1), rewards),
            ALIVE: flag,
            NEXT_ALIVE: flag,
        }
    outputs = {name: net.forward_train(batch[name]) for name, net in learner._module.items()}
    torch.manual_seed(0)
    sum(learner.compute_losses(fwd_out=outputs, batch=batch).values()).backward()
    return {
        part: [p.grad for net in learner._module.values() for p in getattr(net, part).parameters()]
        for part in ("pi", "q", "target_pi", "target_q")
    }


def test_actors_and_critics_learn_from_their_own_losses():
    forced = gradients(np.array([[1, 0, 0]] * 8))
    assert all((g == 0).all() for g in forced["pi"]), "a forced move teaches no actor"
    free, richer = gradients(np.array([[1, 1, 1]] * 8)), gradients(np.array([[1, 1, 1]] * 8), rewards=5.0)
    assert any((g != 0).any() for g in free["pi"])
    for one, other in zip(free["pi"], richer["pi"], strict=True):
        torch.testing.assert_close(one, other)  # rewards reach an actor through its critic only
    assert any((one != other).any() for one, other in zip(free["q"], richer["q"], strict=True))
    assert all(g is None for part in ("target_pi", "target_q") for g in free[part])
