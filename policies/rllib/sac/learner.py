"""The three losses of soft actor-critic."""

from __future__ import annotations

from typing import Any

import torch
from ray.rllib.algorithms.ppo.ppo import LEARNER_RESULTS_VF_EXPLAINED_VAR_KEY
from ray.rllib.core.columns import Columns
from ray.rllib.utils.torch_utils import explained_variance
from torch import Tensor
from typing_extensions import override

from policies.rllib.discount import DISCOUNT
from policies.rllib.joint.learner import JointLearner, mean_where
from policies.rllib.joint.replay import ALIVE, COUNTS, NEXT_ALIVE, TEAM
from policies.rllib.networks import expected
from policies.rllib.sac.module import AHEAD, CHOSEN, LEGAL, LOG_POLICY, WORTH


class SACLearner(JointLearner):
    """Every role learns by the rewards of its agents, as if the others were the weather.

    One optimiser per role serves actor, critics and temperature: no loss has a gradient for the others' parameters.
    From forced moves nobody learns, but the critics where a chunk begins with one (see `COUNTS`).
    """

    @override
    def compute_losses(self, *, fwd_out: dict[str, Any], batch: dict[str, Any]) -> dict[str, Tensor]:
        goes_on = (1.0 - batch[TEAM][Columns.TERMINATEDS].float()).unsqueeze(-1)
        return {m: self._loss(m, fwd_out[m], part, part[DISCOUNT] * goes_on) for m, part in batch.items() if m != TEAM}

    def _loss(self, name: str, out: dict[str, Tensor], batch: dict[str, Tensor], goes_on: Tensor) -> Tensor:
        log_temperature = self.module[name].unwrapped().log_temperature
        temperature = log_temperature.exp()
        legal, log_policy, alive = out[LEGAL], out[LOG_POLICY], batch[ALIVE]
        ahead = torch.where(batch[NEXT_ALIVE], out[AHEAD], 0.0)
        target = batch[Columns.REWARDS] + goes_on * ahead
        critics = mean_where(batch[COUNTS], (out[CHOSEN] - target).square().sum(0))

        entropy = -expected(log_policy, log_policy, legal)
        moves = legal.sum(-1)
        free = alive & (moves > 1)
        actor = mean_where(free, -temperature.detach() * entropy - expected(log_policy, out[WORTH], legal))
        wanted = self.config.entropy_share * moves.clamp(min=1).float().log()
        balance = mean_where(free, temperature * (entropy - wanted).detach())

        told = {
            "entropy": mean_where(free, entropy),
            "temperature": temperature,
            LEARNER_RESULTS_VF_EXPLAINED_VAR_KEY: explained_variance(
                target[batch[COUNTS]], out[CHOSEN].mean(0)[batch[COUNTS]]
            ),
        }
        self.metrics.log_dict(told, key=name, window=1)
        return critics + actor + balance
