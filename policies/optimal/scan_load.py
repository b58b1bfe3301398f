"""The tube load of a scan that is best for a patient of a size, and for one whose size is known with an error.

A scan of load q for a patient of size s costs its dose, its time, and, with the chance p(q, s) that its images are too
noisy, a repeated scan of a load that suffices. Each patient is judged alone: what others wait meanwhile is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp


@dataclass(frozen=True)
class Scan:
    """What a scan costs.

    Attributes:
        sizes: shares of patients by size. error: standard deviation of what is seen of the size, in sizes.
        smallest: the size that comes first in ``sizes``; each is one more than the one before.
        cost: by load and size, dose and time of the first scan. fails: by load and size, the chance to repeat it.
        repeat: by size, what repeating it costs.
    """

    sizes: tuple[float, ...]
    smallest: int
    error: float
    cost: tuple[tuple[float, ...], ...]
    fails: tuple[tuple[float, ...], ...]
    repeat: tuple[float, ...]

    def expected(self, load: int, size: int) -> float:
        """What a scan of this load costs on average for this size, by its place in ``sizes``."""
        return self.cost[load][size] + self.fails[load][size] * self.repeat[size]

    def best_for(self, weights: Sequence[float]) -> int:
        """The load of the lowest expected cost if sizes have these weights."""
        return min(
            range(len(self.cost)),
            key=lambda load: sum(weight * self.expected(load, size) for size, weight in enumerate(weights)),
        )

    def best_of_size(self, size: int) -> int:
        """The load that is best for a size, by its place in ``sizes``."""
        return self.best_for([float(place == size) for place in range(len(self.sizes))])

    def posterior(self, seen: float) -> list[float]:
        """Weight of each size given what was seen of it, up to a factor."""
        return [
            share * exp(-0.5 * ((seen - self.smallest - place) / self.error) ** 2)
            for place, share in enumerate(self.sizes)
        ]
