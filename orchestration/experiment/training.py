"""Trains one seed of an experiment through `tune.run`, or goes on with it from its last checkpoint."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from marl_health import Scenario, parallel_env
from marl_health.spec.suggest import did_you_mean
from orchestration.episodes import ScenarioRef
from orchestration.experiment.guide import Rules
from orchestration.experiment.reading import Experiment
from orchestration.progress import CURVE
from orchestration.runs import command_line
from orchestration.training import TrainingError, reason_of

if TYPE_CHECKING:
    from orchestration.store import Job

TUNE = "tune"
"""In a run's folder while it trains: what Tune writes, checkpoints among it."""

TRAINED = "training.json"
"""In a run's folder, once its training has ended: what was trained, and how it went."""


@dataclass(frozen=True)
class Setup:
    """What all seeds of an experiment have in common.

    Attributes:
        experiment: which.
        stages: names and scenarios of the stages, in files that every process can load; one without a name where
            there is no curriculum.
        make_env: makes an environment.
        agents: all of them.
    """

    experiment: Experiment
    stages: tuple[tuple[str, Scenario], ...]
    make_env: Any
    agents: tuple[str, ...]

    @property
    def label(self) -> str:
        """What to call what is trained: the algorithm, and what it started from."""
        algorithm = self.experiment.model.algorithm
        return algorithm.name if algorithm.init is None else f"{algorithm.name} from {algorithm.init}"


def set_up(experiment: Experiment, folder: Path) -> Setup:
    """Look at an experiment's environment once.

    Args:
        experiment: with one scenario.
        folder: where stages are written that change their scenario.
    """
    scenario = experiment.scenarios[0]
    if experiment.course is None:
        stages = (("", scenario),)
        make_env: Any = partial(parallel_env, str(Path(scenario.file).resolve()), chosen=scenario.chosen)
    else:
        from orchestration.experiment.staged import Staged

        written = experiment.course.write(folder / "stages")
        stages = tuple(zip((stage.name for stage in experiment.course.stages), written, strict=True))
        make_env = partial(Staged, [ScenarioRef.of(each) for each in written])
    probe = make_env()
    agents = tuple(probe.possible_agents)
    probe.close()
    return Setup(experiment, stages, make_env, agents)


def make_config(setup: Setup, seed: int) -> Any:
    """RLlib's configuration of an experiment's algorithm; found out here, before Ray starts, is what is wrong with it.

    Raises:
        TrainingError: a setting is unknown, or not possible.
    """
    from orchestration.experiment.sampled import TellEpisodes
    from policies.rllib.algorithms import algorithm_config
    from policies.rllib.cloning import start_from

    said = setup.experiment.model.algorithm
    config = algorithm_config(
        said.name, setup.experiment.scenarios[0].name, seed=seed, make_env=setup.make_env, share=said.share
    )
    kind = type(config)
    known = sorted(name for name in dir(config) if name[0] != "_" and not callable(getattr(kind, name, None)))
    for setting in said.settings:
        if setting not in known:
            raise TrainingError(
                f"{setup.experiment.file}: algorithm.settings: {said.name} has no setting '{setting}'"
                f"{did_you_mean(setting, known)}"
            )
    try:
        config.update_from_dict(said.settings)
        initial = [] if said.init is None else [start_from(said.init, setup.make_env)]
        config.callbacks([TellEpisodes, *initial])
        config.validate()
    except (ValueError, TypeError, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0]  # RLlib goes on to say how to switch its checks off
        raise TrainingError(f"{setup.experiment.file}: algorithm.settings: {reason}") from error
    return config


