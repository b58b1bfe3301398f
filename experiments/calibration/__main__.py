"""Fit a scenario's free parameters to published figures, and set ours beside the published ones."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

import policies
from experiments.calibration.changed import changed, value_at, write
from experiments.calibration.fit import POINTS, Fit, fit
from experiments.calibration.goals import Goals, read
from experiments.calibration.runs import Runs
from experiments.calibration.table import TITLES, Row, markdown, rows, summary
from marl_health import ScenarioError
from marl_health.spec.document import Document
from orchestration.commands.tables import BETTER, WORSE
from orchestration.errors import CommandError
from orchestration.output import console, output_file, progress_bar, write_json
from orchestration.workers import WorkerError, cpus


def print_fit(runs: Runs, found: Fit) -> None:
    """What was found, parameter by parameter and target by target."""
    out, goals = console(), runs.goals
    parameters = Table(title="free parameters", title_justify="left")
    for heading in ("parameter", "factor", "± %", "told by the targets", "moves most (half widths per 10%)"):
        parameters.add_column(heading, justify="left" if heading == "parameter" else "right")
    for name, factor in found.factors.items():
        effects = sorted(found.effects[name].items(), key=lambda item: -abs(item[1]))
        most = ", ".join(f"{target} {effect:+.2f}" for target, effect in effects[:3])
        low, high = goals.free[name].between
        at_bound = " (bound)" if min(abs(factor / low - 1), abs(factor / high - 1)) < 0.005 else ""
        parameters.add_row(
            name, f"{factor:.3f}{at_bound}", f"{found.errors[name]:.0f}", f"{found.told[name]:.0%}", most
        )
    out.print(parameters)
    targets = Table(title="fitted targets, on the seeds of the fit", title_justify="left")
    for heading in ("target", "range", "before", "after"):
        targets.add_column(heading, justify="left" if heading == "target" else "right")
    for name, (before, after) in found.figures.items():
        limits = goals.targets[name].range
        style = BETTER if after in limits else WORSE
        targets.add_row(name, str(limits), limits.shown(before), Text(limits.shown(after), style=style))
    out.print(targets)
    singular = ", ".join(f"{value:.2g}" for value in found.singular)
    print(
        f"{found.points} points; cost {found.cost[0]:.2f} before, {found.cost[1]:.2f} after; singular values {singular}"
    )
    for path, value in found.values.items():
        print(f"  {path}: {value}")


def print_rows(found: Sequence[Row]) -> None:
    """Both columns."""
    shown = Table()
    for heading in ("quantity", "published", "ours (95%)", "verdict"):
        shown.add_column(heading)
    for column, title in TITLES.items():
        of = [row for row in found if row.target.column == column]
        if of:
            shown.add_section()
            shown.add_row(Text(title, style="bold"))
        for row in of:
            verdict = Text(row.verdict, style=BETTER if row.inside else WORSE)
            shown.add_row(row.target.what, str(row.target.range), row.figure, verdict)
    console().print(shown)


def fit_command(goals: Goals, document: Document, options: argparse.Namespace) -> int:
    """Fit, print, save; with ``--write`` also into the scenario."""
    runs = Runs(goals, document, options.jobs, given(options.set))
    for parameter in goals.free.values():
        for path in parameter.sets:
            value_at(runs.scenario, path)
    out = Path(document.file).with_suffix(".fit.json")
    episodes = sum(
        run.while_fitting or run.replications
        for name, run in goals.runs.items()
        if any(target.run == name for target in goals.of("fitted").values())
    )
    most = episodes * (1 + POINTS * (2 * len(goals.free) + 1))
    with output_file(out) as stream:
        with progress_bar(f"{goals.scenario}, at most", most) as progress:
            found = fit(runs, progress)
        if options.write:
            write(runs.scenario, found.values)
            print(f"written to {changed(runs.scenario, {}).file}")
        scenario = changed(runs.scenario, {**runs.given, **found.values})
        about = {"scenario": scenario.name, "version": scenario.version, "hash": scenario.hash, "policy": goals.policy}
        seeds = {"first_seed": goals.seeds.fit, "episodes_per_point": episodes}
        if stream is not None:
            write_json(stream, {**about, **seeds, "given": runs.given, **asdict(found)})
    print_fit(runs, found)
    print(f"saved in {out}")
    return 0


def table_command(goals: Goals, document: Document, options: argparse.Namespace) -> int:
    """Play the runs on the seeds of the check; 1 if a figure is outside its range."""
    runs = Runs(goals, document, options.jobs, given(options.set))
    with progress_bar(goals.scenario, sum(run.replications for run in goals.runs.values())) as progress:
        found = rows(runs, progress)
    print_rows(found)
    print(summary(found))
    if not runs.given:
        out = Path(document.file).with_suffix(".md")
        with output_file(out) as stream:
            if stream is not None:
                stream.write(markdown(out.stem, runs, found))
        print(f"written to {out}")
    return 0 if all(row.inside for row in found) else 1


def given(settings: Sequence[str]) -> dict[str, Any]:
    """Changes by path, from PATH=VALUE; values are read as JSON where they are JSON."""
    found = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals:
            raise CommandError(f"--set {setting}: write PATH=VALUE, as in --set places.ed_bay.count=36")
        try:
            found[path] = json.loads(value)
        except json.JSONDecodeError:
            found[path] = value
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Read what to do and do it; 2 if it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m experiments.calibration", description=__doc__)
    parser.add_argument("command", choices=("fit", "table"))
    parser.add_argument("name", metavar="NAME_OR_FILE", help="a packaged scenario's name, or the file with its targets")
    parser.add_argument("--write", action="store_true", help="fit: set what is found in the scenario's file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="try another number in the scenario"
    )
    parser.add_argument("--jobs", type=int, default=cpus(), help="processes (default: one per CPU); no result changes")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs must be at least 1")
    try:
        goals, document = read(options.name)
        return (fit_command if options.command == "fit" else table_command)(goals, document, options)
    except (ScenarioError, policies.PolicyError, WorkerError, CommandError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
