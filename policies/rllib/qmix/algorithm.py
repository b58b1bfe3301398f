"""QMIX for RLlib."""

from __future__ import annotations

from typing_extensions import override

from policies.rllib.joint.algorithm import Joint
from policies.rllib.joint.learner import MixedLearner
from policies.rllib.joint.values import JointQConfig
from policies.rllib.qmix.mixer import MonotonicMixer


class QMIXConfig(JointQConfig):
    """Settings of QMIX (see `JointQConfig`)."""

    mixer = MonotonicMixer
    needs_state = True
    pays_the_team = True

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or QMIX)

    @override
    def get_default_learner_class(self) -> type:
        """Learns the mixed value."""
        return MixedLearner


class QMIX(Joint):
    """Learns what the team does together is worth; needs a reward that all agents share."""

    @classmethod
    @override
    def get_default_config(cls) -> QMIXConfig:
        """The settings to start from."""
        return QMIXConfig()
