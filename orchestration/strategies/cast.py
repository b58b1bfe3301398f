"""Who acts in several workflows at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marl_health.envs.joined import OF, own_name, world_of
from orchestration.strategies.base import AGENT, Env
from policies import Policy


class Cast:
    """A policy for every workflow, which acts as if there were no other, and one for the coordinator if there is one.

    Args:
        env: the environment that a strategy has joined.
        policies: by workflow, its own. No two are the same object, since policies remember.
        coordinator: acts for the coordinator; needed where there is one.
    """

    def __init__(self, env: Any, policies: Mapping[str, Policy], coordinator: Policy | None = None) -> None:
        self._env, self._policies = env, policies
        self._coordinator = coordinator if AGENT in env.possible_agents else None

    def begin(self, world: str, seed: int) -> None:
        """Begin an episode of a workflow; its environment was reset just now.

        Raises:
            ValueError: its policy cannot act there.
        """
        self._policies[world].reset(self._env.worlds[world], seed)

    def begin_coordinator(self, seed: int) -> None:
        """Begin an episode of the coordinator, if there is one."""
        if self._coordinator is not None:
            self._coordinator.reset(Seat(self._env), seed)  # type: ignore[arg-type]

    def act(self, observations: Mapping[str, Any], infos: Mapping[str, Any]) -> dict[str, int]:
        """An action for everybody who is in the episode."""
        actions: dict[str, int] = {}
        for world, env in self._env.worlds.items():
            if env.agents:
                chosen = self._policies[world].act(env, own_part(observations, world), own_part(infos, world))
                actions |= {f"{world}{OF}{agent}": action for agent, action in chosen.items()}
        if self._coordinator is not None and AGENT in self._env.agents:
            actions |= self._coordinator.act(Seat(self._env), observations, infos)  # type: ignore[arg-type]
        return actions


class Seat:
    """The environment as the coordinator's policy takes it: nobody else is there."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self.possible_agents = [AGENT]

    @property
    def agents(self) -> list[str]:
        """The coordinator, while it is in the episode."""
        return [AGENT] if AGENT in self._env.agents else []

    def observation_space(self, agent: str) -> Any:
        """What it sees."""
        return self._env.observation_space(agent)

    def action_space(self, agent: str) -> Any:
        """What it can do."""
        return self._env.action_space(agent)


def own_part(values: Mapping[str, Any], world: str) -> dict[str, Any]:
    """What belongs to the agents of one workflow, by their own names."""
    return {own_name(agent): value for agent, value in values.items() if world_of(agent) == world}
