"""Robust statistics of training runs and their bootstrap intervals, after Agarwal et al. (2021).

Agarwal, Schwarzer, Castro, Courville, Bellemare: Deep reinforcement learning at the edge of the statistical precipice,
NeurIPS 2021 (arXiv 2108.13264).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestration.evaluation.statistics import LEVEL

Array = NDArray[np.floating[Any]]

RESAMPLES = 2000
"""Of every interval."""

SEED = 20210801
"""Of resampling: the same scores give the same interval."""

_AT_ONCE = 1_000_000  # values that are resampled at once, so that memory stays small
_TRIMMED = 0.25


@dataclass(frozen=True)
class Interval:
    """A statistic, its bootstrap interval (nan where there is none), and how many runs it is of."""

    value: float
    low: float
    high: float
    runs: int


Samples = Mapping[tuple[str, str], Array]
"""Scenario and policy to scores, (..., runs, episodes)."""

Statistic = Callable[[Samples], dict[str, Array]]
"""Name to the statistic of scores, with their leading axes and as many of its own as it likes."""


def iqm(scores: Array) -> Array:
    """Interquartile mean over the last axis: the lowest and the highest quarter, rounded down, are left out."""
    n = scores.shape[-1]
    cut = int(_TRIMMED * n)
    middle: Array = np.sort(scores, axis=-1)[..., cut : n - cut].mean(axis=-1)
    return middle


def pooled(scores: Array) -> Array:
    """Scores with runs and episodes in one axis."""
    return scores.reshape(*scores.shape[:-2], -1)


def better(ones: Array, others: Array) -> Array:
    """Share of pairs in which a value of ``ones`` is above one of ``others``, ties half: Mann-Whitney's U over all."""
    difference = ones[..., :, None] - others[..., None, :]
    share: Array = ((difference > 0) + 0.5 * (difference == 0)).mean(axis=(-2, -1))
    return share


def bootstrap(samples: Samples, statistic: Statistic, level: float = LEVEL) -> dict[str, tuple[Array, Array, Array]]:
    """A statistic with its stratified percentile interval.

    Within each scenario, the stratum, the runs of each policy are resampled, and so are the episodes, which are the
    same for all its policies and runs: paired scores stay paired, and what a run is worth counts once, not once per
    episode. Resampling both is a little too wide rather than too narrow where both vary (Owen 2007, The pigeonhole
    bootstrap). Of few runs, every percentile interval is too narrow: of 5 that are normal, the 95% interval of a mean
    holds the truth 84 times in 100, of 10 91 times, of 20 93 times.

    Args:
        samples: scenario and policy to scores, (runs, episodes).
        statistic: of the scores.
        level: coverage of the interval, at each point if the statistic has several.

    Returns:
        Name to value, low and high.
    """
    rng = np.random.default_rng(SEED)
    values = statistic(samples)
    size = sum(scores.size for scores in samples.values())
    at_once = max(1, min(RESAMPLES, _AT_ONCE // max(1, size)))
    drawn: dict[str, list[Array]] = {name: [] for name in values}
    for start in range(0, RESAMPLES, at_once):
        for name, found in statistic(_resampled(rng, samples, min(at_once, RESAMPLES - start))).items():
            drawn[name].append(found)
    tails = [0.5 - level / 2, 0.5 + level / 2]
    ends = {name: np.quantile(np.concatenate(parts), tails, axis=0) for name, parts in drawn.items()}
    return {name: (values[name], ends[name][0], ends[name][1]) for name in values}


def _resampled(rng: np.random.Generator, samples: Samples, times: int) -> dict[tuple[str, str], Array]:
    """Scores drawn with replacement, (times, runs, episodes)."""
    episodes: dict[str, NDArray[np.int64]] = {}
    found = {}
    for (scenario, policy), scores in samples.items():
        runs, width = scores.shape
        if scenario not in episodes:
            episodes[scenario] = rng.integers(width, size=(times, width))
        chosen = rng.integers(runs, size=(times, runs))
        found[scenario, policy] = scores[chosen[:, :, None], episodes[scenario][:, None, :]]
    return found
