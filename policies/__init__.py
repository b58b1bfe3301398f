"""Policies: anything that maps observations to actions (rules, look-ahead, learned modules)."""

from policies.base import Policy, PolicyError
from policies.registry import FORMS, check, make

__all__ = ["FORMS", "Policy", "PolicyError", "check", "make"]
