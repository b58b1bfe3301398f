"""Keeps the best modules of a training run as a checkpoint that can act."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, EPISODE_RETURN_MEAN, NUM_EPISODES

from policies.rllib.checkpoint import save_checkpoint

# Episodes that the smoothed return is the mean of: single returns scatter by more than training gains at a time.
EPISODES = 100


class KeepBest(RLlibCallback):
    """Saves the modules whenever the smoothed training return beats every earlier one.

    Smoothed: the mean over the last iterations that make up 100 episodes. Until there are that many, the latest
    modules are kept, since the mean of a few episodes is mostly luck.

    Adds to the result, all in the scenario's units and for the team (RLlib adds agents up; with a shared reward
    the mean over agents is the team's return): `team_return` of this iteration's episodes, nan without any;
    `smooth_return`; `best_return` and `best_iteration`, which tell what was kept.
    """

    def __init__(self, path: Path, agents: int, facts: Mapping[str, Any]) -> None:
        self._path = path
        self._agents = agents
        self._facts = dict(facts)
        self._recent: deque[tuple[int, float]] = deque()
        self._full = False
        self._best = math.nan
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
        episodes = int(returns.get(NUM_EPISODES, 0))
        mean = float(returns[EPISODE_RETURN_MEAN]) / self._agents if episodes else math.nan
        if episodes and self._beats(episodes, mean):
            self._best, self._best_iteration = self._smooth, int(result["training_iteration"])
            facts = {
                **self._facts,
                "iteration": self._best_iteration,
                "env_steps": int(result["num_env_steps_sampled_lifetime"]),
                "training_return": self._best,
            }
            roles = sorted(algorithm.config.policies)
            save_checkpoint(self._path, {role: algorithm.get_module(role) for role in roles}, facts)
        result["team_return"] = mean
        result["smooth_return"] = self._smooth
        result["best_return"] = self._best
        result["best_iteration"] = self._best_iteration

    def _beats(self, episodes: int, mean: float) -> bool:
        """Take in an iteration's mean return; whether the smoothed return is now the best so far."""
        self._recent.append((episodes, mean))
        while sum(n for n, _ in self._recent) - self._recent[0][0] >= EPISODES:
            self._recent.popleft()
        first = not self._full
        self._full = sum(n for n, _ in self._recent) >= EPISODES
        return first or self._smooth > self._best

    @property
    def _smooth(self) -> float:
        total = sum(n for n, _ in self._recent)
        return sum(n * mean for n, mean in self._recent) / total if total else math.nan


def keep_best(path: Path, *, agents: int, facts: Mapping[str, Any]) -> Any:
    """The callback for `config.callbacks(...)`, which wants something it can call without arguments."""
    return partial(KeepBest, path, agents, facts)
