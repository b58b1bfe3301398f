"""Trains one policy per role on a scenario with RLlib, through `tune.run`, quietly and on a time budget."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pettingzoo import ParallelEnv
from rich.console import Console

from orchestration.local_ray import local_ray, quiet, quiet_loggers
from orchestration.runs import command_line, new_run_dir
from orchestration.workers import cpus

if TYPE_CHECKING:
    from orchestration.store import Job

# Left for the last iteration, the last checkpoint and the shutdown, so that the budget is kept.
CLOSING_SECONDS = 8.0


class TrainingError(RuntimeError):
    """Training could not be completed; the message says why."""


@dataclass(frozen=True)
class TrainingResult:
    """What a training run left behind.

    `best_return` is the mean return, in the scenario's units, of what was kept, acting greedily in the episodes on
    which it was chosen: no estimate of what it is worth on others. `env_steps` counts joint steps; `seconds` is the
    wall clock, start-up included.
    """

    run_dir: Path
    checkpoint: Path
    curve: Path
    best_return: float
    best_iteration: int
    iterations: int
    env_steps: int
    seconds: float


def train(
    scenario: str,
    *,
    seed: int = 0,
    minutes: float = 7.0,
    env_steps: int | None = None,
    out: Path = Path("runs"),
    env_runners: int | None = None,
    make_env: Callable[[], ParallelEnv[str, Any, Any]] | None = None,
    console: Console | None = None,
    job: Job | None = None,
) -> TrainingResult:
    """Train masked PPO and keep the best modules as `<run>/checkpoint`.

    An interrupt (Ctrl-C) ends training early and keeps the best so far.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file.
        seed: starts weights, exploration and episodes. Two runs of the same length are alike.
        minutes: budget of wall clock, Ray's start included.
        env_steps: stop after this many joint steps, if that comes first.
        out: the run's folder is made in this one.
        env_runners: processes that step environments; default: one per CPU.
        make_env: makes one environment, if it is not to be made from the scenario.
        console: where the progress line goes; default: standard error.
        job: of the result store; told the run's folder, and how far training has come.

    Raises:
        TrainingError: an environment or the algorithm failed, or training was interrupted before it began.
    """
    start = time.monotonic()
    quiet()
    from ray import tune
    from ray.tune.error import TuneError

    from marl_health.adapters.rllib import env_maker
    from orchestration.progress import CURVE, Budget, TrainingProgress
    from policies.rllib.best import keep_best
    from policies.rllib.ppo import masked_ppo_config

    quiet_loggers()
    runners = cpus() if env_runners is None else env_runners
    make_env = make_env or env_maker(scenario)
    facts = _facts(make_env) | {"algorithm": "ppo", "seed": seed, "command": command_line()}
    config = masked_ppo_config(scenario, seed=seed, make_env=make_env)
    config.env_runners(num_env_runners=runners)
    run_dir = new_run_dir(out, scenario, "ppo", seed).resolve()
    if job is not None:
        job.keeps(run_dir)
    agents = len(facts["agents"])
    checkpoint = run_dir / "checkpoint"
    config.callbacks(keep_best(checkpoint, agents=agents, facts=facts))

    budget = 60.0 * minutes
    progress = TrainingProgress(run_dir, agents, budget, console or Console(stderr=True), job)
    try:
        with local_ray(runners, run_dir):
            tune.run(
                config.algo_class,
                config=config,
                stop=Budget(start + budget - CLOSING_SECONDS, env_steps),
                name="tune",
                storage_path=str(run_dir),
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=50, checkpoint_at_end=True, num_to_keep=1),
                callbacks=[progress],
                verbose=0,
            )
    except TuneError as error:
        raise TrainingError(f"training on {scenario} failed: {reason_of(run_dir, error)}") from error
    finally:
        progress.close()
    if not checkpoint.exists():
        raise TrainingError(f"training on {scenario} was interrupted before its first result; nothing was kept")
    last = progress.rows[-1]
    result = TrainingResult(
        run_dir=run_dir,
        checkpoint=checkpoint,
        curve=run_dir / CURVE,
        best_return=last["best_return"],
        best_iteration=int(last["best_iteration"]),
        iterations=int(last["iteration"]),
        env_steps=int(last["env_steps"]),
        seconds=round(time.monotonic() - start, 1),
    )
    _write_summary(result, facts)
    return result


def reason_of(run_dir: Path, error: Exception) -> str:
    """The last line of the traceback that Tune filed; Tune's own error only says that a trial failed."""
    file = next((run_dir / "tune").glob("*/error.txt"), None)
    if file is None:
        return str(error)
    return f"{file.read_text(encoding='utf-8').strip().splitlines()[-1]} (traceback: {file})"


def _facts(make_env: Callable[[], ParallelEnv[str, Any, Any]]) -> dict[str, Any]:
    """What a checkpoint says about the environment it was trained on."""
    env = make_env()
    scenario = env.scenario
    facts = {
        "scenario": scenario.name,
        "version": scenario.version,
        "hash": scenario.hash,
        "agents": list(env.possible_agents),
    }
    env.close()
    return facts


def _write_summary(result: TrainingResult, facts: dict[str, Any]) -> None:
    """`training.json`: what was trained, and the result, paths relative to the run's folder."""
    values = asdict(result) | {
        "run_dir": result.run_dir.name,
        "checkpoint": result.checkpoint.name,
        "curve": result.curve.name,
    }
    text = json.dumps({**facts, **values}, indent=2, default=str)
    (result.run_dir / "training.json").write_text(text + "\n", encoding="utf-8")
