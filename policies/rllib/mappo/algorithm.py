"""MAPPO for RLlib: PPO whose learner is given the global state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pettingzoo import ParallelEnv
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from typing_extensions import override

from policies.rllib.mappo.module import CentralCriticModule
from policies.rllib.ppo.config import HIDDEN, TRAINING, MaskedPPO, MaskedPPOConfig
from policies.rllib.sharing import Share
from policies.rllib.stage import set_stage
from policies.rllib.state import AddState


class MAPPOConfig(MaskedPPOConfig):
    """Masked PPO's settings; `model_config` must name the `state_size`."""

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or MAPPO)

    @override
    def get_default_rl_module_spec(self) -> RLModuleSpec:
        """Every module is an actor with a central critic."""
        return RLModuleSpec(module_class=CentralCriticModule)

    @override
    def build_learner_connector(self, *args: Any, **kwargs: Any) -> Any:
        """Masked PPO's pipeline, before which the state is added."""
        pipeline = super().build_learner_connector(*args, **kwargs)
        pipeline.prepend(AddState())
        return pipeline


class MAPPO(MaskedPPO):
    """Trains actors that see their own observations with critics that see the global state."""

    @classmethod
    @override
    def get_default_config(cls) -> MAPPOConfig:
        """The settings to start from."""
        return MAPPOConfig()


def mappo_config(
    scenario: str,
    *,
    seed: int = 0,
    make_env: Callable[[], ParallelEnv[str, Any, Any]] | None = None,
    share: Share = "role",
) -> MAPPOConfig:
    """A complete configuration, to be used as it is or changed with RLlib's own methods.

    `tune.run(MAPPO, config=mappo_config("hospital_throughput"), stop={"training_iteration": 10})` trains.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file; only a label if `make_env` is given.
        seed: starts the weights, the exploration and the episodes.
        make_env: makes one PettingZoo parallel environment, if it is not to be made from the scenario.
        share: which agents share a module: those of a `role`, or all of equal `shape`.
    """
    stage = set_stage(scenario, make_env, share=share, state=True, label=f"/state/{share}")
    config: MAPPOConfig = (
        stage.apply(MAPPOConfig(), seed)
        .rl_module(model_config={"hidden": HIDDEN, "state_size": stage.state_size})
        .training(**TRAINING)
    )
    return config
