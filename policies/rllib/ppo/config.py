"""RLlib configuration of masked PPO for any scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pettingzoo import ParallelEnv
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.policy.policy import PolicySpec

from marl_health.adapters.rllib import env_maker, register, role_of
from policies.rllib.connectors import ScaleRewards
from policies.rllib.ppo.module import MaskedPPOModule
from policies.rllib.runner import BatchedEnvRunner

GAMMA = 0.97
"""Discount for one decision: what happens 23 decisions later counts half. Beyond that, chance drowns the signal."""


def masked_ppo_config(
    scenario: str,
    *,
    seed: int = 0,
    make_env: Callable[[], ParallelEnv[str, Any, Any]] | None = None,
) -> PPOConfig:
    """A complete configuration, to be used as it is or changed with RLlib's own methods.

    `tune.run(PPO, config=masked_ppo_config("hospital_throughput"), stop={"training_iteration": 10})` trains.
    Every role has one module, which its agents share; all agents are credited with the reward they receive.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file.
        seed: starts the weights, the exploration and the episodes.
        make_env: makes one environment, if it is not to be made from the scenario.
    """
    make_env = make_env or env_maker(scenario)
    name = register(scenario, make_env)
    probe = make_env()
    roles = sorted({role_of(agent) for agent in probe.possible_agents})
    probe.close()
    return (
        PPOConfig()
        # RLlib's check of the environment answers any error in it with a lecture on old Gym versions.
        .environment(name, env_config={"seed": seed}, disable_env_checking=True)
        .debugging(seed=seed, log_level="ERROR")
        .env_runners(env_runner_cls=BatchedEnvRunner, num_env_runners=2, num_envs_per_env_runner=8)
        # A failed environment must stop the run, not be replaced in silence.
        .fault_tolerance(restart_failed_env_runners=False)
        # A dictionary, since the order of a set of names, and with it the draw of the weights, varies by process.
        .multi_agent(policies={role: PolicySpec() for role in roles}, policy_mapping_fn=role_of)
        .rl_module(rl_module_spec=RLModuleSpec(module_class=MaskedPPOModule, model_config={"hidden": (128, 128)}))
        .training(
            gamma=GAMMA,
            lambda_=0.9,
            lr=5e-4,
            train_batch_size_per_learner=2304,
            minibatch_size=512,
            num_epochs=6,
            clip_param=0.2,
            entropy_coeff=0.01,
            vf_loss_coeff=0.5,
            vf_clip_param=float("inf"),
            use_kl_loss=False,
            grad_clip=0.5,
            grad_clip_by="global_norm",
        )
        # The mean return of an iteration is then that of all episodes that ended in it.
        .reporting(metrics_num_episodes_for_smoothing=10_000)
        .learners(learner_connector=_learner_connector)
    )


def _learner_connector(observation_space: Any, action_space: Any) -> ScaleRewards:
    return ScaleRewards(observation_space, action_space, gamma=GAMMA)
