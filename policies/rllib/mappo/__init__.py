"""Multi-agent PPO with a critic that sees the global state (Yu et al. 2022, arXiv 2103.01955), masked."""

from policies.rllib.mappo.algorithm import MAPPO, MAPPOConfig, mappo_config
from policies.rllib.mappo.module import CentralCriticModule

__all__ = ["MAPPO", "CentralCriticModule", "MAPPOConfig", "mappo_config"]
