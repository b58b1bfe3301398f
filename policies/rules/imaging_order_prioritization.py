"""Which study is read next: by what a minute's delay of it costs now, given what the algorithm saw.

The cost of a wait is convex, so the index of a study is the slope of its expected cost divided by its reading time: the
generalised c-mu rule (van Mieghem, Annals of Applied Probability 1995; 5(3), 809-833). The truth is hidden; the slope
of a bleeding counts with its probability given the mark.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from policies.base import Policy, PolicyError
from policies.rules.base import Can, RuleBook, Seen, slots

SENSITIVITY, SPECIFICITY = 0.90, 0.95
PREVALENCE = {"emergency": 0.12, "ward": 0.03}
READING = {"emergency": 6.5, "ward": 5.5}
"""Minutes."""
STEPS = ((0.0, 6.0), (30.0, 12.0), (60.0, 12.0))
"""Of a bleeding: from how many minutes on an hour costs how much more."""
USUAL = {"emergency": ((0.0, 0.75), (60.0, 1.0)), "ward": ((0.0, 0.25), (240.0, 1.0))}
"""Of every study."""
LISTS = [(setting, marked) for setting in PREVALENCE for marked in (True, False)]


def name_of(setting: str, marked: bool) -> str:
    """The list of the studies of a setting, marked or not."""
    return f"{setting}_{'marked' if marked else 'clear'}"


def chance_of_bleeding(setting: str, marked: bool) -> float:
    """The posterior by Bayes' rule."""
    prior = PREVALENCE[setting]
    yes = prior * (SENSITIVITY if marked else 1 - SENSITIVITY)
    no = (1 - prior) * (1 - SPECIFICITY if marked else SPECIFICITY)
    return yes / (yes + no)


def slope(steps: tuple[tuple[float, float], ...], waited: float) -> float:
    """What the next hour costs after a wait."""
    return sum(more for since, more in steps if waited >= since)


def index(setting: str, marked: bool, waited: float) -> float:
    """Slope of the expected cost by reading time."""
    bleeding = chance_of_bleeding(setting, marked) * slope(STEPS, waited)
    return (bleeding + slope(USUAL[setting], waited)) / READING[setting]


def next_of(order: Callable[[str, bool, float], float], seen: Seen, can: Can) -> str:
    """Keep one study ready for the radiologist: the one that comes first in an order."""
    if seen["radiologist.waiting"] >= 1:
        return "wait"
    heads = [
        (order(setting, marked, found[0]["waited"]), name_of(setting, marked))
        for setting, marked in LISTS
        if (found := slots(seen, name_of(setting, marked)))
    ]
    return f"send to read {max(heads)[1]}[0]" if heads else "wait"


def first_come(setting: str, marked: bool, waited: float) -> float:
    """Whoever came first."""
    return waited


def by_class(setting: str, marked: bool, waited: float) -> float:
    """Emergencies first, first come first served among them; the algorithm is not asked."""
    return waited + (1e6 if setting == "emergency" else 0.0)


def marked_first(setting: str, marked: bool, waited: float) -> float:
    """What the algorithm has marked first, then by class."""
    return by_class(setting, marked, waited) + (1e7 if marked else 0.0)


ORDERS: dict[str, Callable[[str, bool, float], float]] = {
    "first_come": first_come,
    "by_class": by_class,
    "marked_first": marked_first,
}


def make() -> RuleBook:
    """The reference rule: the generalised c-mu rule."""
    return RuleBook({"coordinator": partial(next_of, index)})


def work_list(argument: str) -> Policy:
    """The policies ``work_list:first_come``, ``work_list:by_class`` and ``work_list:marked_first``.

    Raises:
        PolicyError: if the argument is none of them.
    """
    if argument not in ORDERS:
        raise PolicyError(f"policy 'work_list:{argument}': write one of {', '.join(ORDERS)} after the colon")
    return RuleBook({"coordinator": partial(next_of, ORDERS[argument])}, name=f"work_list:{argument}")


VARIANTS: dict[str, Callable[[str], Policy]] = {"work_list": work_list}
"""Policies of this scenario besides its rule."""
