"""When a scanner is taken out: at an age (Barlow and Proschan's age replacement), or when its checks warn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import atan2, exp, gamma, pi

from policies.base import Policy, PolicyError
from policies.rules.base import Can, RuleBook, Seen

DAY = 1440.0
FAILURE, PLANNED = 9000.0 + 7000.0, 2000.0 + 1000.0
"""US dollars of a repair and of maintenance, with the slots that are lost meanwhile: about 270 an hour by day."""
SHAPE, MEAN = 3.0, 20 * DAY
"""A Weibull law close to that of the age at failure: defect and delay together."""
WARNS = 0.3
"""Share of the last checks that must warn: a sound scanner reaches it once in fifty days, one with a defect at once."""


def survival(age: float, shape: float, mean: float) -> float:
    """Chance that a Weibull life lasts for longer than an age."""
    return exp(-((age * gamma(1.0 + 1.0 / shape) / mean) ** shape))


def cost_rate(age: float, shape: float, mean: float, failure: float, planned: float, steps: int = 400) -> float:
    """Long-run cost per unit of time in use if every unit is replaced at an age, or at failure if that comes before.

    A cycle costs ``planned`` if the unit lasts until then, else ``failure``, and lasts for the integral of the survival
    function up to that age: renewal reward (Barlow and Proschan, Mathematical Theory of Reliability, 1965, chapter 4).
    """
    width = age / steps
    lasts = width * (
        sum(survival(part * width, shape, mean) for part in range(1, steps)) + 0.5 * (1.0 + survival(age, shape, mean))
    )
    lives = survival(age, shape, mean)
    return (planned * lives + failure * (1.0 - lives)) / lasts


def best_age(shape: float, mean: float, failure: float, planned: float) -> float:
    """The age at which replacement costs least: by golden section, for there is but one minimum if the hazard rises."""
    low, high = mean / 100.0, 3.0 * mean
    ratio = (5.0**0.5 - 1.0) / 2.0
    while high - low > mean / 1e4:
        first, second = high - ratio * (high - low), low + ratio * (high - low)
        if cost_rate(first, shape, mean, failure, planned) < cost_rate(second, shape, mean, failure, planned):
            high = second
        else:
            low = first
    return (low + high) / 2.0


def units(seen: Seen) -> list[int]:
    """Numbers of the scanners."""
    return [number for number in range(100) if f"scanner[{number}].age" in seen]


def by_age(age: float, seen: Seen, can: Can) -> str:
    """Take out whatever is as old as that, the oldest first."""
    old = [
        number for number in units(seen) if seen[f"scanner[{number}].age"] >= age and can(f"maintain scanner[{number}]")
    ]
    oldest = max(old, key=lambda number: seen[f"scanner[{number}].age"], default=None)
    return "wait" if oldest is None else f"maintain scanner[{oldest}]"


def by_condition(age: float, seen: Seen, can: Can) -> str:
    """Take out whatever warns; what is merely old waits until the evening, and until the others are there."""
    ready = [number for number in units(seen) if can(f"maintain scanner[{number}]")]
    down = len(units(seen)) - len(ready)
    warns = {number: seen[f"scanner[{number}].warnings"] for number in ready}
    worst = max(ready, key=warns.__getitem__, default=None)
    hour = (atan2(seen["hour.sin"], seen["hour.cos"]) / (2 * pi) * 24.0) % 24.0
    evening = 14.0 <= hour <= 22.0
    if worst is not None and warns[worst] >= (WARNS if evening and not down else 2.0 * WARNS - 0.1):
        return f"maintain scanner[{worst}]"
    return by_age(age, seen, can) if evening and not down else "wait"


def age_replacement(argument: str) -> Policy:
    """The policy ``age_replacement:12``: every scanner at an age of twelve days; ``age_replacement:best`` at the best.

    Raises:
        PolicyError: if the argument is neither.
    """
    if argument == "best":
        age = best_age(SHAPE, MEAN, FAILURE, PLANNED)
    else:
        try:
            age = float(argument) * DAY
        except ValueError:
            age = 0.0
    if not 0.0 < age < 1e9:
        raise PolicyError(
            f"policy 'age_replacement:{argument}': write an age in days, as in age_replacement:12, "
            "or age_replacement:best for the age that costs least in the long run"
        )
    return RuleBook({"equipment_manager": partial(by_age, age)}, name=f"age_replacement:{argument}")


VARIANTS: dict[str, Callable[[str], Policy]] = {"age_replacement": age_replacement}
"""Policies of this scenario besides its rule."""


def make() -> RuleBook:
    """The reference rule: by condition, and by age where the checks are silent."""
    return RuleBook({"equipment_manager": partial(by_condition, 1.3 * best_age(SHAPE, MEAN, FAILURE, PLANNED))})
