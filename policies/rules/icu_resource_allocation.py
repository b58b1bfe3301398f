"""Who gets the last intensive care beds: the reference rule, and classical policies that each use one lever.

Whoever is moved out early to make room is the one whose return would cost the fewest bed-days: the chance to come back
times the days of those who do (Chan, Farias, Bambos and Escobar, Operations Research 2012, 60(6), 1323-1341). Beds are
kept back for the critical, as circuits are on a trunk line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from policies.base import Policy, PolicyError
from policies.optimal.trunk_reservation import Unit, best_reserve
from policies.rules.base import Can, Decide, RuleBook, Seen, slots


@dataclass(frozen=True)
class Manners:
    """What tells the policies apart.

    Attributes:
        most: bed-days that a return may be expected to cost if a critical patient waits; else nobody is moved for them.
        most_for_others: the same for all other patients.
        kept: beds kept back for the critical.
    """

    most: float = 0.0
    most_for_others: float = 0.0
    kept: int = 0


def in_charge(manners: Manners, seen: Seen, can: Can) -> str:
    """Make room by the lowest expected cost of a return, and keep beds back."""
    reserve = can.levels("set icu_bed.reserve")[manners.kept]
    if can(reserve):
        return reserve
    critical, other = seen["requests.waiting[True]"], seen["requests.waiting[False]"]
    on_the_way = seen["icu_bed.free"] + seen["icu_bed.cleaning"] + seen["moving_out.now"]
    if critical > on_the_way:
        return step_down(seen, can, manners.most)
    if critical + other > on_the_way - manners.kept:
        return step_down(seen, can, manners.most_for_others)
    return "wait"


def step_down(seen: Seen, can: Can, most: float) -> str:
    """Move out the one whose return would cost the fewest bed-days, if that is few enough."""
    able = [one for one in slots(seen, "in_unit") if can(f"shorten in_unit[{one['slot']:.0f}]")]
    if not able:
        return "wait"
    best = min(able, key=cost_of_return)
    return f"shorten in_unit[{best['slot']:.0f}]" if cost_of_return(best) <= most else "wait"


def cost_of_return(patient: Seen) -> float:
    """Bed-days that moving somebody out early is expected to cost."""
    return patient["risk"] * patient["return_days"]


REFERENCE = Manners(most=3.0, most_for_others=0.5)

AVERAGE = Unit(beds=14, rates=(1.74, 3.25), days=2.97, costs=(10.0, 3.1))
"""The unit at average demand, as if stays were exponential and nobody could wait: a day's critical and other patients,
their mean stay, what it costs to refuse one."""


def make(manners: Manners = REFERENCE, name: str = "rule") -> RuleBook:
    """The reference rule, or one with other manners."""
    rules: dict[str, Decide] = {"intensivist": partial(in_charge, manners)}
    return RuleBook(rules, name)


def reserve(argument: str) -> Policy:
    """The policies ``reserve:0`` to ``reserve:3``: so many beds are kept back, and nobody is moved out early.

    Raises:
        PolicyError: if the argument is no such number.
    """
    if argument not in ("0", "1", "2", "3"):
        raise PolicyError(f"policy 'reserve:{argument}': write how many beds are kept back, reserve:0 to reserve:3")
    return make(Manners(kept=int(argument)), f"reserve:{argument}")


def trunk_reservation(argument: str) -> Policy:
    """The policy ``trunk_reservation``: the number of beds to keep back that is best at average demand.

    Raises:
        PolicyError: if something stands behind its name.
    """
    if argument:
        raise PolicyError(f"policy 'trunk_reservation:{argument}': nothing may stand after 'trunk_reservation'")
    return make(Manners(kept=min(3, best_reserve(AVERAGE))), "trunk_reservation")


VARIANTS: dict[str, Callable[[str], Policy]] = {"reserve": reserve, "trunk_reservation": trunk_reservation}
"""Policies of this scenario besides its rule; none of them moves anybody out early."""
