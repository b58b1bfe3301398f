"""What each action of an agent is worth, with illegal ones masked out."""

from __future__ import annotations

from typing import Any

import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.learner.utils import make_target_network
from ray.rllib.core.rl_module.apis import InferenceOnlyAPI, TargetNetworkAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from ray.rllib.utils.schedules.scheduler import Scheduler
from torch import Tensor
from typing_extensions import override

from policies.rllib.networks import masked, mlp, sizes, split

CHOSEN = "chosen"
"""Output in training: the value of what was done, shape (B, k)."""
AHEAD = "ahead"
"""Output in training: the target network's value of what looks best next (double Q-learning), shape (B, k)."""


class QModule(TorchRLModule, InferenceOnlyAPI, TargetNetworkAPI):
    """One network of action values for the agents of a role, the last n numbers of what they observe being masks.

    Exploration is epsilon-greedy among the legal actions.

    `model_config`: `hidden`, the widths of the layers; `epsilon`, a number or a schedule [[step, value], ..].
    """

    @override
    def setup(self) -> None:
        """Build the network; called once by RLlib."""
        size, self._n_actions = sizes(self.observation_space, self.action_space, "a network of action values")
        self.q = mlp(size, tuple(self.model_config["hidden"]), self._n_actions, head_gain=1.0)
        self._epsilon = Scheduler(self.model_config["epsilon"], framework="torch")

    @override
    def make_target_networks(self) -> None:
        """Copy the network; called by the learner, once it has made its optimisers."""
        self.target_q = make_target_network(self.q)

    @override
    def get_target_network_pairs(self) -> list[tuple[Any, Any]]:
        """The network and its copy."""
        return [(self.q, self.target_q)]

    @override
    def get_non_inference_attributes(self) -> list[str]:
        """What acting does not need."""
        return ["target_q"]

    @override
    def forward_target(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The copy's values of all actions, those of illegal ones very low, shape (..., n)."""
        seen, legal = split(batch[Columns.NEXT_OBS], self._n_actions)
        return {AHEAD: masked(self.target_q(seen), legal)}

    @override
    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Values, shape (..., n), where RLlib looks for logits: the greedy action is the best one."""
        return {Columns.ACTION_DIST_INPUTS: self._values(batch[Columns.OBS])}

    @override
    def _forward_exploration(self, batch: dict[str, Any], t: int = 0, **_: Any) -> dict[str, Any]:
        """Actions, shape (batch,): now and then a random legal one, otherwise the best."""
        with torch.no_grad():
            values = self._values(batch[Columns.OBS])
            _, legal = split(batch[Columns.OBS], self._n_actions)
            random = torch.multinomial(legal.float(), 1).squeeze(-1)
            explores = torch.rand(len(random)) < float(self._epsilon.update(t))
            return {Columns.ACTIONS: torch.where(explores, random, values.argmax(-1))}

    @override
    def _forward_train(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        seen, _ = split(batch[Columns.OBS], self._n_actions)
        chosen = self.q(seen).gather(-1, batch[Columns.ACTIONS].unsqueeze(-1)).squeeze(-1)
        with torch.no_grad():
            best = self._values(batch[Columns.NEXT_OBS]).argmax(-1, keepdim=True)
            seen, _ = split(batch[Columns.NEXT_OBS], self._n_actions)
            ahead = self.target_q(seen).gather(-1, best).squeeze(-1)
        return {CHOSEN: chosen, AHEAD: ahead}

    def _values(self, observations: Tensor) -> Tensor:
        seen, legal = split(observations, self._n_actions)
        return masked(self.q(seen), legal)
