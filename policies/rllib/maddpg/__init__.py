"""MADDPG for discrete actions (Lowe et al. 2017, arXiv 1706.02275), masked, by straight-through Gumbel-softmax."""

from policies.rllib.maddpg.algorithm import MADDPG, MADDPGConfig, maddpg_config
from policies.rllib.maddpg.module import MADDPGModule

__all__ = ["MADDPG", "MADDPGConfig", "MADDPGModule", "maddpg_config"]
