"""The team's place among the modules: where the values of agents become the value of what they do together."""

from __future__ import annotations

from typing import Any

from gymnasium.spaces import Box, Discrete
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor
from typing_extensions import override


class Team(TorchRLModule):
    """Exists on the learner only, and acts for nobody. As it is, it mixes nothing.

    `model_config`: `agents`, how many values come in; `state_size`, how many numbers the global state has.
    """

    @override
    def setup(self) -> None:
        """Nothing to build."""

    @override
    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Nothing: mixing needs the values of the agents' modules, which only the learner has."""
        return {}


class SumMixer(Team):
    """The team's value is the sum of the agents' (Sunehag et al. 2017, arXiv 1706.05296)."""

    def mix(self, values: Tensor, team: dict[str, Tensor]) -> Tensor:
        """The team's value of this step, shape (B,), from the agents' of shape (B, N)."""
        return values.sum(-1)

    def mix_ahead(self, values: Tensor, team: dict[str, Tensor]) -> Tensor:
        """The team's value of the next step, shape (B,), from the agents' of shape (B, N)."""
        return values.sum(-1)


def team_spec(kind: type[Team], **model_config: Any) -> RLModuleSpec:
    """A place for a team; its spaces say nothing, but RLlib wants some."""
    return RLModuleSpec(
        module_class=kind,
        observation_space=Box(-1.0, 1.0, (1,)),
        action_space=Discrete(1),
        learner_only=True,
        model_config=model_config,
    )
