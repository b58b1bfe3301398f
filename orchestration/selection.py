"""Which of several policies is the best: ranking and selection on common random numbers.

The procedure is Kim and Nelson's (2001), from sim-tools. What it sees is the replications in the order of their
seeds, so its decision does not depend on how many processes run them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import policies as policies_by_name
from marl_health import Scenario
from orchestration.episodes import Replication, Task, run, tasks
from orchestration.evaluation.statistics import LEVEL, Estimate, paired_difference
from orchestration.replications import check_metrics, value_of
from orchestration.simulate import Progress, seeds_from
from orchestration.workers import in_order

FIRST_STAGE = 10
"""Replications of each policy before the first may be eliminated."""


class NotRecorded(ValueError):
    """A KPI was not recorded in a replication, so nothing can be decided by it."""


@dataclass(frozen=True)
class Selection:
    """Which policy is the best.

    Attributes:
        best: the policy selected; None if the replications ran out before.
        left: policies still in the race at the end, the best first.
        out: policies eliminated, with the number of replications after which each was.
        values: by policy, the metric in each of its replications.
        delta: differences smaller than this do not matter.
    """

    metric: str
    higher: bool
    delta: float
    best: str | None
    left: list[str]
    out: dict[str, int]
    values: dict[str, list[float]]

    def difference(self, policy: str) -> Estimate:
        """A policy minus the first of those left, over the replications that both had."""
        first, other = self.values[self.left[0]], self.values[policy]
        n = min(len(first), len(other))
        return paired_difference(other[:n], first[:n])


class _Spent(Exception):
    """The replications ran out."""


class _Race:
    """Policies as designs that sim-tools' procedure simulates one replication after the other."""

    def __init__(self, finished: Iterator[tuple[Task, Replication]], seeds: Sequence[int], metric: str) -> None:
        self.finished = finished
        self.seeds = seeds
        self.metric = metric
        self.procedure: Any = None
        self.results: dict[tuple[str, int], Replication] = {}
        self.values: dict[str, list[float]] = {}
        self.names: list[str] = []

    def register_observer(self, procedure: Any) -> None:
        """Called by the procedure: it wants to be told what comes out."""
        self.procedure = procedure

    def simulate(self, design: int) -> None:
        """Run the next replication of a design."""
        name = self.names[design]
        values = self.values.setdefault(name, [])
        if len(values) == len(self.seeds):
            raise _Spent
        seed = self.seeds[len(values)]
        while (name, seed) not in self.results:
            task, result = next(self.finished)
            self.results[task.policy, task.seed] = result
        result = self.results.pop((name, seed))
        value = value_of(result, self.metric)
        if math.isnan(value):
            raise NotRecorded(f"'{self.metric}' was not recorded under {name} with seed {seed}; choose another KPI")
        values.append(value)
        self.procedure.feedback(self, design, value)


def select_best(
    scenario: Scenario,
    policies: Sequence[str],
    metric: str,
    delta: float,
    seed: int,
    *,
    at_most: int = 1000,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Selection:
    """Find the best of several policies with few replications, on common random numbers.

    With probability 95% the policy selected is the best, or within ``delta`` of it (Kim and Nelson's procedure; it
    wants values that are about normal, and common random numbers only help it).

    Args:
        scenario: where they act; it has agents.
        policies: at least two names that :func:`policies.make` knows.
        metric: ``return``, or a KPI; whether more of it is better stands in the scenario.
        delta: the smallest difference that matters, in the metric's unit.
        seed: of the first replication.
        at_most: replications of one policy.
        jobs: processes to share the work; the result does not depend on it.
        progress: called after each replication.

    Raises:
        UnknownMetric: there is no such KPI.
        NotRecorded: it was not recorded in a replication.
        PolicyError: a policy is not known or cannot act here.
    """
    check_metrics(scenario, [metric])
    for policy in policies:
        policies_by_name.check(policy)
    higher = metric == "return" or scenario.spec.kpis[metric].better == "higher"
    seeds = seeds_from(seed, at_most)
    race = _Race(iter(()), seeds, metric)
    race.names = list(policies)
    procedure = _kim_nelson(race, len(policies), delta, "max" if higher else "min")

    def in_the_race() -> Iterator[Task]:
        # Read ahead by as many processes as there are: what it runs for a policy that is out by then is not looked at.
        for number in seeds:
            names = [policies[design] for design in procedure._contenders]
            yield from tasks(scenario, names, [number])

    with closing(in_order(_with_task, in_the_race(), jobs)) as finished:
        race.finished = _told(finished, progress)
        with suppress(_Spent):
            procedure.solve()
    values = race.values
    left = [policies[design] for design in procedure._contenders]
    left.sort(key=lambda name: math.fsum(values[name]) / len(values[name]), reverse=higher)
    out = {name: len(values[name]) for name in policies if name not in left}
    return Selection(metric, higher, delta, left[0] if len(left) == 1 else None, left, out, values)


def _with_task(task: Task) -> tuple[Task, Replication]:
    return task, run(task)


def _told(finished: Iterator[Any], progress: Progress | None) -> Iterator[Any]:
    for result in finished:
        yield result
        if progress is not None:
            progress()


def _kim_nelson(race: _Race, designs: int, delta: float, objective: str) -> Any:
    """Kim and Nelson's procedure over the designs of a race."""
    from sim_tools.ovs.indifference_zone import KN

    class KimNelson(KN):  # type: ignore[misc]
        """The procedure, with the variance of the difference between the two designs that are compared.

        The one in sim-tools 1.3.0 stores these in a flat array and looks up that of another pair where the second
        design comes before the first and there are three or more.
        """

        def _calc_variance_of_differences(self) -> Any:
            differences = self._init_obs[:, None] - self._init_obs
            return differences.var(axis=-1, ddof=1)

        def _limit_to_distance_from_sample_means(self, design_i: int, design_l: int) -> float:
            rounds = self._r
            spread = self._h_squared * self._variance_of_diffs[design_i, design_l]
            return max(0.0, self._delta / (2 * rounds) * (spread / self._delta**2 - rounds))

    return KimNelson(race, designs, delta, alpha=1 - LEVEL, n_0=FIRST_STAGE, obj=objective)
