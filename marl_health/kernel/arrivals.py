"""Arrival times that follow a rate: a non-stationary Poisson process, and the processes that a scenario may name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from marl_health.kernel.randomness import stream

_CHUNK = 512


class ArrivalTimes(Protocol):
    """Arrival times of one source, one after the other."""

    def next(self) -> float:
        """The next arrival time in minutes, or infinity if there is none."""


class PoissonArrivals:
    """Arrival times of a Poisson process for a piecewise constant rate, exact and without thinning.

    With unit-rate times E1 < E2 < ..., the arrivals are where the cumulative rate reaches E1, E2, ...

    Args:
        seed: the episode's seed.
        source: name of the source; it picks the stream.
        edges: times in minutes at which the rate may change, ascending, n + 1 of them.
        rates: arrivals per minute between neighbouring edges, n of them, none negative.
        begins: time in minutes before which nobody comes.
    """

    __slots__ = ("_cumulative", "_edges", "_generator", "_reached", "_times")

    def __init__(
        self, seed: int, source: str, edges: NDArray[np.float64], rates: NDArray[np.float64], begins: float = 0.0
    ) -> None:
        self._generator = stream(seed, "arrivals:" + source)
        self._edges = edges
        self._cumulative = cumulative = np.zeros(len(edges))
        np.cumsum(rates * np.diff(edges), out=cumulative[1:])
        self._reached = float(np.interp(begins, edges, cumulative)) if begins > edges[0] else 0.0
        self._times: list[float] = []

    def next(self) -> float:
        """The next arrival time in minutes, or infinity once the last edge is passed."""
        if not self._times:
            whole = float(self._cumulative[-1])
            if self._reached >= whole:
                return float("inf")
            expected = whole - self._reached
            size = int(min(_CHUNK, expected + 4.0 * expected**0.5 + 8))
            unit = self._reached + np.cumsum(self._generator.standard_exponential(size))
            self._reached = float(unit[-1])
            unit = unit[: unit.searchsorted(whole)]
            self._times = np.interp(unit, self._cumulative, self._edges)[::-1].tolist()
            return self.next()
        return self._times.pop()


MakeArrivals = Callable[[int, str, NDArray[np.float64], NDArray[np.float64], float], ArrivalTimes]
"""Makes the arrival times of a source from what :class:`PoissonArrivals` takes."""

PUBLIC = ("poisson",)
"""The processes that the language documents."""

PROCESSES: dict[str, MakeArrivals] = {"poisson": PoissonArrivals}
"""Every process that a scenario can name in this Python process."""


def register_arrivals(name: str, process: MakeArrivals) -> None:
    """Let scenarios name another arrival process: ``rate: {per_hour: 5, process: NAME}``.

    It is known in this Python process only, and is no word of the public language.

    Args:
        name: how scenarios name it.
        process: makes its arrival times.

    Raises:
        ValueError: if another process has that name.
    """
    if PROCESSES.setdefault(name, process) is not process:
        raise ValueError(f"there is an arrival process named '{name}' already; choose another name")
