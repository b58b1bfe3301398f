"""Masked PPO for RLlib, and its configuration for any scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from pettingzoo import ParallelEnv
from ray.rllib.algorithms.algorithm_config import NotProvided
from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from typing_extensions import override

from policies.rllib.connectors import ScaleRewards
from policies.rllib.discount import check_minutes
from policies.rllib.pairing import share_patients
from policies.rllib.ppo.advantages import AddDiscounts
from policies.rllib.ppo.learner import MaskedPPOLearner
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


class MaskedPPOConfig(PPOConfig):
    """PPO's settings, in what time rewards are discounted, and what they are compared with.

    Attributes:
        gamma_minutes: minutes in which the discount is `gamma`; None where it is that of a decision, the default unless
            decisions come at events (see `policies.rllib.discount.usual_minutes`).
        same_patients: so many sub-environments in a row meet the same patients, and what counts is what each gains
            above the others (see `policies.rllib.pairing`); 1 for patients of its own each.
    """

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or MaskedPPO)
        self.gamma_minutes: float | None = None
        self.same_patients = 1

    @override
    def training(self, *, gamma_minutes: Any = NotProvided, same_patients: Any = NotProvided, **settings: Any) -> Self:
        super().training(**settings)
        if same_patients is not NotProvided:
            self.same_patients = same_patients
        if gamma_minutes is not NotProvided:
            self.gamma_minutes = gamma_minutes
        return self

    @override
    def validate(self) -> None:
        """Find what cannot work before anything starts.

        Raises:
            PairingError: sub-environments do not come out even.
            ValueError: there is no time to discount by.
        """
        super().validate()
        share_patients(self, self.same_patients)
        check_minutes(self.algo_class.__name__, self.gamma_minutes)

    @override
    def get_default_rl_module_spec(self) -> RLModuleSpec:
        return RLModuleSpec(module_class=MaskedPPOModule)

    @override
    def get_default_learner_class(self) -> type:
        return MaskedPPOLearner

    @override
    def build_learner_connector(self, *args: Any, **kwargs: Any) -> Any:
        """RLlib's pipeline, before which rewards are scaled and discounts are added."""
        pipeline = super().build_learner_connector(*args, **kwargs)
        pipeline.prepend(AddDiscounts(gamma=self.gamma, minutes=self.gamma_minutes))
        pipeline.prepend(ScaleRewards(gamma=self.gamma, minutes=self.gamma_minutes, paired=self.same_patients > 1))
        return pipeline


class MaskedPPO(PPO):
    """RLlib's PPO, which learns from decisions only: where one action alone is legal, there was none."""

    @classmethod
    @override
    def get_default_config(cls) -> MaskedPPOConfig:
        return MaskedPPOConfig()


def masked_ppo_config(
    scenario: str,
    *,
    seed: int = 0,
    make_env: Callable[[], ParallelEnv[str, Any, Any]] | None = None,
    share: Share = "role",
) -> MaskedPPOConfig:
    """A complete configuration, to be used as it is or changed with RLlib's own methods.

    `tune.run(MaskedPPO, config=masked_ppo_config("hospital_throughput"), stop={"training_iteration": 10})` trains.
    All agents are credited with the reward they receive.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file.
        seed: starts the weights, the exploration and the episodes.
        make_env: makes one environment, if it is not to be made from the scenario.
        share: which agents share a module: those of a `role`, or all of equal `shape`.
    """
    config: MaskedPPOConfig = (
        set_stage(scenario, make_env, share=share, label="" if share == "role" else f"/{share}")
        .apply(MaskedPPOConfig(), seed)
        .rl_module(model_config={"hidden": HIDDEN})
        .training(**TRAINING)
    )
    return config
