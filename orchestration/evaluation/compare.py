"""Several policies on the same patients, compared replication by replication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle
from typing import Any

import policies as policies_by_name
from marl_health import Scenario
from orchestration.episodes import Replication, run, tasks
from orchestration.evaluation.equity import Gap, change_of_gap, check_groups
from orchestration.evaluation.statistics import Estimate, paired_difference, variance_ratio
from orchestration.simulate import Progress, Simulation, seeds_from
from orchestration.workers import in_order


@dataclass(frozen=True)
class Comparison:
    """Simulations of several policies on the same seeds; the first is the reference."""

    scenario: Scenario
    simulations: Mapping[str, Simulation]

    @property
    def reference(self) -> str:
        """The policy that the others are compared with."""
        return next(iter(self.simulations))

    @property
    def metrics(self) -> list[str]:
        """What is compared: the return and every KPI."""
        return ["return", *self.simulations[self.reference].units]

    @cached_property
    def paired(self) -> dict[str, dict[str, Estimate]]:
        """Policy to metric to the mean difference from the reference: other minus reference."""
        reference = self.simulations[self.reference]
        return {
            name: {metric: paired_difference(other.values(metric), reference.values(metric)) for metric in self.metrics}
            for name, other in self.simulations.items()
            if other is not reference
        }

    @cached_property
    def variance_ratios(self) -> dict[str, dict[str, float]]:
        """Policy to metric to how much the same patients gain over other patients for each policy."""
        reference = self.simulations[self.reference]
        return {
            name: {metric: variance_ratio(other.values(metric), reference.values(metric)) for metric in self.metrics}
            for name, other in self.simulations.items()
            if other is not reference
        }

    @cached_property
    def paired_by(self) -> dict[str, dict[str, dict[str, Estimate]]]:
        """Policy to KPI to group to the mean difference from the reference, where KPIs were split."""
        reference = self.simulations[self.reference].splits
        return {
            name: {
                metric: {
                    group: paired_difference(values, reference[metric][group])
                    for group, values in groups.items()
                    if group in reference[metric]
                }
                for metric, groups in other.splits.items()
            }
            for name, other in self.simulations.items()
            if name != self.reference and self.by is not None
        }

    @cached_property
    def gap_changes(self) -> dict[str, dict[str, tuple[Gap, Estimate]]]:
        """Policy to KPI to the reference's largest gap, and by how much it is larger between the same two groups."""
        reference = self.simulations[self.reference]
        gaps = {metric: reference.gap(metric) for metric in reference.splits}
        found: dict[str, dict[str, tuple[Gap, Estimate]]] = {}
        for name in self.paired_by:
            other = self.simulations[name].splits
            found[name] = {
                metric: (gap, change_of_gap(gap, other[metric], reference.splits[metric]))
                for metric, gap in gaps.items()
                if gap is not None and {gap.above, gap.below} <= other[metric].keys()
            }
        return found

    @property
    def by(self) -> str | None:
        """The attribute by which KPIs were split, if they were."""
        return self.simulations[self.reference].by

    def split(self, by: str) -> Comparison:
        """The same comparison, with KPIs split by another attribute of those that were asked for."""
        return Comparison(
            self.scenario, {name: replace(simulation, by=by) for name, simulation in self.simulations.items()}
        )

    def to_json(self) -> dict[str, Any]:
        """The whole, as ``marl-health compare --json`` writes it (there nan becomes null)."""
        return {
            "scenario": self.scenario.name,
            "version": self.scenario.version,
            "hash": self.scenario.hash,
            "seeds": self.simulations[self.reference].seeds,
            "policies": {name: simulation.summary() for name, simulation in self.simulations.items()},
            "paired": {
                name: {
                    metric: {
                        "difference": found.mean,
                        "low": found.low,
                        "high": found.high,
                        "variance_ratio": self.variance_ratios[name][metric],
                    }
                    for metric, found in by_metric.items()
                }
                for name, by_metric in self.paired.items()
            },
            **({} if self.by is None else {"paired_by": self._paired_by_json()}),
        }

    def _paired_by_json(self) -> dict[str, Any]:
        return {
            name: {
                "kpis": {
                    metric: {group: _difference(found) for group, found in groups.items()}
                    for metric, groups in by_metric.items()
                },
                "gaps": {
                    metric: {"above": gap.above, "below": gap.below, **_difference(change)}
                    for metric, (gap, change) in self.gap_changes[name].items()
                },
            }
            for name, by_metric in self.paired_by.items()
        }

    def occupancy(self, low: float = 0.1, high: float = 0.9) -> dict[str, dict[str, dict[str, list[float]]]]:
        """Policy to place to ``hours``, and ``mean``, ``low`` and ``high`` of the share of its capacity that is taken.

        The band lies between two quantiles over replications. Empty if occupancy was not recorded.
        """
        return {
            name: _bands(simulation.replications, "occupancy", low, high)
            for name, simulation in self.simulations.items()
            if simulation.replications[0].occupancy
        }

    def waiting(self, low: float = 0.1, high: float = 0.9) -> dict[str, dict[str, dict[str, list[float]]]]:
        """The same of who waits, by queue."""
        return {
            name: _bands(simulation.replications, "waiting", low, high)
            for name, simulation in self.simulations.items()
            if simulation.replications[0].waiting
        }


