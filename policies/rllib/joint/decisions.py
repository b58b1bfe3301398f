"""Steps at which nobody decides anything are passed over, so that forced waits carry no weight in learning."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.rllib.joint.rows import Rows


def decisions(rows: Rows) -> Rows:
    """The rows of a chunk in which somebody has a choice, and its first and last.

    What is earned in between belongs to the row before, discounted, and so does the discount. The first row stays
    since the chunk before ended there, and asks what it is worth.
    """
    steps = len(rows.team) - 1
    somebody = np.logical_or.reduce([free.any(-1) for free in rows.free.values()])
    somebody[[0, steps]] = True
    if somebody.all():
        return rows
    kept = np.flatnonzero(somebody)
    segments = kept[:-1]
    weights, discount = np.ones(steps, np.float32), np.ones(steps + 1, np.float32)
    for begin, end in pairwise(kept):
        products = np.cumprod(rows.discount[begin:end])
        weights[begin + 1 : end] = products[:-1]
        discount[begin] = products[-1]

    def earned(rewards: NDArray[np.float32]) -> NDArray[np.float32]:
        weighted = rewards[:steps] * weights.reshape(-1, *[1] * (rewards.ndim - 1))
        return np.concatenate([np.add.reduceat(weighted, segments, axis=0), rewards[-1:]])

    def shown(parts: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {module: values[kept] for module, values in parts.items()}

    return replace(
        rows,
        observations=shown(rows.observations),
        actions=shown(rows.actions),
        rewards={module: earned(rewards) for module, rewards in rows.rewards.items()},
        alive=shown(rows.alive),
        free=shown(rows.free),
        team=earned(rows.team),
        state=rows.state[kept],
        ended=np.append(np.logical_or.reduceat(rows.ended[:steps], segments), False),
        discount=discount[kept],
    )


def waits(rows: Rows, module: str) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """From each row on, how an agent waits for its next decision, if it has none in the row itself.

    Returns:
        By row and agent, all of shape (T + 1, k): rows until it decides, leaves, or the chunk ends; what it earns until
        then, discounted; the discount of what comes then.
    """
    here = rows.free[module] | ~rows.alive[module]
    ahead = np.zeros(here.shape, np.int64)
    earned, discount = np.zeros(here.shape, np.float32), np.ones(here.shape, np.float32)
    if not here[:-1].all():
        for t in reversed(range(len(here) - 1)):
            factor = rows.discount[t]
            ahead[t] = np.where(here[t], 0, 1 + ahead[t + 1])
            earned[t] = np.where(here[t], 0.0, rows.rewards[module][t] + factor * earned[t + 1])
            discount[t] = np.where(here[t], 1.0, factor * discount[t + 1])
    return ahead, earned, discount
