"""Perceptrons, and the mask that comes at the end of an observation."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium.spaces import Discrete
from ray.rllib.utils.torch_utils import FLOAT_MIN
from torch import Tensor, nn


def sizes(observation_space: Any, action_space: Any, who: str) -> tuple[int, int]:
    """How many numbers an agent observes, its mask not counted, and how many actions it has.

    Args:
        observation_space: the space that the adapter shows, mask included.
        action_space: of the agent.
        who: what the error calls the one that needs them.

    Raises:
        ValueError: the actions are not `Discrete`.
    """
    if not isinstance(action_space, Discrete):
        raise ValueError(
            f"{who} needs Discrete actions, but got {action_space}; use RLlib's default module for this role"
        )
    return int(observation_space.shape[0]) - int(action_space.n), int(action_space.n)


def split(observations: Tensor, n_actions: int) -> tuple[Tensor, Tensor]:
    """What is observed, shape (..., m), and which actions are legal, bool of shape (..., n)."""
    return observations[..., :-n_actions], observations[..., -n_actions:] > 0.5


def masked(values: Tensor, legal: Tensor) -> Tensor:
    """The values, those of illegal actions so low that their probability is exactly 0."""
    return values.masked_fill(~legal, FLOAT_MIN)


def expected(log_policy: Tensor, values: Tensor, legal: Tensor) -> Tensor:
    """Mean of the values under the policy, over the last axis; illegal actions do not enter."""
    return torch.where(legal, log_policy.exp() * values, 0.0).sum(-1)


def mlp(inputs: int, hidden: tuple[int, ...], outputs: int, head_gain: float) -> nn.Sequential:
    """A perceptron with normalised input and orthogonal weights; without both, critics hardly learn."""
    layers: list[nn.Module] = [nn.LayerNorm(inputs)]
    width = inputs
    for units in hidden:
        layers += [orthogonal(nn.Linear(width, units), gain=2**0.5), nn.ReLU()]
        width = units
    return nn.Sequential(*layers, orthogonal(nn.Linear(width, outputs), gain=head_gain))


def orthogonal(layer: nn.Linear, gain: float) -> nn.Linear:
    """The layer, its weights drawn orthogonal with this gain and its biases zero."""
    with torch.no_grad():
        nn.init.orthogonal_(layer.weight, gain)
        nn.init.zeros_(layer.bias)
    return layer
