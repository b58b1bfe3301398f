"""What policies reached in a scenario: every metric, by training run and evaluation episode."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from orchestration.evaluation.resampling import Array, Interval, Samples, bootstrap, pooled
from orchestration.evaluation.scores import Scores, ScoresError, named, started_from, without_start

if TYPE_CHECKING:
    from orchestration.evaluation.compare import Comparison
    from orchestration.store import Store

RETURN = "return"


@dataclass(frozen=True)
class Results:
    """Of one scenario.

    Attributes:
        scenario: its name.
        metrics: metric (`return` or a KPI) to policy to values, (runs, episodes); nan where nothing was recorded.
        trained: the policies that were trained, with a run per training seed.
        steps: policy to joint steps of training of each of its runs; 0 for those that were not trained.
        units: of the KPIs.
        hash: of all that the scenario says; empty if it is not known.
    """

    scenario: str
    metrics: Mapping[str, Mapping[str, Array]]
    trained: frozenset[str]
    steps: Mapping[str, Sequence[int]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    hash: str = ""

    @property
    def policies(self) -> list[str]:
        """Those that have a return."""
        return list(self.metrics[RETURN])

    @property
    def kpis(self) -> list[str]:
        """Every metric but the return."""
        return [metric for metric in self.metrics if metric != RETURN]

    def scores(self) -> Scores:
        """The returns, to be scored."""
        return Scores.of(self.metrics[RETURN], self.trained)

    @cached_property
    def kpi_means(self) -> dict[str, dict[str, Interval]]:
        """KPI to policy to its mean over the runs and episodes in which it was recorded, if it was."""
        return {metric: _recorded_means(self.metrics[metric]) for metric in self.kpis}


def from_comparison(comparison: Comparison, runs: Mapping[str, Sequence[str]]) -> Results:
    """Results of a comparison in which every run of a learned policy was named apart.

    Args:
        comparison: of all runs and the baselines, on the same seeds.
        runs: learned policy to what its runs are called in the comparison.

    Raises:
        ScoresError: a run is not in the comparison.
    """
    simulations = comparison.simulations
    labels = [label for found in runs.values() for label in found]
    for label in labels:
        if label not in simulations:
            raise ScoresError(f"'{label}' was not compared; there are {', '.join(simulations)}")
    rows = dict(runs) | {label: [label] for label in simulations if label not in labels}
    metrics = {
        metric: {
            policy: np.array([simulations[label].values(metric) for label in found]) for policy, found in rows.items()
        }
        for metric in comparison.metrics
    }
    units = simulations[comparison.reference].units
    return Results(comparison.scenario.name, metrics, frozenset(runs), units=units, hash=comparison.scenario.hash)


def from_store(
    store: Store, *, experiment: str | None = None, scenario: str | None = None, evaluation: str = "final"
) -> list[Results]:
    """Results of the finished jobs of a store: the training seeds of an algorithm are its runs.

    Args:
        store: where they are.
        experiment: of this one only.
        scenario: in this one only.
        evaluation: which.

    Raises:
        ScoresError: there are none, jobs were evaluated on different seeds, two are of the same algorithm and seed, or
            a scenario comes in two versions.
    """
    found: dict[str, _Gathered] = {}
    for job in store.jobs(status="finished", experiment=experiment, scenario=scenario):
        places = {row["id"]: row for row in store.environments(job["id"])}
        rows = list(store.kpis(job["id"], evaluation=evaluation, by_seed=True))
        for place in {row["environment_id"]: None for row in rows}:
            name = places[place]["scenario"]
            if scenario is None or name == scenario:
                gathered = found.setdefault(name, _Gathered(name, places[place]["hash"]))
                here = [row for row in rows if row["environment_id"] == place]
                gathered.add(job, here, places[place]["hash"])
    if not found:
        wanted = f" of '{experiment}'" if experiment else ""
        raise ScoresError(f"{store.where}: no finished job{wanted} has a {evaluation} evaluation; train one first")
    return [gathered.results() for gathered in found.values()]


class _Gathered:
    """Runs of one scenario, as they are found."""

    def __init__(self, scenario: str, hash: str) -> None:
        self.scenario, self.hash = scenario, hash
        self.seeds: list[int] = []
        self.runs: dict[str, dict[str, list[Array]]] = {}
        self.steps: dict[str, list[int]] = {}
        self.units: dict[str, str] = {}
        self.known: dict[tuple[str, int | None], Any] = {}
        self.trained: set[str] = set()

    def add(self, job: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], hash: str) -> None:
        if hash != self.hash:
            raise ScoresError(
                f"{self.scenario}: job {job['id']} met another version of it (hash {hash}, not {self.hash}); name an "
                f"experiment that met one only"
            )
        values: dict[str, dict[str, dict[int, float]]] = {}
        for row in rows:
            value = float("nan") if row["value"] is None else row["value"]
            values.setdefault(row["policy"], {}).setdefault(row["metric"], {})[row["seed"]] = value
            self.units[row["metric"]] = row["unit"]
        own = _own(job, values)
        for label, metrics in values.items():
            trained = label == own
            learned = named(label, _init(job["configuration"])) if trained else label
            seeds = sorted(metrics[RETURN])
            self.seeds = self.seeds or seeds
            if seeds != self.seeds:
                raise ScoresError(
                    f"{self.scenario}: job {job['id']} was evaluated on other seeds than those before it; evaluate all "
                    f"on the same ones"
                )
            run = {metric: np.array([by_seed[seed] for seed in seeds]) for metric, by_seed in metrics.items()}
            if trained:
                self._once(learned, job)
                self.steps.setdefault(learned, []).append(job["env_steps"] or 0)
                self.trained.add(learned)
            self._keep(learned, run, again=trained)

    def _once(self, learned: str, job: Mapping[str, Any]) -> None:
        before = self.known.setdefault((learned, job["seed"]), job["id"])
        if before != job["id"]:
            raise ScoresError(
                f"{self.scenario}: jobs {before} and {job['id']} are both of {learned} with seed {job['seed']}; the "
                f"same seed twice is no second run; name an experiment that has it once"
            )

    def _keep(self, policy: str, run: Mapping[str, Array], *, again: bool) -> None:
        """Keep a run; a policy that is not trained does the same on the same seeds, so that once is enough."""
        runs = self.runs.setdefault(policy, {})
        for metric, values in run.items():
            if again or metric not in runs:
                runs.setdefault(metric, []).append(values)

    def results(self) -> Results:
        order = self.trained_first()
        metrics = {
            metric: {policy: np.array(self.runs[policy][metric]) for policy in order if metric in self.runs[policy]}
            for metric in self.units
        }
        units = {metric: unit for metric, unit in self.units.items() if metric != RETURN}
        return Results(self.scenario, metrics, frozenset(self.trained), self.steps, units, self.hash)

    def trained_first(self) -> list[str]:
        """Learned policies, then the baselines."""
        return [*(p for p in self.runs if p in self.trained), *(p for p in self.runs if p not in self.trained)]


def _own(job: Mapping[str, Any], labels: Collection[str]) -> str | None:
    """What a job's own policy is called among those that it was compared with; None if it is not there."""
    algorithm = job["algorithm"]
    wanted = (named(algorithm, _init(job["configuration"])), algorithm)
    begun = (label for label in labels if started_from(label) and without_start(label) == algorithm)
    return next((label for label in (*wanted, *begun) if label in labels), None)


def _init(configuration: Mapping[str, Any]) -> str | None:
    """The policy that a job's own began as."""
    algorithm = configuration.get("algorithm")
    within = algorithm.get("init") if isinstance(algorithm, Mapping) else None
    return configuration.get("init") or within


def _recorded_means(by_policy: Mapping[str, Array]) -> dict[str, Interval]:
    known = {("", policy): values for policy, values in by_policy.items() if not np.isnan(values).all()}

    def statistic(samples: Samples) -> dict[str, Array]:
        return {policy: _mean_of_recorded(pooled(values)) for (_, policy), values in samples.items()}

    return {
        policy: Interval(float(value), float(low), float(high), len(by_policy[policy]))
        for policy, (value, low, high) in bootstrap(known, statistic).items()
    }


def _mean_of_recorded(values: Array) -> Array:
    """Mean over the last axis of what is not nan; nan where all is."""
    recorded = ~np.isnan(values)
    total = np.where(recorded, values, 0.0).sum(axis=-1)
    count = recorded.sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
