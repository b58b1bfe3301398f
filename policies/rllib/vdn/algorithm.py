"""VDN for RLlib."""

from __future__ import annotations

from typing_extensions import override

from policies.rllib.joint.algorithm import Joint, joint_config
from policies.rllib.joint.learner import MixedLearner
from policies.rllib.joint.mixer import SumMixer
from policies.rllib.joint.values import JointQConfig
from policies.rllib.sharing import Share
from policies.rllib.stage import MakeEnv


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


def vdn_config(scenario: str, *, seed: int = 0, make_env: MakeEnv | None = None, share: Share = "role") -> VDNConfig:
    """A complete configuration, to be used as it is or changed with RLlib's own methods.

    `tune.run(VDN, config=vdn_config("hospital_throughput"), stop={"training_iteration": 10})` trains.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file; only a label if `make_env` is given.
        seed: starts the weights, the exploration, the episodes and the draws from the buffer.
        make_env: makes one PettingZoo parallel environment, if it is not to be made from the scenario.
        share: which agents share a module: those of a `role`, or all of equal `shape`.
    """
    config = VDNConfig()
    joint_config(config, scenario, seed=seed, make_env=make_env, share=share)
    return config
