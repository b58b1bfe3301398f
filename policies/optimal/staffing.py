"""How many servers a changing demand needs: modified offered load and square-root staffing, beside exact queues."""

from __future__ import annotations

from collections.abc import Callable
from math import log1p, sqrt


def modified_offered_load(rate: Callable[[float], float], at: float, mean: float, pieces: int = 24) -> float:
    """Mean number busy at a time if nobody ever had to wait: demand of the recent past that is not served yet.

    For exponential service it is the integral of ``rate(at - u) * exp(-u / mean)`` over all ages ``u`` of
    work (Jennings, Mandelbaum, Massey and Whitt, Management Science 1996, 42(10), 1383-1394); it is
    taken over equal shares of work.

    Args:
        rate: arrivals per unit of time, at a time.
        at: the time.
        mean: of a service.
        pieces: midpoints at which the rate is read.
    """
    ages = [-mean * log1p(-(piece + 0.5) / pieces) for piece in range(pieces)]
    return mean * sum(rate(at - age) for age in ages) / pieces


def square_root_staffing(load: float, beta: float) -> float:
    """Servers for an offered load: as many as are busy on average, and ``beta`` standard deviations more."""
    return load + beta * sqrt(max(0.0, load))


def abandonment(load: float, patience: float, servers: int) -> float:
    """Share that leaves unserved in a queue with exponential patience (Erlang A), ``patience`` in mean services."""
    theta = 1.0 / patience
    weight, weights = 1.0, [1.0]
    for number in range(1, 400):
        weight *= load / (min(number, servers) + max(0, number - servers) * theta)
        weights.append(weight)
        if weight < 1e-15 * weights[0] and number > servers:
            break
    whole = sum(weights)
    left = sum(w * max(0, n - servers) * theta for n, w in enumerate(weights)) / whole
    return left / load
