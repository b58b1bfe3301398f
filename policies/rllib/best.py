"""Keeps the best modules of a training run as a checkpoint that can act."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS

from policies.rllib.checkpoint import save_checkpoint

TEAM_RETURN = "team_return"
BEST_RETURN = "best_return"
BEST_ITERATION = "best_iteration"


class KeepBest(RLlibCallback):
    """Saves the modules whenever the smoothed training return beats every earlier one.

    The return is RLlib's mean over the last episodes (`metrics_num_episodes_for_smoothing`), divided by the
    number of agents, since RLlib adds agents up: with a shared reward this is the team's return. Adds
    `team_return`, `best_return` and `best_iteration` to the result.
    """

    def __init__(self, path: Path, agents: int, facts: Mapping[str, Any]) -> None:
        self._path = path
        self._agents = agents
        self._facts = dict(facts)
        self._best = -math.inf
        self._best_iteration = 0

    def on_train_result(self, *, algorithm: Any, result: dict[str, Any], **_: Any) -> None:
        """Called by RLlib after every iteration.

        Raises:
            RuntimeError: the environments reported nothing, so there is nothing to learn from.
        """
        if ENV_RUNNER_RESULTS not in result:
            raise RuntimeError(
                "no environment reported results in this iteration: the environment runners have failed; "
                "step the environment outside RLlib to see why"
            )
        returns = result[ENV_RUNNER_RESULTS]
        mean = float(returns.get("episode_return_mean", math.nan)) / self._agents
        if mean > self._best:
            self._best, self._best_iteration = mean, int(result["training_iteration"])
            facts = {
                **self._facts,
                "iteration": self._best_iteration,
                "env_steps": int(result["num_env_steps_sampled_lifetime"]),
                "training_return": mean,
            }
            roles = sorted(algorithm.config.policies)
            save_checkpoint(self._path, {role: algorithm.get_module(role) for role in roles}, facts)
        result[TEAM_RETURN] = mean
        result[BEST_RETURN] = self._best
        result[BEST_ITERATION] = self._best_iteration


def keep_best(path: Path, *, agents: int, facts: Mapping[str, Any]) -> Any:
    """The callback for `config.callbacks(...)`, which wants something it can call without arguments."""
    return partial(KeepBest, path, agents, facts)
