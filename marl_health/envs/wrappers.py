"""The environment in another form, for learners that want it so."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Space
from pettingzoo.utils.wrappers import BaseParallelWrapper
from typing_extensions import override

from marl_health.envs.parallel import HealthParallelEnv, Observation

Masked = dict[str, Any]
"""``{"observation": float32 (n,), "action_mask": int8 (actions,)}``."""


class DictObservations(BaseParallelWrapper[str, Masked, int]):
    """Observations as ``{"observation": ..., "action_mask": ...}``; ``info`` keeps the mask as well.

    Args:
        env: the environment to wrap.
    """

    def __init__(self, env: HealthParallelEnv) -> None:
        super().__init__(env)  # type: ignore[arg-type]  # the wrapper changes the type of observations
        self.inner = env
        self._spaces: dict[str, Space[Masked]] = {
            agent: Dict(
                observation=env.observation_space(agent),
                action_mask=Box(0, 1, (len(env.action_names(agent)),), np.int8),
            )
            for agent in env.possible_agents
        }

    @override
    def observation_space(self, agent: str) -> Space[Masked]:
        return self._spaces[agent]

    @override
    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Masked], dict[str, dict[str, Any]]]:
        observations, infos = self.inner.reset(seed=seed, options=options)
        return self._masked(observations, infos), infos

    @override
    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, Masked], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        observations, rewards, terminations, truncations, infos = self.inner.step(actions)
        return self._masked(observations, infos), rewards, terminations, truncations, infos

    @staticmethod
    def _masked(observations: dict[str, Observation], infos: dict[str, dict[str, Any]]) -> dict[str, Masked]:
        return {
            agent: {"observation": observation, "action_mask": infos[agent]["action_mask"]}
            for agent, observation in observations.items()
        }
