"""Which roles share one module, and how such a module knows for whom it acts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from pettingzoo.utils import BaseParallelWrapper
from typing_extensions import override

from marl_health.adapters.rllib import role_of

Share = Literal["role", "shape"]
"""`role`: the agents of a role share a module. `shape`: so do all roles that observe as many numbers (flat `Box`) and
have as many actions (`Discrete`) as each other."""

AND = "+"
"""Between the roles in the name of a module that several share."""


def modules_of(env: ParallelEnv[Any, Any, Any], share: Share) -> dict[str, str]:
    """The module of each role, in the order of the roles' names.

    Raises:
        ValueError: for an unknown way of sharing.
    """
    if share not in get_args(Share):
        raise ValueError(f"share is one of {', '.join(map(repr, get_args(Share)))}, not {share!r}")
    roles = sorted({role_of(agent) for agent in env.possible_agents})
    if share == "role":
        return {role: role for role in roles}
    shapes = {role_of(agent): _shape(env, agent) for agent in env.possible_agents}
    alike: dict[Any, list[str]] = defaultdict(list)
    for role in roles:
        alike[shapes[role] or role].append(role)
    return {role: AND.join(sharers) for sharers in alike.values() for role in sharers}


def roles_in(module: str) -> list[str]:
    """The roles that a module acts for."""
    return module.split(AND)


def module_for(modules: Mapping[str, str], agent: Any, *_: Any, **__: Any) -> str:
    """The module of an agent; bound to `modules`, RLlib's `policy_mapping_fn`."""
    return modules[role_of(agent)]


def told(modules: Iterable[str]) -> dict[str, list[float]]:
    """By role, what is appended to its observation: which one it is of those that share its module.

    A role with a module of its own is told nothing and is left out.
    """
    groups = [roles_in(module) for module in modules]
    return {
        role: [float(i == place) for i in range(len(roles))]
        for roles in groups
        if len(roles) > 1
        for place, role in enumerate(roles)
    }


class TellsRole(BaseParallelWrapper[str, Any, Any]):
    """Appends to the observations of roles that share a module which of them it is.

    Args:
        env: the environment.
        words: by role, the numbers to append (see `told`).
    """

    def __init__(self, env: ParallelEnv[str, Any, Any], words: Mapping[str, list[float]]) -> None:
        super().__init__(env)
        self._words = {role: np.array(numbers, np.float32) for role, numbers in words.items()}
        self._spaces = {agent: self._space(agent) for agent in env.possible_agents}

    @override
    def observation_space(self, agent: str) -> Any:
        """The agent's observation space; the same object at each call."""
        return self._spaces[agent]

    @override
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Begin an episode."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return self._tell(observations), infos

    @override
    def step(self, actions: dict[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        """One joint step."""
        observations, *rest = self.env.step(actions)
        return self._tell(observations), *rest  # type: ignore[return-value]

    def _tell(self, observations: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {agent: with_word(seen, self._words.get(role_of(agent))) for agent, seen in observations.items()}

    def _space(self, agent: str) -> Any:
        space = self.env.observation_space(agent)
        word = self._words.get(role_of(agent))
        if word is None:
            return space
        assert isinstance(space, Box)
        low = np.concatenate([space.low, np.zeros(len(word))]).astype(np.float32)
        high = np.concatenate([space.high, np.ones(len(word))]).astype(np.float32)
        return Box(low, high, dtype=np.float32)


def with_word(observation: NDArray[Any], word: NDArray[np.float32] | list[float] | None) -> NDArray[Any]:
    """The observation, then what the role is told; itself if it is told nothing."""
    return observation if word is None else np.concatenate([observation, word], dtype=np.float32)


def _shape(env: ParallelEnv[Any, Any, Any], agent: Any) -> tuple[int, int] | None:
    """Numbers observed and actions; None where they are of another kind, which nobody shares."""
    seen, actions = env.observation_space(agent), env.action_space(agent)
    flat = isinstance(seen, Box) and len(seen.shape) == 1 and isinstance(actions, Discrete)
    return (int(seen.shape[0]), int(actions.n)) if flat else None
