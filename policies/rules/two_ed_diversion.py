"""When two emergency departments send their ambulances to each other: by threshold, as published, or never."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from policies.base import Policy, PolicyError
from policies.rules.base import Can, Decide, RuleBook, Seen


def divert_above(threshold: float, department: int, seen: Seen, can: Can) -> str:
    """Divert while as many wait as the threshold says: the one who would come next is then one too many.

    Args:
        threshold: patients who wait for a doctor. At 0 all ambulances are diverted.
        department: 1 or 2.
        seen: what its manager sees.
        can: what is possible now.
    """
    crowded = seen[f"doctor_{department}.waiting"] >= threshold
    wanted = f"set ambulance_{department}.next {'divert' if crowded else 'open'}"
    return wanted if can(wanted) else "wait"


def threshold(argument: str) -> Policy:
    """The policies ``threshold:25``, by which the first department diverts, and ``threshold:25/40``, by which both do.

    The second department never diverts in the published model.

    Raises:
        PolicyError: if the argument is neither.
    """
    words = argument.split("/")
    if len(words) > 2 or not all(word.isascii() and word.isdecimal() for word in words):
        raise PolicyError(
            f"policy 'threshold:{argument}': write how many may wait, as in threshold:25, or threshold:25/40 for both"
        )
    rules: dict[str, Decide] = {
        f"ed_{department}": partial(divert_above, float(word), department) for department, word in enumerate(words, 1)
    }
    return RuleBook(rules, name=f"threshold:{argument}")


VARIANTS: dict[str, Callable[[str], Policy]] = {"threshold": threshold}
"""Policies of this scenario besides its rule, each made from what stands after the colon of its name."""


def make() -> RuleBook:
    """The reference rule: never divert. No threshold is known that saves more lives."""
    return RuleBook({})
