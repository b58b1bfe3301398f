"""Order levels that are known to be best: the newsvendor, (s, S) with a fixed cost, and base stock of what perishes.

Demand of a period is a list of probabilities, of 0, 1, 2 and so on units; periods are alike and independent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import exp, inf

Demand = Sequence[float]
State = tuple[int, ...]

CONVERGED = 1e-6
MOST_PERIODS = 200
SETTLED = 5
"""Lives after which nothing is left of the empty shelf at the beginning."""


def poisson(mean: float, tail: float = 1e-6) -> list[float]:
    """Probabilities of a Poisson demand, as far as they matter."""
    found, total = [exp(-mean)], exp(-mean)
    while total < 1.0 - tail:
        found.append(found[-1] * mean / len(found))
        total += found[-1]
    return [chance / total for chance in found]


# ---------------------------------------------------------------- one period
def newsvendor_cost(order: int, demand: Demand, price: float, short: float, over: float) -> float:
    """Expected cost of a period in which ``order`` units are bought that are worth nothing afterwards."""
    lost = sum(chance * max(0, units - order) for units, chance in enumerate(demand))
    left = sum(chance * max(0, order - units) for units, chance in enumerate(demand))
    return price * order + short * lost + over * left


def newsvendor(demand: Demand, price: float, short: float, over: float) -> int:
    """The order with the critical fractile: the smallest at which demand is met with chance (p - c) / (p + w)."""
    fractile = (short - price) / (short + over)
    return next(units for units, chance in enumerate(accumulate(demand)) if chance >= fractile - 1e-12)


# ---------------------------------------------------------------- (s, S)
def s_S_cost(s: int, up_to: int, demand: Demand, period: Callable[[int], float], fixed: float) -> float:
    """Long-run cost of a period under (s, S): order up to S whenever the position is no more than s.

    Args:
        s: reorder point.
        up_to: S.
        demand: of a period.
        period: expected cost of a period that begins with a position, after what was ordered has come.
        fixed: cost of an order.

    A cycle begins at S; ``visits[j]`` is how many of its periods begin at S - j (Zheng and Federgruen, Operations
    Research 1991, 39(4), 654-665).
    """
    chances = [*demand, *([0.0] * (up_to - s))]
    visits: list[float] = []
    for below in range(up_to - s):
        came = sum(chances[units] * visits[below - units] for units in range(1, below + 1))
        visits.append(((below == 0) + came) / (1.0 - chances[0]))
    paid = fixed + sum(count * period(up_to - below) for below, count in enumerate(visits))
    return paid / sum(visits)


def best_s_S(demand: Demand, period: Callable[[int], float], fixed: float) -> tuple[int, int]:
    """The best (s, S), by Zheng and Federgruen's search; the cost of a period must first fall and then rise."""
    least = 0
    while period(least + 1) < period(least):
        least += 1

    def cost(s: int, up_to: int) -> float:
        return s_S_cost(s, up_to, demand, period, fixed)

    s, best = least - 1, least
    while cost(s, best) > period(s):
        s -= 1
    lowest, up_to = cost(s, best), best + 1
    while period(up_to) <= lowest:
        if cost(s, up_to) < lowest:
            best = up_to
            while cost(s, best) <= period(s + 1):
                s += 1
            lowest = cost(s, best)
        up_to += 1
    return s, best


# ---------------------------------------------------------------- what perishes
def perishable_cost(up_to: int, life: int, demand: Demand, short: float, waste: float) -> float:
    """Long-run cost of a period under base stock, of units that live for ``life`` periods and are used oldest first.

    What is ordered is there at once, unmet demand is lost (the model of Nahmias, Operations Research 1982, 30(4),
    680-708). The state is how many units have 1, 2, ... periods left before an order.

    Args:
        up_to: what is there after an order.
        life: periods in which a unit can be used; 1 is the newsvendor.
        demand: of a period.
        short: cost of a unit of demand that is lost.
        waste: cost of a unit that perishes.
    """
    now: dict[State, float] = {(0,) * (life - 1): 1.0}
    before = inf
    for passed in range(MOST_PERIODS):
        after: dict[State, float] = {}
        cost = 0.0
        for state, likely in now.items():
            ages = (*state, up_to - sum(state))
            for units, chance in enumerate(demand):
                left, missing = _used(ages, units)
                cost += likely * chance * (short * missing + waste * left[0])
                after[left[1:]] = after.get(left[1:], 0.0) + likely * chance
        now = after
        if passed > SETTLED * life and abs(cost - before) < CONVERGED * max(1.0, cost):
            break
        before = cost
    return cost


def _used(ages: State, units: int) -> tuple[State, int]:
    """What is left of units by age when some are used, the oldest first; and how many were missing."""
    left = []
    for there in ages:
        taken = min(there, units)
        left.append(there - taken)
        units -= taken
    return tuple(left), units


def best_base_stock(life: int, demand: Demand, short: float, waste: float) -> int:
    """The best level for what perishes, no less than the newsvendor's, whose units live for one period."""
    level = newsvendor(demand, 0.0, short, waste)
    cost = perishable_cost(level, life, demand, short, waste)
    while (higher := perishable_cost(level + 1, life, demand, short, waste)) <= cost:
        level, cost = level + 1, higher
    return level
