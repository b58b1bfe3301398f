"""The command line `marl-health`."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

import marl_health
from orchestration.commands import (
    animating,
    catalogue,
    checking,
    documenting,
    learning,
    planning,
    plotting,
    reporting,
    runs,
    scoring,
    store,
    submit,
    tracing,
)
from orchestration.commands.errors import Commands

app = typer.Typer(
    name="marl-health",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Multi-agent simulation worlds of health care: look at them, run policies in them, train, compare.",
)


def _version(asked: bool) -> None:
    if asked:
        print(f"marl-health {marl_health.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options before the command."""


app.command("list")(catalogue.list_scenarios)
app.command()(catalogue.show)
app.command()(catalogue.validate)
app.command()(checking.check)
app.command()(documenting.document)
app.command()(runs.simulate)
app.command()(runs.compare)
app.command()(reporting.report)
app.command()(planning.replications)
app.command()(planning.select)
app.command()(tracing.trace)
app.command()(plotting.plot)
app.command()(animating.animate)
app.command()(learning.train)
app.command()(learning.evaluate)
app.command()(submit.submit)
app.command()(scoring.score)
app.command()(store.runs)
stores = typer.Typer(no_args_is_help=True, help="Look after the result store.")
stores.command()(store.upgrade)
app.add_typer(stores, name="store")


@stores.callback()
def _store() -> None:
    """Keeps `upgrade` a command of its own, as long as there is no other."""


def main() -> None:
    """Run the command line."""
    # Leave as on any other exit, so that no half-written file and no worker stays behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    app(prog_name="marl-health")
