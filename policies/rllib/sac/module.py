"""An actor that draws among legal actions, and twin critics of what they are worth."""

from __future__ import annotations

import math
from typing import Any

import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.learner.utils import make_target_network
from ray.rllib.core.rl_module.apis import InferenceOnlyAPI, TargetNetworkAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor, nn
from typing_extensions import override

from policies.rllib.networks import expected, masked, mlp, sizes, split

FIRST_TEMPERATURE = 0.1
"""Weight of the entropy at the start, rewards being scaled to returns of deviation 1."""

LEGAL, LOG_POLICY = "legal", "log_policy"
"""Outputs in training: which actions are legal, and the logarithm of their probabilities, shape (B, k, n)."""
WORTH = "worth"
"""Output in training: what the more cautious critic says of each action, shape (B, k, n); has no gradient."""
CHOSEN = "chosen"
"""Output in training: what each critic says of what was done, shape (2, B, k)."""
AHEAD = "ahead"
"""Output in training: the expected worth of what comes next, entropy included, shape (B, k); has no gradient."""


class SACModule(TorchRLModule, InferenceOnlyAPI, TargetNetworkAPI):
    """Actor, twin critics and temperature of one role; all see what the role observes.

    `model_config`: `hidden`, the widths of the layers of all networks.
    """

    @override
    def setup(self) -> None:
        size, n = sizes(self.observation_space, self.action_space, "soft actor-critic")
        self._n_actions = n
        hidden = tuple(self.model_config["hidden"])
        self.pi = mlp(size, hidden, n, head_gain=0.01)
        if not self.inference_only:
            self.q = nn.ModuleList([mlp(size, hidden, n, head_gain=1.0) for _ in range(2)])
            self.log_temperature = nn.Parameter(torch.tensor(math.log(FIRST_TEMPERATURE)))

    @override
    def make_target_networks(self) -> None:
        self.target_q = make_target_network(self.q)

    @override
    def get_target_network_pairs(self) -> list[tuple[Any, Any]]:
        return [(self.q, self.target_q)]

    @override
    def get_non_inference_attributes(self) -> list[str]:
        return ["q", "target_q", "log_temperature"]

    @override
    def forward_target(self, batch: dict[str, Any]) -> dict[str, Any]:
        seen, _ = split(batch[Columns.NEXT_OBS], self._n_actions)
        return {WORTH: _cautious(self.target_q, seen)}

    @override
    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        seen, legal = split(batch[Columns.OBS], self._n_actions)
        return {Columns.ACTION_DIST_INPUTS: masked(self.pi(seen), legal)}

    @override
    def _forward_train(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        seen, legal = split(batch[Columns.OBS], self._n_actions)
        both = torch.stack([q(seen) for q in self.q])
        index = batch[Columns.ACTIONS].unsqueeze(-1).expand(2, *batch[Columns.ACTIONS].shape, 1)
        return {
            LEGAL: legal,
            LOG_POLICY: masked(self.pi(seen), legal).log_softmax(-1),
            WORTH: both.detach().amin(0),
            CHOSEN: both.gather(-1, index).squeeze(-1),
            AHEAD: self._ahead(batch),
        }

    def _ahead(self, batch: dict[str, Any]) -> Tensor:
        with torch.no_grad():
            seen, legal = split(batch[Columns.NEXT_OBS], self._n_actions)
            log_policy = masked(self.pi(seen), legal).log_softmax(-1)
            worth = self.forward_target(batch)[WORTH] - self.log_temperature.exp() * log_policy
            return expected(log_policy, worth, legal)


def _cautious(critics: nn.ModuleList, seen: Tensor) -> Tensor:
    return torch.stack([critic(seen) for critic in critics]).amin(0)
