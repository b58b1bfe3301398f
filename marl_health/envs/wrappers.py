"""The environment in another form, for learners that want it so."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Space
from pettingzoo.utils.wrappers import BaseParallelWrapper
from typing_extensions import override

from marl_health.envs.parallel import HealthParallelEnv, Observation
from marl_health.spec.components import COMPONENTS

_CARRIED = ("elapsed_minutes", *("reward_" + component for component in COMPONENTS))

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


class CarriedRewards(BaseParallelWrapper[str, Observation, int]):
    """Rewards are kept for an agent's next turn: for learners that take every step for a decision.

    At a step from which an agent goes on without a choice (``info["active"]`` is 0) it is paid nothing; at its next
    turn, or at the end, it gets all that was gained since its last one, with its components, and
    ``info["elapsed_minutes"]`` tells how long that was. So what an agent is paid adds up to the same, and rewards of
    different agents at one step are no longer alike. The learners of this distribution do not need it: to them a
    forced wait is no decision.

    Args:
        env: the environment to wrap.
    """

    def __init__(self, env: HealthParallelEnv) -> None:
        super().__init__(env)
        self.inner = env
        self._kept: dict[str, float] = {}
        self._told: dict[str, dict[str, float]] = {}

    @override
    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        self._kept = dict.fromkeys(self.inner.possible_agents, 0.0)
        self._told = {agent: dict.fromkeys(_CARRIED, 0.0) for agent in self._kept}
        return self.inner.reset(seed=seed, options=options)

    @override
    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        observations, rewards, terminations, truncations, infos = self.inner.step(actions)
        for agent, info in infos.items():
            told = {name: self._told[agent][name] + info[name] for name in _CARRIED}
            paid = self._kept[agent] + rewards[agent]
            nothing = dict.fromkeys(_CARRIED, 0.0)
            if info["active"] or terminations[agent] or truncations[agent]:
                self._kept[agent], self._told[agent] = 0.0, nothing
                rewards[agent] = paid
                info.update(told)
            else:
                self._kept[agent], self._told[agent] = paid, told
                rewards[agent] = 0.0
                info.update(nothing)
        return observations, rewards, terminations, truncations, infos
