"""The size of returns, so that networks need not know that of a scenario's rewards."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter


class ReturnScale:
    """Running standard deviation of discounted returns.

    Args:
        gamma: the discount.
    """

    def __init__(self, gamma: float) -> None:
        self._gamma = gamma
        self._count, self._mean, self._squares = 0.0, 0.0, 0.0

    @property
    def value(self) -> float:
        """Standard deviation of the discounted returns seen so far; 1 while they do not vary."""
        deviation = float(np.sqrt(self._squares / self._count)) if self._count else 0.0
        return deviation if deviation > 1e-8 else 1.0

    def update(self, rewards: NDArray[np.float64]) -> None:
        """Merge in the returns of a chunk of an episode (Chan et al. 1979).

        Args:
            rewards: of the chunk, shape (T,).
        """
        returns = lfilter([1.0], [1.0, -self._gamma], rewards[::-1])
        n = len(returns)
        if not n:
            return
        delta = float(returns.mean()) - self._mean
        total = self._count + n
        self._squares += float(returns.var()) * n + delta**2 * self._count * n / total
        self._mean += delta * n / total
        self._count = total

    def get_state(self) -> dict[str, Any]:
        """What was seen so far."""
        return {"count": self._count, "mean": self._mean, "squares": self._squares}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state`."""
        self._count, self._mean, self._squares = state["count"], state["mean"], state["squares"]
