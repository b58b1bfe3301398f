"""`runs` and `store upgrade`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.commands.options import Json
from orchestration.errors import CommandError
from orchestration.output import output_file, write_json

if TYPE_CHECKING:
    from orchestration.store import Store

Runs = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where runs have their folders.")]
Address = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="STORE",
        envvar="MARL_HEALTH_STORE",
        help="Where results are kept: a file, or postgresql://user@host/database (default: results.db in the folder "
        "of runs).",
    ),
]


def runs(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="Show this one: its number, or its name.")] = None,
    out: Runs = Path("runs"),
    store: Address = None,
    status: Annotated[
        str | None, typer.Option(help="Only those running, finished, failed or interrupted.", metavar="STATUS")
    ] = None,
    scenario: Annotated[str | None, typer.Option(metavar="NAME", help="Only those on this scenario.")] = None,
    experiment: Annotated[str | None, typer.Option(metavar="NAME", help="Only those of this experiment.")] = None,
    newest: Annotated[int, typer.Option(min=1, help="So many at most, the newest.")] = 20,
    json: Json = None,
) -> None:
    """List the runs there are, with their results, and say which are alive; or show one of them."""
    from orchestration.commands.recorded import facts_of, print_job, print_jobs, run_named, summary_of

    with output_file(json) as file, _known_runs(out, store) as opened:
        if opened is None:
            print(f"no runs in {out}; marl-health train makes one")
            value: Any = []
        elif run is not None:
            value = facts_of(opened, run_named(opened, run))
            print_job(value)
        else:
            _must_be_status(status)
            chosen = opened.jobs(status=status, scenario=scenario, experiment=experiment, newest=newest)
            value = [summary_of(opened, job) for job in chosen]
            print_jobs(value, opened.where)
        if file is not None:
            write_json(file, value)


def upgrade(store: Address = None, out: Runs = Path("runs")) -> None:
    """Bring the tables of a store up to date; older versions of marl-health cannot use it afterwards."""
    with opened_store(store, out, create=False, upgrade=True) as opened:
        print(f"{opened.where}: up to date")


@contextmanager
def opened_store(address: str | None, out: Path, **how: Any) -> Iterator[Store]:
    """The store that a command uses: the one that is named, or the one in the folder of runs.

    Raises:
        CommandError: it cannot be used.
    """
    from orchestration.store import FILE, StoreError, open_store

    try:
        with open_store(address or out / FILE, **how) as opened:
            yield opened
    except StoreError as error:
        raise CommandError(str(error)) from error


@contextmanager
def _known_runs(out: Path, address: str | None) -> Iterator[Store | None]:
    """The store, once it knows the folders there are; None if there are neither."""
    from orchestration.store import FILE
    from orchestration.store.folders import index, unknown_runs

    if address is None and not (out / FILE).exists() and not unknown_runs(None, out):
        yield None
        return
    with opened_store(address, out, create=address is None) as opened:
        if address is None:  # a store that others use too need not know of the folders here
            index(opened, out)
        yield opened


def _must_be_status(status: str | None) -> None:
    from marl_health.spec.suggest import did_you_mean
    from orchestration.store.tables import STATUSES

    if status is not None and status not in STATUSES:
        raise typer.BadParameter(f"'{status}' is none{did_you_mean(status, STATUSES)}", param_hint="--status")
