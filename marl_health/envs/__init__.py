"""Environments: the one ParallelEnv over any world, its Gymnasium view, registration, pictures.

Every packaged scenario also has a module here, as PettingZoo's environments have:
``from marl_health.envs import hospital_throughput_v0``. They are made when ``marl_health`` is imported.
"""

from typing import TYPE_CHECKING, Any

from marl_health.envs.parallel import HealthParallelEnv

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Tell type checkers of the scenarios' modules, which have no files."""


__all__ = ["HealthParallelEnv"]
