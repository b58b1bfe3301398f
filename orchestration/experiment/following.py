"""Follows the training of a seed: its curve, its row in the store, and the checkpoint that it can go on from."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune
from rich.console import Console

from orchestration.evaluation.statistics import Estimate, mean_interval
from orchestration.experiment.guided import JUDGED, STEPS
from orchestration.experiment.logs import Logs
from orchestration.experiment.sampled import SAMPLED
from orchestration.progress import COLUMNS, CURVE, LiveLine, learned
from orchestration.store.rows import Episode

if TYPE_CHECKING:
    from marl_health import Scenario
    from orchestration.store import Job

RESUME = "resume.json"
"""In a run's folder: where to go on from."""


@dataclass(frozen=True)
class Reached:
    """How far training had come when a checkpoint was made.

    Attributes:
        checkpoint: its folder.
        iteration, env_steps, seconds: so far.
        kept: the iteration whose policy is the best. best: its return when it was evaluated.
        over: why training has ended, if it has.
    """

    checkpoint: str
    iteration: int
    env_steps: int
    seconds: float
    kept: int
    best: float
    over: str | None


def reached(run_dir: Path) -> Reached | None:
    """The last checkpoint of a run; None if it made none yet."""
    try:
        return Reached(**json.loads((run_dir / RESUME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


class Following(tune.Callback):
    """Follows one trial.

    Args:
        run_dir: of the run; rows of its curve after the checkpoint that it goes on from are dropped.
        agents: how many, over which RLlib has summed its returns.
        job: of the store.
        label: what to call the policy there.
        stages: names and scenarios of the stages; one without a name where there is no curriculum.
        units: of the KPIs.
        console: where lines go. live: the last of them.
        logs: names of those that other programs show.
        facts: what describes the run in them.
    """

    def __init__(
        self,
        run_dir: Path,
        agents: int,
        job: Job,
        label: str,
        stages: Sequence[tuple[str, Scenario]],
        units: Mapping[str, str],
        console: Console,
        live: LiveLine,
        logs: Sequence[str],
        facts: Mapping[str, Any],
    ) -> None:
        self._run_dir, self._agents, self._job, self._label = run_dir, agents, job, label
        self._stages, self._units, self._console, self._live = stages, units, console, live
        self._result: dict[str, Any] = {}
        last = reached(run_dir)
        iteration = 0 if last is None else last.iteration
        self._logs = Logs(logs, run_dir, str(facts["experiment"]), facts, iteration)
        rows = _rows_until(run_dir / CURVE, iteration)
        self._file = (run_dir / CURVE).open("w", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, COLUMNS)
        self._writer.writeheader()
        self._writer.writerows(rows)
        self._file.flush()

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        """Record one iteration, and its evaluation if there was one."""
        self._result = result
        row = self._row(result)
        self._writer.writerow(row)
        self._file.flush()
        self._logs.write(row, result)
        steps = int(result[STEPS])
        self._job.progress(steps)
        self._sampled(steps, result[SAMPLED])
        if (judged := result.get(JUDGED)) is not None:
            self._evaluated(steps, judged)
        self._live.show(row)

    def on_checkpoint(self, iteration: int, trials: list[Any], trial: Any, checkpoint: Any, **_: Any) -> None:
        """Note which checkpoint is whole; the one before it is removed only later."""
        result = self._result
        found = Reached(
            checkpoint.path,
            int(result["training_iteration"]),
            int(result[STEPS]),
            float(result["seconds"]),
            int(result["kept"]),
            float(result["best"]),
            result["over"],
        )
        draft = self._run_dir / f".{RESUME}.draft"
        draft.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")
        os.replace(draft, self._run_dir / RESUME)

    def close(self) -> None:
        """Close the curve's file and the logs, and take the live line away."""
        self._live.close()
        self._file.close()
        self._logs.close()

    def _sampled(self, steps: int, told: Sequence[Mapping[str, Any]]) -> None:
        """Store every episode that was learned from, and the means of their KPIs."""
        for workflow, stage in sorted({(one["workflow"], one["stage"]) for one in told}):
            here = [one for one in told if (one["workflow"], one["stage"]) == (workflow, stage)]
            scenario, units = self.played(workflow, stage)
            where = self._job.environment(scenario, self._stages[stage][0])
            facts = ("seed", "length", "terms", "conservation")
            self._job.episodes(
                [
                    Episode(one["gained"], env_steps=steps, policy=self._label, **{fact: one[fact] for fact in facts})
                    for one in here
                ],
                environment=where,
            )
            values = {"return": [one["gained"] for one in here]}
            values |= {kpi: [one["kpis"].get(kpi, math.nan) for one in here] for kpi in units}
            means = {metric: mean_interval(each) for metric, each in values.items()}
            self._job.kpis(self._label, means, units=units, evaluation="sampled", env_steps=steps, environment=where)

    def played(self, workflow: str, stage: int) -> tuple[Scenario, Mapping[str, str]]:
        """The scenario of episodes, and the units of its KPIs."""
        return self._stages[stage][1], self._units

    def store(
        self,
        scenario: Scenario,
        estimates: Mapping[str, Estimate],
        env_steps: int,
        *,
        stage: str,
        units: Mapping[str, str],
    ) -> None:
        """Store what an evaluation found in a scenario."""
        where = self._job.environment(scenario, stage)
        common = {"evaluation": "training", "env_steps": env_steps, "environment": where}
        self._job.kpis(self._label, estimates, units=units, **common)

    def _evaluated(self, steps: int, judged: Mapping[str, Any]) -> None:
        name, scenario = self._stages[judged["stage"]]
        estimates = {metric: Estimate(*row) for metric, row in judged["values"].items()}
        self.store(scenario, estimates, steps, stage=name, units=self._units)
        gained = estimates["return"]
        at = f" at stage {name}" if name else ""
        self._console.print(
            f"{self._job.name}: {steps:,} steps{at}, return {gained.mean:.1f} [{gained.low:.1f}, {gained.high:.1f}]",
            highlight=False,
        )
        if judged["to"] not in (None, name):
            line = f"{judged['move']} from {name} to {judged['to']} after {steps:,} steps: {judged['reason']}"
            self._job.log(line, event=judged["move"], env_steps=steps)
            self._console.print(f"{self._job.name}: {line}", highlight=False)

    def _row(self, result: dict[str, Any]) -> dict[str, float]:
        runners = result["env_runners"]
        took = float(result["time_this_iter_s"]) or math.nan
        judged = result.get(JUDGED)
        ended = runners.get("num_episodes")
        return {
            "iteration": int(result["training_iteration"]),
            "seconds": round(float(result["seconds"]), 1),
            "env_steps": int(result[STEPS]),
            "episodes": int(runners.get("num_episodes_lifetime", 0)),
            "return_mean": float(runners["episode_return_mean"]) / self._agents if ended else math.nan,
            "return_greedy": math.nan if judged is None else judged["values"]["return"][0],
            "return_min": float(runners.get("episode_return_min", math.nan)) / self._agents,
            "return_max": float(runners.get("episode_return_max", math.nan)) / self._agents,
            "best_return": result["best"],
            "best_iteration": result["kept"],
            "steps_per_second": round(float(runners.get("num_env_steps_sampled", 0)) / took, 1),
            **learned(result),
        }


def _rows_until(file: Path, iteration: int) -> list[dict[str, str]]:
    """The rows of a curve up to an iteration; what was written after the checkpoint is trained once more."""
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as opened:
        return [
            row
            for row in csv.DictReader(opened)
            if (row["iteration"] or "x").isdecimal() and int(row["iteration"]) <= iteration
        ]
