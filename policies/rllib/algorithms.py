"""Learning algorithms by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from marl_health.spec.suggest import nearest

if TYPE_CHECKING:
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig

    from policies.rllib.sharing import Share
    from policies.rllib.stage import MakeEnv

_CONFIGS = {
    "ppo": "masked_ppo_config",
    "mappo": "mappo_config",
    "qmix": "qmix_config",
    "vdn": "vdn_config",
    "dqn": "dqn_config",
    "sac": "sac_config",
    "maddpg": "maddpg_config",
}
"""By name, which is that of its package too, the function that makes an algorithm's configuration."""

ALGORITHMS = tuple(_CONFIGS)
"""The names. `ppo` and `mappo` learn on-policy, the others from a buffer of joint transitions."""


class AlgorithmError(ValueError):
    """There is no such algorithm."""


def algorithm_config(
    name: str, scenario: str, *, seed: int = 0, make_env: MakeEnv | None = None, share: Share = "role"
) -> AlgorithmConfig:
    """The complete configuration of an algorithm on an environment: `tune.run(config.algo_class, config=config)`.

    Args:
        name: one of `ALGORITHMS`.
        scenario: a packaged scenario's name or the path of a YAML file; only a label if `make_env` is given.
        seed: starts everything random.
        make_env: makes one PettingZoo parallel environment, if it is not to be made from the scenario.
        share: which agents share a module: those of a `role`, or all of equal `shape`.

    Raises:
        AlgorithmError: for an unknown name; it is found before anything heavy is imported.
    """
    if name not in _CONFIGS:
        close = nearest(name, ALGORITHMS)
        hint = f"; did you mean '{close}'?" if close else ""
        raise AlgorithmError(f"there is no algorithm '{name}'{hint} (known: {', '.join(ALGORITHMS)})")
    made: AlgorithmConfig = getattr(import_module(f"policies.rllib.{name}"), _CONFIGS[name])(
        scenario, seed=seed, make_env=make_env, share=share
    )
    return made
