"""Independent soft actor-critic for RLlib, on joint transitions."""

from __future__ import annotations

from typing import Any, Self

from ray.rllib.algorithms.algorithm_config import NotProvided
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from typing_extensions import override

from policies.rllib.joint.algorithm import Joint, JointConfig
from policies.rllib.sac.learner import SACLearner
from policies.rllib.sac.module import SACModule


class SACConfig(JointConfig):
    """Settings of independent SAC (see `JointConfig`).

    Attributes:
        entropy_share: how random the actor is kept: a share of the entropy of a draw among all actions that are legal.
    """

    own_decisions = True

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or SAC)
        self.entropy_share = 0.3

    @override
    def training(self, *, entropy_share: Any = NotProvided, **settings: Any) -> Self:
        super().training(**settings)
        if entropy_share is not NotProvided:
            self.entropy_share = entropy_share
        return self

    @override
    def get_default_rl_module_spec(self) -> RLModuleSpec:
        return RLModuleSpec(module_class=SACModule)

    @override
    def get_default_learner_class(self) -> type:
        return SACLearner


class SAC(Joint):
    """Learns actors that stay as random as they are told to, each by its own reward."""

    @classmethod
    @override
    def get_default_config(cls) -> SACConfig:
        return SACConfig()
