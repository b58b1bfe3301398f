"""Which case is given which day: booking limits that keep room for the urgent cases still to come.

Urgent cases get the first day with room. Cases that can wait get the first day on which enough room is left for the
urgent ones that may yet come for it: more than come on average (after Patrick, Puterman and Queyranne, Operations
Research 2008, 56(6), 1507-1525, whose policy books demand of low priority only into what would else stay empty).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import atan2, pi

from policies.base import Policy, PolicyError
from policies.rules.base import Can, Decide, RuleBook, Seen, slots

DAY = 510.0
"""Minutes that the theatre is open."""
OPENS = 8.0
DAYS = {"urgent": 3, "soon": 5, "routine": 5}


@dataclass(frozen=True)
class Limits:
    """What tells the policies apart.

    Attributes:
        kept: minutes kept for urgent cases on the next day, and on each day after that.
        over: minutes by which an urgent case may fill a day beyond its end.
        routine: minutes that routine cases leave for others on a day beside those.
    """

    kept: tuple[float, ...] = (0.0, 230.0, 230.0, 230.0, 230.0)
    over: float = 30.0
    routine: float = 0.0


def book(limits: Limits, seen: Seen, can: Can) -> str:
    """Give the most urgent case for which there is room the first day that has it."""
    hour = (atan2(seen["hour.sin"], seen["hour.cos"]) / (2 * pi) * 24.0) % 24.0
    first = 0 if hour < OPENS - 1e-6 else 1
    filled = [seen[f"booked.due[{day}]"] for day in range(first, first + 5) if f"booked.due[{day}]" in seen]
    for kind in ("urgent", "soon", "routine"):
        for case in slots(seen, f"next_{kind}"):
            for day in range(min(DAYS[kind], len(filled))):
                if filled[day] + case["planned"] <= limit(limits, kind, day):
                    return f"send to on_day_{day + 1} next_{kind}[0]"
    return "wait"


def limit(limits: Limits, kind: str, day: int) -> float:
    """Minutes up to which a kind of case may fill the day so many openings ahead."""
    if kind == "urgent":
        return DAY + limits.over
    return DAY - limits.kept[day] - (limits.routine if kind == "routine" else 0.0)


REFERENCE = Limits()


def make(limits: Limits = REFERENCE, name: str = "rule") -> RuleBook:
    """The reference rule, or one with other limits."""
    rules: dict[str, Decide] = {"booking_office": partial(book, limits)}
    return RuleBook(rules, name)


def kept(argument: str) -> Policy:
    """The policies ``kept:0`` and so on: minutes kept for urgent cases on each day but the next.

    Raises:
        PolicyError: if the argument is no whole number up to 510.
    """
    if not (argument.isascii() and argument.isdecimal() and int(argument) <= DAY):
        raise PolicyError(f"policy 'kept:{argument}': write minutes of the day, kept:0 to kept:510")
    minutes = float(argument)
    return make(Limits(kept=(0.0, *[minutes] * 4)), f"kept:{argument}")


VARIANTS: dict[str, Callable[[str], Policy]] = {"kept": kept}
"""Policies of this scenario besides its rule."""
