"""QMIX (Rashid et al. 2018, arXiv 1803.11485): the team's value is a monotonic function of the agents' values."""

from policies.rllib.qmix.algorithm import QMIX, QMIXConfig
from policies.rllib.qmix.mixer import MonotonicMixer

__all__ = ["QMIX", "MonotonicMixer", "QMIXConfig"]
