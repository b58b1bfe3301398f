"""How many replications are enough.

The rules are sim-tools': the replications algorithm of Hoad, Robinson and Davies (2010) and the confidence interval
method. What a rule sees is the replications in the order of their seeds, so its decision does not depend on how many
processes run them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import policies as policies_by_name
from marl_health import Scenario
from orchestration.episodes import Replication
from orchestration.evaluation.equity import check_groups
from orchestration.evaluation.statistics import LEVEL
from orchestration.simulate import NOBODY, EventSink, Progress, Simulation, replications_of, seeds_from

LOOK_AHEAD = 5
"""Replications for which a precision must hold on, as Hoad and others recommend."""


class UnknownMetric(ValueError):
    """A scenario has no such KPI."""


def check_metrics(scenario: Scenario, metrics: Sequence[str]) -> None:
    """Make sure that every metric is the return or a KPI.

    Raises:
        UnknownMetric: naming those that are.
    """
    known = ["return", *scenario.spec.kpis]
    for metric in metrics:
        if metric not in known:
            raise UnknownMetric(f"'{scenario.name}' has no KPI '{metric}'; it has {', '.join(known)}")


def value_of(replication: Replication, metric: str) -> float:
    """The return, or a KPI, of a replication."""
    return replication.gained if metric == "return" else replication.kpis[metric]


@dataclass(frozen=True)
class Precision:
    """What became of the wish for a precision.

    Attributes:
        target: half-width of the 95% interval, as a share of the mean.
        reached: by metric, after how many replications the precision was there to stay; None if it was not.
        unjudged: by metric, why it was left out.
    """

    target: float
    reached: dict[str, int | None] = field(default_factory=dict)
    unjudged: dict[str, str] = field(default_factory=dict)


class _Changed(Exception):
    """The metrics that can be judged are not those that the rule was started with."""


class _Model:
    """The replications, as sim-tools' replications algorithm asks for them.

    A metric goes in twice, as it is and negated: the algorithm takes a half-width divided by a negative mean for a very
    high precision. One that is the same in every replication, or not recorded in one, cannot be judged.

    Attributes:
        done: the replications so far. judged: the metrics that the rule looks at.
    """

    def __init__(self, finished: Iterator[Replication], metrics: Sequence[str], at_least: int) -> None:
        self.finished = finished
        self.values: dict[str, list[float]] = {metric: [] for metric in metrics}
        self.done: list[Replication] = []
        while len(self.done) < at_least:
            self._next()
        self.judge()

    def judge(self) -> None:
        """Settle which metrics can be judged by what there is so far."""
        self.judged = [metric for metric in self.values if not self.problem(metric)]

    def problem(self, metric: str) -> str:
        """Why a metric cannot be judged so far; empty if it can."""
        values = self.values[metric]
        missing = next((number for number, value in enumerate(values) if math.isnan(value)), None)
        if missing is not None:
            return f"not recorded with seed {self.done[missing].seed}"
        return f"{values[0]:g} in every replication" if len(set(values)) == 1 else ""

    def single_run(self, number: int) -> dict[str, float]:
        """The metrics of one replication, and their negatives."""
        if number == len(self.done):
            self._next()
            if self.judged != [metric for metric in self.values if self._judgeable(metric)]:
                raise _Changed
        values = {metric: self.values[metric][number] for metric in self.judged}
        return values | {f"-{metric}": -value for metric, value in values.items()}

    def _judgeable(self, metric: str) -> bool:
        """Whether a metric can be judged now, told by its last value and what was known before."""
        *_, last = values = self.values[metric]
        if metric in self.judged:
            return not math.isnan(last)
        return values[0] != last and not any(map(math.isnan, values))

    def _next(self) -> None:
        replication = next(self.finished)
        self.done.append(replication)
        for metric, values in self.values.items():
            values.append(value_of(replication, metric))


def check_bounds(at_least: int, at_most: int) -> int:
    """The budget that makes sim-tools' rule end after ``at_most`` replications: it looks ahead beyond its budget.

    Raises:
        ValueError: the bounds leave no room for the look-ahead.
    """
    ahead = LOOK_AHEAD * max(at_most, 100) // 100
    if not 3 <= at_least <= at_most - ahead:
        raise ValueError(
            f"from {at_least} to {at_most} replications leaves no room: begin with 3 or more, and allow {ahead} beyond "
            "those, to see whether a precision holds on"
        )
    return at_most - ahead


def simulate_until(
    scenario: Scenario,
    policy: str,
    precision: float,
    seed: int,
    *,
    metrics: Sequence[str] = (),
    at_least: int = 5,
    at_most: int = 1000,
    jobs: int = 1,
    by: str | None = None,
    events: EventSink | None = None,
    progress: Progress | None = None,
) -> tuple[Simulation, Precision]:
    """Run replications until the interval of every metric is narrow enough, and stays so.

    Args:
        scenario: what is simulated.
        policy: a name that :func:`policies.make` knows.
        precision: half-width of the 95% interval, as a share of the mean's size.
        seed: of the first replication.
        metrics: KPIs, or ``return``; all KPIs if none is named.
        at_least: replications before the first look, 3 or more.
        at_most: replications after which it ends anyway; more than ``at_least`` by the look-ahead of the rule.
        jobs: processes to share the work; the result does not depend on it.
        by: an attribute by whose groups KPIs are split as well; the precision is that of the whole.
        events: takes the event log of each replication.
        progress: called after each replication.

    Raises:
        ValueError: the bounds leave no room for the look-ahead.
        UnknownMetric: there is no such KPI.
        UnknownGroups: the scenario is not split by this attribute.
        PolicyError: there is no such policy, or it cannot act here.
    """
    from sim_tools.output_analysis import ReplicationsAlgorithm

    check_metrics(scenario, metrics)
    if by is not None:
        check_groups(scenario, by)
    policies_by_name.check(policy)
    name = policy if scenario.roles else NOBODY
    budget = check_bounds(at_least, at_most)
    seeds = seeds_from(seed, at_most)
    how: dict[str, Any] = {"jobs": jobs, "by": by, "events": events, "progress": progress}
    with closing(replications_of(scenario, name, seeds, **how)) as finished:
        model = _Model(finished, metrics or list(scenario.spec.kpis), at_least)
        reached = None
        while reached is None:
            rule = ReplicationsAlgorithm(
                alpha=1 - LEVEL,
                half_width_precision=precision,
                initial_replications=at_least,
                look_ahead=LOOK_AHEAD,
                replication_budget=budget,
            )
            try:
                reached = _select(rule, model)
            except _Changed:  # once more from the first replication, which costs nothing
                model.judge()
    unjudged = {metric: model.problem(metric) for metric in model.values if metric not in reached}
    return Simulation(scenario, name, model.done, by), Precision(precision, reached, unjudged)


def _select(rule: Any, model: _Model) -> dict[str, int | None]:
    if not model.judged:
        return {}
    both = [sign + metric for metric in model.judged for sign in ("", "-")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about means near 0, and about what this tells below in its own words
        found, _ = rule.select(model, both)
    return {
        metric: None if None in (found[metric], found[f"-{metric}"]) else max(found[metric], found[f"-{metric}"])
        for metric in model.judged
    }


@dataclass(frozen=True)
class Needed:
    """How many replications one metric needs.

    Attributes:
        n: the first number at which the interval was narrow enough; None if it was not yet.
        about: how many it takes by the spread that was seen; nan if that cannot be said.
        half_width: of the interval over all replications, as a share of the mean's size.
    """

    n: int | None
    about: float
    half_width: float


def replications_needed(simulation: Simulation, precision: float, at_least: int = 3) -> dict[str, Needed]:
    """Metric to the number of replications that a precision needs, by the confidence interval method."""
    from sim_tools.output_analysis import confidence_interval_method

    needed = {}
    for metric in ("return", *simulation.units):
        values = simulation.values(metric)
        if len(values) < at_least or any(math.isnan(value) for value in values):
            needed[metric] = Needed(None, math.nan, math.nan)
            continue
        if len(set(values)) == 1:
            needed[metric] = Needed(1, 1.0, 0.0)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, table = confidence_interval_method(
                values, alpha=1 - LEVEL, desired_precision=precision, min_rep=at_least, decimal_places=12
            )
        # The size of the deviation: it is negative where the mean is.
        deviations = [abs(float(value)) for value in table["% deviation"]]
        first = next((n for n, value in enumerate(deviations, 1) if n >= at_least and value <= precision), None)
        last = deviations[-1]
        about = math.ceil(len(values) * (last / precision) ** 2) if math.isfinite(last) else math.nan
        needed[metric] = Needed(first, max(about, at_least) if about == about else about, last)
    return needed
