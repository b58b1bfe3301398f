"""Who is scanned next: the switching rule that a coordinator can follow by eye, and the exact one.

Both take emergencies first. Out-patients come next, since they mind waiting most, until so little of the day is left
that in-patients would not be done: from then on these go first (Green, Savin and Wang 2006: a switching curve).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import floor
from typing import Any

from marl_health import HealthParallelEnv
from policies.base import Policy, PolicyError
from policies.optimal.scanner_day import CLASSES, WAIT, Day, best_plan
from policies.rules.base import Can, RuleBook, Seen

SCAN = 20.0
"""Minutes."""
EMERGENCIES_AN_HOUR = 1 / 3
DAY_HOURS = 610 / 60
SPARE = 2.0
"""Scans kept in reserve: in-patients who are still to come."""


def take(one: str) -> str:
    """The action that takes the first of a class."""
    return f"send to scan next_{one}[0]"


def scanner_is_busy(seen: Seen) -> bool:
    """Whether a scan will still be under way in the next minutes; one that ends now leaves the scanner free."""
    under_way = seen["scanner.free"] == 0 and seen["scanning.oldest"] < SCAN - 1e-6
    return under_way or seen["scanner.waiting"] > 0


def by_eye(seen: Seen, can: Can) -> str:
    """Switch to in-patients when they need all scans that are left, less those that emergencies will take."""
    if scanner_is_busy(seen):
        return "wait"
    if can(take("emergency")):
        return take("emergency")
    hours = DAY_HOURS * seen["time_left"]
    scans = hours * 60.0 / SCAN - EMERGENCIES_AN_HOUR * hours - SPARE
    first, second = ("inpatient", "outpatient") if seen["inpatient_wait.now"] >= scans else ("outpatient", "inpatient")
    return next((take(one) for one in (first, second) if can(take(one))), "wait")


def in_order(classes: tuple[str, ...], seen: Seen, can: Can) -> str:
    """Take whoever comes first in a fixed order of the classes."""
    if scanner_is_busy(seen):
        return "wait"
    return next((take(one) for one in classes if can(take(one))), "wait")


class SwitchingCurve:
    """The exact optimum of a day of average demand, which is all that is known beforehand."""

    name = "switching_curve"

    def __init__(self) -> None:
        self._rules = RuleBook({}, self.name)

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Solve the day of the scenario; it is solved once, however many episodes follow."""
        day = day_of(env)
        decisions = best_plan(day).decisions

        def decide(seen: Seen, can: Can) -> str:
            if scanner_is_busy(seen):
                return "wait"
            period = min(len(decisions) - 1, floor((1.0 - seen["time_left"]) * len(decisions) + 0.5))
            numbers = zip(CLASSES, decisions.shape[1:], strict=True)
            waiting = tuple(min(int(seen[f"{one}_wait.now"]), most - 1) for one, most in numbers)
            choice = int(decisions[(period, *waiting)])
            return "wait" if choice == WAIT else take(CLASSES[choice])

        self._rules = RuleBook({"coordinator": decide}, self.name)
        self._rules.reset(env, seed)

    def act(self, env: HealthParallelEnv, observations: Any, infos: Any) -> dict[str, int]:
        """Look up what is best."""
        return self._rules.act(env, observations, infos)


def day_of(env: HealthParallelEnv) -> Day:
    """The day as the scenario has it, with what varies at its mean."""
    spec = env.scenario.spec
    clock, entities, score = spec.clock, spec.entities, spec.score
    starts, length = clock.starts, clock.decide_every
    booked = [0] * clock.steps
    for appointment in entities["outpatient"].arrive.timetable:
        booked[int((appointment.at - starts % 1440) // length)] += appointment.count
    lines = [*score.clinical, *score.efficiency, *score.financial]
    worth = {line.of: line.worth for line in lines}

    def rates(kind: str) -> tuple[float, ...]:
        rate = entities[kind].arrive.rate
        weights = rate.by_hour or [1.0] * 24
        per_minute = [rate.per_day * weight / sum(weights) / 60.0 for weight in weights]
        # Periods do not straddle hours: the day begins at a multiple of ten minutes, and so does each.
        return tuple(per_minute[int((starts + period * length) % 1440 // 60)] * length for period in range(clock.steps))

    return Day(
        hours=length / 60.0,
        booked=tuple(booked),
        no_show=entities["outpatient"].arrive.no_show,
        rates=(rates("inpatient"), rates("emergency")),
        cost=tuple(-worth[f"{one}_wait.hours"] for one in CLASSES),  # type: ignore[arg-type]
        penalty=tuple(worth[f"{one}_wait.count"] for one in CLASSES),  # type: ignore[arg-type]
    )


def make() -> RuleBook:
    """The reference rule."""
    return RuleBook({"coordinator": by_eye})


def strict(argument: str) -> Policy:
    """The policies ``strict:outpatient`` and ``strict:inpatient``: after emergencies, always this class first.

    Raises:
        PolicyError: if the argument is neither.
    """
    orders = {
        "outpatient": ("emergency", "outpatient", "inpatient"),
        "inpatient": ("emergency", "inpatient", "outpatient"),
    }
    if argument not in orders:
        raise PolicyError(f"policy 'strict:{argument}': write strict:outpatient or strict:inpatient")
    return RuleBook({"coordinator": partial(in_order, orders[argument])}, name=f"strict:{argument}")


def switching_curve(argument: str) -> Policy:
    """The policy ``switching_curve``.

    Raises:
        PolicyError: if something stands behind its name.
    """
    if argument:
        raise PolicyError(f"policy 'switching_curve:{argument}': nothing may stand after 'switching_curve'")
    return SwitchingCurve()


VARIANTS: dict[str, Callable[[str], Policy]] = {"switching_curve": switching_curve, "strict": strict}
"""Policies of this scenario besides its rule."""
