"""Which level of the Emergency Severity Index a patient gets: by its algorithm, or by the costs of being wrong.

The algorithm (version 4) asks four questions in order and looks at the vital signs last. It does not ask how many wait.
The other rule weighs what a patient is likely to need by what a minute costs, for this patient and, through the
work-up that a high level brings with it, for all who wait.
"""

from __future__ import annotations

from collections.abc import Callable

from policies.base import Policy, PolicyError
from policies.rules.base import Can, RuleBook, Seen, slots

COMPLAINTS = ("dying", "high_risk", "none", "one", "several")
VITALS = ("borderline", "danger", "normal")
"""In the order in which slots number them."""

SHARES = {1: 0.011, 2: 0.102, 3: 0.463, 4: 0.356, 5: 0.068}
COMPLAINT = {
    "dying": (0.70, 0.02, 0.0, 0.0, 0.0),
    "high_risk": (0.20, 0.58, 0.09, 0.03, 0.01),
    "several": (0.10, 0.34, 0.66, 0.22, 0.05),
    "one": (0.0, 0.06, 0.22, 0.60, 0.34),
    "none": (0.0, 0.0, 0.03, 0.15, 0.60),
}
VITAL = {
    "danger": (0.85, 0.34, 0.06, 0.02, 0.01),
    "borderline": (0.12, 0.36, 0.28, 0.13, 0.07),
    "normal": (0.03, 0.30, 0.66, 0.85, 0.92),
}
"""Chance of each complaint and of each state of the vital signs, by true level."""

HOURLY = {1: 80.3, 2: 25.3, 3: 1.3, 4: 0.3, 5: 0.3}
"""What an hour of waiting costs, by true level."""
MINUTES = {1: 45.0, 2: 30.0, 3: 22.0, 4: 12.0, 5: 8.0}
"""Of a physician, by true level, without the work-up of the level that was given."""
RUNGS = (200.0, 30.0, 5.5, 2.3)
"""Cost of an hour by hours of work (the c-mu index) from which a patient gets level 1, 2, 3 or 4."""


def give(level: int) -> str:
    """The action that gives the next patient a level."""
    return f"send to room with level {level} next_patient[0]"


def esi(complaint: str, vitals: str) -> int:
    """The level by the algorithm."""
    if complaint == "dying":
        return 1
    if complaint == "high_risk":
        return 2
    if complaint == "several":
        return 2 if vitals == "danger" else 3
    return 4 if complaint == "one" else 5


def posterior(complaint: str, vitals: str) -> dict[int, float]:
    """The chance of each true level, by Bayes' rule."""
    weights = {need: share * COMPLAINT[complaint][need - 1] * VITAL[vitals][need - 1] for need, share in SHARES.items()}
    whole = sum(weights.values())
    return {need: weight / whole for need, weight in weights.items()}


def weighed(complaint: str, vitals: str) -> int:
    """The level by expected cost of an hour of waiting for each hour of a physician's work."""
    chances = posterior(complaint, vitals)
    cost = sum(chance * HOURLY[need] for need, chance in chances.items())
    work = sum(chance * MINUTES[need] for need, chance in chances.items()) / 60.0
    return next((level for level, rung in enumerate(RUNGS, 1) if cost / work >= rung), 5)


def triage(level: Callable[[str, str], int]) -> Callable[[Seen, Can], str]:
    """A rule that gives the next patient a level by what is seen."""

    def decide(seen: Seen, can: Can) -> str:
        waiting = slots(seen, "next_patient")
        if not waiting:
            return "wait"
        return give(level(COMPLAINTS[int(waiting[0]["complaint"])], VITALS[int(waiting[0]["vitals"])]))

    return decide


def make() -> RuleBook:
    """The reference rule: the algorithm of the Emergency Severity Index."""
    return RuleBook({"nurse": triage(esi)})


def weighed_triage(argument: str) -> Policy:
    """The policy ``weighed_triage``.

    Raises:
        PolicyError: if something stands behind its name.
    """
    if argument:
        raise PolicyError(f"policy 'weighed_triage:{argument}': nothing may stand after 'weighed_triage'")
    return RuleBook({"nurse": triage(weighed)}, name="weighed_triage")


VARIANTS: dict[str, Callable[[str], Policy]] = {"weighed_triage": weighed_triage}
"""Policies of this scenario besides its rule."""
