"""Which tube load a patient of this size gets: by the scanner's table for constant noise, or by what it costs.

The table doubles the load for every 4 cm of water, so that all images are equally noisy: that is what automatic
exposure control for constant noise does. What dose and repeated scans cost is served better otherwise: small patients,
whose dose is low anyway, get more than the table says, and large ones less, as in technique charts (PMC4488908).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marl_health import HealthParallelEnv
from marl_health.spec.numbers import read_quantity
from policies.base import Policy, PolicyError
from policies.optimal.scan_load import Scan
from policies.rules.base import Can, RuleBook, Seen, slots

LOADS = range(5)
STANDARD = 2
"""Load for a patient of size 0."""
SIZES = range(-2, 3)
HOUR = 60.0


def give(load: int) -> str:
    """The action that gives the next patient a load."""
    return f"send to scan with load {load} next_patient[0]"


def by_table(seen: Seen, can: Can) -> str:
    """The load for constant noise at the size that the scout view shows."""
    waiting = slots(seen, "next_patient")
    if not waiting:
        return "wait"
    return give(min(max(STANDARD + round(waiting[0]["scout"]), LOADS[0]), LOADS[-1]))


class ByCost:
    """The load of the lowest expected cost of this patient alone, given what the scout view shows."""

    name = "exposure_optimum"

    def __init__(self) -> None:
        self._rules = RuleBook({}, self.name)

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Learn what a scan costs in this scenario."""
        scan = scan_of(env)

        def decide(seen: Seen, can: Can) -> str:
            waiting = slots(seen, "next_patient")
            return give(scan.best_for(scan.posterior(waiting[0]["scout"]))) if waiting else "wait"

        self._rules = RuleBook({"technologist": decide}, self.name)
        self._rules.reset(env, seed)

    def act(self, env: HealthParallelEnv, observations: Any, infos: Any) -> dict[str, int]:
        """Look up what is best."""
        return self._rules.act(env, observations, infos)


def scan_of(env: HealthParallelEnv) -> Scan:
    """What a scan costs in the scenario: dose, time of the patient and of the scanner, and to repeat it."""
    spec = env.scenario.spec
    has, scan, repeat = spec.entities["patient"].has, spec.pathway["scan"], spec.pathway["repeat"]
    lines = [
        line for part in ("clinical", "efficiency", "financial", "compliance") for line in getattr(spec.score, part)
    ]
    worth = {line.of: -line.worth for line in lines}
    minute = (worth["visit.hours"] + worth["scanner.busy_hours"]) / HOUR
    by_load, by_size = scan.adds["dose"].times
    slower = scan.duration.plus[1]

    def cost(load: int, size: int) -> float:
        return worth["dose.total"] * case(by_load, load) * case(by_size, size) + minute * case(slower, load)

    def fails(load: int, size: int) -> float:
        return case(scan.set["blurred"].chance, load - size - STANDARD)

    again = worth["repeated.count"] + minute * read_quantity(repeat.duration).value
    return Scan(
        sizes=tuple(has["size"].choice[str(size)] for size in SIZES),
        smallest=SIZES[0],
        error=has["scout"].noise,
        cost=tuple(tuple(cost(load, size) for size in SIZES) for load in LOADS),
        fails=tuple(tuple(fails(load, size) for size in SIZES) for load in LOADS),
        repeat=tuple(again + worth["dose.total"] * case(repeat.adds["dose"], size) for size in SIZES),
    )


def case(by: Any, value: int) -> float:
    """What a ``{by: ...}`` of the scenario gives for a value of the attribute."""
    return read_quantity(by.cases.get(str(value), by.otherwise)).value


def make() -> RuleBook:
    """The reference rule."""
    return RuleBook({"technologist": by_table})


def exposure_optimum(argument: str) -> Policy:
    """The policy ``exposure_optimum``.

    Raises:
        PolicyError: if something stands behind its name.
    """
    if argument:
        raise PolicyError(f"policy 'exposure_optimum:{argument}': nothing may stand after 'exposure_optimum'")
    return ByCost()


VARIANTS: dict[str, Callable[[str], Policy]] = {"exposure_optimum": exposure_optimum}
"""Policies of this scenario besides its rule."""
