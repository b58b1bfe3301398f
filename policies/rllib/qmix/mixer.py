"""The mixing network, whose weights other networks make from the global state."""

from __future__ import annotations

from typing import Any

import torch
from ray.rllib.core.learner.utils import make_target_network
from ray.rllib.core.rl_module.apis import TargetNetworkAPI
from torch import Tensor, nn
from typing_extensions import override

from policies.rllib.joint.mixer import Team
from policies.rllib.joint.replay import NEXT_STATE
from policies.rllib.state import STATE


class MixingNetwork(nn.Module):
    """Two layers with weights of no negative sign: no agent's value can rise and lower the team's.

    At first it adds nothing of its own: where the agents' values are 0, so is the team's. What agents were taught
    before (see `policies.rllib.cloning`) is therefore not unlearned to make up for what a new mixer says.

    Args:
        agents: N, how many values come in.
        state_size: s, how many numbers the state has.
        width: E, of the hidden layer.
    """

    def __init__(self, agents: int, state_size: int, width: int) -> None:
        super().__init__()
        self._shape = (agents, width)
        self.first_weights = _hyper(state_size, width, agents * width)
        self.first_bias = nn.Linear(state_size, width)
        self.second_weights = _hyper(state_size, width, width)
        self.second_bias = _hyper(state_size, width, 1)
        for last in (self.first_bias, self.second_bias[-1]):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    @override
    def forward(self, values: Tensor, state: Tensor) -> Tensor:
        """The team's value, shape (B,), from the agents' of shape (B, N) in states of shape (B, s)."""
        weights = self.first_weights(state).abs().view(-1, *self._shape)
        hidden = nn.functional.elu(torch.einsum("bn,bne->be", values, weights) + self.first_bias(state))
        mixed = (hidden * self.second_weights(state).abs()).sum(-1) + self.second_bias(state).squeeze(-1)
        return mixed


class MonotonicMixer(Team, TargetNetworkAPI):
    """The team's value by a `MixingNetwork`.

    `model_config`: `agents`, `state_size`; `width` of the mixing network's hidden layer, 32 by default.
    """

    @override
    def setup(self) -> None:
        """Build the network; called once by RLlib."""
        options = self.model_config
        self.network = MixingNetwork(options["agents"], options["state_size"], options.get("width", 32))

    def mix(self, values: Tensor, team: dict[str, Tensor]) -> Tensor:
        """The team's value of this step, shape (B,), from the agents' of shape (B, N)."""
        mixed: Tensor = self.network(values, team[STATE])
        return mixed

    def mix_ahead(self, values: Tensor, team: dict[str, Tensor]) -> Tensor:
        """The team's value of the next step by the target network, shape (B,), from the agents' of shape (B, N)."""
        mixed: Tensor = self.target_network(values, team[NEXT_STATE])
        return mixed

    @override
    def make_target_networks(self) -> None:
        """Copy the network; called by the learner, once it has made its optimisers."""
        self.target_network = make_target_network(self.network)

    @override
    def get_target_network_pairs(self) -> list[tuple[Any, Any]]:
        """The network and its copy."""
        return [(self.network, self.target_network)]

    @override
    def forward_target(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Not used: see `mix_ahead`."""
        return {}


def _hyper(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
