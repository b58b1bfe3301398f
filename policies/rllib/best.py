"""Keeps the best modules of a training run as a checkpoint that can act."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, EPISODE_RETURN_MEAN, NUM_EPISODES

from marl_health.adapters.rllib import FIRST_TRAINING_SEED
from policies.rllib.checkpoint import save_checkpoint
from policies.rllib.sharing import roles_in, told

# How often the policy is tried, in iterations, and in how many episodes: an eighth of the work of training.
INTERVAL = 10
EPISODES = 24
# Training seeds, since what is kept is chosen on them; far from evaluation's, which count from small numbers.
SEEDS = range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + EPISODES)


class KeepBest(RLlibCallback):
    """Tries the greedy policy now and then in the same episodes each time, and saves the modules if it is the best.

    Training returns are no guide: patients differ so much between episodes that the mean of a hundred moves more by
    luck than by learning. In the same episodes luck cancels out.

    Adds to the result, in the scenario's units and for the team (RLlib adds agents up; with a shared reward the mean
    over agents is the team's return): `training_return`, of the episodes that ended in this iteration; `greedy_return`
    of the trial; both nan where there was none; `best_return` and `best_iteration` of what was kept.
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
        ended = result[ENV_RUNNER_RESULTS]
        training = float(ended[EPISODE_RETURN_MEAN]) / self._agents if ended.get(NUM_EPISODES) else math.nan
        iteration = int(result["training_iteration"])
        greedy = self._try(algorithm) if iteration == 1 or iteration % INTERVAL == 0 else math.nan
        if greedy > self._best:
            self._best, self._best_iteration = greedy, iteration
            facts = {
                **self._facts,
                "iteration": iteration,
                "env_steps": int(result["num_env_steps_sampled_lifetime"]),
                "greedy_return": greedy,
            }
            names = sorted(algorithm.config.policies)
            words = told(names)
            if words:
                facts["told"] = words
            modules = {role: algorithm.get_module(name) for name in names for role in roles_in(name)}
            save_checkpoint(self._path, modules, facts)
        result["training_return"] = training
        result["greedy_return"] = greedy
        result["best_return"] = self._best
        result["best_iteration"] = self._best_iteration

    @staticmethod
    def _try(algorithm: Any) -> float:
        """Mean return of the greedy policy in the episodes of SEEDS, which the runners share out."""
        runners = algorithm.config.num_env_runners
        shares = algorithm.env_runner_group.foreach_env_runner(
            lambda runner: runner.play(SEEDS[max(runner.worker_index - 1, 0) :: max(runners, 1)]),
            local_env_runner=runners == 0,
        )
        returns = [value for share in shares for value in share]
        return sum(returns) / len(returns)


def keep_best(path: Path, *, agents: int, facts: Mapping[str, Any]) -> Any:
    """The callback for `config.callbacks(...)`, which wants something it can call without arguments."""
    return partial(KeepBest, path, agents, facts)
