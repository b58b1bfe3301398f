"""How the package treat-sim 3.0.0 draws arrivals: the rate at one arrival holds until the next.

It thins candidates that come at the greatest rate, but asks for the rate at the time of the arrival before, not of the
candidate. That is no Poisson process of the hourly rates: too few come where the rate rises.
"""

from bisect import bisect_right
from pathlib import Path

import marl_health
from marl_health.kernel.arrivals import register_arrivals
from marl_health.kernel.randomness import stream


class PreviousArrival:
    """Thinned arrivals, accepted by the rate at the arrival before."""

    def __init__(self, seed, source, edges, rates, begins=0.0):
        self.generator = stream(seed, "arrivals:" + source)
        self.edges, self.rates = edges.tolist(), rates.tolist()
        self.time = begins

    def next(self):
        if self.time >= self.edges[-1]:
            return float("inf")
        most = max(self.rates)
        accepted = self.rates[bisect_right(self.edges, self.time) - 1] / most
        while True:
            self.time += self.generator.exponential(1 / most)
            if self.generator.random() < accepted:
                return self.time


register_arrivals("previous_arrival", PreviousArrival)


def scenario():
    """The treatment centre with these arrivals."""
    return marl_health.load(Path(__file__).with_name("treatment_centre_as_published.yaml"))
