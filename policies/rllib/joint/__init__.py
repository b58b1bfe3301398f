"""Off-policy learning from joint transitions: what every agent saw, did and got in one and the same step."""

from policies.rllib.joint.algorithm import JointQ, JointQConfig
from policies.rllib.joint.module import QModule

__all__ = ["JointQ", "JointQConfig", "QModule"]
