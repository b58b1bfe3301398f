"""How much time to allow for work of uncertain length, as much as a newsvendor buys papers.

Too little leaves the next patient waiting, too much leaves the room idle. What is best is the quantile of the length at
which the chance that the work is over is ``waiting / (waiting + idle)`` of the two prices (Weiss, IIE Transactions
1990, 22(2), 143-150, for two patients).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist

NORMAL = NormalDist()


@dataclass(frozen=True)
class Lognormal:
    """A lognormal length.

    Attributes:
        mean: minutes. cv: standard deviation / mean.
    """

    mean: float
    cv: float

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        return sqrt(log(1.0 + self.cv**2))

    @property
    def mu(self) -> float:
        """Mean of the logarithm."""
        return log(self.mean) - self.sigma**2 / 2

    def quantile(self, chance: float) -> float:
        """Minutes within which the work is over with this chance."""
        return exp(self.mu + self.sigma * NORMAL.inv_cdf(chance))

    def left(self, passed: float, chance: float) -> float:
        """Minutes from now within which the work is over with this chance, if it has lasted for ``passed`` minutes."""
        if passed <= 0:
            return self.quantile(chance)
        over = NORMAL.cdf((log(passed) - self.mu) / self.sigma)
        return max(0.0, self.quantile(min(1.0 - 1e-9, over + (1.0 - over) * chance)) - passed)

    def beyond(self, minutes: float) -> float:
        """Expected minutes by which it takes longer than so many."""
        if minutes <= 0:
            return self.mean - minutes
        z = (self.mu - log(minutes)) / self.sigma
        return self.mean * NORMAL.cdf(z + self.sigma) - minutes * NORMAL.cdf(z)


def critical_fraction(waiting: float, idle: float) -> float:
    """The best chance that the room is free when the next patient is ready, at prices of an hour of each.

    A minute more that is allowed saves a minute of waiting while the work goes on, and adds an idle one after it.
    """
    return waiting / (waiting + idle)


def cost(length: Lognormal, allowed: float, waiting: float, idle: float) -> float:
    """Expected price of waiting and idle time (prices per minute) if so many minutes are allowed."""
    waits = length.beyond(allowed)
    return waiting * waits + idle * (allowed - length.mean + waits)
