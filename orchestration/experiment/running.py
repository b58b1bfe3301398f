"""Runs an experiment: trains every seed, judges it on patients that nothing was chosen by, and stores everything.

Whatever was finished is not done again, and whatever was interrupted is gone on with, so that after `kill -9` the same
command continues.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from marl_health import Scenario
from orchestration.evaluation.compare import Comparison, compare
from orchestration.experiment.reading import Experiment
from orchestration.local_ray import local_ray, quiet, quiet_loggers
from orchestration.runs import new_run_dir
from orchestration.training import TrainingError
from policies import PolicyError
from policies.registry import rule_of

if TYPE_CHECKING:
    from orchestration.experiment.training import Setup
    from orchestration.store import Job, Store


@dataclass(frozen=True)
class Outcome:
    """What came of a seed.

    Attributes:
        seed: of training. job: its number in the store. folder: of the run.
        before: whether it was finished before, so that nothing was done.
    """

    seed: int
    job: int
    label: str
    folder: Path
    before: bool


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
    if len(experiment.scenarios) > 1:
        raise TrainingError(
            f"{experiment.file}: several scenarios at once cannot be trained yet; write an experiment for each"
        )
    outcomes = {seed: _finished(store, experiment, seed) for seed in experiment.model.all_seeds}
    if not all(outcomes.values()):
        out.mkdir(parents=True, exist_ok=True)
        quiet()
        from orchestration.experiment.training import make_config, set_up

        quiet_loggers()
        setup = set_up(experiment, out / f"{experiment.name}-{experiment.hash}")
        runners = make_config(setup, experiment.model.all_seeds[0]).num_env_runners
        with local_ray(runners, out):
            for seed, known in outcomes.items():
                outcomes[seed] = known or _run_seed(setup, store, out, seed, jobs, console)
    return [outcome for outcome in outcomes.values() if outcome is not None]


def _known(store: Store, experiment: Experiment, seed: int) -> list[dict[str, Any]]:
    """The jobs of a seed of this very experiment, the newest last."""
    return [
        job
        for job in store.jobs(experiment=experiment.name)
        if job["seed"] == seed and job["configuration"].get("experiment_hash") == experiment.hash
    ]


def _finished(store: Store, experiment: Experiment, seed: int) -> Outcome | None:
    for job in _known(store, experiment, seed):
        if job["status"] == "finished":
            return Outcome(seed, job["id"], job["algorithm"], Path(job["folder"]), before=True)
    return None


def _run_seed(setup: Setup, store: Store, out: Path, seed: int, jobs: int, console: Console) -> Outcome:
    """Train a seed and judge it, in a job of its own, or in the one that it was begun in."""
    from orchestration.experiment.training import train_seed

    experiment = setup.experiment
    known = [job for job in _known(store, experiment, seed) if job["folder"] and Path(job["folder"]).is_dir()]
    if known:
        folder = Path(known[-1]["folder"])
        context = store.resume(known[-1]["id"])
    else:
        folder = new_run_dir(out, experiment.scenarios[0].name, experiment.model.algorithm.name, seed).resolve()
        context = store.job(
            scenario=experiment.scenarios[0],
            algorithm=setup.label,
            seed=seed,
            experiment=experiment.name,
            folder=folder,
            configuration={"experiment_hash": experiment.hash, "experiment": experiment.data},
        )
    with context as job:
        trained = train_seed(setup, seed, folder, job, console)
        _judge(setup, folder, trained, job, jobs)
    console.print(f"{folder.name}: finished ({trained['ended']})", highlight=False)
    return Outcome(seed, job.id, setup.label, folder, before=False)


def _judge(setup: Setup, folder: Path, trained: dict[str, Any], job: Job, jobs: int) -> None:
    """Compare what was trained with the others, wherever the experiment says, and write the reports."""
    from orchestration.output import output_file, write_json
    from orchestration.report import write_report

    experiment = setup.experiment
    for number, scenario in enumerate((*experiment.scenarios, *experiment.judged)):
        found = _comparison(setup, scenario, folder / "checkpoint", jobs)
        where = folder if number == 0 else folder / f"judged-{number}-{scenario.name}"
        where.mkdir(exist_ok=True)
        with output_file(where / "comparison.json") as file:
            assert file is not None
            write_json(file, found.to_json())
        curve = folder / trained["curve"] if number == 0 else None
        write_report(where, found.to_json(), curve, found.occupancy())
        job.comparison(found, evaluation="final", env_steps=trained["env_steps"])


def _comparison(setup: Setup, scenario: Scenario, checkpoint: Path, jobs: int) -> Comparison:
    evaluation = setup.experiment.model.evaluation
    named = {setup.label: str(checkpoint)}
    for policy in evaluation.policies:
        if policy == "rule" and not _has_rule(scenario):
            continue
        named[policy] = policy
    final = evaluation.final
    return compare(scenario, named, final.replications, final.first_seed, jobs=jobs, occupancy=True)


def _has_rule(scenario: Scenario) -> bool:
    try:
        rule_of(scenario)
    except PolicyError:
        return False
    return True
