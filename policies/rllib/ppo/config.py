"""RLlib configuration of masked PPO for any scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pettingzoo import ParallelEnv
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from policies.rllib.connectors import ScaleRewards
from policies.rllib.ppo.module import MaskedPPOModule
from policies.rllib.sharing import Share
from policies.rllib.stage import set_stage

GAMMA = 0.97
"""Discount for one decision: what happens 23 decisions later counts half. Beyond that, chance drowns the signal."""

HIDDEN = (128, 128)
"""Widths of the layers of actor and critic."""

TRAINING: dict[str, Any] = {
    "gamma": GAMMA,
    "lambda_": 0.9,
    "lr": 5e-4,
    "train_batch_size_per_learner": 2304,
    "minibatch_size": 512,
    "num_epochs": 6,
    "clip_param": 0.2,
    "entropy_coeff": 0.01,
    "vf_loss_coeff": 0.5,
    "vf_clip_param": float("inf"),
    "use_kl_loss": False,
    "grad_clip": 0.5,
    "grad_clip_by": "global_norm",
}
"""Settings of PPO and of what is built on it."""


def masked_ppo_config(
    scenario: str,
    *,
    seed: int = 0,
    make_env: Callable[[], ParallelEnv[str, Any, Any]] | None = None,
    share: Share = "role",
) -> PPOConfig:
    """A complete configuration, to be used as it is or changed with RLlib's own methods.

    `tune.run(PPO, config=masked_ppo_config("hospital_throughput"), stop={"training_iteration": 10})` trains.
    All agents are credited with the reward they receive.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file.
        seed: starts the weights, the exploration and the episodes.
        make_env: makes one environment, if it is not to be made from the scenario.
        share: which agents share a module: those of a `role`, or all of equal `shape`.
    """
    config: PPOConfig = (
        set_stage(scenario, make_env, share=share, label="" if share == "role" else f"/{share}")
        .apply(PPOConfig(), seed)
        .rl_module(rl_module_spec=RLModuleSpec(module_class=MaskedPPOModule, model_config={"hidden": HIDDEN}))
        .training(**TRAINING)
        .learners(learner_connector=_learner_connector)
    )
    return config


def _learner_connector(observation_space: Any, action_space: Any) -> ScaleRewards:
    return ScaleRewards(observation_space, action_space, gamma=GAMMA)
