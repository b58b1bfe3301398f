"""Settings of the algorithms that learn what each action is worth."""

from __future__ import annotations

from typing import Any, Self

from ray.rllib.algorithms.algorithm_config import NotProvided
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from typing_extensions import override

from policies.rllib.joint.algorithm import JointConfig
from policies.rllib.joint.module import QModule


class JointQConfig(JointConfig):
    """Settings of `JointConfig`, and how much is explored.

    Attributes:
        epsilon: share of random actions: a number, or a schedule [[step, value], ..].
    """

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class)
        self.epsilon: Any = [[0, 1.0], [50_000, 0.05]]

    @override
    def training(self, *, epsilon: Any = NotProvided, **settings: Any) -> Self:
        super().training(**settings)
        if epsilon is not NotProvided:
            self.epsilon = epsilon
        return self

    @override
    def get_default_rl_module_spec(self) -> RLModuleSpec:
        return RLModuleSpec(module_class=QModule, model_config={"epsilon": self.epsilon})
