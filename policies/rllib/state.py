"""The global state on its way from the environment to what is trained with it, past those who act.

The environment's `state()` travels in `info`, where no module looks, as one array that all agents of a step share. A
learner's connector adds it to the batch, agent by agent and step by step; so an actor cannot depend on it, roles of any
shape can be trained with it, and agents may leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from pettingzoo.utils import BaseParallelWrapper
from ray.rllib.connectors.connector_v2 import ConnectorV2
from typing_extensions import override

STATE = "global_state"
"""Key of the state in `info`, and its column in a batch."""


class SharesState(BaseParallelWrapper[str, Any, Any]):
    """Puts the global state into everybody's `info`.

    Where an environment has no `state()`, what all agents observe, side by side, is taken for it.
    """

    @override
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Begin an episode."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return observations, self._share(observations, infos)

    @override
    def step(self, actions: dict[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        """One joint step."""
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        return observations, rewards, terminations, truncations, self._share(observations, infos)

    def _share(self, observations: Mapping[str, Any], infos: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        state = global_state(self.env, observations)
        return {agent: {**infos.get(agent, {}), STATE: state} for agent in observations}


class AddState(ConnectorV2):
    """Adds to the learner's batch, for every step of every agent, the global state that this step was decided in."""

    @override
    def __call__(self, *, batch: dict[str, Any], episodes: list[Any], **_: Any) -> dict[str, Any]:
        """Add the column.

        Raises:
            KeyError: the environment shares no state.
        """
        for episode in self.single_agent_episode_iterator(episodes, agents_that_stepped_only=False):
            infos = episode.get_infos(slice(0, len(episode)))
            if infos and STATE not in infos[0]:
                raise KeyError(f"no '{STATE}' in info: wrap the environment in policies.rllib.state.SharesState")
            self.add_n_batch_items(batch, STATE, np.stack([i[STATE] for i in infos]), len(infos), episode)
        return batch


def global_state(env: ParallelEnv[Any, Any, Any], observations: Mapping[Any, Any]) -> NDArray[np.float32]:
    """The state as a flat array of its own; zeros stand for what agents that have left would observe."""
    try:
        return np.array(env.state(), np.float32).ravel()
    except NotImplementedError:
        parts = []
        for agent in env.possible_agents:
            seen = observations.get(agent)
            parts.append(np.zeros(env.observation_space(agent).shape, np.float32) if seen is None else seen)
        return np.concatenate([np.ravel(part) for part in parts], dtype=np.float32)


def state_size(env: ParallelEnv[Any, Any, Any]) -> int:
    """How many numbers the state has; starts an episode to find out."""
    observations, _ = env.reset(seed=0)
    return len(global_state(env, observations))
