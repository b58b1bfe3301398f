"""Masked PPO: the mask is absolute, rewards are scaled for the learner only, and it learns."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from ray.rllib.core.columns import Columns
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.single_agent_episode import SingleAgentEpisode

from policies.rllib.connectors import ScaleRewards
from policies.rllib.ppo import MaskedPPOModule, masked_ppo_config
from tests.policies.toy_env import ToyEnv


def module(inference_only=False):
    torch.manual_seed(0)
    return MaskedPPOModule(
        observation_space=Box(-1, 1, (5 + 4,), np.float32),
        action_space=Discrete(4),
        inference_only=inference_only,
        model_config={"hidden": (16, 16)},
    )


def batch(masks):
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.uniform(-1, 1, (len(masks), 5)), masks], axis=1)
    return {Columns.OBS: torch.tensor(rows, dtype=torch.float32)}


def test_illegal_action_has_probability_exactly_zero():
    masks = np.array([[1, 0, 1, 0], [1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1]])
    net = module()
    with torch.no_grad():
        net.pi[-1].bias[:] = torch.tensor([-50.0, 50.0, 0.0, 80.0])  # the weights want what is illegal
    logits = net.forward_exploration(batch(masks))[Columns.ACTION_DIST_INPUTS]
    probabilities = torch.softmax(logits, -1).numpy()
    assert (probabilities[masks == 0] == 0.0).all()
    np.testing.assert_allclose(probabilities.sum(-1), 1, rtol=1e-6)
    distribution = net.get_exploration_action_dist_cls().from_logits(logits)
    drawn = torch.stack([distribution.sample() for _ in range(2000)])
    assert masks[np.arange(4)[None], drawn.numpy()].all()
    assert torch.isfinite(distribution.entropy()).all()


def test_forced_move_adds_nothing_to_the_policy_gradient():
    net = module()
    forced = batch(np.array([[1, 0, 0, 0]] * 8))
    distribution = net.get_train_action_dist_cls().from_logits(net.forward_train(forced)[Columns.ACTION_DIST_INPUTS])
    (distribution.logp(torch.zeros(8)).sum() + distribution.entropy().sum()).backward()
    assert all(p.grad is None or not p.grad.any() for p in net.pi.parameters())
    net.compute_values(forced).sum().backward()
    assert any(p.grad.any() for p in net.vf.parameters()), "the critic still learns from it"


def test_inference_only_module_has_no_critic():
    assert not hasattr(module(inference_only=True), "vf")


def test_module_refuses_continuous_actions():
    with pytest.raises(ValueError, match="Discrete"):
        MaskedPPOModule(
            observation_space=Box(-1, 1, (5,), np.float32),
            action_space=Box(-1, 1, (2,), np.float32),
            model_config={"hidden": (8,)},
        )


def test_runner_never_sends_an_illegal_action():
    config = masked_ppo_config("toy", make_env=ToyEnv).env_runners(num_envs_per_env_runner=4)
    episodes = MultiAgentEnvRunner(config=config, worker_index=1).sample(num_timesteps=400)
    infos = [i for e in episodes for s in e.agent_episodes.values() for i in s.get_infos()]
    assert len(infos) > 1000
    assert not any(i["illegal_actions"] for i in infos)


def test_rewards_are_scaled_by_the_deviation_of_returns_in_the_batch_only():
    gamma = 0.9
    rng = np.random.default_rng(0)
    rewards = [rng.normal(-300, 50, n) for n in (30, 7, 1)]
    episodes = []
    for i, values in enumerate(rewards):
        episodes.append(
            SingleAgentEpisode(
                id_=str(i),
                observations=[np.zeros(1)] * (len(values) + 1),
                actions=[0] * len(values),
                rewards=list(values),
                len_lookback_buffer=0,
            )
        )
    connector = ScaleRewards(gamma=gamma)
    added = connector(batch={}, episodes=episodes, rl_module=None)[Columns.REWARDS]
    returns = []
    for values in rewards:
        tail = 0.0
        for value in values[::-1]:
            tail = value + gamma * tail
            returns.append(tail)
    assert connector.scale == pytest.approx(np.std(returns))
    scaled = np.concatenate([np.ravel(v) for v in added.values()])
    np.testing.assert_allclose(scaled, np.concatenate(rewards) / np.std(returns), rtol=1e-6)
    assert episodes[0].get_return() == pytest.approx(rewards[0].sum())


def test_rewards_that_never_vary_stay_as_they_are():
    connector = ScaleRewards(gamma=0.9)
    episode = SingleAgentEpisode(observations=[0, 0, 0], actions=[0, 0], rewards=[0.0, 0.0], len_lookback_buffer=0)
    connector(batch={}, episodes=[episode], rl_module=None)
    assert connector.scale == 1.0
