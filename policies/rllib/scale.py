"""The size of returns, so that networks need not know that of a scenario's rewards."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class ReturnScale:
    """Running standard deviation of discounted returns."""

    def __init__(self) -> None:
        self._count, self._mean, self._squares = 0.0, 0.0, 0.0

    @property
    def value(self) -> float:
        """Standard deviation of the discounted returns seen so far; 1 while they do not vary."""
        deviation = float(np.sqrt(self._squares / self._count)) if self._count else 0.0
        return deviation if deviation > 1e-8 else 1.0

    def update(self, rewards: NDArray[Any], discounts: NDArray[Any]) -> None:
        """Merge in the returns of a chunk of an episode (Chan et al. 1979).

        Args:
            rewards: of the chunk, shape (T,).
            discounts: of what comes after each of them, shape (T,).
        """
        tail, found = 0.0, []
        for reward, discount in zip(rewards[::-1].tolist(), discounts[::-1].tolist(), strict=True):
            tail = reward + discount * tail
            found.append(tail)
        returns = np.array(found)
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
