"""Independent soft actor-critic for discrete actions (Christodoulou 2019, arXiv 1910.07207), masked."""

from policies.rllib.sac.algorithm import SAC, SACConfig
from policies.rllib.sac.module import SACModule

__all__ = ["SAC", "SACConfig", "SACModule"]
