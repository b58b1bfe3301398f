"""How a blood bank orders: up to the critical fractile of what is needed until the next delivery but one.

What is on hand and on order must last until an order that leaves with the *next* review is here. A unit too little
costs far more than a unit too much, so the level lies above the mean demand of that time: at its critical fractile
(the newsvendor; Arrow, Harris and Marschak 1951).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from math import atan2, pi
from statistics import NormalDist

from policies.base import Policy, PolicyError
from policies.optimal.inventory import best_base_stock, best_s_S, newsvendor_cost, poisson
from policies.rules.base import Can, RuleBook, Seen

ITEMS = ("platelets", "red_cells")
CUT_OFF = 12
EARLIEST = 4
"""Hours of the day between which orders are settled."""
A_DAY = {"platelets": 9.4, "red_cells": 13.2}
"""Units that are needed on a day on average."""
CLUMPING = {"platelets": 1.2, "red_cells": 4.0}
"""Variance of a day's demand as a multiple of its mean: red cells are needed several at a time."""
SPREAD = 0.26
"""Standard deviation of what nobody knows, how busy the spell is, as a share of the mean."""
SHORT = {"platelets": 950.0, "red_cells": 2970.0}
"""US dollars that a unit too little costs: hours of waiting and a share of the couriers; a session of a theatre."""
OVER = {"platelets": 60.0, "red_cells": 30.0}
"""US dollars that a unit too much costs: the chance that it expires in the end, and holding."""
ORDER_DAYS = {"platelets": (0, 1, 2, 3, 4, 5), "red_cells": (0, 2, 4)}
LEAD_DAYS = {"platelets": 0.9, "red_cells": 1.2}
LIFE_DAYS = 3
"""Days in which platelets can be used once they are here."""
PERISHED = 532.0
"""US dollars that a unit of platelets costs that expires."""
ORDER_COST = 90.0
"""US dollars for each order of red cells."""
TOO_FEW = {"red_cells": 4, "platelets": 1}
"""A shelf with fewer units calls for a van."""


def time_of(seen: Seen) -> tuple[int, int]:
    """Day of the week (0 is Monday) and hour of the day, from the points on the circle."""
    hour = round(atan2(seen["hour.sin"], seen["hour.cos"]) / (2 * pi) * 24) % 24
    week = atan2(seen["weekday.sin"], seen["weekday.cos"]) / (2 * pi) * 7 % 7
    return round(week - hour / 24) % 7, hour


def days_to_cover(item: str, day: int) -> float:
    """From now until what is ordered at the next review is here."""
    following = next(ahead for ahead in range(1, 8) if (day + ahead) % 7 in ORDER_DAYS[item])
    return following + LEAD_DAYS[item]


@cache
def by_fractile(item: str, day: int) -> float:
    """Order-up-to level on a day of the week: the critical fractile of what the days until then need."""
    mean = A_DAY[item] * days_to_cover(item, day)
    needed = NormalDist(mean, (CLUMPING[item] * mean + (SPREAD * mean) ** 2) ** 0.5)
    return needed.inv_cdf(SHORT[item] / (SHORT[item] + OVER[item]))


def largest(can: Can, lever: str, units: float) -> str:
    """The largest order that is possible and no more than a unit too much; ``wait`` if there is none."""
    fitting = [name for name in can.levels(lever) if can(name) and int(name.rsplit(" ", 1)[1]) <= units + 1]
    return fitting[-1] if fitting else "wait"


def position(seen: Seen, item: str) -> float:
    """Units that are there or come, less those that are waited for; platelets that nobody will use in time are gone."""
    units = seen[f"{item}.on_hand"] + seen[f"{item}.on_order"] - seen[f"{item}.waiting"]
    return units - max(0.0, seen["platelets.on_hand[1 d]"] - A_DAY[item]) if item == "platelets" else units


def order_up_to(level: Callable[[str, int], float], seen: Seen, can: Can) -> str:
    """Before the cut-off, order whatever is most days below its level; at any hour, send a van if a shelf is empty.

    Args:
        level: the order-up-to level of an item on a day of the week.
        seen: what the blood bank sees.
        can: what is possible now.
    """
    for item, enough in TOO_FEW.items():
        if seen[f"{item}.on_hand"] < enough:
            return largest(can, f"rush {item}", float("inf"))
    day, hour = time_of(seen)
    if EARLIEST <= hour <= CUT_OFF:
        missing = {item: level(item, day) - position(seen, item) for item in ITEMS if day in ORDER_DAYS[item]}
        for item in sorted(missing, key=lambda item: -missing[item] / A_DAY[item]):
            wanted = largest(can, f"order {item}", missing[item])
            if wanted != "wait":
                return wanted
    return "wait"


def make() -> RuleBook:
    """The reference rule."""
    return RuleBook({"blood_bank": partial(order_up_to, by_fractile)})


def base_stock(argument: str) -> Policy:
    """The policies ``base_stock:24/70``: the same levels of platelets and red cells on every day.

    Raises:
        PolicyError: if the argument is no pair of whole numbers.
    """
    words = argument.split("/")
    if len(words) != len(ITEMS) or not all(word.isascii() and word.isdecimal() for word in words):
        raise PolicyError(
            f"policy 'base_stock:{argument}': write the levels of platelets and of red cells, as in base_stock:24/70"
        )
    levels = dict(zip(ITEMS, map(float, words), strict=True))
    rules = {"blood_bank": partial(order_up_to, lambda item, day: levels[item])}
    return RuleBook(rules, name=f"base_stock:{argument}")


@cache
def solved(item: str, day: int) -> float:
    """The level that is best in a model that theory has solved: mean demand, nothing hidden, units needed one by one.

    Platelets: Nahmias' base stock of what perishes after so many days, and a day's need for each further day that an
    order covers. Red cells: S of the best (s, S), with the days that an order covers as the period.
    """
    days = days_to_cover(item, day)
    if item == "platelets":
        best = best_base_stock(LIFE_DAYS, poisson(A_DAY[item]), SHORT[item], PERISHED)
        return best + A_DAY[item] * (days - 1.0)
    needed = poisson(A_DAY[item] * days)

    def period(position: int) -> float:
        return newsvendor_cost(position, needed, 0.0, SHORT[item], OVER[item])

    return best_s_S(needed, period, ORDER_COST)[1]


def nahmias(argument: str) -> Policy:
    """The policy ``nahmias``.

    Raises:
        PolicyError: if something stands behind its name.
    """
    if argument:
        raise PolicyError(f"policy 'nahmias:{argument}': nothing may stand after 'nahmias'")
    return RuleBook({"blood_bank": partial(order_up_to, solved)}, name="nahmias")


VARIANTS: dict[str, Callable[[str], Policy]] = {"base_stock": base_stock, "nahmias": nahmias}
"""Policies of this scenario besides its rule."""
