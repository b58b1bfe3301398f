"""`train` with an experiment, or with so much said on the command line that it is one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestration.commands.options import chosen_alternatives
from orchestration.commands.store import opened_store
from orchestration.commands.tables import CLEAR, interval
from orchestration.errors import CommandError, need
from orchestration.evaluation.statistics import Estimate
from orchestration.experiment.asking import asked_for
from orchestration.experiment.reading import Experiment, is_experiment, load_experiment
from orchestration.output import console
from orchestration.workers import cpus

if TYPE_CHECKING:
    from marl_health import Scenario
    from orchestration.experiment.running import Outcome
    from orchestration.store import Store

IN_THE_FILE = ("seed", "minutes", "replications", "chosen", "algorithm", "seeds", "steps", "strategy")
"""Options that an experiment says itself."""


def asks_for_experiment(name: str, *options: Any) -> bool:
    """Whether this is an experiment, or one of the options that only experiments have is given."""
    return any(option is not None for option in options) or is_experiment(name)


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
            algorithm=said["algorithm"] or "ppo",
            seeds=[said["seed"]] if said["seeds"] is None else said["seeds"],
            minutes=said["minutes"],
            steps=said["steps"],
            replications=said["replications"],
            chosen=chosen_alternatives(said["chosen"]),
            strategy=said["strategy"],
        )
    need("ray", "torch", "matplotlib", "sqlalchemy", "alembic")
    from orchestration.experiment.running import run_experiment
    from orchestration.store import StoreError
    from orchestration.training import TrainingError

    with opened_store(store, out) as opened:
        try:
            outcomes = run_experiment(
                experiment, opened, out, jobs=jobs or cpus(), console=Console(stderr=True, soft_wrap=True)
            )
        except (TrainingError, StoreError) as error:
            raise CommandError(str(error)) from error
        print_outcomes(opened, experiment, outcomes)


def _was_given(context: typer.Context, option: str) -> bool:
    """Whether an option is on the command line; typer may bring a copy of click, so only names can be compared."""
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def print_outcomes(store: Store, experiment: Experiment, outcomes: list[Outcome]) -> None:
    """By workflow, the return of every seed at the end, and by how much the others' differ."""
    for name, scenario in experiment.workflows.items():
        _print_workflow(store, experiment, scenario, [each for each in outcomes if name in each.reports])
    out = console()
    for outcome in outcomes:
        note = " (finished before)" if outcome.before else ""
        for report in outcome.reports.values():
            out.print(Text(f"seed {outcome.seed}: {report}{note}"), soft_wrap=True)


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
