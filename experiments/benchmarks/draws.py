"""Random numbers for the bare heap: drawn in blocks, as one writes it for speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from experiments.benchmarks import parameters as p

BLOCK = 2048


def blocks(make: Callable[[int], Any]) -> Callable[[], float]:
    """One draw at a time from arrays that ``make`` draws by the block."""

    def endless() -> Iterator[float]:
        while True:
            yield from make(BLOCK).tolist()

    return endless().__next__


def arrival_times(rng: np.random.Generator) -> list[float]:
    """Arrivals of the whole replication in minutes, last first."""
    hours = np.arange(int(p.HORIZON // 60))
    cumulative = np.concatenate(([0.0], np.cumsum(np.array(p.RATES)[hours % 24] * 60)))
    unit = rng.random(rng.poisson(cumulative[-1])) * cumulative[-1]
    times = np.interp(unit, cumulative, np.arange(len(cumulative)) * 60.0)
    return np.sort(times)[::-1].tolist()
