"""What a training run tells while it runs, a live line and a CSV row per iteration; and when it must end."""

from __future__ import annotations

import csv
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ray import tune
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

if TYPE_CHECKING:
    from orchestration.store import Job

CURVE = "progress.csv"
COLUMNS = (
    "iteration",
    "seconds",
    "env_steps",
    "episodes",
    "return_mean",
    "return_greedy",
    "return_min",
    "return_max",
    "best_return",
    "best_iteration",
    "steps_per_second",
    "entropy",
    "value_explained",
)
# Where no line can be kept alive (a log file), one line is printed this often.
PLAIN_SECONDS = 30.0


class TrainingProgress(tune.Callback):
    """Follows one trial.

    Args:
        run_dir: `progress.csv` is written here; returns are the team's, in the scenario's units.
        agents: number of agents, over which RLlib has summed its returns.
        seconds: the time budget, counted from now.
        console: where the line goes.
        job: of the result store, told how far training has come.
    """

    def __init__(self, run_dir: Path, agents: int, seconds: float, console: Console, job: Job | None = None) -> None:
        self.rows: list[dict[str, float]] = []
        self._agents = agents
        self._budget = seconds
        self._start = time.monotonic()
        self._console = console
        self._job = job
        self._last_plain = -math.inf
        self._file: TextIO = (run_dir / CURVE).open("w", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, COLUMNS)
        self._writer.writeheader()
        self._live = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), console=console, transient=False
        )
        self._task = self._live.add_task("starting Ray and the environments", total=seconds)
        if console.is_terminal:
            self._live.start()

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        """Record and show one iteration."""
        row = self._row(result)
        self.rows.append(row)
        self._writer.writerow(row)
        self._file.flush()
        if self._job is not None:
            self._job.progress(int(row["env_steps"]))
        self._show(row)

    def close(self) -> None:
        """Leave the last line on the screen and close the file."""
        self._live.stop()
        self._file.close()

    def _row(self, result: dict[str, Any]) -> dict[str, float]:
        runners = result["env_runners"]
        seconds = time.monotonic() - self._start
        steps = float(result["num_env_steps_sampled_lifetime"])
        iteration_seconds = float(result["time_this_iter_s"]) or math.nan
        return {
            "iteration": int(result["training_iteration"]),
            "seconds": round(seconds, 1),
            "env_steps": int(steps),
            "episodes": int(runners.get("num_episodes_lifetime", 0)),
            "return_mean": result["training_return"],
            "return_greedy": result["greedy_return"],
            "return_min": float(runners.get("episode_return_min", math.nan)) / self._agents,
            "return_max": float(runners.get("episode_return_max", math.nan)) / self._agents,
            "best_return": result["best_return"],
            "best_iteration": result["best_iteration"],
            "steps_per_second": round(float(runners.get("num_env_steps_sampled", 0)) / iteration_seconds, 1),
            **learned(result),
        }

    def _show(self, row: dict[str, float]) -> None:
        left = max(0.0, self._budget - row["seconds"])
        line = (
            f"iteration {row['iteration']:.0f}  {row['env_steps']:,.0f} steps  "
            f"return {_shown(row['return_mean'])}  best {_shown(row['best_return'])}  "
            f"{row['steps_per_second']:,.0f} steps/s  {left // 60:.0f}:{left % 60:02.0f} left"
        )
        self._live.update(self._task, description=line, completed=min(row["seconds"], self._budget))
        if not self._console.is_terminal and row["seconds"] - self._last_plain >= PLAIN_SECONDS:
            self._last_plain = row["seconds"]
            self._console.print(line, highlight=False)


def _shown(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else "–"


def learned(result: dict[str, Any]) -> dict[str, float]:
    """What the learners of an iteration say, as a mean over modules; nan where they do not.

    `entropy`: of the actors. `value_explained`: the share of the variance of value targets that critics explain.
    """
    told = [part for name, part in result.get("learners", {}).items() if not name.startswith("__")]
    return {"entropy": _mean(told, "entropy"), "value_explained": _mean(told, "vf_explained_var")}


def _mean(results: list[dict[str, Any]], key: str) -> float:
    values = [value for r in results if key in r and math.isfinite(value := float(r[key]))]
    return round(sum(values) / len(values), 4) if values else math.nan


class Budget(tune.Stopper):
    """Ends training at a point in time or after a number of environment steps, whichever comes first.

    Args:
        deadline: by `time.monotonic()`. The iteration that would overrun it is not started.
        env_steps: joint steps of the environments; None for no limit.
    """

    def __init__(self, deadline: float, env_steps: int | None) -> None:
        self._deadline = deadline
        self._env_steps = env_steps

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether this trial has had its share."""
        if self._env_steps is not None and result["num_env_steps_sampled_lifetime"] >= self._env_steps:
            return True
        return bool(time.monotonic() + result["time_this_iter_s"] >= self._deadline)

    def stop_all(self) -> bool:
        """Tune asks this between results; trials end one by one here."""
        return False
