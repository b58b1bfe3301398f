"""Pieces of RLlib's learner pipeline that several algorithms share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray.rllib.connectors.connector_v2 import ConnectorV2
from ray.rllib.core.columns import Columns
from scipy.signal import lfilter


class ScaleRewards(ConnectorV2):
    """Divides the rewards that the learner sees by the running standard deviation of the discounted return.

    Scenarios differ in the size of their rewards by orders of magnitude; networks and step sizes do not. One
    scale serves all agents. Only the learner's batch changes: episodes, and so every reported return, stay in
    the scenario's own units.
    """

    def __init__(self, *args: Any, gamma: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gamma = gamma
        self._count, self._mean, self._squares = 0.0, 0.0, 0.0

    @property
    def scale(self) -> float:
        """Standard deviation of the discounted returns seen so far; 1 while they do not vary."""
        deviation = float(np.sqrt(self._squares / self._count)) if self._count else 0.0
        return deviation if deviation > 1e-8 else 1.0

    def __call__(self, *, batch: dict[str, Any], episodes: list[Any], **_: Any) -> dict[str, Any]:
        """Add the column of scaled rewards; RLlib's later pieces leave alone a column that is there."""
        chunks = [
            (episode, np.asarray(episode.get_rewards(slice(0, len(episode))), np.float64))
            for episode in self.single_agent_episode_iterator(episodes, agents_that_stepped_only=False)
        ]
        for _episode, rewards in chunks:
            self._update(lfilter([1.0], [1.0, -self._gamma], rewards[::-1]))
        for episode, rewards in chunks:
            scaled = (rewards / self.scale).astype(np.float32)
            self.add_n_batch_items(batch, Columns.REWARDS, scaled, len(scaled), episode)
        return batch

    def _update(self, returns: NDArray[np.float64]) -> None:
        """Merge the moments of one chunk of an episode (Chan et al. 1979)."""
        n = len(returns)
        if not n:
            return
        delta = float(returns.mean()) - self._mean
        total = self._count + n
        self._squares += float(returns.var()) * n + delta**2 * self._count * n / total
        self._mean += delta * n / total
        self._count = total
