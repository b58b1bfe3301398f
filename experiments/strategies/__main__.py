"""Run an experiment by each of the four strategies at the same budget, and print and save how they differ."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from experiments.strategies.found import Found, means_of, others_of
from marl_health import ScenarioError
from marl_health.spec.document import Document, load_document
from orchestration.commands.tables import CLEAR, interval
from orchestration.evaluation.statistics import LEVEL
from orchestration.experiment.reading import Experiment, find_experiment, read_experiment
from orchestration.output import console, output_file
from orchestration.strategies import STRATEGIES
from orchestration.workers import WorkerError, cpus

TABLES = Path(__file__).resolve().parent


def by_strategy(document: Document) -> dict[str, Experiment]:
    """The experiment by every strategy, whichever it names itself.

    Raises:
        ScenarioError: it cannot be read, or a strategy cannot train it.
    """
    found = {}
    for strategy in STRATEGIES:
        document.data["strategy"] = strategy
        found[strategy] = read_experiment(document)
    return found


def run(experiments: dict[str, Experiment], out: Path, jobs: int) -> Found:
    """Run what is not finished yet."""
    from orchestration.experiment.running import run_experiment
    from orchestration.local_ray import local_ray, quiet, quiet_loggers
    from orchestration.store import FILE, open_store

    out.mkdir(parents=True, exist_ok=True)
    quiet()
    quiet_loggers()
    means, others = {}, {}
    with open_store(out / FILE) as store, local_ray(cpus(), out):
        for strategy, experiment in experiments.items():
            outcomes = run_experiment(experiment, store, out, jobs=jobs, console=Console(stderr=True, soft_wrap=True))
            means[strategy] = means_of(store, experiment, outcomes)
            others = others_of(store, experiment, outcomes)
    return Found(means, others)


def table_of(found: Found) -> list[list[str]]:
    """Returns by strategy, then differences of pairs: a list of rows, headings first."""
    rows = [["", *found.workflows]]
    for policy in next(iter(found.others.values())):
        rows.append([policy, *(f"{found.others[workflow][policy]:.1f}" for workflow in found.workflows)])
    for strategy in found.means:
        rows.append([strategy, *(interval(found.estimate(strategy, each)) for each in found.workflows)])
    for one, other in found.pairs:
        cells = []
        for workflow in found.workflows:
            difference = found.difference(one, other, workflow)
            cells.append(interval(difference) + (f" {CLEAR}" if difference.clear else ""))
        rows.append([f"{other} - {one}", *cells])
    return rows


def markdown(name: str, experiments: dict[str, Experiment], found: Found) -> str:
    """The table as it is committed."""
    first = next(iter(experiments.values()))
    model, final = first.model, first.model.evaluation.final
    rows = table_of(found)
    scenarios = ", ".join(f"{each.name} (version {each.version}, hash {each.hash})" for each in first.scenarios)
    hashes = ", ".join(f"{strategy} {each.hash}" for strategy, each in experiments.items())
    seeds = ", ".join(map(str, model.all_seeds))
    budget = f"{model.budget.steps:,} steps" if model.budget.steps else f"{model.budget.time:g} minutes"
    lines = [
        f"# Strategies of {name}",
        "",
        f"Made by `python -m experiments.strategies {name}`. Experiment by strategy: {hashes}.",
        f"Scenarios: {scenarios}.",
        "",
        f"{model.algorithm.name}, {budget} of every workflow by every strategy, training seeds {seeds}; "
        f"{final.replications} held-out replications from seed {final.first_seed:,}, the same for all.",
        "Returns are by each workflow's own score, whatever agents were paid: means over training seeds with their "
        f"{LEVEL:.0%} intervals. Differences are paired by training seed; the intervals of all {len(found.pairs)} "
        f"pairs hold together with {LEVEL:.0%} (Bonferroni). {CLEAR} marks those that exclude 0. What stands above "
        "the strategies was not trained.",
        "",
        f"| {' | '.join(rows[0])} |",
        f"|---{'|---:' * len(found.workflows)}|",
        *(f"| {' | '.join(row)} |" for row in rows[1:]),
        "",
        f"{found.verdict}",
    ]
    if len(model.all_seeds) < 5:
        lines.append(f"With {len(model.all_seeds)} training seeds, only large differences could have been seen.")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read what to run, run it; 2 if it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m experiments.strategies", description=__doc__)
    parser.add_argument("experiment", help="a packaged experiment's name, or a YAML file, with several scenarios")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="where runs have their folders, and the store")
    parser.add_argument("--table", type=Path, help="the file to write (default: beside this module)")
    parser.add_argument("--jobs", type=int, default=cpus(), help="processes for the evaluations at the end")
    options = parser.parse_args(arguments)
    from orchestration.experiment.errors import TrainingError

    try:
        experiments = by_strategy(load_document(find_experiment(options.experiment)))
        name = next(iter(experiments.values())).name
        file = options.table or TABLES / f"{name}.md"
        found = run(experiments, options.out, options.jobs)
    except (ScenarioError, WorkerError, TrainingError) as error:
        print(error, file=sys.stderr)
        return 2
    shown = Table(*table_of(found)[0])
    for row in table_of(found)[1:]:
        shown.add_row(*row)
    console().print(shown)
    print(found.verdict)
    with output_file(file) as stream:
        assert stream is not None
        stream.write(markdown(name, experiments, found))
    print(f"written to {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
