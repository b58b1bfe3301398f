"""Pieces of RLlib's learner pipeline that several algorithms share."""

from __future__ import annotations

from typing import Any

import numpy as np
from ray.rllib.connectors.connector_v2 import ConnectorV2
from ray.rllib.core.columns import Columns
from typing_extensions import override

from policies.rllib.discount import discounts
from policies.rllib.pairing import leads
from policies.rllib.scale import ReturnScale


class ScaleRewards(ConnectorV2):
    """Divides the rewards that the learner sees by the running standard deviation of the discounted return.

    Scenarios differ in the size of their rewards by orders of magnitude; networks and step sizes do not. One
    scale serves all agents. Only the learner's batch changes: episodes, and so every reported return, stay in
    the scenario's own units.

    Args:
        gamma: discount of a decision, or of `minutes`.
        minutes: in which the discount is `gamma`, if it is by time.
        paired: learn from what is gained above other copies with the same patients (see `policies.rllib.pairing`).
    """

    def __init__(
        self, *args: Any, gamma: float, minutes: float | None = None, paired: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._gamma, self._minutes = gamma, minutes
        self._scale = ReturnScale()
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
        for episode, rewards in chunks:
            told = episode.get_infos(slice(1, len(episode) + 1)) if self._minutes is not None else rewards
            self._scale.update(rewards, discounts(told, self._gamma, self._minutes))
        for episode, rewards in chunks:
            scaled = (rewards / self.scale).astype(np.float32)
            self.add_n_batch_items(batch, Columns.REWARDS, scaled, len(scaled), episode)
        return batch

    @override
    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        return self._scale.get_state()

    @override
    def set_state(self, state: dict[str, Any]) -> None:
        self._scale.set_state(state)
