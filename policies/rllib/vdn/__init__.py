"""Value decomposition (Sunehag et al. 2017, arXiv 1706.05296): the team's value is the sum of the agents' values."""

from policies.rllib.vdn.algorithm import VDN, VDNConfig

__all__ = ["VDN", "VDNConfig"]
