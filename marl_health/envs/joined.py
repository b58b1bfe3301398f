"""Several environments as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Space
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from typing_extensions import override

OF = "."
"""Between the name of a world and that of an agent in it, as in ``clinic.nurse_0``."""

Shown = tuple[dict[str, Any], dict[str, dict[str, Any]]]
"""Observations and infos."""


def world_of(agent: str) -> str:
    """The world that an agent of a :class:`JoinedEnv` is in."""
    return agent.partition(OF)[0]


def own_name(agent: str) -> str:
    """What an agent of a :class:`JoinedEnv` is called in its own world."""
    return agent.partition(OF)[2]


class JoinedEnv(ParallelEnv[str, Any, Any]):
    """Several worlds, side by side, whose agents all decide at once.

    Nothing passes from one world to another: they are one environment so that a learner or a wrapper can treat them as
    one. Agents are called ``<world>.<agent>``, and see, can do and are paid what they are in their own world. A step is
    one decision in every world that has not ended; agents leave when their world ends, and the episode ends with the
    last of them.

    Args:
        worlds: by name, which holds no dot.
    """

    def __init__(self, worlds: Mapping[str, ParallelEnv[str, Any, Any]]) -> None:
        if not worlds:
            raise ValueError("there is no world to join; give one at least")
        for name in worlds:
            if not name or OF in name:
                raise ValueError(f"'{name}' cannot name a world: a name is not empty and holds no '{OF}'")
        self.worlds = dict(worlds)
        self.metadata: dict[str, Any] = {"name": "joined_v0", "render_modes": [], "is_parallelizable": True}
        self.render_mode = None
        self._names = {
            (world, agent): f"{world}{OF}{agent}" for world, env in self.worlds.items() for agent in env.possible_agents
        }
        self.possible_agents = list(self._names.values())
        self.agents: list[str] = []
        self.observation_spaces = {full: self.worlds[w].observation_space(a) for (w, a), full in self._names.items()}
        self.action_spaces = {full: self.worlds[w].action_space(a) for (w, a), full in self._names.items()}
        spaces = [getattr(env, "state_space", None) for env in self.worlds.values()]
        boxes = [space for space in spaces if isinstance(space, Box)]
        if len(boxes) == len(spaces):
            low, high = (np.concatenate([getattr(box, end).ravel() for box in boxes]) for end in ("low", "high"))
            self.state_space = Box(low, high, dtype=np.float32)

    @override
    def observation_space(self, agent: str) -> Space[Any]:
        """The agent's observation space in its own world."""
        return self.observation_spaces[agent]

    @override
    def action_space(self, agent: str) -> Space[Any]:
        """The agent's action space in its own world."""
        return self.action_spaces[agent]

    @override
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Shown:
        """Begin an episode in every world.

        Args:
            seed: of the first world; the others have seeds made of it, all of them below 2**31 or none, as it is.
            options: ``{"seeds": {world: seed}}`` gives every world the seed that is named, instead. The rest is passed
                on to all worlds.
        """
        rest = dict(options or {})
        seeds: Mapping[str, int | None] | None = rest.pop("seeds", None)
        if seeds is None:
            seeds = {world: None if seed is None else _other(seed, k) for k, world in enumerate(self.worlds)}
        elif unknown := seeds.keys() ^ self.worlds.keys():
            raise ValueError(f"seeds: every world needs one, and no other; look at {', '.join(sorted(unknown))}")
        observations: dict[str, Any] = {}
        infos: dict[str, dict[str, Any]] = {}
        for world, env in self.worlds.items():
            seen, told = env.reset(seed=seeds[world], options=rest or None)
            observations |= self._full(world, seen)
            infos |= self._full(world, told)
        self._gather()
        return observations, infos

    def restart(self, world: str, seed: int | None = None) -> Shown:
        """Begin a new episode in one world while the others go on; its agents are back.

        This goes beyond what a PettingZoo environment does: for whoever keeps worlds of different length going, not
        for learners.
        """
        seen, told = self.worlds[world].reset(seed=seed)
        self._gather()
        return self._full(world, seen), self._full(world, told)

    @override
    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """One decision in every world that has not ended."""
        whole: tuple[dict[str, Any], ...] = ({}, {}, {}, {}, {})
        for world, env in self.worlds.items():
            if not env.agents:
                continue
            names = ((agent, self._names[world, agent]) for agent in env.agents)
            own = {agent: actions[full] for agent, full in names if full in actions}
            parts: tuple[Mapping[str, Any], ...] = env.step(own)
            for gathered, part in zip(whole, parts, strict=True):
                gathered |= self._full(world, part)
        self._gather()
        observations, rewards, terminations, truncations, infos = whole
        return observations, rewards, terminations, truncations, infos

    @override
    def state(self) -> NDArray[np.float32]:
        """The states of all worlds, one after the other.

        Raises:
            NotImplementedError: a world has none.
        """
        return np.concatenate([np.ravel(env.state()) for env in self.worlds.values()], dtype=np.float32)

    @override
    def render(self) -> None:
        """Nothing; render the worlds."""

    @override
    def close(self) -> None:
        """Close the worlds."""
        for env in self.worlds.values():
            env.close()  # type: ignore[no-untyped-call]

    def _full(self, world: str, part: Mapping[str, Any]) -> dict[str, Any]:
        return {self._names[world, agent]: value for agent, value in part.items()}

    def _gather(self) -> None:
        self.agents = [self._names[world, agent] for world, env in self.worlds.items() for agent in env.agents]


def _other(seed: int, number: int) -> int:
    """Another seed for every number, in the same half of 32 bits: training and evaluation never share one."""
    return seed ^ (number * 0x9E3779B1 & 0x7FFFFFFF)
