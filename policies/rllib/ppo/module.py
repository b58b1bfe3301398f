"""Actor and critic of one role, with illegal actions masked out."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium.spaces import Discrete
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis import InferenceOnlyAPI, ValueFunctionAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from ray.rllib.utils.torch_utils import FLOAT_MIN
from torch import Tensor, nn


class MaskedPPOModule(TorchRLModule, InferenceOnlyAPI, ValueFunctionAPI):
    """Two separate networks that see a role's observation, the last n numbers of which are its action mask.

    An illegal action has probability exactly 0. Where only one action is legal, its probability is 1 whatever
    the weights, so such a forced move adds nothing to the policy's gradient: only the critic learns from it.

    `model_config`: `hidden`, the widths of the layers of both networks.
    """

    def setup(self) -> None:
        """Build the networks; called once by RLlib."""
        if not isinstance(self.action_space, Discrete):
            raise ValueError(
                f"masked PPO needs Discrete actions, but got {self.action_space}; "
                "use RLlib's default module for this role"
            )
        self._n_actions = int(self.action_space.n)
        self._size = int(self.observation_space.shape[0]) - self._n_actions
        hidden = tuple(self.model_config["hidden"])
        self.pi = mlp(self._size, hidden, self._n_actions, head_gain=0.01)
        if not self.inference_only:
            self.vf = mlp(self._size, hidden, 1, head_gain=1.0)

    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Logits, shape (batch, n), of observations with their masks, shape (batch, m + n)."""
        observations = batch[Columns.OBS]
        logits = self.pi(observations[..., : self._size])
        legal = observations[..., self._size :] > 0.5
        return {Columns.ACTION_DIST_INPUTS: logits.masked_fill(~legal, FLOAT_MIN)}

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> Tensor:
        """The critic's estimate of the discounted return, shape (batch,), in units of the scaled reward."""
        values: Tensor = self.vf(batch[Columns.OBS][..., : self._size])
        return values.squeeze(-1)

    def get_non_inference_attributes(self) -> list[str]:
        """What acting does not need."""
        return ["vf"]


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
