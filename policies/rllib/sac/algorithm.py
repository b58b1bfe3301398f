"""Independent soft actor-critic for RLlib, on joint transitions."""

from __future__ import annotations

from typing import Any, Self

from ray.rllib.algorithms.algorithm_config import NotProvided
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from typing_extensions import override

from policies.rllib.joint.algorithm import Joint, JointConfig, joint_config
from policies.rllib.sac.learner import SACLearner
from policies.rllib.sac.module import SACModule
from policies.rllib.sharing import Share
from policies.rllib.stage import MakeEnv


class SACConfig(JointConfig):
    """Settings of independent SAC (see `JointConfig`).

    Attributes:
        entropy_share: how random the actor is kept: a share of the entropy of a draw among all actions that are legal.
    """

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


def sac_config(scenario: str, *, seed: int = 0, make_env: MakeEnv | None = None, share: Share = "role") -> SACConfig:
    """A complete configuration, to be used as it is or changed with RLlib's own methods.

    `tune.run(SAC, config=sac_config("hospital_throughput"), stop={"training_iteration": 10})` trains.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file; only a label if `make_env` is given.
        seed: starts the weights, the exploration, the episodes and the draws from the buffer.
        make_env: makes one PettingZoo parallel environment, if it is not to be made from the scenario.
        share: which agents share a module: those of a `role`, or all of equal `shape`.
    """
    config = SACConfig()
    joint_config(config, scenario, seed=seed, make_env=make_env, share=share)
    return config
