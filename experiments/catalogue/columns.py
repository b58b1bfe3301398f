"""Which policies stand in the table of a scenario."""

from __future__ import annotations

import json
from dataclasses import dataclass

from marl_health import Scenario
from marl_health.spec.scenario import load, packaged_scenarios
from policies import PolicyError
from policies.clock import result_file, spelled

RULE, RANDOM = "rule", "random"
LOOKAHEAD = "lookahead:futures=2,horizon=24,candidates=4,every=4"
"""A small budget: about 50 times the time of an episode."""


@dataclass(frozen=True)
class Optimum:
    """A named policy that is best in a model which theory has solved.

    Attributes:
        policy: its name. model: in which model it is best.
    """

    policy: str
    model: str


OPTIMA = {
    "emergency_triage": Optimum("weighed_triage", "each patient's level by the c-mu index, truth by Bayes' rule"),
    "equipment_maintenance": Optimum(
        "age_replacement:best", "age replacement by renewal theory; no checks are looked at"
    ),
    "icu_resource_allocation": Optimum("trunk_reservation", "beds kept back at average demand; nobody is moved early"),
    "radiology_scheduling": Optimum("switching_curve", "dynamic program of a day of average demand"),
    "scan_parameter_optimization": Optimum("exposure_optimum", "expected cost of each patient alone"),
    "supply_chain_inventory": Optimum("nahmias", "base stock of what perishes, and (s, S), at mean demand"),
}
"""By scenario; where none is known, there is no such column."""


@dataclass(frozen=True)
class Column:
    """A policy of a table.

    Attributes:
        label: what the table calls it. policy: its name, as ``policies.make`` knows it.
        replications: at most so many, where it is slow; None for as many as the others.
        note: what to know of it.
    """

    label: str
    policy: str
    replications: int | None = None
    note: str = ""


def one_agent_tasks() -> list[str]:
    """Names of the packaged scenarios in which one agent decides and that reproduce no published model."""
    found = [load(name) for name in packaged_scenarios()]
    return [each.name for each in found if len(each.roles) == 1 and "reference" not in each.tags]


def columns(scenario: Scenario, lookahead: int) -> list[Column]:
    """All columns but those that are learned, the cheapest first; the rule is one of them.

    Args:
        scenario: it was checked.
        lookahead: replications of the look-ahead.

    Raises:
        PolicyError: it was not checked as it is now.
    """
    file = result_file(scenario)
    result = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if result.get("hash") != scenario.hash:
        raise PolicyError(
            f"no constant and no clock were searched for in '{scenario.name}' as it is now; run 'marl-health check' on "
            f"{scenario.file}"
        )
    clock = result["clock"]
    constant, blocks = clock["best_constant"], clock["blocks"]
    found = [
        Column("random", RANDOM),
        Column("wait", "wait"),
        Column("best constant", constant, note=constant.partition(":")[2] or constant),
        Column("clock", spelled(blocks)),
        Column("rule", RULE),
    ]
    if scenario.name in OPTIMA:
        known = OPTIMA[scenario.name]
        found.append(Column("optimum", known.policy, note=f"{known.policy}: {known.model}"))
    return [*found, Column("look-ahead", LOOKAHEAD, lookahead)]
