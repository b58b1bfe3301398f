"""Learners of action values from joint transitions."""

from __future__ import annotations

import abc
from typing import Any

import torch
from ray.rllib.algorithms.ppo.ppo import LEARNER_RESULTS_VF_EXPLAINED_VAR_KEY
from ray.rllib.core.columns import Columns
from ray.rllib.core.learner.torch.torch_learner import TorchLearner
from ray.rllib.core.learner.utils import update_target_network
from ray.rllib.core.rl_module.apis import TargetNetworkAPI
from ray.rllib.utils.torch_utils import explained_variance
from torch import Tensor
from typing_extensions import override

from policies.rllib.discount import DISCOUNT
from policies.rllib.joint.module import AHEAD, CHOSEN
from policies.rllib.joint.replay import ALIVE, COUNTS, NEXT_ALIVE, TEAM


class JointLearner(TorchLearner):
    """What all learners from joint transitions share: their target networks.

    They are copied anew every `target_update` calls of `update`, each of which is a round of updates.
    """

    @override
    def build(self) -> None:
        """Build modules and optimisers, then the target networks, which no optimiser may touch."""
        super().build()
        for module in self._with_targets():
            module.make_target_networks()

    @override
    def compute_loss_for_module(self, **_: Any) -> Tensor:
        """Not used: modules learn together."""
        raise NotImplementedError("the modules of a joint learner have one loss; see compute_losses")

    @override
    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """An optimiser for every module that has something to learn."""
        if any(True for _ in self.module[module_id].parameters()):
            super().configure_optimizers_for_module(module_id, config)

    @override
    def after_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        """Copy the networks to their targets, when it is time."""
        super().after_gradient_based_update(timesteps=timesteps)
        if self._weights_seq_no % self.config.target_update == 0:
            for module in self._with_targets():
                for network, target in module.get_target_network_pairs():
                    update_target_network(main_net=network, target_net=target, tau=1.0)

    def _with_targets(self) -> list[Any]:
        modules = [module.unwrapped() for module in self.module.values()]
        return [module for module in modules if isinstance(module, TargetNetworkAPI)]


def mean_where(counts: Tensor, values: Tensor) -> Tensor:
    """Mean of the values that count; 0 where none does."""
    return torch.where(counts, values, 0.0).sum() / counts.sum().clamp(min=1)


class JointQLearner(JointLearner, abc.ABC):
    """Temporal-difference learning of all modules by one loss."""

    @override
    def compute_losses(self, *, fwd_out: dict[str, Any], batch: dict[str, Any]) -> dict[str, Tensor]:
        """The loss of all modules together, in the name of the team; RLlib adds up what is returned.

        Agents stand side by side in the order of the modules' names, shape (B, N).
        """
        modules = sorted(name for name in batch if name != TEAM)
        chosen, ahead = (torch.cat([fwd_out[m][key] for m in modules], -1) for key in (CHOSEN, AHEAD))
        keys = (ALIVE, NEXT_ALIVE, COUNTS, Columns.REWARDS, DISCOUNT)
        own = {key: torch.cat([batch[m][key] for m in modules], -1) for key in keys}
        chosen, ahead = torch.where(own[ALIVE], chosen, 0.0), torch.where(own[NEXT_ALIVE], ahead, 0.0)
        loss, value, target = self.temporal_difference(chosen, ahead, own, batch[TEAM])
        told = {"value_mean": value.mean(), LEARNER_RESULTS_VF_EXPLAINED_VAR_KEY: explained_variance(target, value)}
        self.metrics.log_dict(told, key=TEAM, window=1)
        return {TEAM: loss}

    @abc.abstractmethod
    def temporal_difference(
        self, chosen: Tensor, ahead: Tensor, own: dict[str, Tensor], team: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The loss, the values that it is about, and what they should be, both of shape (n,).

        Args:
            chosen: values of what was done, shape (B, N), 0 where an agent is absent.
            ahead: values of what looks best next, shape (B, N), 0 where an agent has nothing to expect.
            own: what concerns each agent, shape (B, N): REWARDS, DISCOUNT, and COUNTS, who learns from it.
            team: what concerns all together (see `JointReplay.sample`).
        """


class MixedLearner(JointQLearner):
    """Learns the value of what the team does, which a mixer makes from the agents' values.

    Who could only wait has a part in that value too; where nobody could choose, nothing was to be learned.
    """

    @override
    def temporal_difference(
        self, chosen: Tensor, ahead: Tensor, own: dict[str, Tensor], team: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mean squared error of the mixed value."""
        mixer = self.module[TEAM].unwrapped()
        value = mixer.mix(chosen, team)
        with torch.no_grad():
            goes_on = team[DISCOUNT] * (1.0 - team[Columns.TERMINATEDS].float())
            target = team[Columns.REWARDS] + goes_on * mixer.mix_ahead(ahead, team)
        return torch.nn.functional.mse_loss(value, target), value, target


class IndependentLearner(JointQLearner):
    """Every agent learns what its own actions are worth by its own reward, as if the others were the weather.

    What it could not choose it does not learn from, but where a chunk begins so (see `COUNTS`).
    """

    @override
    def temporal_difference(
        self, chosen: Tensor, ahead: Tensor, own: dict[str, Tensor], team: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mean squared error over the agents that learn from it."""
        goes_on = own[DISCOUNT] * (1.0 - team[Columns.TERMINATEDS].float()).unsqueeze(-1)
        target = own[Columns.REWARDS] + goes_on * ahead
        counts = own[COUNTS]
        return mean_where(counts, (chosen - target).square()), chosen[counts], target[counts]
