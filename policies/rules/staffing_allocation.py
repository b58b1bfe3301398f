"""Nurses where they are needed: the modified offered load of each unit, square-root staffing, and floating nurses.

What each unit needs is estimated from its usual day, scaled by what has been asked for so far. A nurse floats to the
unit that is shortest from one that has more than it needs, goes home when that unit is short itself, and an agency
nurse is called only where floating does not help (Jennings, Mandelbaum, Massey and Whitt 1996 for the load).
"""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, pi
from typing import Any

from marl_health import HealthParallelEnv
from policies.base import Policy, PolicyError
from policies.optimal.staffing import modified_offered_load, square_root_staffing
from policies.rules.base import Can, RuleBook, Seen

UNITS = ("medical", "surgical", "stepdown")
SERVICE = {"medical": 35.0, "surgical": 35.0, "stepdown": 40.0}
"""Mean minutes of care."""
BETA = 1.0
PRIOR = 3.0
"""Hours of usual demand that the first estimate stands for."""
SHORT, SPARE = 0.6, 0.4
AGENCY_SHORT = 0.5
"""Nurses that a unit must lack before one floats to it, that another must have beyond its needs, and before one is
called from an agency."""


class Coordinator:
    """The rule; it remembers what each unit asked for since the episode began."""

    def __init__(self, beta: float = BETA, *, agency: bool = True, floats: bool = True, name: str = "rule") -> None:
        self.name = name
        self.beta, self.agency, self.floats = beta, agency, floats
        self._rules = RuleBook({}, name)
        self._usual: dict[str, list[float]] = {}
        self._asked: dict[str, float] = {}
        self._expected: dict[str, float] = {}

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Learn the usual day from the scenario, and forget the last episode."""
        self._usual = {}
        for unit in UNITS:
            rate = env.scenario.spec.entities[unit].arrive.rate
            weights = rate.by_hour or [1.0] * 24
            self._usual[unit] = [rate.per_day * weight / sum(weights) for weight in weights]
        self._asked = dict.fromkeys(UNITS, PRIOR)
        self._expected = dict.fromkeys(UNITS, PRIOR)
        self._rules = RuleBook({"coordinator": self.decide}, self.name)
        self._rules.reset(env, seed)

    def act(self, env: HealthParallelEnv, observations: Any, infos: Any) -> dict[str, int]:
        """Decide."""
        return self._rules.act(env, observations, infos)

    def decide(self, seen: Seen, can: Can) -> str:
        """Float, send home, or call."""
        hour = (atan2(seen["hour.sin"], seen["hour.cos"]) / (2 * pi) * 24.0) % 24.0
        for unit in UNITS:  # what comes a quarter of an hour apart is much the same, and weighs as little
            self._asked[unit] += 0.25 * seen[f"{unit}.arriving"] / self._usual[unit][int(hour) % 24]
            self._expected[unit] += 0.25
        lacks = {unit: self.needed(unit, hour + 0.75) - seen[f"{unit}_nurse.capacity"] for unit in UNITS}
        short = max(UNITS, key=lambda unit: lacks[unit])
        if self.floats:
            move = self._float(short, lacks, seen, can)
            if move != "wait":
                return move
        called = [unit for unit in UNITS if seen[f"{unit}_nurse called in"] > 0]
        later = self.needed(short, hour + 4) - seen[f"{short}_nurse.capacity"]
        if self.agency and min(lacks[short], later) > AGENCY_SHORT and short not in called:
            (call,) = can.levels(f"call in 1 {short}_nurse")
            return call
        return "wait"

    def needed(self, unit: str, hour: float) -> float:
        """Nurses that a unit needs at an hour of the day."""
        factor = self._asked[unit] / self._expected[unit]
        usual = self._usual[unit]
        load = modified_offered_load(lambda time: usual[int(time % 24)], hour, SERVICE[unit] / 60.0)
        return square_root_staffing(factor * load, self.beta)

    def _float(self, short: str, lacks: dict[str, float], seen: Seen, can: Can) -> str:
        if lacks[short] < SHORT:
            return "wait"
        back = f"set {short}_nurse.lent home"
        if can(back):
            return back
        for unit in sorted(UNITS, key=lambda one: lacks[one]):
            move = f"set {unit}_nurse.lent {short}_nurse"
            at_home = seen[f"{unit}_nurse.lent position"] == 0
            if unit != short and lacks[unit] < SPARE - 1.0 and at_home and can(move):
                return move
        return "wait"


def make() -> Coordinator:
    """The reference rule."""
    return Coordinator()


def square_root(argument: str) -> Policy:
    """The policies ``square_root:0.5`` and so on: the rule with so many standard deviations to spare.

    Raises:
        PolicyError: if the argument is no number from 0 to 5.
    """
    try:
        beta = float(argument)
    except ValueError:
        beta = -1.0
    if not 0 <= beta <= 5:
        raise PolicyError(f"policy 'square_root:{argument}': write a number from 0 to 5, as in square_root:0.5")
    return Coordinator(beta, name=f"square_root:{argument}")


def without(argument: str) -> Policy:
    """The policies ``without:agency`` and ``without:floats``: the rule without one of its means.

    Raises:
        PolicyError: if the argument is neither.
    """
    if argument not in ("agency", "floats"):
        raise PolicyError(f"policy 'without:{argument}': write without:agency or without:floats")
    return Coordinator(agency=argument != "agency", floats=argument != "floats", name=f"without:{argument}")


VARIANTS: dict[str, Callable[[str], Policy]] = {"square_root": square_root, "without": without}
"""Policies of this scenario besides its rule."""
