"""Learning algorithms by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from marl_health.spec.suggest import nearest

if TYPE_CHECKING:
    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig

    from policies.rllib.sharing import Share
    from policies.rllib.stage import MakeEnv

_ON_POLICY = {"ppo": "masked_ppo_config", "mappo": "mappo_config"}
"""By name, which is that of its package too, the function that makes the configuration."""

_JOINT = {"qmix": "QMIX", "vdn": "VDN", "dqn": "DQN", "sac": "SAC", "maddpg": "MADDPG"}
"""By name, the class of an algorithm that learns from a buffer of joint transitions: they are configured alike."""

ALGORITHMS = (*_ON_POLICY, *_JOINT)
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
    if name not in ALGORITHMS:
        close = nearest(name, ALGORITHMS)
        hint = f"; did you mean '{close}'?" if close else ""
        raise AlgorithmError(f"there is no algorithm '{name}'{hint} (known: {', '.join(ALGORITHMS)})")
    package = import_module(f"policies.rllib.{name}")
    made: AlgorithmConfig
    if name in _ON_POLICY:
        made = getattr(package, _ON_POLICY[name])(scenario, seed=seed, make_env=make_env, share=share)
        return made
    from policies.rllib.joint.algorithm import joint_config

    settings = getattr(package, _JOINT[name]).get_default_config()
    made = joint_config(settings, scenario, seed=seed, make_env=make_env, share=share)
    return made
