"""Central critics learn what everybody's actions are worth, and actors follow them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from ray.rllib.algorithms.ppo.ppo import LEARNER_RESULTS_VF_EXPLAINED_VAR_KEY
from ray.rllib.core.columns import Columns
from ray.rllib.utils.torch_utils import explained_variance
from torch import Tensor
from torch.nn.functional import one_hot
from typing_extensions import override

from policies.rllib.discount import DISCOUNT
from policies.rllib.joint.learner import JointLearner, mean_where
from policies.rllib.joint.replay import ALIVE, NEXT_ALIVE, NEXT_STATE, TEAM
from policies.rllib.maddpg.module import LEGAL, LOGITS, NEXT_LOGITS, NEXT_SEEN, SEEN
from policies.rllib.networks import expected
from policies.rllib.state import STATE

CALM = 1e-2
"""Weight of the squared logits: an actor that is too sure of itself no longer explores."""


class MADDPGLearner(JointLearner):
    """Each role's critic learns by the rewards of its agents, given the state and the actions of all.

    An actor follows what its critic says of each of its actions, by their probabilities, while the others do what they
    did in the buffer. That is exact, and with discrete actions cheap; the usual draw of one action, whose gradient is
    passed straight through (Gumbel-softmax), asks a critic for its slope at points where only its values were learned.
    Where one action only is legal, an actor learns nothing; its critic learns what the others' actions bring it.
    """

    @override
    def compute_losses(self, *, fwd_out: dict[str, Any], batch: dict[str, Any]) -> dict[str, Tensor]:
        team, parts = batch[TEAM], {m: part for m, part in batch.items() if m != TEAM}
        did, next_did = {}, {}
        for m, part in parts.items():
            n = fwd_out[m][LOGITS].shape[-1]
            did[m] = one_hot(part[Columns.ACTIONS], n) * part[ALIVE].unsqueeze(-1)
            next_did[m] = one_hot(fwd_out[m][NEXT_LOGITS].argmax(-1), n) * part[NEXT_ALIVE].unsqueeze(-1)
        others, next_others = of_others(did), of_others(next_did)
        goes_on = (team[DISCOUNT] * (1.0 - team[Columns.TERMINATEDS].float())).unsqueeze(-1)

        losses = {}
        for m, part in parts.items():
            module, out = self.module[m].unwrapped(), fwd_out[m]
            now = (team[STATE], out[SEEN], others[m])
            with torch.no_grad():
                then = critic_inputs(team[NEXT_STATE], out[NEXT_SEEN], next_others[m], next_did[m])
                ahead = torch.where(part[NEXT_ALIVE], module.target_q(then).squeeze(-1), 0.0)
                target = part[Columns.REWARDS] + goes_on * ahead
            value = module.q(critic_inputs(*now, did[m])).squeeze(-1)
            critic = mean_where(part[ALIVE], (value - target).square())

            with torch.no_grad():
                worth = module.q(with_each_action(critic_inputs(*now, did[m]), out[LOGITS].shape[-1])).squeeze(-1)
            log_policy = out[LOGITS].log_softmax(-1)
            gain = expected(log_policy, worth, out[LEGAL])
            calm = torch.where(out[LEGAL], out[LOGITS], 0.0).square().mean(-1)
            free = part[ALIVE] & (out[LEGAL].sum(-1) > 1)
            actor = mean_where(free, CALM * calm - gain)
            losses[m] = critic + actor
            told = {
                "critic_loss": critic,
                "value_mean": value.mean(),
                "entropy": mean_where(free, -expected(log_policy, log_policy, out[LEGAL])),
                LEARNER_RESULTS_VF_EXPLAINED_VAR_KEY: explained_variance(target[part[ALIVE]], value[part[ALIVE]]),
            }
            self.metrics.log_dict(told, key=m, window=1)
        return losses


def of_others(did: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """For every agent the actions of all, its own left out, in one order for all.

    Args:
        did: by module the actions of its agents, one-hot, shape (B, k, n).

    Returns:
        By module, shape (B, k, J), J being all agents' numbers of actions added up; zeros in the agent's own place, so
        that it also tells agents of one module apart.
    """
    joint = torch.cat([did[m].flatten(1) for m in sorted(did)], -1).float()
    result, start = {}, 0
    for m in sorted(did):
        _, k, n = did[m].shape
        keep = torch.ones(k, joint.shape[-1], device=joint.device)
        for seat in range(k):
            keep[seat, start + seat * n : start + (seat + 1) * n] = 0.0
        result[m] = joint.unsqueeze(1) * keep
        start += k * n
    return result


def critic_inputs(state: Tensor, seen: Tensor, others: Tensor, own: Tensor) -> Tensor:
    """What a critic sees of each agent of its role, shape (B, k, s + m + J + n).

    Args:
        state: shape (B, s).
        seen: what the agents observe, shape (B, k, m).
        others: what the others do, shape (B, k, J).
        own: what they do themselves, one-hot, shape (B, k, n).
    """
    whole = state.unsqueeze(1).expand(-1, seen.shape[1], -1)
    return torch.cat([whole, seen, others, own.float()], -1)


def with_each_action(inputs: Tensor, n: int) -> Tensor:
    """A critic's inputs, shape (B, k, i), once for each action of the agent's own, shape (B, k, n, i)."""
    each = inputs.unsqueeze(-2).repeat(1, 1, n, 1)
    each[..., -n:] = torch.eye(n, device=inputs.device)
    return each
