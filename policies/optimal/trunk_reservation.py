"""Beds kept back for the sickest: what each number of them loses, and which is best.

Two classes of patients come at random to units of one kind, stay for exponential times of the same mean, and are
refused where there is no bed for them. To keep the last beds back from the class whose refusal costs less is then
the best of all policies (Miller, Management Science 1969, 16(3), 234-245), and what it loses follows from a birth-and-
death chain (Erlang's loss formula, if none are kept back).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum


@dataclass(frozen=True)
class Unit:
    """Two classes and their beds.

    Attributes:
        beds: how many there are.
        rates: arrivals a day of the class that comes first, and of the other.
        days: mean stay.
        costs: of refusing one, by class in the same order.
    """

    beds: int
    rates: tuple[float, float]
    days: float
    costs: tuple[float, float]


def refused(unit: Unit, kept: int) -> tuple[float, float]:
    """Shares of the two classes that are refused if ``kept`` beds are kept back from the second."""
    first, second = unit.rates
    weights = [1.0]
    for taken in range(unit.beds):
        comes = first + (second if taken < unit.beds - kept else 0.0)
        weights.append(weights[-1] * comes * unit.days / (taken + 1))
    whole = fsum(weights)
    return weights[-1] / whole, fsum(weights[unit.beds - kept :]) / whole


def cost(unit: Unit, kept: int) -> float:
    """Expected cost of refusals a day."""
    shares = refused(unit, kept)
    return fsum(rate * price * share for rate, price, share in zip(unit.rates, unit.costs, shares, strict=True))


def best_reserve(unit: Unit, rounds: int = 100_000, tolerance: float = 1e-9) -> int:
    """Beds to keep back, from the optimum of the Markov decision process, found by value iteration.

    Nothing is assumed of its form: in every state each class may be let in or not. The number that is kept back is how
    many of the last free beds the second class does not get.

    Raises:
        RuntimeError: value iteration did not settle.
    """
    first, second = unit.rates
    clock = first + second + unit.beds / unit.days
    value = [0.0] * (unit.beds + 1)
    for _ in range(rounds):
        new = [
            (
                first * _let_in(value, taken, unit.costs[0])
                + second * _let_in(value, taken, unit.costs[1])
                + taken / unit.days * value[max(0, taken - 1)]
                + (unit.beds - taken) / unit.days * value[taken]
            )
            / clock
            for taken in range(unit.beds + 1)
        ]
        changes = [a - b for a, b in zip(new, value, strict=True)]
        value = [one - new[0] for one in new]
        if max(changes) - min(changes) < tolerance:
            refuses = [value[taken + 1] > value[taken] + unit.costs[1] for taken in range(unit.beds)]
            return sum(refuses)
    raise RuntimeError(f"value iteration did not settle in {rounds} rounds")


def _let_in(value: list[float], taken: int, price: float) -> float:
    """The lower of what it costs from now on to let somebody in, and to refuse them."""
    refuse = value[taken] + price
    return refuse if taken == len(value) - 1 else min(refuse, value[taken + 1])