def compare(
    scenario: Scenario,
    policies: Sequence[str] | Mapping[str, str],
    replications: int,
    seed: int,
    *,
    jobs: int = 1,
    occupancy: bool = False,
    by: str | Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Run every policy on the same replications; number i has the seed ``seed + i``.

    Args:
        scenario: where they act; it has agents.
        policies: names that :func:`policies.make` knows, or what to call each and its name; the first is the
            reference.
        replications: how many of each, at least 1.
        seed: of the first replication, at least 0.
        jobs: processes to share the work; the result does not depend on it.
        occupancy: record how full the places are at each decision.
        by: an attribute by whose groups KPIs are split as well; of several, :meth:`Comparison.split` shows each.
        progress: called after each replication of each policy.

    Raises:
        PolicyError: a policy is named twice, is not known, or cannot act in this scenario.
        UnknownGroups: the scenario is not split by this attribute.
        WorkerError: a process was killed.
    """
    named = dict(policies) if isinstance(policies, Mapping) else dict(zip(policies, policies, strict=True))
    if len(named) < len(policies) or not named:
        twice = next((name for name in policies if list(policies).count(name) > 1), None)
        reason = f"'{twice}' is named twice" if twice else "no policy is named"
        raise policies_by_name.PolicyError(f"{reason}; name each policy once, as in wait,random,rule")
    if not scenario.roles:
        raise policies_by_name.PolicyError(
            f"nobody decides in '{scenario.name}', so there is nothing to compare; simulate it, or add agents"
        )
    for name in named.values():
        policies_by_name.check(name)
    attributes = () if by is None else (by,) if isinstance(by, str) else tuple(by)
    for attribute in attributes:
        check_groups(scenario, attribute)
    seeds = seeds_from(seed, replications)
    results: dict[str, list[Replication]] = {label: [] for label in named}
    todo = tasks(scenario, list(named.values()), seeds, occupancy=occupancy, by=attributes)
    with closing(in_order(run, todo, min(jobs, replications * len(named)))) as finished:
        for label, result in zip(cycle(named), finished, strict=False):
            results[label].append(result)
            if progress is not None:
                progress()
    first = attributes[0] if attributes else None
    return Comparison(scenario, {label: Simulation(scenario, label, found, first) for label, found in results.items()})


def _difference(found: Estimate) -> dict[str, float]:
    return {"difference": found.mean, "low": found.low, "high": found.high}


def _bands(
    replications: Sequence[Replication], what: str, low: float, high: float
) -> dict[str, dict[str, list[float]]]:
    import numpy as np

    bands = {}
    for place in getattr(replications[0], what):
        shares = np.array([getattr(replication, what)[place] for replication in replications])
        bands[place] = {
            "hours": replications[0].hours,
            "mean": shares.mean(axis=0).tolist(),
            "low": np.quantile(shares, low, axis=0).tolist(),
            "high": np.quantile(shares, high, axis=0).tolist(),
        }
    return bands
