"""PPO's learner, for which only decisions count, and whose state holds the scale of the rewards."""

from __future__ import annotations

from typing import Any

import torch
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.connectors.learner import GeneralAdvantageEstimation
from ray.rllib.core.columns import Columns
from torch import Tensor
from typing_extensions import override

from policies.rllib.connectors import ScaleRewards
from policies.rllib.ppo.advantages import AddAdvantages

SCALE = "reward_scale"
"""Part of the learner's state that RLlib does not know of: it keeps nothing of its connectors."""


class MaskedPPOLearner(PPOTorchLearner):
    """RLlib's loss over the decisions of a batch; forced moves have no part in it."""

    @override
    def build(self) -> None:
        super().build()
        pipeline = self._learner_connector
        if pipeline is not None and self.config.add_default_connectors_to_learner_pipeline:
            pipeline.remove(GeneralAdvantageEstimation)
            pipeline.append(AddAdvantages(lambda_=self.config.lambda_))

    @override
    def compute_loss_for_module(
        self, *, module_id: str, config: Any, batch: dict[str, Any], fwd_out: dict[str, Any]
    ) -> Tensor:
        if not batch[Columns.LOSS_MASK].any():
            return torch.zeros(())  # nobody decided anything; RLlib would divide by 0
        loss: Tensor = super().compute_loss_for_module(module_id=module_id, config=config, batch=batch, fwd_out=fwd_out)
        return loss

    @override
    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state(components, not_components=not_components, **kwargs)
        piece = self._scale_rewards()
        if piece is not None and self._check_component(SCALE, components, not_components):
            state[SCALE] = piece.get_state()
        return state

    @override
    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        piece = self._scale_rewards()
        if piece is not None and SCALE in state:
            piece.set_state(state[SCALE])

    def _scale_rewards(self) -> ScaleRewards | None:
        pieces = getattr(self._learner_connector, "connectors", ())
        return next((piece for piece in pieces if isinstance(piece, ScaleRewards)), None)
