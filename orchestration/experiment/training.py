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
from orchestration.experiment.errors import TrainingError
from orchestration.experiment.guide import Rules
from orchestration.experiment.reading import Experiment
from orchestration.progress import CURVE, LiveLine
from orchestration.runs import command_line
from orchestration.strategies.lots import Lot

if TYPE_CHECKING:
    from orchestration.experiment.following import Following
    from orchestration.experiment.guided import Plan
    from orchestration.store import Job
    from policies.rllib.sharing import Share

TUNE = "tune"
"""In a run's folder while it trains: what Tune writes, checkpoints among it."""

TRAINED = "training.json"
"""In a run's folder, once its training has ended: what was trained, and how it went."""


@dataclass(frozen=True)
class Setup:
    """What all seeds of an experiment have in common.

    Attributes:
        experiment: which.
        lot: what of it.
        stages: names and scenarios of the stages, in files that every process can load; one without a name where
            there is no curriculum.
        make_env: makes an environment.
        agents: all of them.
        words: what the numbers mean that they see and choose from.
    """

    experiment: Experiment
    lot: Lot
    stages: tuple[tuple[str, Scenario], ...]
    make_env: Any
    agents: tuple[str, ...]
    words: dict[str, Any]

    @property
    def label(self) -> str:
        """What to call what is trained: the strategy, the algorithm, and what it started from."""
        algorithm = self.experiment.model.algorithm
        name = algorithm.name if self.lot.strategy is None else f"{self.lot.strategy.name} {algorithm.name}"
        return name if algorithm.init is None else f"{name} from {algorithm.init}"

    @property
    def share(self) -> Share:
        """Which agents share a network."""
        said: Share = self.experiment.model.algorithm.share
        return said if self.lot.strategy is None else self.lot.strategy.share(said)


def set_up(experiment: Experiment, lot: Lot, folder: Path) -> Setup:
    """Look at the environment of what is trained at once.

    Args:
        experiment: which.
        lot: what of it.
        folder: where stages are written that change their scenario.
    """
    from policies.rllib.checkpoint import words_of

    scenario, ensemble = lot.first, lot.ensemble
    if ensemble is not None:
        stages: tuple[tuple[str, Scenario], ...] = (("", scenario),)
        make_env: Any = ensemble.make
    elif experiment.course is None:
        stages = (("", scenario),)
        make_env = partial(parallel_env, str(Path(scenario.file).resolve()), chosen=scenario.chosen)
    else:
        from orchestration.experiment.staged import Staged

        written = experiment.course.write(folder / "stages")
        stages = tuple(zip((stage.name for stage in experiment.course.stages), written, strict=True))
        make_env = partial(Staged, [ScenarioRef.of(each) for each in written])
    probe = make_env()
    agents, words = tuple(probe.possible_agents), words_of(probe)
    probe.close()
    return Setup(experiment, lot, stages, make_env, agents, words)


def make_config(setup: Setup, seed: int, begins: Path | None = None, *, goes_on: bool = False) -> Any:
    """RLlib's configuration of an experiment's algorithm; found out here, before Ray starts, is what is wrong with it.

    Args:
        setup: of what is trained.
        seed: of training.
        begins: the checkpoint whose policies it begins with, where shapes allow.
        goes_on: whether all that was learned is restored, so that nothing has to be imitated first.

    Raises:
        TrainingError: a setting is unknown, or not possible.
    """
    from orchestration.experiment.sampled import TellEpisodes
    from policies.rllib.algorithms import algorithm_config
    from policies.rllib.cloning import start_from
    from policies.rllib.warm_start import donors, warm_start

    said = setup.experiment.model.algorithm
    label = setup.lot.first.name if setup.lot.ensemble is None else setup.experiment.name
    config = algorithm_config(said.name, label, seed=seed, make_env=setup.make_env, share=setup.share)
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
        starts = [] if said.init is None or goes_on else [start_from(said.init, setup.make_env)]
        if begins is not None:
            starts.append(warm_start(begins, donors(begins, setup.make_env, config.policies)))
        config.callbacks([TellEpisodes, *starts])
        config.validate()
    except (ValueError, TypeError, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0]  # RLlib goes on to say how to switch its checks off
        raise TrainingError(f"{setup.experiment.file}: algorithm.settings: {reason}") from error
    return config


def train_seed(
    setup: Setup, seed: int, run_dir: Path, job: Job, console: Console, begins: Path | None = None
) -> dict[str, Any]:
    """Train until the budget is used up or a rule ends it; what `training.json` says.

    Whatever was done before in the same folder is gone on with; if training had ended there, nothing is left to do.
    The kept policy lies in `<run>/checkpoint` afterwards.

    Args:
        setup: of the experiment.
        seed: of training.
        run_dir: the run's folder.
        job: of the store.
        console: where lines go.
        begins: the checkpoint whose policies it begins with, where shapes allow.

    Raises:
        TrainingError: an environment or the algorithm failed.
    """
    from ray import tune
    from ray.tune.error import TuneError

    from orchestration.experiment.following import reached
    from orchestration.experiment.guided import guided, settle

    file = run_dir / TRAINED
    if file.exists():
        _tidy(run_dir / TUNE, None)
        return dict(json.loads(file.read_text(encoding="utf-8")))
    facts = _facts(setup, seed)
    kept = (run_dir / "kept").resolve()
    last = reached(run_dir)
    if last is None or last.over is None:
        # What is drawn after a checkpoint must not be what was drawn at the beginning.
        after = seed if last is None else _seed_after(seed, last.env_steps)
        config = make_config(setup, after, begins, goes_on=last is not None)
        if begins is not None:
            taken = _taken(setup, config, begins)
            facts["warm_started"] = taken
            if last is None:
                _tell_warm_start(taken, config, job, console)
        if last is not None:
            job.log(f"goes on from {last.checkpoint}, after {last.env_steps:,} steps", event="checkpoint")
        evaluation = setup.experiment.model.evaluation
        seeds = range(evaluation.first_seed, evaluation.first_seed + evaluation.replications)
        plan = _plan(setup, seeds, kept, facts)
        following = _following(setup, run_dir, job, console, facts, goes_on=last is not None)
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


