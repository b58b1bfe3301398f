"""Settings of on-policy learning that suit a scenario and this machine, where nobody says any.

They are those of `experiments/hospital_mappo.yaml`, spread over the processors: every sub-environment plays whole
episodes from one batch to the next, and copies of a world meet the same patients, so that luck is not learned from.
"""

from __future__ import annotations

from typing import Any

from marl_health import Scenario, parallel_env

SUITED = ("ppo", "mappo")
"""The algorithms that they are for."""

COPIES = 8
"""Sub-environments in a row that meet the same patients."""

ENVS = 16
"""Sub-environments of a process: the patients of two worlds, and as many rows as a forward pass has for free."""

MOST_RUNNERS = 8
"""Processes that play; more of them would make batches large, and rare."""

ROUND = 144
"""Steps that a sub-environment plays for a batch, as nearly as whole episodes allow: one episode of the hospital."""

LONGEST = 576
"""Steps after which an episode is cut into equal parts, one for each batch."""

EVERY = 8
"""Batches between two evaluations; with as many episodes as `EPISODES`, an eighth of the work."""

EPISODES = 32


FROM_A_RULE = {"entropy_coeff": 0.0}
"""What a cloned rule leaves open is enough to explore with."""


def episode_steps(scenario: Scenario) -> int:
    """Decisions in an episode in which everybody waits."""
    env = parallel_env(scenario)
    env.reset(seed=0)
    steps = 0
    while env.agents:
        env.step(dict.fromkeys(env.agents, 0))
        steps += 1
    return steps


def settings_for(scenario: Scenario, processors: int) -> dict[str, Any]:
    """RLlib's settings.

    Args:
        scenario: what is trained on.
        processors: that training may use.
    """
    runners = min(processors, MOST_RUNNERS) if processors > 1 else 0
    envs = ENVS if runners else 2 * ENVS
    steps = episode_steps(scenario)
    # Never less than a step, should a world end at once.
    whole = max(1, steps) * max(1, round(ROUND / max(1, steps)))
    parts = -(-whole // LONGEST)
    batch = max(1, runners) * envs * -(-whole // parts)
    return {
        "num_env_runners": runners,
        "num_envs_per_env_runner": envs,
        "same_patients": COPIES,
        "train_batch_size_per_learner": batch,
        "minibatch_size": batch // 4,
        "num_epochs": 6,
        "lr": 0.0005,
        "lambda_": 1.0,  # with the others as a baseline, a whole episode is not too long
    }
