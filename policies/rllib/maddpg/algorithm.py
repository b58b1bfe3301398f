"""MADDPG for RLlib, on joint transitions."""

from __future__ import annotations

from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from typing_extensions import override

from policies.rllib.joint.algorithm import Joint, JointConfig, joint_config
from policies.rllib.maddpg.learner import MADDPGLearner
from policies.rllib.maddpg.module import MADDPGModule
from policies.rllib.sharing import Share
from policies.rllib.stage import MakeEnv


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


def maddpg_config(
    scenario: str, *, seed: int = 0, make_env: MakeEnv | None = None, share: Share = "role"
) -> MADDPGConfig:
    """A complete configuration, to be used as it is or changed with RLlib's own methods.

    `tune.run(MADDPG, config=maddpg_config("hospital_throughput"), stop={"training_iteration": 10})` trains.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file; only a label if `make_env` is given.
        seed: starts the weights, the exploration, the episodes and the draws from the buffer.
        make_env: makes one PettingZoo parallel environment, if it is not to be made from the scenario.
        share: which agents share a module: those of a `role`, or all of equal `shape`.
    """
    config = MADDPGConfig()
    joint_config(config, scenario, seed=seed, make_env=make_env, share=share)
    return config
