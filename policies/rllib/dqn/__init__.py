"""Independent double DQN (Tampuu et al. 2017, arXiv 1511.08779; van Hasselt et al. 2016, arXiv 1509.06461), masked."""

from policies.rllib.dqn.algorithm import DQN, DQNConfig

__all__ = ["DQN", "DQNConfig"]
