"""Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347), masked, one module per role."""

from policies.rllib.ppo.config import MaskedPPO, MaskedPPOConfig, masked_ppo_config
from policies.rllib.ppo.module import MaskedPPOModule

__all__ = ["MaskedPPO", "MaskedPPOConfig", "MaskedPPOModule", "masked_ppo_config"]
