"""MADDPG (Lowe et al. 2017, arXiv 1706.02275) for discrete actions, masked, with exact gradients for the actors."""

from policies.rllib.maddpg.algorithm import MADDPG, MADDPGConfig
from policies.rllib.maddpg.module import MADDPGModule

__all__ = ["MADDPG", "MADDPGConfig", "MADDPGModule"]
