"""A coordinator sets what the agents of every workflow are paid for, and they see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, Space
from numpy.typing import NDArray
from pettingzoo.utils import BaseParallelWrapper
from typing_extensions import override

from marl_health.envs.joined import OF, JoinedEnv, Shown, world_of
from marl_health.spec.components import COMPONENTS
from orchestration.strategies.base import AGENT, Env, Strategy

EVERY = 4
"""Decisions of the others between two of the coordinator's."""

MOST = 1
"""A weight is 2 to a power from -MOST to MOST."""


class Weighed(BaseParallelWrapper[str, Any, Any]):
    """A world in which the components of the reward have weights, which all its agents observe.

    The weights are appended to every observation, as their powers of 2, and an agent is paid the weighted sum of the
    components in its ``info``, which stay as they are. New weights hold from the next decision on: whoever decides has
    seen by which weights it will be paid.

    Args:
        env: the world; its ``info`` tells the reward's components, as that of all our environments does.
        components: those that can have a weight other than 1; default: those that the scenario's score has.
    """

    def __init__(self, env: Env, components: Sequence[str] | None = None) -> None:
        super().__init__(env)
        self.components = tuple(scored(env) if components is None else components)
        self.powers = dict.fromkeys(self.components, 0)
        self._next = dict(self.powers)
        self._spaces = {agent: self._space(env.observation_space(agent)) for agent in env.possible_agents}

    def weigh(self, component: str, power: int) -> None:
        """Let a component weigh 2 to this power, from the next decision on."""
        self._next[component] = power

    @override
    def observation_space(self, agent: str) -> Space[Any]:
        return self._spaces[agent]

    @override
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Begin an episode, in which every component weighs 1."""
        observations, infos = self.env.reset(seed=seed, options=options)
        self._next = dict.fromkeys(self.components, 0)
        return self._told(observations), infos

    @override
    def step(self, actions: dict[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        """One decision, paid by the weights that it was made under."""
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        paid = {agent: float(reward + self._extra(infos[agent])) for agent, reward in rewards.items()}
        return self._told(observations), paid, terminations, truncations, infos

    def _extra(self, info: Mapping[str, Any]) -> float:
        """What the weights add to the reward."""
        return sum((2.0**power - 1.0) * info["reward_" + name] for name, power in self.powers.items() if power)

    def _told(self, observations: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        self.powers = dict(self._next)
        word = [power / MOST for power in self.powers.values()]
        return {agent: np.concatenate([seen, word], dtype=np.float32) for agent, seen in observations.items()}

    def _space(self, space: Any) -> Box:
        ends = np.ones(len(self.components), np.float32)
        low, high = np.concatenate([space.low, -ends]), np.concatenate([space.high, ends])
        return Box(low, high, dtype=np.float32)


class Coordinator(BaseParallelWrapper[str, Any, Any]):
    """Adds an agent that raises and lowers the weights of the others' rewards, one component of one world at a time.

    It sees of every world whether it goes on, its state, and its weights; it decides every so many decisions of the
    others, and can only wait in between. It is paid what all worlds gain, unweighted.

    Args:
        env: the worlds, each of them :class:`Weighed`.
        every: decisions of the others between two of the coordinator's.
    """

    def __init__(self, env: JoinedEnv, every: int = EVERY) -> None:
        super().__init__(env)
        self._worlds: dict[str, Any] = env.worlds
        self._every = every
        self._decisions = 0
        self._illegal = 0
        self._moves = [
            (world, component, change)
            for world, weighed in self._worlds.items()
            for component in weighed.components
            for change in (1, -1)
        ]
        self.possible_agents = [*env.possible_agents, AGENT]
        weights = sum(len(weighed.components) for weighed in self._worlds.values())
        size = len(self._worlds) + env.state_space.shape[0] + weights
        self._sees = Box(-1.0, 1.0, (size,), np.float32)
        self._can = Discrete(1 + len(self._moves))

    @property
    def agents(self) -> list[str]:
        """Those in the episode; the coordinator leaves with the last of them."""
        others = self.env.agents
        return [*others, AGENT] if others else []

    @override
    def observation_space(self, agent: str) -> Space[Any]:
        return self._sees if agent == AGENT else self.env.observation_space(agent)

    @override
    def action_space(self, agent: str) -> Space[Any]:
        return self._can if agent == AGENT else self.env.action_space(agent)

    def action_names(self) -> list[str]:
        """Name of each of the coordinator's actions."""
        words = {1: "raise", -1: "lower"}
        return ["wait", *(f"{words[change]} {world}{OF}{component}" for world, component, change in self._moves)]

    @override
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Begin an episode."""
        observations, infos = self.env.reset(seed=seed, options=options)
        self._decisions = self._illegal = 0
        return observations | {AGENT: self._look()}, infos | {AGENT: self._info({}, infos)}

    def restart(self, world: str, seed: int | None = None) -> Shown:
        """As :meth:`JoinedEnv.restart`; the coordinator looks again."""
        observations, infos = self.env.restart(world, seed)  # type: ignore[attr-defined]
        return observations | {AGENT: self._look()}, infos | {AGENT: self._info({}, infos)}

    @override
    def step(self, actions: dict[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        """One decision of everybody; what the coordinator sets holds from the next one on."""
        move = int(actions.get(AGENT, 0))
        if move and self._mask()[move]:
            world, component, change = self._moves[move - 1]
            self._worlds[world].weigh(component, self._worlds[world].powers[component] + change)
        elif move:
            self._illegal += 1
        others = {agent: action for agent, action in actions.items() if agent != AGENT}
        observations, rewards, terminations, truncations, infos = self.env.step(others)
        self._decisions += 1
        over = not self.env.agents
        info = self._info(_true_gains(infos), infos)
        cut = over and any(truncations.values())
        return (
            observations | {AGENT: self._look()},
            rewards | {AGENT: sum(info["reward_" + name] for name in COMPONENTS)},
            terminations | {AGENT: over and not cut},
            truncations | {AGENT: cut},
            infos | {AGENT: info},
        )

    def _look(self) -> NDArray[np.float32]:
        goes_on = [1.0 if weighed.agents else -1.0 for weighed in self._worlds.values()]
        weights = [power / MOST for weighed in self._worlds.values() for power in weighed.powers.values()]
        return np.concatenate([goes_on, self.env.state(), weights], dtype=np.float32)

    def _mask(self) -> NDArray[np.int8]:
        mask = np.zeros(self._can.n, np.int8)
        mask[0] = 1
        if self._decisions % self._every == 0:
            for number, (world, component, change) in enumerate(self._moves, start=1):
                weighed = self._worlds[world]
                mask[number] = bool(weighed.agents) and abs(weighed.powers[component] + change) <= MOST
        return mask

    def _info(self, gained: Mapping[str, float], infos: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        mask = self._mask()
        return {
            **{"reward_" + name: gained.get(name, 0.0) for name in COMPONENTS},
            "action_mask": mask,
            "active": float(mask.sum() > 1),
            "elapsed_minutes": max((info.get("elapsed_minutes", 0.0) for info in infos.values()), default=0.0),
            "illegal_actions": float(self._illegal),
        }


class Hierarchical(Strategy):
    """All workflows learn at once for their own rewards, whose weights a coordinator learns to set."""

    name = "hierarchical"
    together = True
    coordinated = True
    pays_all_alike = False

    @override
    def join(self, worlds: Mapping[str, Env]) -> Env:
        """Weighed worlds and their coordinator."""
        return Coordinator(JoinedEnv({name: Weighed(world) for name, world in worlds.items()}))


def scored(env: Any) -> list[str]:
    """The components that an environment's scenario has a score for."""
    return [name for name in COMPONENTS if getattr(env.scenario.spec.score, name)]


def _true_gains(infos: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """By component, what all worlds gained: in each the mean over its agents."""
    worlds = dict.fromkeys(map(world_of, infos))
    own = {world: [info for agent, info in infos.items() if world_of(agent) == world] for world in worlds}
    return {name: sum(fmean(info["reward_" + name] for info in of_it) for of_it in own.values()) for name in COMPONENTS}