def train_seed(setup: Setup, seed: int, run_dir: Path, job: Job, console: Console) -> dict[str, Any]:
    """Train until the budget is used up or a rule ends it; what `training.json` says.

    Whatever was done before in the same folder is gone on with; if training had ended there, nothing is left to do.
    The kept policy lies in `<run>/checkpoint` afterwards.

    Args:
        setup: of the experiment.
        seed: of training.
        run_dir: the run's folder.
        job: of the store.
        console: where lines go.

    Raises:
        TrainingError: an environment or the algorithm failed.
    """
    from ray import tune
    from ray.tune.error import TuneError

    from orchestration.experiment.following import Following, reached
    from orchestration.experiment.guided import Plan, guided, settle

    file = run_dir / TRAINED
    if file.exists():
        _tidy(run_dir / TUNE, None)
        return dict(json.loads(file.read_text(encoding="utf-8")))
    facts = _facts(setup, seed)
    kept = (run_dir / "kept").resolve()
    last = reached(run_dir)
    if last is None or last.over is None:
        # What is drawn after a checkpoint must not be what was drawn at the beginning.
        config = make_config(setup, seed if last is None else _seed_after(seed, last.env_steps))
        if last is not None:
            job.log(f"goes on from {last.checkpoint}, after {last.env_steps:,} steps", event="checkpoint")
        evaluation = setup.experiment.model.evaluation
        seeds = range(evaluation.first_seed, evaluation.first_seed + evaluation.replications)
        refs = tuple(ScenarioRef.of(scenario) for _, scenario in setup.stages)
        plan = Plan(_rules(setup.experiment), refs, seeds, kept, facts)
        units = setup.stages[0][1].kind.make_game(setup.stages[0][1].program).kpi_units()
        logs = setup.experiment.model.log
        described = facts | {"settings": setup.experiment.model.algorithm.settings}
        following = Following(
            run_dir, len(setup.agents), job, setup.label, setup.stages, units, console, logs, described
        )
        _tidy(run_dir / TUNE, None if last is None else Path(last.checkpoint))
        try:
            tune.run(
                guided(config.algo_class, plan),
                config=config,
                name=TUNE,
                storage_path=str(run_dir.resolve()),
                restore=None if last is None else last.checkpoint,
                checkpoint_config=tune.CheckpointConfig(num_to_keep=2),
                callbacks=[following],
                verbose=0,
            )
        except TuneError as error:
            raise TrainingError(f"training of seed {seed} failed: {reason_of(run_dir, error)}") from error
        finally:
            following.close()
        last = reached(run_dir)
        if last is None or last.over is None:
            raise KeyboardInterrupt  # Tune ends in silence when it is interrupted
    settle(kept, last.kept, run_dir / "checkpoint")
    told = facts | {
        "env_steps": last.env_steps,
        "iterations": last.iteration,
        "seconds": round(last.seconds, 1),
        "best_iteration": last.kept,
        "best_return": last.best,
        "ended": last.over,
        "curve": CURVE,
    }
    draft = file.with_name(f".{TRAINED}.draft")
    draft.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    os.replace(draft, file)
    _tidy(run_dir / TUNE, None)
    job.log(f"training ended: {last.over}", event="trained", env_steps=last.env_steps)
    return told


def _tidy(folder: Path, checkpoint: Path | None) -> None:
    """Remove what Tune left in earlier attempts, or in a training that has ended, but the checkpoint to go on from."""
    if checkpoint is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for other in folder.iterdir():
        if other != checkpoint.parent:
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    for other in checkpoint.parent.iterdir():
        if other != checkpoint:
            shutil.rmtree(other) if other.is_dir() else other.unlink()


def _rules(experiment: Experiment) -> Rules:
    model = experiment.model
    return Rules(
        every=model.evaluation.every,
        steps=model.budget.steps,
        seconds=None if model.budget.time is None else 60.0 * model.budget.time,
        stages=() if experiment.course is None else experiment.course.stages,
        success=experiment.success,
        without_progress=None if model.stop is None else model.stop.without_progress,
    )


def _facts(setup: Setup, seed: int) -> dict[str, Any]:
    """What a checkpoint says of what it was trained on, and by which command."""
    scenario, model = setup.experiment.scenarios[0], setup.experiment.model
    facts: dict[str, Any] = {
        "scenario": scenario.name,
        "version": scenario.version,
        "hash": scenario.hash,
        "agents": list(setup.agents),
        "algorithm": model.algorithm.name,
        "seed": seed,
        "experiment": model.name,
        "experiment_hash": setup.experiment.hash,
        "command": command_line(),
    }
    return facts if model.algorithm.init is None else facts | {"init": model.algorithm.init}


def _seed_after(seed: int, env_steps: int) -> int:
    drawn: Mapping[int, Any] = np.random.SeedSequence([seed, env_steps]).generate_state(1)  # type: ignore[assignment]
    return int(drawn[0]) % 2**31
