"""MADDPG for RLlib, on joint transitions."""

from __future__ import annotations

from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from typing_extensions import override

from policies.rllib.joint.algorithm import Joint, JointConfig
from policies.rllib.maddpg.learner import MADDPGLearner
from policies.rllib.maddpg.module import MADDPGModule


class MADDPGConfig(JointConfig):
    """Settings of MADDPG (see `JointConfig`)."""

    needs_state = True

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or MADDPG)

    @override
    def get_default_rl_module_spec(self) -> RLModuleSpec:
        options = {"state_size": self.state_size, "joint_actions": self.joint_actions}
        return RLModuleSpec(module_class=MADDPGModule, model_config=options)

    @override
    def get_default_learner_class(self) -> type:
        return MADDPGLearner


class MADDPG(Joint):
    """Learns actors that see what they observe with critics that see the state and what everybody does."""

    @classmethod
    @override
    def get_default_config(cls) -> MADDPGConfig:
        return MADDPGConfig()
