"""An environment that changes its scenario with the stage of a curriculum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pettingzoo.utils import BaseParallelWrapper
from typing_extensions import override

from marl_health import HealthParallelEnv
from orchestration.episodes import ScenarioRef


class Staged(BaseParallelWrapper[str, Any, Any]):
    """Plays the scenario of the stage that was entered last, from the next episode on.

    Attributes:
        stage: whose scenario is played.

    Args:
        stages: the scenario of each; agents, and what they see and can do, are the same in all.
    """

    def __init__(self, stages: Sequence[ScenarioRef]) -> None:
        self._stages = list(stages)
        self._made: dict[int, HealthParallelEnv] = {}
        self._entered = 0
        self.stage = 0
        super().__init__(self._env())

    def enter(self, stage: int) -> None:
        """Go to the stage of this number; the episode under way is played to its end."""
        self._entered = stage

    @override
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Begin an episode at the stage that was entered."""
        self.env, self.stage = self._env(), self._entered
        return self.env.reset(seed=seed, options=options)

    def _env(self) -> HealthParallelEnv:
        if self._entered not in self._made:
            self._made[self._entered] = HealthParallelEnv(self._stages[self._entered].load())
        return self._made[self._entered]


def enter_stage(runner: Any, stage: int) -> None:
    """Let all environments of an RLlib env runner go to a stage; those that know no stages stay as they are."""
    for outer in getattr(runner.env, "envs", ()):
        env = outer.unwrapped
        while not isinstance(env, Staged) and hasattr(env, "env"):
            env = env.env
        if isinstance(env, Staged):
            env.enter(stage)
