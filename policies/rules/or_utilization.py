"""Which case is sent for next, and when: a newsvendor's allowance, the least variable case first, no hopeless overtime.

A patient is sent for when the chance that a room will be free on their arrival is what the prices of waiting and of
idle rooms make best. Cases of little spread come first, so that what overruns does so late (Denton, Viapiano and Vogl,
Health Care Management Science 2007, 10(1), 13-24), urgent ones before all; and none is begun of which the expected
overtime costs more than the case is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from policies.base import Policy, PolicyError
from policies.optimal.newsvendor import Lognormal, critical_fraction
from policies.rules.base import Can, Decide, RuleBook, Seen, slots

DAY, OPENS = 600.0, 30.0
"""Minutes of the day, and when the rooms open."""
PREPARED = 30.0
"""Minutes from being sent for to being ready."""
CLEANED = 26.0
HELD, IDLE = 1.0, 2.0
"""Prices of an hour: of a patient before the room, and of a room that could have done more cases."""
OVERTIME, DONE, URGENT_DONE = 4.0, 4.0, 8.0
"""Prices of an hour after closing, and of a case that is not done."""
URGENT_SPREAD = 0.45


@dataclass(frozen=True)
class Manners:
    """What tells the policies apart.

    Attributes:
        order: who goes first of those who are not urgent: ``steady`` (least spread), ``long``, ``short``.
        chance: that a room is free when a patient is ready.
    """

    order: str = "steady"
    chance: float = critical_fraction(HELD, IDLE)


ORDERS: dict[str, Callable[[Seen], float]] = {
    "steady": lambda case: case["booked"] * case["spread"],
    "long": lambda case: -case["booked"],
    "short": lambda case: case["booked"],
}


def coordinate(manners: Manners, seen: Seen, can: Can) -> str:
    """Send for the next case as soon as one more room is likely to be free when its patient is ready."""
    now = DAY * (1.0 - seen["time_left"])
    coming = seen["on_the_way.now"] + seen["held.now"]
    if coming >= rooms_free(manners.chance, seen, now):
        return "wait"
    begins = max(now + PREPARED, OPENS)
    for case in slots(seen, "additions"):
        if worth_beginning({**case, "spread": URGENT_SPREAD}, DAY - begins, URGENT_DONE):
            return "send to sent_for additions[0]"
    cases = [case for case in slots(seen, "cases") if worth_beginning(case, DAY - begins, DONE)]
    if not cases:
        return "wait"
    chosen = min(cases, key=ORDERS[manners.order])
    return f"send to sent_for cases[{chosen['slot']:.0f}]"


def rooms_free(chance: float, seen: Seen, now: float) -> float:
    """Rooms that are free, or will be with at least this chance, when a patient who is sent for now is ready."""
    if now + PREPARED < OPENS:
        return 0.0
    if now < OPENS:
        return 3.0
    busy = sum(left(case, chance) + CLEANED <= PREPARED for case in slots(seen, "under_way"))
    return seen["room.free"] + seen["room.cleaning"] + busy


def left(case: Seen, chance: float) -> float:
    """Minutes within which a case that is under way ends with this chance."""
    return Lognormal(case["booked"], case["spread"]).left(case["waited"], chance)


def worth_beginning(case: Seen, minutes: float, done: float) -> bool:
    """Whether a case is worth the overtime that is to be expected of it, if so many minutes are left for it."""
    over = Lognormal(case["booked"], case["spread"]).beyond(minutes) / 60.0
    return minutes > 0 and OVERTIME * over < done


def make(manners: Manners | None = None, name: str = "rule") -> RuleBook:
    """The reference rule, or one with other manners."""
    rules: dict[str, Decide] = {"coordinator": partial(coordinate, manners or Manners())}
    return RuleBook(rules, name)


def sequence(argument: str) -> Policy:
    """The policies ``sequence:steady``, ``sequence:long`` and ``sequence:short``: who goes first.

    Raises:
        PolicyError: if the argument is none of them.
    """
    if argument not in ORDERS:
        raise PolicyError(f"policy 'sequence:{argument}': write sequence:steady, sequence:long or sequence:short")
    return make(Manners(order=argument), f"sequence:{argument}")


def allowance(argument: str) -> Policy:
    """The policies ``allowance:20`` and so on: per cent of chance that a room is free when a patient is ready.

    Raises:
        PolicyError: if the argument is no whole number from 1 to 99.
    """
    if not (argument.isascii() and argument.isdecimal() and 1 <= int(argument) <= 99):
        raise PolicyError(f"policy 'allowance:{argument}': write a chance in per cent, allowance:1 to allowance:99")
    return make(Manners(chance=int(argument) / 100), f"allowance:{argument}")


VARIANTS: dict[str, Callable[[str], Policy]] = {"sequence": sequence, "allowance": allowance}
"""Policies of this scenario besides its rule."""
