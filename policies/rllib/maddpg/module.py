"""An actor that sees what its role observes, and a critic that sees the state and what everybody does."""

from __future__ import annotations

from typing import Any

import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.learner.utils import make_target_network
from ray.rllib.core.rl_module.apis import InferenceOnlyAPI, TargetNetworkAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from typing_extensions import override

from policies.rllib.networks import masked, mlp, sizes, split

SEEN, NEXT_SEEN = "seen", "next_seen"
"""Outputs in training: observations without their masks, now and next, shape (B, k, m)."""
LEGAL, LOGITS = "legal", "logits"
"""Outputs in training: which actions are legal now, and the actor's logits with the others masked, shape (B, k, n)."""
NEXT_LOGITS = "next_logits"
"""Output in training: the target actor's masked logits in the next step, shape (B, k, n); has no gradient."""


class MADDPGModule(TorchRLModule, InferenceOnlyAPI, TargetNetworkAPI):
    """Actor and central critic of one role. Exploration draws from the actor's probabilities.

    `model_config`: `hidden`, the widths of the layers of both networks; `state_size`, how many numbers the state has;
    `joint_actions`, how many actions all agents have, added up.
    """

    @override
    def setup(self) -> None:
        size, self._n_actions = sizes(self.observation_space, self.action_space, "MADDPG")
        options, hidden = self.model_config, tuple(self.model_config["hidden"])
        self.pi = mlp(size, hidden, self._n_actions, head_gain=0.01)
        if not self.inference_only:
            inputs = options["state_size"] + size + self._n_actions + options["joint_actions"]
            self.q = mlp(inputs, hidden, 1, head_gain=1.0)

    @override
    def make_target_networks(self) -> None:
        self.target_pi = make_target_network(self.pi)
        self.target_q = make_target_network(self.q)

    @override
    def get_target_network_pairs(self) -> list[tuple[Any, Any]]:
        return [(self.pi, self.target_pi), (self.q, self.target_q)]

    @override
    def get_non_inference_attributes(self) -> list[str]:
        return ["q", "target_pi", "target_q"]

    @override
    def forward_target(self, batch: dict[str, Any]) -> dict[str, Any]:
        seen, legal = split(batch[Columns.NEXT_OBS], self._n_actions)
        return {NEXT_SEEN: seen, NEXT_LOGITS: masked(self.target_pi(seen), legal)}

    @override
    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        seen, legal = split(batch[Columns.OBS], self._n_actions)
        return {Columns.ACTION_DIST_INPUTS: masked(self.pi(seen), legal)}

    @override
    def _forward_train(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        seen, legal = split(batch[Columns.OBS], self._n_actions)
        with torch.no_grad():
            ahead = self.forward_target(batch)
        return {SEEN: seen, LEGAL: legal, LOGITS: masked(self.pi(seen), legal), **ahead}
