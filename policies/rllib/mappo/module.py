"""An actor that sees what its role observes, and a critic that sees the global state as well."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from policies.rllib.ppo.module import MaskedPPOModule
from policies.rllib.state import STATE


class CentralCriticModule(MaskedPPOModule):
    """Actor and critic of one role, for central training and decentralised execution.

    Every role has a critic of its own. With a reward that all share, one critic for all would learn the same values
    from the same states, no faster, since the copies of a step that the agents contribute hold nothing new; but where
    a scenario pays a role alone, or agents leave, what lies ahead differs from role to role, and one critic for all
    would be wrong. Beside the state the critic sees what its agent observes: a global state is a summary, and may
    leave out what the agent knows.

    `model_config`: `hidden`, the widths of the layers of both networks; `state_size`, how many numbers the state has.
    """

    @override
    def _critic_size(self) -> int:
        size = self.model_config.get("state_size")
        if not size:
            raise ValueError(
                "a central critic needs the size of the global state: model_config={'state_size': ..}, or take "
                "policies.rllib.mappo.mappo_config, which finds it out"
            )
        return int(size) + self._size

    @override
    def _seen_by_critic(self, batch: dict[str, Any]) -> Tensor:
        return torch.cat([batch[STATE], super()._seen_by_critic(batch)], dim=-1)
