"""The policies that every other one is measured against: do nothing, do anything, always do the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from marl_health import HealthParallelEnv
from marl_health.spec.suggest import did_you_mean
from policies.base import PolicyError, role_of

WAIT = 0
Infos = Mapping[str, Mapping[str, Any]]


class WaitPolicy:
    """Everybody always waits."""

    name = "wait"

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Nothing to prepare."""

    def act(self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Infos) -> dict[str, int]:
        """Wait."""
        return dict.fromkeys(env.agents, WAIT)


class RandomPolicy:
    """Each agent picks one of its legal moves, waiting included, with equal chances."""

    name = "random"

    def __init__(self) -> None:
        self._generator = np.random.default_rng(0)

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Start the random numbers anew."""
        self._generator = np.random.default_rng(seed)

    def act(self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Infos) -> dict[str, int]:
        """Pick among the legal moves."""
        actions = {}
        for agent in env.agents:
            legal = np.flatnonzero(infos[agent]["action_mask"])
            actions[agent] = int(legal[self._generator.integers(len(legal))])
        return actions


class ConstantPolicy:
    """Some roles repeat one action whenever it is legal; they wait otherwise, and the other roles always wait.

    Args:
        wanted: role to action: its name as in ``env.action_names``, or its number.
    """

    def __init__(self, wanted: Mapping[str, str]) -> None:
        self.name = "constant:" + ",".join(f"{role}={action}" for role, action in wanted.items())
        self._wanted = dict(wanted)
        self._actions: dict[str, int] = {}

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Find the actions in this environment.

        Raises:
            PolicyError: if there is no such role, or it has no such action.
        """
        roles = list(dict.fromkeys(role_of(agent) for agent in env.possible_agents))
        for role in self._wanted:
            if role not in roles:
                raise PolicyError(
                    f"policy '{self.name}': '{env.scenario.name}' has no role '{role}'{did_you_mean(role, roles)}"
                )
        self._actions = {
            agent: self._number(env, agent, self._wanted[role])
            for agent in env.possible_agents
            if (role := role_of(agent)) in self._wanted
        }

    def _number(self, env: HealthParallelEnv, agent: str, action: str) -> int:
        names = env.action_names(agent)
        if action in names:
            return names.index(action)
        if action.isdecimal() and int(action) < len(names):
            return int(action)
        raise PolicyError(
            f"policy '{self.name}': {role_of(agent)} has no action '{action}'{did_you_mean(action, names)}; "
            f"it has {len(names)}, numbered from 0; 'marl-health show {env.scenario.name}' lists them"
        )

    def act(self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Infos) -> dict[str, int]:
        """Repeat."""
        actions = {}
        for agent in env.agents:
            action = self._actions.get(agent, WAIT)
            actions[agent] = action if infos[agent]["action_mask"][action] else WAIT
        return actions
