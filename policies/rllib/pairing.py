"""Learning from what actions change, by letting several copies of a world meet the same patients.

How an episode goes is mostly luck: who falls ill, and when. Copies of a world that are started with the same seed share
that luck, and what they are paid differs only by what was done in them. The mean of the others' rewards at the same
time is therefore a baseline that knows all that chance has in store and nothing of one's own actions, so it takes noise
from the gradient and adds no bias (input-driven baselines, Mao et al. 2019, arXiv 1807.02264; leaving one's own out,
Kool et al. 2019, "Buy 4 REINFORCE samples, get a baseline for free!").

For learners of action values it is no less exact: what is taken off depends on luck alone, which no action moves, so
every action in a state loses as much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marl_health.adapters.rllib import PATIENTS


class PairingError(ValueError):
    """Copies of a world that cannot be paired."""


def share_patients(config: Any, copies: int) -> None:
    """Let `copies` sub-environments of every runner in a row meet the same patients.

    Args:
        config: RLlib's, of an algorithm.
        copies: how many; 1 gives all of them patients of their own.

    Raises:
        PairingError: the sub-environments of a runner do not come out even.
    """
    if copies < 1 or config.num_envs_per_env_runner % copies:
        raise PairingError(
            f"same_patients is {copies}, but num_envs_per_env_runner is {config.num_envs_per_env_runner}; it has to be "
            "a multiple, so that every copy of a world has its companions"
        )
    config.env_config = {**config.env_config, "copies": copies}


def leads(episodes: Iterable[Any]) -> list[NDArray[np.float64]]:
    """By how much every reward is above the mean of the others with the same patients at the same time.

    Where there is no other, because the copies' episodes ended at different times, it is 0: nothing can be told.

    Args:
        episodes: chunks of `SingleAgentEpisode`s, of environments that tell their patients in `info`.

    Returns:
        By chunk, shape (T,).

    Raises:
        PairingError: the environments do not tell.
    """
    total: dict[tuple[Any, int, int], float] = defaultdict(float)
    count: dict[tuple[Any, int, int], int] = defaultdict(int)
    chunks = []
    for episode in episodes:
        rewards = np.asarray(episode.get_rewards(slice(0, len(episode))), np.float64)
        chunks.append((_companions(episode, len(rewards)), rewards))
    for keys, rewards in chunks:
        for key, reward in zip(keys, rewards, strict=True):
            total[key] += reward
            count[key] += 1
    return [
        np.array(
            [
                reward - (total[key] - reward) / (count[key] - 1) if count[key] > 1 else 0.0
                for key, reward in zip(keys, rewards, strict=True)
            ]
        )
        for keys, rewards in chunks
    ]


def _companions(episode: Any, steps: int) -> list[tuple[Any, int, int]]:
    """For each step what it has in common with those it is compared with: the agent, the patients, the time."""
    if not steps:
        return []
    patients = episode.get_infos(slice(0, 1))[0].get(PATIENTS)
    if patients is None:
        raise PairingError("no patients are told in info: set same_patients, which lets environments share them")
    return [(episode.agent_id, patients, t) for t in range(episode.t_started, episode.t_started + steps)]
