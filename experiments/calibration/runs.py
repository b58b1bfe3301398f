"""Plays the runs of some goals, with other numbers in the scenario, on all processors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from experiments.calibration.changed import Changes, changed
from experiments.calibration.goals import Goals, Target
from experiments.calibration.measures import Measure, Sample
from experiments.calibration.recording import play
from marl_health import ScenarioError
from marl_health.spec.document import Document
from marl_health.spec.errors import Problem
from marl_health.spec.scenario import packaged_scenarios
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow.program import Program
from orchestration.workers import in_order
from policies.registry import make


class Trial(NamedTuple):
    """One episode: in the scenario of this name with these changes, and what is measured in it, by target."""

    scenario: str
    changes: Changes
    policy: str
    seed: int
    measures: Mapping[str, Measure]


def observe(trial: Trial) -> dict[str, Sample]:
    """The sample of each target."""
    episode = play(changed(trial.scenario, trial.changes), trial.policy, trial.seed)
    return {name: measure.take(episode) for name, measure in trial.measures.items()}


class Runs:
    """Plays the runs of goals.

    Args:
        goals: what to measure. document: where they stand. jobs: processes; no result depends on it.
        given: other changes in the scenario, in all runs.
    """

    def __init__(self, goals: Goals, document: Document, jobs: int, given: Changes | None = None) -> None:
        self.goals = goals
        self.jobs = jobs
        self.given = dict(given or {})
        known = goals.scenario in packaged_scenarios()
        self.scenario = goals.scenario if known else str(Path(document.file).parent / goals.scenario)
        self._check(document)

    def changes(self, run: str, more: Changes) -> dict[str, Any]:
        """All that is changed in the scenario."""
        return {**self.given, **self.goals.runs[run].set, **more}

    def samples(
        self,
        points: Sequence[Changes],
        targets: Mapping[str, Target],
        seed: int,
        replications: Callable[[str], int],
        told: Callable[[], None],
    ) -> list[dict[str, list[Sample]]]:
        """For each point, by target, a sample per replication; all points meet the same patients.

        Args:
            points: changes in the scenario.
            targets: what is measured.
            seed: of the first replication.
            replications: how many, by run.
            told: called after each episode.
        """
        trials, places = [], []
        for number, point in enumerate(points):
            for run in dict.fromkeys(target.run for target in targets.values()):
                measures = {name: target.measure for name, target in targets.items() if target.run == run}
                for replication in range(replications(run)):
                    where = self.changes(run, point)
                    trials.append(Trial(self.scenario, where, self.goals.policy, seed + replication, measures))
                    places.append(number)
        found: list[dict[str, list[Sample]]] = [{name: [] for name in targets} for _ in points]
        with closing(in_order(observe, trials, max(1, min(self.jobs, len(trials) // 2)))) as finished:
            for number, samples in zip(places, finished, strict=True):
                for name, sample in samples.items():
                    found[number][name].append(sample)
                told()
        return found

    def episodes(self, targets: Mapping[str, Target], replications: Callable[[str], int]) -> int:
        """Episodes that a point needs."""
        return sum(replications(run) for run in {target.run for target in targets.values()})

    def _check(self, document: Document) -> None:
        """Find every name that the scenario does not have before anything is played."""
        make(self.goals.policy)
        problems: list[Problem] = []
        for run in self.goals.runs:
            scenario = changed(self.scenario, self.changes(run, {}))
            kpis = set(scenario.spec.kpis)
            for name, target in self.goals.targets.items():
                if target.run != run:
                    continue
                for kind, wanted in target.measure.names().items():
                    known = kpis if kind == "KPI" else _known(scenario.program, kind)
                    problems += [
                        document.problem(("targets", name, "measure"), _no(scenario.name, kind, word, known))
                        for word in dict.fromkeys(wanted)
                        if word not in known
                    ]
        if problems:
            raise ScenarioError(problems)


def _known(program: Program, kind: str) -> set[str]:
    found: dict[str, Any] = {
        "entity type": program.kinds,
        "attribute": program.slots_of_values,
        "outcome": program.outcome_names,
        "mark": program.marks,
        "resource": program.pool_index,
    }
    return set(found[kind])


def _no(scenario: str, kind: str, word: str, known: set[str]) -> str:
    return f"'{scenario}' has no {kind} '{word}'{did_you_mean(word, known)}"
