"""Environments: the one ParallelEnv over any world, its Gymnasium view, registration, pictures."""

from marl_health.envs.parallel import HealthParallelEnv

__all__ = ["HealthParallelEnv"]
