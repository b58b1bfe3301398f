"""What workflows that learned together are judged by, during training and at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from typing_extensions import override

from marl_health import Scenario
from marl_health.envs.joined import OF
from orchestration.evaluation.compare import Comparison, compare
from orchestration.evaluation.statistics import Estimate
from orchestration.experiment.following import Following
from orchestration.simulate import Simulation, seeds_from
from orchestration.strategies.ensemble import Ensemble, Play, play
from orchestration.workers import in_order


class FollowingAll(Following):
    """Follows the training of several workflows at once; the evaluations of each are stored as its own."""

    def __init__(self, workflows: Mapping[str, Scenario], **how: Any) -> None:
        super().__init__(**how)
        self._workflows = {name: (scenario, units_of(scenario)) for name, scenario in workflows.items()}

    @override
    def store(
        self,
        scenario: Scenario,
        estimates: Mapping[str, Estimate],
        env_steps: int,
        *,
        stage: str,
        units: Mapping[str, str],
    ) -> None:
        for name, (each, own_units) in self._workflows.items():
            start = name + OF
            own = {metric.removeprefix(start): found for metric, found in estimates.items() if metric.startswith(start)}
            super().store(each, own, env_steps, stage=stage, units=own_units)


def units_of(scenario: Scenario) -> dict[str, str]:
    """Units of a scenario's KPIs."""
    return dict(scenario.kind.make_game(scenario.program).kpi_units())


def compare_all(
    ensemble: Ensemble,
    workflows: Mapping[str, Scenario],
    checkpoint: Path,
    label: str,
    baselines: Mapping[str, list[str]],
    *,
    replications: int,
    first_seed: int,
    jobs: int,
) -> Iterator[tuple[str, Comparison]]:
    """By workflow, what all learned together beside others who act in this one alone, on the same patients.

    Args:
        ensemble: the workflows as they act together.
        workflows: name and scenario of each.
        checkpoint: of all, part by part.
        label: what to call what was trained.
        baselines: by workflow, policies by name.
        replications: of each policy.
        first_seed: of the first of them.
        jobs: processes that share the work.
    """
    tasks = [Play(ensemble, str(checkpoint), seed, occupancy=True) for seed in seeds_from(first_seed, replications)]
    played = list(in_order(play, tasks, min(jobs, len(tasks))))
    for name, scenario in workflows.items():
        found = {label: Simulation(scenario, label, [one[name] for one in played])}
        if baselines[name]:
            others = compare(scenario, baselines[name], replications, first_seed, jobs=jobs, occupancy=True)
            found |= others.simulations
        yield name, Comparison(scenario, found)
