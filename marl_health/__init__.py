"""marl-health: multi-agent simulation worlds of health care, written in YAML, stepped as PettingZoo environments."""

from __future__ import annotations

from typing import Any

from marl_health.envs.parallel import HealthParallelEnv
from marl_health.envs.registration import register_all
from marl_health.spec.errors import ScenarioError
from marl_health.spec.scenario import Scenario, load, packaged_scenarios

__version__ = "0.1.0"


def scenarios() -> list[str]:
    """Names of the packaged scenarios."""
    return list(packaged_scenarios())


def parallel_env(scenario: Any, **settings: Any) -> HealthParallelEnv:
    """Make the environment of a scenario: ``parallel_env("hospital_throughput")`` or the path of a YAML file.

    Args:
        scenario: a packaged scenario's name, the path of a YAML file, or a loaded scenario.
        settings: see :class:`marl_health.envs.HealthParallelEnv`.
    """
    return HealthParallelEnv(scenario, **settings)


register_all()

__all__ = ["HealthParallelEnv", "Scenario", "ScenarioError", "load", "parallel_env", "scenarios"]
