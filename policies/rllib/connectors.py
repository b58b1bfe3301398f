"""Pieces of RLlib's learner pipeline that several algorithms share."""

from __future__ import annotations

from typing import Any

import numpy as np
from ray.rllib.connectors.connector_v2 import ConnectorV2
from ray.rllib.core.columns import Columns

from policies.rllib.pairing import leads
from policies.rllib.scale import ReturnScale


class ScaleRewards(ConnectorV2):
    """Divides the rewards that the learner sees by the running standard deviation of the discounted return.

    Scenarios differ in the size of their rewards by orders of magnitude; networks and step sizes do not. One
    scale serves all agents. Only the learner's batch changes: episodes, and so every reported return, stay in
    the scenario's own units.

    Args:
        gamma: discount of a step.
        paired: learn from what is gained above other copies with the same patients (see `policies.rllib.pairing`).
    """

    def __init__(self, *args: Any, gamma: float, paired: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._scale = ReturnScale(gamma)
        self._paired = paired

    @property
    def scale(self) -> float:
        """Standard deviation of the discounted returns seen so far; 1 while they do not vary."""
        return self._scale.value

    def __call__(self, *, batch: dict[str, Any], episodes: list[Any], **_: Any) -> dict[str, Any]:
        """Add the column of scaled rewards; RLlib's later pieces leave alone a column that is there."""
        found = list(self.single_agent_episode_iterator(episodes, agents_that_stepped_only=False))
        if self._paired:
            gains = leads(found)
        else:
            gains = [np.asarray(episode.get_rewards(slice(0, len(episode))), np.float64) for episode in found]
        chunks = list(zip(found, gains, strict=True))
        for _episode, rewards in chunks:
            self._scale.update(rewards)
        for episode, rewards in chunks:
            scaled = (rewards / self.scale).astype(np.float32)
            self.add_n_batch_items(batch, Columns.REWARDS, scaled, len(scaled), episode)
        return batch
