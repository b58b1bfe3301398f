"""Actor and critic of one role, with illegal actions masked out."""

from __future__ import annotations

from typing import Any

from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis import InferenceOnlyAPI, ValueFunctionAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor
from typing_extensions import override

from policies.rllib.networks import masked, mlp, sizes, split


class MaskedPPOModule(TorchRLModule, InferenceOnlyAPI, ValueFunctionAPI):
    """Two separate networks that see a role's observation, the last n numbers of which are its action mask.

    An illegal action has probability exactly 0. Where only one action is legal, its probability is 1 whatever
    the weights; the learner leaves such a forced move out.

    `model_config`: `hidden`, the widths of the layers of both networks.
    """

    @override
    def setup(self) -> None:
        """Build the networks; called once by RLlib."""
        self._size, self._n_actions = sizes(self.observation_space, self.action_space, "masked PPO")
        hidden = tuple(self.model_config["hidden"])
        self.pi = mlp(self._size, hidden, self._n_actions, head_gain=0.01)
        if not self.inference_only:
            self.vf = mlp(self._critic_size(), hidden, 1, head_gain=1.0)

    @override
    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Logits, shape (batch, n), of observations with their masks, shape (batch, m + n)."""
        seen, legal = split(batch[Columns.OBS], self._n_actions)
        return {Columns.ACTION_DIST_INPUTS: masked(self.pi(seen), legal)}

    @override
    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> Tensor:
        """The critic's estimate of the discounted return, shape (batch,), in units of the scaled reward."""
        values: Tensor = self.vf(self._seen_by_critic(batch))
        return values.squeeze(-1)

    @override
    def get_non_inference_attributes(self) -> list[str]:
        """What acting does not need."""
        return ["vf"]

    def _critic_size(self) -> int:
        """How many numbers the critic sees."""
        return self._size

    def _seen_by_critic(self, batch: dict[str, Any]) -> Tensor:
        """What the critic sees: what the actor does."""
        return split(batch[Columns.OBS], self._n_actions)[0]
