"""Runs an experiment: trains every seed, judges it on patients that nothing was chosen by, and stores everything.

Whatever was finished is not done again, and whatever was interrupted is gone on with, so that after `kill -9` the same
command continues.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from marl_health import Scenario
from orchestration.evaluation.compare import Comparison, compare
from orchestration.evaluation.findings import Findings
from orchestration.experiment.errors import TrainingError
from orchestration.experiment.logs import LogError, check_logs
from orchestration.experiment.reading import Experiment
from orchestration.local_ray import local_ray, quiet, quiet_loggers
from orchestration.output import near, output_file, progress_bar, write_json
from orchestration.report import REPORT
from orchestration.runs import new_run_dir
from orchestration.strategies.lots import Lot, lots_of
from policies.registry import why_no_rule

RESULTS = "comparison.json"
"""In a run's folder, or in that of a workflow: what the evaluation at the end has found."""

if TYPE_CHECKING:
    from orchestration.experiment.training import Setup
    from orchestration.store import Job, Store


@dataclass(frozen=True)
class Outcome:
    """What came of a seed, or of one workflow of it.

    Attributes:
        seed: of training. job: its number in the store. folder: of the run.
        before: whether it was finished before, so that nothing was done.
        workflow: whose; empty where the seed has one job.
        reports: by workflow, where its report lies.
    """

    seed: int
    job: int
    label: str
    folder: Path
    before: bool
    workflow: str
    reports: dict[str, Path]

    @property
    def checkpoint(self) -> Path:
        """What was trained."""
        return self.folder / "checkpoint"

    def findings(self, workflow: str) -> Findings | None:
        """What the evaluation at the end has found in a workflow, if that lies on this machine."""
        try:
            return Findings.read(json.loads((self.reports[workflow].parent / RESULTS).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None


def run_experiment(
    experiment: Experiment, store: Store, out: Path, *, jobs: int = 1, console: Console | None = None
) -> list[Outcome]:
    """Train and judge all seeds.

    Args:
        experiment: which.
        store: where results are kept.
        out: runs have their folders in this one.
        jobs: processes for the evaluations at the end.
        console: where lines go; default: standard error.

    Raises:
        TrainingError: it cannot be run, or training failed. Nothing has started if the experiment is at fault.
        StoreError: the store cannot take it, or another process has a seed of it.
    """
    console = console or Console(stderr=True)
    _check_logs(experiment)
    lots = lots_of(experiment)
    outcomes = {
        (seed, lot.name): _finished(store, experiment, lot, seed) for seed in experiment.model.all_seeds for lot in lots
    }
    if not all(outcomes.values()):
        out.mkdir(parents=True, exist_ok=True)
        quiet()
        from orchestration.experiment.training import make_config, set_up

        quiet_loggers()
        folder = out / f"{experiment.name}-{experiment.hash}"
        setups = {lot.name: set_up(experiment, lot, folder) for lot in lots}
        runners = max(make_config(setup, experiment.model.all_seeds[0]).num_env_runners for setup in setups.values())
        with local_ray(runners, out):
            for (seed, name), known in outcomes.items():
                setup = setups[name]
                before = None if setup.lot.follows is None else outcomes[seed, setup.lot.follows.name]
                begins = None if before is None else before.checkpoint
                outcomes[seed, name] = known or _run_seed(setup, store, out, seed, jobs, console, begins)
    return [outcome for outcome in outcomes.values() if outcome is not None]


def check_settings(experiment: Experiment, folder: Path) -> None:
    """Look at everything that can be wrong with an experiment before it starts.

    Args:
        experiment: which.
        folder: where stages are written that change their scenario.

    Raises:
        TrainingError: a log, or a setting of the algorithm, is not possible.
    """
    from orchestration.experiment.training import make_config, set_up

    _check_logs(experiment)
    for lot in lots_of(experiment):
        make_config(set_up(experiment, lot, folder), experiment.model.all_seeds[0])


def _check_logs(experiment: Experiment) -> None:
    try:
        check_logs(experiment.model.log)
    except LogError as error:
        raise TrainingError(f"{experiment.file}: log: {error}") from error


def finished_outcomes(store: Store, experiment: Experiment) -> list[Outcome]:
    """What has come of an experiment so far."""
    seeds, lots = experiment.model.all_seeds, lots_of(experiment)
    found = [_finished(store, experiment, lot, seed) for seed in seeds for lot in lots]
    return [outcome for outcome in found if outcome is not None]


def _known(store: Store, experiment: Experiment, lot: Lot, seed: int) -> list[dict[str, Any]]:
    """The jobs of a seed of this very experiment, the newest last."""
    return [
        job
        for job in store.jobs(experiment=experiment.name)
        if job["seed"] == seed
        and job["configuration"].get("experiment_hash") == experiment.hash
        and job["configuration"].get("workflow", "") == lot.name
    ]


def _finished(store: Store, experiment: Experiment, lot: Lot, seed: int) -> Outcome | None:
    for job in _known(store, experiment, lot, seed):
        if job["status"] == "finished":
            return _outcome(lot, seed, job["id"], job["algorithm"], Path(job["folder"]), before=True)
    return None


def _outcome(lot: Lot, seed: int, job: int, label: str, folder: Path, *, before: bool) -> Outcome:
    rooms = {name: folder if lot.ensemble is None else folder / name for name in lot.workflows}
    return Outcome(seed, job, label, folder, before, lot.name, {name: room / REPORT for name, room in rooms.items()})


def _run_seed(
    setup: Setup, store: Store, out: Path, seed: int, jobs: int, console: Console, begins: Path | None
) -> Outcome:
    """Train a seed and judge it, in a job of its own, or in the one that it was begun in."""
    from orchestration.experiment.training import train_seed

    experiment, lot = setup.experiment, setup.lot
    known = [job for job in _known(store, experiment, lot, seed) if job["folder"] and Path(job["folder"]).is_dir()]
    if known:
        folder = Path(known[-1]["folder"])
        context = store.resume(known[-1]["id"])
    else:
        called = lot.first.name if lot.ensemble is None else experiment.name
        folder = new_run_dir(out, called, experiment.model.algorithm.name, seed).resolve()
        context = store.job(
            scenario=lot.first,
            algorithm=setup.label,
            seed=seed,
            experiment=experiment.name,
            folder=folder,
            configuration={
                "experiment_hash": experiment.hash,
                "experiment": experiment.data,
                **({"workflow": lot.name} if lot.name else {}),
            },
        )
    with context as job:
        try:
            trained = train_seed(setup, seed, folder, job, console, begins)
            _judge(setup, folder, trained, job, jobs)
        except KeyboardInterrupt:
            console.print(_how_to_go_on(folder), highlight=False)
            raise
    console.print(f"{folder.name}: finished ({trained['ended']})", highlight=False)
    return _outcome(lot, seed, job.id, setup.label, folder, before=False)


def _how_to_go_on(folder: Path) -> str:
    """What is left of a run that was interrupted, and what the same command does about it."""
    from orchestration.experiment.following import reached

    last = reached(folder)
    if last is None:
        return f"{folder.name}: interrupted before its first evaluation; the same command begins anew"
    best = next(
        (place for place in (folder / "checkpoint", folder / "kept" / str(last.kept)) if place.exists()), folder
    )
    return (
        f"{folder.name}: interrupted; the same command goes on after {last.env_steps:,} steps. The best so far: "
        f"marl-health evaluate {near(best)}"
    )


def _judge(setup: Setup, folder: Path, trained: dict[str, Any], job: Job, jobs: int) -> None:
    """Compare what was trained with the others, wherever the experiment says, and write the reports."""
    from orchestration.report import write_report

    for where, found, curve in _comparisons(setup, folder, trained, jobs):
        where.mkdir(exist_ok=True)
        with output_file(where / RESULTS) as file:
            assert file is not None
            write_json(file, found.to_json())
        write_report(where, found.to_json(), curve, found.occupancy())
        job.comparison(found, evaluation="final", env_steps=trained["env_steps"])


def _comparisons(
    setup: Setup, folder: Path, trained: dict[str, Any], jobs: int
) -> Iterator[tuple[Path, Comparison, Path | None]]:
    """Folder, comparison, and the learning curve that belongs to it, of all that a run is judged by."""
    experiment, lot, checkpoint = setup.experiment, setup.lot, folder / "checkpoint"
    final = experiment.model.evaluation.final
    if lot.ensemble is None:
        for number, scenario in enumerate((lot.first, *experiment.judged)):
            where = folder if number == 0 else folder / f"judged-{number}-{scenario.name}"
            named = {setup.label: str(checkpoint)} | {name: name for name in _baselines(experiment, scenario)}
            how: dict[str, Any] = {"jobs": jobs, "occupancy": True}
            with progress_bar(f"evaluating {len(named)} policies", final.replications * len(named)) as progress:
                found = compare(scenario, named, final.replications, final.first_seed, progress=progress, **how)
            yield where, found, folder / trained["curve"] if number == 0 else None
        return
    from orchestration.strategies.judging import compare_all

    others = {name: _baselines(experiment, scenario) for name, scenario in lot.workflows.items()}
    every = {"replications": final.replications, "first_seed": final.first_seed, "jobs": jobs}
    for name, found in compare_all(lot.ensemble, lot.workflows, checkpoint, setup.label, others, **every):
        yield folder / name, found, None  # the curve is that of all workflows together


def _baselines(experiment: Experiment, scenario: Scenario) -> list[str]:
    """The policies that what was trained is compared with; without a rule where there is none."""
    return [name for name in experiment.model.evaluation.policies if name != "rule" or why_no_rule(scenario) is None]
