"""Independent DQN for RLlib, on joint transitions."""

from __future__ import annotations

from typing_extensions import override

from policies.rllib.joint.algorithm import Joint
from policies.rllib.joint.learner import IndependentLearner
from policies.rllib.joint.values import JointQConfig


class DQNConfig(JointQConfig):
    """Settings of independent DQN (see `JointQConfig`)."""

    own_decisions = True

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
