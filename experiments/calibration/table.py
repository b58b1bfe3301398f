"""Both columns, published beside ours, with verdicts; as Markdown for the documentation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from experiments.calibration.changed import changed
from experiments.calibration.goals import Goals, Target
from experiments.calibration.measures import estimated
from experiments.calibration.runs import Runs
from orchestration.evaluation.statistics import Estimate

TITLES = {"fitted": "Fitted", "by_hand": "Structure chosen by hand so that they come out", "held_out": "Held out"}


@dataclass(frozen=True)
class Row:
    """A target and our figure for it."""

    name: str
    target: Target
    ours: Estimate

    @property
    def inside(self) -> bool:
        """Whether our figure lies in the range."""
        return self.ours.mean in self.target.range

    @property
    def verdict(self) -> str:
        """``inside``, ``OUTSIDE``, and whether the interval reaches across an end of the range."""
        limits = self.target.range
        if math.isnan(self.ours.mean):
            return "NOT RECORDED"
        across = [end for end in (limits.low, limits.high) if self.ours.low < end < self.ours.high]
        return ("inside" if self.inside else "OUTSIDE") + (", interval crosses the edge" if across else "")

    @property
    def figure(self) -> str:
        """Ours with its interval, in the unit of the range."""
        shown = self.target.range.shown
        if math.isnan(self.ours.mean):
            return "–"
        if math.isnan(self.ours.low):
            return shown(self.ours.mean)
        return f"{shown(self.ours.mean)} ({shown(self.ours.low)} to {shown(self.ours.high)})"


def rows(runs: Runs, told: Callable[[], None]) -> list[Row]:
    """Play every run on the seeds of the check, and set our figures beside the published ones."""
    goals = runs.goals
    (samples,) = runs.samples([{}], goals.targets, goals.seeds.check, lambda run: goals.runs[run].replications, told)
    return [Row(name, target, estimated(target.measure, samples[name])) for name, target in goals.targets.items()]


def summary(found: Sequence[Row]) -> str:
    """How many lie inside."""
    parts = []
    for column, title in TITLES.items():
        of = [row for row in found if row.target.column == column]
        if of:
            parts.append(f"{title.lower()}: {sum(row.inside for row in of)} of {len(of)} inside")
    return "; ".join(parts)


def markdown(name: str, runs: Runs, found: Sequence[Row]) -> str:
    """The table of the goals of this name, with what it was made of."""
    goals = runs.goals
    scenario = changed(runs.scenario, runs.given)
    lines = [
        f"# Calibration of {scenario.name}",
        "",
        f"Version {scenario.version}, hash {scenario.hash}, policy `{goals.policy}`; {summary(found)}.",
        f"Made by `python -m experiments.calibration table {name}`. Sources, and the reason for each range, stand in",
        f"`{name}.yaml` beside this file.",
        "",
        *_about_runs(goals),
        "",
        "Intervals are 95%, from the jackknife over replications.",
    ]
    for column, title in TITLES.items():
        of = [row for row in found if row.target.column == column]
        if of:
            lines += [
                "",
                f"## {title}",
                "",
                "| quantity | published range | ours (95%) | verdict |",
                "|---|---|---|---|",
            ]
        lines += [f"| {row.target.what} | {row.target.range} | {row.figure} | {row.verdict} |" for row in of]
    missed = [row for row in found if not row.inside]
    if missed:
        lines += ["", "## Missed", ""]
    for row in missed:
        why = " ".join((row.target.missed or "nobody has said why").split())
        lines.append(f"* {row.target.what}: {row.figure} instead of {row.target.range}. {why[:1].upper()}{why[1:]}.")
    return "\n".join(lines) + "\n"


def _about_runs(goals: Goals) -> list[str]:
    first = goals.seeds.check
    return [
        f"* `{name}`: {' '.join(run.what.split())}; {run.replications} replications, seeds {first} to "
        f"{first + run.replications - 1}"
        for name, run in goals.runs.items()
    ]
