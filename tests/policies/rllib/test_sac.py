"""Discrete SAC: it learns, stays as random as it is told, never takes an illegal action, and goes on where it was."""

import numpy as np
import pytest
import ray
import torch
from gymnasium.spaces import Box, Discrete
from ray.rllib.core.columns import Columns

from marl_health.adapters.rllib import masked_space, with_mask
from policies.rllib.algorithms import algorithm_config
from policies.rllib.discount import DISCOUNT
from policies.rllib.joint.replay import ALIVE, COUNTS, NEXT_ALIVE, TEAM
from policies.rllib.sac import SAC, SACModule
from tests.policies.games import NoLuck


@pytest.fixture(scope="module")
def local_ray():
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def small(seed):
    config = algorithm_config("sac", "no_luck", seed=seed, make_env=NoLuck)
    config.env_runners(num_env_runners=0, num_envs_per_env_runner=8, rollout_fragment_length=4)
    config.training(updates=16, n_step=1, learning_starts=100, target_update=3, lr=5e-3, capacity=2000, gamma=0.99)
    config.rl_module(model_config={"hidden": (32,)})
    return config.reporting(min_sample_timesteps_per_iteration=400)


@pytest.mark.slow
def test_learns_and_stays_as_random_as_it_is_told(local_ray):
    for seed in range(3):
        algorithm = small(seed).build_algo()
        algorithm.train()
        assert np.mean(algorithm.env_runner.play(range(20))) > 7.6, f"seed {seed}; random play earns 1.3, the best 8"
    for _ in range(2):
        result = algorithm.train()
    for role, actions in (("left", 3), ("right", 2)):
        assert result["learners"][role]["entropy"] == pytest.approx(0.3 * np.log(actions), abs=0.06), role


def module(**options):
    torch.manual_seed(0)
    return SACModule(
        observation_space=masked_space(Box(-1, 1, (4,), np.float32), Discrete(3)),
        action_space=Discrete(3),
        model_config={"hidden": (16,)},
        **options,
    )


def rows_with(masks):
    rng = np.random.default_rng(0)
    rows = [with_mask(rng.normal(size=4), mask, 3) for mask in masks]
    return torch.tensor(np.stack(rows))[:, None]


def test_illegal_actions_are_never_drawn():
    net = module()
    with torch.no_grad():
        net.pi[-1].bias[:] = torch.tensor([0.0, 80.0, 40.0])  # the weights want what is illegal
    masks = np.array([[1, 0, 0], [1, 0, 1], [1, 1, 1]] * 100)
    logits = net.forward_exploration({Columns.OBS: rows_with(masks)[:, 0]})[Columns.ACTION_DIST_INPUTS]
    assert (torch.softmax(logits, -1).numpy()[masks == 0] == 0.0).all()
    taken = net.get_exploration_action_dist_cls().from_logits(logits).sample().numpy()
    assert masks[np.arange(300), taken].all()


def trained_on(masks, counts=True):
    """A role's module with the gradients of one batch in which these moves were legal, at both ends."""
    config = algorithm_config("sac", "no_luck", make_env=NoLuck)
    learner = config.get_default_learner_class()(config=config)
    net = module()
    net.make_target_networks()
    batch = {
        Columns.OBS: rows_with(masks),
        Columns.NEXT_OBS: rows_with(masks),
        Columns.ACTIONS: torch.zeros(len(masks), 1, dtype=torch.int64),
        Columns.REWARDS: torch.ones(len(masks), 1),
        ALIVE: torch.ones(len(masks), 1, dtype=torch.bool),
        NEXT_ALIVE: torch.ones(len(masks), 1, dtype=torch.bool),
        COUNTS: torch.full((len(masks), 1), counts),
        DISCOUNT: torch.full((len(masks), 1), 0.9),
    }
    team = {Columns.TERMINATEDS: torch.zeros(len(masks), dtype=torch.bool)}
    learner._module = {"role": net}
    losses = learner.compute_losses(
        fwd_out={"role": net.forward_train(batch)},
        batch={"role": batch, TEAM: team},
    )
    losses["role"].backward()
    return net


def moved(parameters):
    return any(p.grad is not None and bool(p.grad.abs().max() > 1e-9) for p in parameters)


def test_forced_moves_teach_the_critics_only_and_only_where_a_chunk_begins():
    assert not moved(trained_on(np.array([[1, 0, 0]] * 8), counts=False).parameters())
    net = trained_on(np.array([[1, 0, 0]] * 8))
    assert moved(net.q.parameters())
    assert not moved(net.pi.parameters())
    assert net.log_temperature.grad == 0.0
    free = trained_on(np.array([[1, 0, 1]] * 8))
    assert moved(free.pi.parameters())
    assert free.log_temperature.grad != 0.0
    assert all(torch.isfinite(p.grad).all() for p in free.parameters() if p.grad is not None)
    assert not moved(free.target_q.parameters())


def test_acting_needs_the_actor_only():
    net = module(inference_only=True)
    assert {name.split(".")[0] for name in net.state_dict()} == {"pi"}


def test_restored_algorithm_acts_alike_and_goes_on(local_ray, tmp_path):
    algorithm = small(0).build_algo()
    algorithm.train()
    other = SAC.from_checkpoint(algorithm.save_to_path(str(tmp_path / "saved")))
    assert other.env_runner.play(range(8)) == algorithm.env_runner.play(range(8))
    weights, restored = (a.learner_group.get_state()["learner"]["rl_module"]["left"] for a in (algorithm, other))
    assert "log_temperature" in weights
    assert any(name.startswith("target_q") for name in weights)
    for name, values in weights.items():
        np.testing.assert_array_equal(values, restored[name], err_msg=name)
    assert len(other.replay) == len(algorithm.replay) > 300
    other.train()
