"""Exact values of queueing theory, each from its textbook formula. The unit of time is one hour."""

from math import log, prod


def erlang_b(servers, load):
    """Chance that all servers are busy in the loss system, by the recursion over servers."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


def erlang_c(servers, load):
    """Chance to wait in M/M/c."""
    blocked = erlang_b(servers, load)
    return servers * blocked / (servers - load * (1 - blocked))


def m_m_c(rate, served, servers):
    """(chance to wait, mean wait, mean number waiting, 90th percentile of the wait)."""
    delayed = erlang_c(servers, rate / served)
    slack = servers * served - rate
    return delayed, delayed / slack, rate * delayed / slack, log(delayed / 0.1) / slack


def pollaczek_khinchine(rate, mean, sd):
    """Mean wait in M/G/1."""
    return rate * (mean**2 + sd**2) / (2 * (1 - rate * mean))


def cobham(rates, means, second_moments):
    """Mean wait of each class under non-preemptive priority, one server; the first class goes first."""
    begun = sum(rate * moment for rate, moment in zip(rates, second_moments, strict=True)) / 2
    waits, load = [], 0.0
    for rate, mean in zip(rates, means, strict=True):
        above, load = load, load + rate * mean
        waits.append(begun / ((1 - above) * (1 - load)))
    return waits


def preemptive_resume(rates, means, second_moments):
    """Mean time in the system of each class under preemptive-resume priority, one server."""
    stays, load, begun = [], 0.0, 0.0
    for rate, mean, moment in zip(rates, means, second_moments, strict=True):
        above, load = load, load + rate * mean
        begun += rate * moment / 2
        stays.append((mean * (1 - load) + begun) / ((1 - above) * (1 - load)))
    return stays


def erlang_a(rate, served, servers, impatience, most=400):
    """(share that abandons, mean number waiting, utilisation) from the birth and death process."""
    deaths = [min(n, servers) * served + max(0, n - servers) * impatience for n in range(1, most + 1)]
    weights = [1.0]
    for death in deaths:
        weights.append(weights[-1] * rate / death)
    total = sum(weights)
    waiting = sum(weight * max(0, n - servers) for n, weight in enumerate(weights)) / total
    busy = sum(weight * min(n, servers) for n, weight in enumerate(weights)) / total
    return impatience * waiting / rate, waiting, busy / servers


def jackson(outside, routing, served, servers):
    """(mean time in the network, mean number waiting at each station) of an open Jackson network.

    Args:
        outside: arrivals from outside at each station. routing: chance to go from one station to another.
        served: rate of one server. servers: how many there are.
    """
    flows = list(outside)
    for _ in range(200):
        flows = [
            rate + sum(flow * routing[source][station] for source, flow in enumerate(flows))
            for station, rate in enumerate(outside)
        ]
    waiting = [m_m_c(flow, mu, c)[2] for flow, mu, c in zip(flows, served, servers, strict=True)]
    inside = sum(waiting) + sum(flow / mu for flow, mu in zip(flows, served, strict=True))
    return inside / sum(outside), waiting


def normalised(weights):
    """Weights that add up to 1."""
    return [weight / sum(weights) for weight in weights]


def erlang_b_directly(servers, load):
    """The same as :func:`erlang_b` by the definition: the recursion is checked against it."""
    return normalised([prod(load / number for number in range(1, n + 1)) for n in range(servers + 1)])[-1]
