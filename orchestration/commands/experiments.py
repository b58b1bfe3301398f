"""`train`: an experiment from a file, or one made of what the command line says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestration.commands.options import chosen_alternatives
from orchestration.commands.store import opened_store
from orchestration.commands.tables import CLEAR, interval, print_findings, standing
from orchestration.errors import CommandError, need
from orchestration.evaluation.statistics import Estimate
from orchestration.experiment.asking import asked_for
from orchestration.experiment.reading import Experiment, is_experiment, load_experiment
from orchestration.experiment.suited import SUITED
from orchestration.output import console, near
from orchestration.workers import cpus
from policies.registry import why_no_rule

if TYPE_CHECKING:
    from marl_health import Scenario
    from orchestration.experiment.running import Outcome
    from orchestration.store import Store

IN_THE_FILE = ("seed", "minutes", "replications", "chosen", "algorithm", "seeds", "steps", "strategy", "log")
"""Options that an experiment says itself."""


def train_experiment(
    context: typer.Context, names: list[str], *, out: Path, jobs: int | None, store: str | None
) -> None:
    """Run an experiment and tell what came of it.

    Raises:
        CommandError: it cannot be run, or has failed.
    """
    told = [name for name in names if is_experiment(name)]
    if told:
        name = told[0]
        if len(names) > 1:
            raise CommandError(f"{name} is an experiment, which says what it trains; name it alone")
        given = [name for name in IN_THE_FILE if _was_given(context, name)]
        if given:
            option = "--with" if given[0] == "chosen" else f"--{given[0]}"
            raise CommandError(f"{option}: {name} is an experiment, which says so itself; change it there")
        experiment = load_experiment(name)
    else:
        said = context.params
        experiment = asked_for(
            *names,
            algorithm=said["algorithm"],
            seeds=[said["seed"]] if said["seeds"] is None else said["seeds"],
            minutes=said["minutes"],
            steps=said["steps"],
            replications=said["replications"],
            chosen=chosen_alternatives(said["chosen"]),
            log=said["log"] or (),
            strategy=said["strategy"],
            processors=cpus(),
        )
        _note_start(experiment)
    need("ray", "torch", "matplotlib", "sqlalchemy", "alembic")
    from orchestration.experiment.errors import TrainingError
    from orchestration.experiment.running import run_experiment
    from orchestration.store import StoreError

    with opened_store(store, out) as opened:
        try:
            outcomes = run_experiment(
                experiment, opened, out, jobs=jobs or cpus(), console=Console(stderr=True, soft_wrap=True)
            )
        except (TrainingError, StoreError) as error:
            raise CommandError(str(error)) from error
        print_outcomes(opened, experiment, outcomes)
    if all(outcome.before for outcome in outcomes):
        how = "other seeds or another name there" if told else "another --seed"
        print(f"nothing was trained, since all of it was finished before; {how} would train anew", file=sys.stderr)


def _note_start(experiment: Experiment) -> None:
    """Say why nothing is imitated first, where that would be expected."""
    reason = why_no_rule(experiment.scenarios[0])
    if len(experiment.scenarios) == 1 and experiment.model.algorithm.name in SUITED and reason is not None:
        print(f"note: without the rule, so that learning starts from nothing: {reason}", file=sys.stderr)


def _was_given(context: typer.Context, option: str) -> bool:
    """Whether an option is on the command line; typer may bring a copy of click, so only names can be compared."""
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def print_outcomes(store: Store, experiment: Experiment, outcomes: list[Outcome]) -> None:
    """By workflow, all that the evaluation at the end has found, or of several seeds the return of each."""
    for name, scenario in experiment.workflows.items():
        mine = [each for each in outcomes if name in each.reports]
        alone = mine[0].findings(name) if len(mine) == 1 else None
        if alone is None:
            _print_workflow(store, experiment, scenario, mine)
            continue
        print_findings(scenario, alone)
        for other in alone.paired:
            print(standing(alone, other))
    out = console()
    for outcome in outcomes:
        note = " (finished before)" if outcome.before else ""
        start = "report" if len(outcomes) == 1 else f"seed {outcome.seed}"
        for report in outcome.reports.values():
            out.print(Text(f"{start}: {near(report)}{note}"), soft_wrap=True)
    if len(outcomes) == 1:
        out.print(Text(f"checkpoint: {near(outcomes[0].checkpoint)}"), soft_wrap=True)
        out.print(f"run {outcomes[0].job} in marl-health runs")


def _print_workflow(store: Store, experiment: Experiment, scenario: Scenario, outcomes: list[Outcome]) -> None:
    found: dict[tuple[int, str], Estimate] = {}
    for outcome in outcomes:
        met = [row for row in store.environments(outcome.job) if not row["stage"] and row["hash"] == scenario.hash]
        for row in store.kpis(outcome.job, metric="return", evaluation="final"):
            if row["environment_id"] == met[0]["id"]:
                name = f"{row['policy']} - {row['reference']}" if row["reference"] else "return"
                if row["reference"] or row["policy"] == outcome.label:
                    found[outcome.seed, name] = Estimate(row["value"], row["low"], row["high"], row["replications"])
    columns = list(dict.fromkeys(name for _, name in found))
    out = console()
    final = experiment.model.evaluation.final
    last = final.first_seed + final.replications - 1
    out.print(f"{experiment.name}: {scenario.name}, held-out seeds {final.first_seed} to {last}")
    table = Table()
    for column in ("seed", "run", *columns):
        table.add_column(column, justify="right")
    for outcome in outcomes:
        cells = []
        for column in columns:
            estimate = found[outcome.seed, column]
            cells.append(interval(estimate) + (f" {CLEAR}" if column != "return" and estimate.clear else ""))
        table.add_row(str(outcome.seed), str(outcome.job), *cells)
    out.print(table)
