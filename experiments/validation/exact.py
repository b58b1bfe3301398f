"""Exact values of queueing theory, each from its textbook formula. Rates are per hour, times in hours.

Sources: Gross, Shortle, Thompson and Harris, Fundamentals of Queueing Theory (4th edition, Wiley 2008), chapters 2 to
5; for abandonment Garnett, Mandelbaum and Reiman, Designing a call center with impatient customers, Manufacturing &
Service Operations Management 4 (2002) 208-227.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import NamedTuple


class Delay(NamedTuple):
    """M/M/c: chance to wait, mean wait, mean number waiting, 90th percentile of the wait."""

    delayed: float
    wait: float
    waiting: float
    p90: float


def erlang_b(servers: int, load: float) -> float:
    """Chance that all servers are busy in the loss system, by the recursion over servers."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


def loss(servers: int, load: float) -> tuple[float, float]:
    """(share turned away, share of servers busy) of the loss system, whatever the distribution of service."""
    blocked = erlang_b(servers, load)
    return blocked, load * (1 - blocked) / servers


def erlang_c(servers: int, load: float) -> float:
    """Chance to wait in M/M/c."""
    blocked = erlang_b(servers, load)
    return servers * blocked / (servers - load * (1 - blocked))


def m_m_c(rate: float, served: float, servers: int) -> Delay:
    """M/M/c with arrivals at ``rate`` and ``served`` per hour and server; p90 needs a chance to wait above 10%."""
    delayed = erlang_c(servers, rate / served)
    slack = servers * served - rate
    return Delay(delayed, delayed / slack, rate * delayed / slack, log(delayed / 0.1) / slack)


def pollaczek_khinchine(rate: float, mean: float, sd: float) -> float:
    """Mean wait in M/G/1."""
    return rate * (mean**2 + sd**2) / (2 * (1 - rate * mean))


def cobham(rates: Sequence[float], means: Sequence[float], second_moments: Sequence[float]) -> list[float]:
    """Mean wait of each class under non-preemptive priority, one server; the first class goes first."""
    begun = sum(rate * moment for rate, moment in zip(rates, second_moments, strict=True)) / 2
    return _by_class(begun, [rate * mean for rate, mean in zip(rates, means, strict=True)])


def cobham_m_m_c(rates: Sequence[float], served: float, servers: int) -> list[float]:
    """Mean wait of each class under non-preemptive priority, several servers, one exponential service time."""
    begun = erlang_c(servers, sum(rates) / served) / (servers * served)
    return _by_class(begun, [rate / (servers * served) for rate in rates])


def _by_class(begun: float, loads: Sequence[float]) -> list[float]:
    """Cobham's quotient, from the wait for whoever is in service and the load of each class."""
    waits, load = [], 0.0
    for own in loads:
        above, load = load, load + own
        waits.append(begun / ((1 - above) * (1 - load)))
    return waits


def preemptive_resume(rates: Sequence[float], means: Sequence[float], second_moments: Sequence[float]) -> list[float]:
    """Mean time in the system of each class under preemptive-resume priority, one server."""
    stays, load, begun = [], 0.0, 0.0
    for rate, mean, moment in zip(rates, means, second_moments, strict=True):
        above, load = load, load + rate * mean
        begun += rate * moment / 2
        stays.append((mean * (1 - load) + begun) / ((1 - above) * (1 - load)))
    return stays


def erlang_a(
    rate: float, served: float, servers: int, impatience: float, most: int = 400
) -> tuple[float, float, float]:
    """(share that abandons, mean number waiting, utilisation) from the birth and death process, cut at ``most``."""
    deaths = [min(n, servers) * served + max(0, n - servers) * impatience for n in range(1, most + 1)]
    weights = [1.0]
    for death in deaths:
        weights.append(weights[-1] * rate / death)
    total = sum(weights)
    waiting = sum(weight * max(0, n - servers) for n, weight in enumerate(weights)) / total
    busy = sum(weight * min(n, servers) for n, weight in enumerate(weights)) / total
    return impatience * waiting / rate, waiting, busy / servers


def jackson(
    outside: Sequence[float], routing: Sequence[Sequence[float]], served: Sequence[float], servers: Sequence[int]
) -> tuple[float, list[float]]:
    """(mean time in the network, mean number waiting at each station) of an open Jackson network.

    Args:
        outside: arrivals from outside at each station.
        routing: chance to go from one station (row) to another (column).
        served: rate of one server at each station.
        servers: how many there are at each station.
    """
    flows = list(outside)
    for _ in range(200):
        flows = [
            rate + sum(flow * routing[source][station] for source, flow in enumerate(flows))
            for station, rate in enumerate(outside)
        ]
    waiting = [m_m_c(flow, mu, c).waiting for flow, mu, c in zip(flows, served, servers, strict=True)]
    inside = sum(waiting) + sum(flow / mu for flow, mu in zip(flows, served, strict=True))
    return inside / sum(outside), waiting


def infinite_servers(load: float, beds: int) -> tuple[float, float]:
    """(chance that all beds are taken, share of them that is taken) where patients beyond the beds stay all the same.

    The number of patients is that of M/G/infinity, which is Poisson whatever the distribution of their stays.
    """
    weights = [exp(-load)]
    for number in range(1, beds):
        weights.append(weights[-1] * load / number)
    all_taken = 1 - sum(weights)
    return all_taken, all_taken + sum(number * weight for number, weight in enumerate(weights)) / beds
