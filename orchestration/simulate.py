"""Replications of one policy in one scenario, and what they amount to."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import policies
from marl_health import Scenario
from marl_health.worlds.game import WITHOUT
from orchestration.episodes import Event, Replication, run, tasks
from orchestration.evaluation.equity import Gap, adds_up, check_groups, largest_gap
from orchestration.evaluation.statistics import Estimate, mean_interval
from orchestration.workers import in_order

NOBODY = "wait"
"""The policy of a scenario without agents."""

Progress = Callable[[], None]
"""Told after each replication."""

EventSink = Callable[[int, list[Event], dict[int, Any]], None]
"""Given the number of each replication, counted from 0, its event log, and who is who in it, in order."""


@dataclass(frozen=True)
class Simulation:
    """The replications of one policy in one scenario; ``by``: the attribute by which KPIs were split, if they were."""

    scenario: Scenario
    policy: str
    replications: Sequence[Replication]
    by: str | None = None

    @property
    def seeds(self) -> list[int]:
        """Seeds of the replications."""
        return [replication.seed for replication in self.replications]

    @property
    def units(self) -> dict[str, str]:
        """Unit of each KPI."""
        return dict(self.scenario.kind.make_game(self.scenario.program).kpi_units())

    def values(self, metric: str) -> list[float]:
        """The return, or a KPI, of every replication."""
        if metric == "return":
            return [replication.gained for replication in self.replications]
        return [replication.kpis[metric] for replication in self.replications]

    def estimate(self, metric: str) -> Estimate:
        """Mean of the return, or of a KPI, with its 95% interval."""
        return mean_interval(self.values(metric))

    @property
    def splits(self) -> dict[str, dict[str, list[float]]]:
        """KPI to group to its values in every replication.

        Those without the attribute are left out of KPIs in which nothing is ever recorded of them.
        """
        found: dict[str, dict[str, list[float]]] = {}
        if self.by is None:
            return found
        splits = [replication.kpis_by[self.by] for replication in self.replications]
        for name, groups in splits[0].items():
            found[name] = {group: [split[name][group] for split in splits] for group in groups}
            if not any(value for value in found[name].get(WITHOUT, ()) if value == value):
                found[name].pop(WITHOUT, None)
        return found

    def gap(self, metric: str) -> Gap | None:
        """The largest gap between groups; ``None`` for a KPI that is larger where the group is."""
        if adds_up(self.scenario)[metric]:
            return None
        return largest_gap({group: each for group, each in self.splits[metric].items() if group != WITHOUT})

    def summary(self) -> dict[str, Any]:
        """What stands in the JSON for one policy: return, its terms, KPIs, also by group, conservation."""
        n = len(self.replications)
        gained = self.estimate("return")
        first = self.replications[0]
        kpis = {}
        for name, unit in self.units.items():
            found = self.estimate(name)
            kpis[name] = {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n, "unit": unit}
        split = {} if self.by is None else {"by": self._split_summary(self.by)}
        return {
            "return": {"mean": gained.mean, "low": gained.low, "high": gained.high},
            "reward_terms": {name: sum(r.terms[name] for r in self.replications) / n for name in first.terms},
            "kpis": kpis,
            **split,
            "conservation": {name: sum(r.conservation[name] for r in self.replications) for name in first.conservation},
        }

    def _split_summary(self, by: str) -> dict[str, Any]:
        gaps = {name: self.gap(name) for name in self.splits}
        return {
            "attribute": by,
            "kpis": {
                name: {group: asdict(mean_interval(values)) for group, values in groups.items()}
                for name, groups in self.splits.items()
            },
            "gaps": {
                name: {"above": gap.above, "below": gap.below, "pairs": gap.pairs, **asdict(gap.difference)}
                for name, gap in gaps.items()
                if gap is not None
            },
            "not_split": self.whole,
        }

    @property
    def whole(self) -> dict[str, str]:
        """KPIs that cannot be split by group, and why."""
        return self.scenario.kind.make_game(self.scenario.program).whole_kpis()

    def to_json(self) -> dict[str, Any]:
        """The whole, as ``marl-health simulate --json`` writes it (there nan becomes null)."""
        return {
            "scenario": self.scenario.name,
            "version": self.scenario.version,
            "hash": self.scenario.hash,
            "policy": self.policy,
            "seeds": self.seeds,
            **self.summary(),
        }


def simulate(
    scenario: Scenario,
    policy: str,
    replications: int,
    seed: int,
    *,
    jobs: int = 1,
    by: str | None = None,
    events: EventSink | None = None,
    progress: Progress | None = None,
) -> Simulation:
    """Run replications; number i has the seed ``seed + i``, so every policy meets the same patients.

    Args:
        scenario: what is simulated; without agents nobody decides, whatever ``policy`` says.
        policy: a name that :func:`policies.make` knows.
        replications: how many, at least 1.
        seed: of the first replication, at least 0.
        jobs: processes to share the work; the result does not depend on it.
        by: an attribute by whose groups KPIs are split as well.
        events: takes the event log of each replication.
        progress: called after each replication.

    Raises:
        PolicyError: there is no such policy, or it cannot act in this scenario.
        UnknownGroups: the scenario is not split by this attribute.
        WorkerError: a process was killed.
    """
    seeds = seeds_from(seed, replications)
    policies.check(policy)
    if by is not None:
        check_groups(scenario, by)
    name = policy if scenario.roles else NOBODY
    with closing(replications_of(scenario, name, seeds, jobs=jobs, by=by, events=events, progress=progress)) as found:
        return Simulation(scenario, name, list(found), by)


def replications_of(
    scenario: Scenario,
    policy: str,
    seeds: Sequence[int],
    *,
    jobs: int,
    by: str | None = None,
    events: EventSink | None = None,
    progress: Progress | None = None,
) -> Generator[Replication]:
    """Replications of a policy, in the order of the seeds, as they are asked for; see :func:`simulate`."""
    todo = tasks(scenario, [policy], seeds, events=events is not None, by=() if by is None else (by,))
    with closing(in_order(run, todo, min(jobs, len(seeds)))) as finished:
        for number, result in enumerate(finished):
            if events is not None:
                events(number, result.events, result.people)
                result.events, result.people = [], {}
            if progress is not None:
                progress()
            yield result


def seeds_from(seed: int, replications: int) -> list[int]:
    """Seeds of so many replications.

    Raises:
        ValueError: if there are none, or the seed is negative.
    """
    if replications < 1:
        raise ValueError(f"at least 1 replication is needed, not {replications}")
    if seed < 0:
        raise ValueError(f"a seed is 0 or more, not {seed}")
    return list(range(seed, seed + replications))
