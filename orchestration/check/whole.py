"""The whole check of one scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marl_health import Scenario
from orchestration.check import sequential
from orchestration.check.adversaries import ADVERSARIES, adversaries
from orchestration.check.constants import constants
from orchestration.check.effects import effects
from orchestration.check.finding import Finding
from orchestration.check.replay import replay
from orchestration.check.scarcity import scarcity
from orchestration.check.search import Budget, Search, constant
from orchestration.check.timetable import timetable
from orchestration.check.trials import Trials
from policies.base import PolicyError
from policies.clock import spelled
from policies.registry import rule_of


@dataclass(frozen=True)
class Result:
    """What the check of one scenario found.

    Attributes:
        scenario: it. findings: in the order of the points. search: the searches' budget and how well they did on the
            training seeds. clock: the best clock-only policy.
    """

    scenario: Scenario
    findings: tuple[Finding, ...]
    search: dict[str, Any]
    clock: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether all is as it must be."""
        return all(finding.passed for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """As it is kept; the same scenario and code give the same."""
        return {
            "scenario": self.scenario.name,
            "version": self.scenario.version,
            "hash": self.scenario.hash,
            "passed": self.passed,
            "judged": {
                "first_seed": sequential.JUDGED,
                "looks": list(sequential.LOOKS),
                "error": sequential.ERROR,
                "family": sequential.FAMILY,
                "interval": "Student's t of paired differences; the error is shared equally by family and looks",
            },
            "search": self.search,
            "clock": self.clock,
            "findings": [finding.to_json() for finding in self.findings],
        }


def check_scenario(scenario: Scenario, jobs: int, progress: Callable[[], None], budget: Budget | None = None) -> Result:
    """Check one scenario.

    Args:
        scenario: it has agents, and a reference rule.
        jobs: processes to share the work; the result does not depend on it.
        progress: called :func:`stages` times.
        budget: of the searches.

    Raises:
        PolicyError: nobody decides in it, or it has no rule.
        WorkerError: a process was killed.
    """
    must_have_rule(scenario)
    with Trials(scenario, jobs) as trials:
        return _checked(trials, progress, budget or Budget())


def _checked(trials: Trials, progress: Callable[[], None], budget: Budget) -> Result:
    scenario = trials.scenario
    findings: list[Finding] = []

    def add(finding: Finding) -> None:
        findings.append(finding)
        progress()

    add(replay(scenario))
    findings += effects(scenario)
    progress()
    search = Search(trials, budget, progress)
    singles = search.singles()
    joint = search.joint(singles)
    blocks = search.timetable(joint)
    clock = {
        "blocks": blocks,
        "training_return": search.mean(spelled(blocks)),
        "best_constant": constant(joint),
        "training_return_of_best_constant": search.mean(constant(joint)),
    }
    spent = search.to_json() | {"training_return_of_rule": search.mean("rule")}
    for finding in constants(trials, singles, joint):
        add(finding)
    add(timetable(trials, blocks))
    add(scarcity(trials))
    for finding in adversaries(trials):
        add(finding)
    return Result(scenario, tuple(sorted(findings, key=lambda finding: finding.point)), spent, clock)


def stages(scenario: Scenario, budget: Budget | None = None) -> int:
    """How often :func:`check_scenario` tells that it got on."""
    roles = len(scenario.roles)
    searched = roles + 2 + (budget or Budget()).passes * roles
    return 2 + searched + (2 + roles + 1) + 2 + len(ADVERSARIES)


def must_have_rule(scenario: Scenario) -> None:
    """Find out at once whether a scenario can be checked.

    Raises:
        PolicyError: nobody decides in it, or it has no rule.
    """
    if not scenario.roles:
        raise PolicyError(f"nobody decides in '{scenario.name}', so there is nothing to check; add agents")
    rule_of(scenario)
