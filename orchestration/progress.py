"""What training tells while it runs: the columns of its curve, and a live line for whoever looks on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

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


class LiveLine:
    """The last line of a terminal, where it says how far training has come; elsewhere nothing.

    Args:
        console: where the line goes; other lines that are printed there meanwhile appear above it.
        name: of what is trained.
        begins: what goes on before the first iteration.
        seconds: of the budget. steps: of the budget; None where it has none.
    """

    def __init__(self, console: Console, name: str, begins: str, seconds: float | None, steps: int | None) -> None:
        self._name, self._seconds, self._steps = name, seconds, steps
        self._evaluated = math.nan
        self._live = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), console=console, transient=True
        )
        self._task = self._live.add_task(f"{name}: {begins}", total=1.0)
        if console.is_terminal:
            self._live.start()

    def show(self, row: Mapping[str, float]) -> None:
        """Show a row of the curve."""
        if not math.isnan(row["return_greedy"]):
            self._evaluated = row["return_greedy"]
        line = (
            f"{self._name}: {row['env_steps']:,.0f} steps  training {_shown(row['return_mean'])}  "
            f"evaluated {_shown(self._evaluated)}  best {_shown(row['best_return'])}  "
            f"{row['steps_per_second']:,.0f} steps/s{self._left(row)}"
        )
        self._live.update(self._task, description=line, completed=self._done(row))

    def close(self) -> None:
        """Take the line away."""
        if self._live.live.is_started:
            self._live.stop()

    def _left(self, row: Mapping[str, float]) -> str:
        if self._seconds is None:
            return ""
        left = max(0.0, self._seconds - row["seconds"])
        return f"  {left // 60:.0f}:{left % 60:02.0f} left"

    def _done(self, row: Mapping[str, float]) -> float:
        """The share of the budget that is used up."""
        shares = [0.0]
        if self._seconds is not None:
            shares.append(row["seconds"] / self._seconds)
        if self._steps is not None:
            shares.append(row["env_steps"] / self._steps)
        return min(1.0, max(shares))


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
