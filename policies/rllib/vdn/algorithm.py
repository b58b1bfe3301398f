"""VDN for RLlib."""

from __future__ import annotations

from typing_extensions import override

from policies.rllib.joint.algorithm import Joint
from policies.rllib.joint.learner import MixedLearner
from policies.rllib.joint.mixer import SumMixer
from policies.rllib.joint.values import JointQConfig


class VDNConfig(JointQConfig):
    """Settings of VDN (see `JointQConfig`)."""

    mixer = SumMixer
    pays_the_team = True

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or VDN)

    @override
    def get_default_learner_class(self) -> type:
        """Learns the mixed value."""
        return MixedLearner


class VDN(Joint):
    """Learns what the team does together is worth; needs a reward that all agents share."""

    @classmethod
    @override
    def get_default_config(cls) -> VDNConfig:
        """The settings to start from."""
        return VDNConfig()
