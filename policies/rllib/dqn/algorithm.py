"""Independent DQN for RLlib, on joint transitions."""

from __future__ import annotations

from typing_extensions import override

from policies.rllib.joint.algorithm import Joint, joint_config
from policies.rllib.joint.learner import IndependentLearner
from policies.rllib.joint.values import JointQConfig
from policies.rllib.sharing import Share
from policies.rllib.stage import MakeEnv


class DQNConfig(JointQConfig):
    """Settings of independent DQN (see `JointQConfig`)."""

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or DQN)

    @override
    def get_default_learner_class(self) -> type:
        """Learns the value of each agent's own actions."""
        return IndependentLearner


class DQN(Joint):
    """Learns what each agent's actions are worth by the agent's own reward."""

    @classmethod
    @override
    def get_default_config(cls) -> DQNConfig:
        """The settings to start from."""
        return DQNConfig()


def dqn_config(scenario: str, *, seed: int = 0, make_env: MakeEnv | None = None, share: Share = "role") -> DQNConfig:
    """A complete configuration, to be used as it is or changed with RLlib's own methods.

    `tune.run(DQN, config=dqn_config("hospital_throughput"), stop={"training_iteration": 10})` trains.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file; only a label if `make_env` is given.
        seed: starts the weights, the exploration, the episodes and the draws from the buffer.
        make_env: makes one PettingZoo parallel environment, if it is not to be made from the scenario.
        share: which agents share a module: those of a `role`, or all of equal `shape`.
    """
    config = DQNConfig()
    joint_config(config, scenario, seed=seed, make_env=make_env, share=share)
    return config