def reason_of(run_dir: Path, error: Exception) -> str:
    """The last line of the traceback that Tune filed; Tune's own error only says that a trial failed."""
    file = next((run_dir / TUNE).glob("*/error.txt"), None)
    if file is None:
        return str(error)
    return f"{file.read_text(encoding='utf-8').strip().splitlines()[-1]} (traceback: {file})"


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


def _plan(setup: Setup, seeds: range, kept: Path, facts: dict[str, Any]) -> Plan:
    from orchestration.experiment.guided import Plan
    from orchestration.strategies.ensemble import play_all, save_parts

    ensemble = setup.lot.ensemble
    if ensemble is not None:
        return Plan(_rules(setup), (ensemble,), seeds, kept, facts, save_parts, play_all)
    return Plan(_rules(setup), tuple(ScenarioRef.of(scenario) for _, scenario in setup.stages), seeds, kept, facts)


def _following(
    setup: Setup, run_dir: Path, job: Job, console: Console, facts: dict[str, Any], *, goes_on: bool = False
) -> Following:
    from orchestration.experiment.following import Following
    from orchestration.strategies.judging import FollowingAll, units_of

    rules, init = _rules(setup), setup.experiment.model.algorithm.init
    begins = "starting" if init is None or goes_on else f"starting; it imitates {init} before it learns"
    console.print(f"{job.name}: {begins}", highlight=False)
    how: dict[str, Any] = {
        "run_dir": run_dir,
        "agents": len(setup.agents),
        "job": job,
        "label": setup.label,
        "stages": setup.stages,
        "units": units_of(setup.lot.first),
        "console": console,
        "live": LiveLine(console, f"seed {facts['seed']}", begins, rules.seconds, rules.steps),
        "logs": setup.experiment.model.log,
        "facts": facts | {"settings": setup.experiment.model.algorithm.settings},
    }
    return Following(**how) if setup.lot.ensemble is None else FollowingAll(setup.lot.workflows, **how)


def _taken(setup: Setup, config: Any, begins: Path) -> dict[str, str]:
    """By module that begins as another has ended: that one, as `<workflow>.<role>`."""
    from policies.rllib.warm_start import donors

    assert setup.lot.follows is not None
    found = donors(begins, setup.make_env, config.policies)
    return {module: f"{setup.lot.follows.name}.{role}" for module, role in found.items()}


def _tell_warm_start(taken: Mapping[str, str], config: Any, job: Job, console: Console) -> None:
    told = [f"{module} begins as {other}" for module, other in taken.items()]
    told += [f"{module} begins from nothing" for module in config.policies if module not in taken]
    line = f"warm start: {', '.join(told)}"
    job.log(line, event="warm_start", taken=dict(taken))
    console.print(f"{job.name}: {line}", highlight=False)


def _rules(setup: Setup) -> Rules:
    experiment, model = setup.experiment, setup.experiment.model
    # All workflows together may take as long as they would one after the other.
    time = None if model.budget.time is None else 60.0 * model.budget.time * len(setup.lot.workflows)
    return Rules(
        every=model.evaluation.every,
        steps=model.budget.steps,
        seconds=time,
        stages=() if experiment.course is None else experiment.course.stages,
        success=experiment.success,
        without_progress=None if model.stop is None else model.stop.without_progress,
    )


def _facts(setup: Setup, seed: int) -> dict[str, Any]:
    """What a checkpoint says of what it was trained on, and by which command."""
    model, strategy = setup.experiment.model, setup.lot.strategy
    each = {
        name: {"scenario": scenario.name, "version": scenario.version, "hash": scenario.hash}
        for name, scenario in setup.lot.workflows.items()
    }
    facts: dict[str, Any] = {
        **each[next(iter(each))],
        "agents": list(setup.agents),
        "words": setup.words,
        "algorithm": model.algorithm.name,
        "seed": seed,
        "experiment": model.name,
        "experiment_hash": setup.experiment.hash,
        "command": command_line(),
    }
    if strategy is not None:
        facts["strategy"] = strategy.name
    if setup.lot.ensemble is not None:
        facts["workflows"] = each
    return facts if model.algorithm.init is None else facts | {"init": model.algorithm.init}


def _seed_after(seed: int, env_steps: int) -> int:
    drawn: Mapping[int, Any] = np.random.SeedSequence([seed, env_steps]).generate_state(1)  # type: ignore[assignment]
    return int(drawn[0]) % 2**31
