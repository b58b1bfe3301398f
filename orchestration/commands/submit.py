"""`submit`: an experiment as a job of a Ray cluster."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from orchestration.commands.options import Jobs
from orchestration.commands.store import Address, Runs, opened_store
from orchestration.errors import CommandError, need
from orchestration.experiment.reading import load_experiment

Cluster = Annotated[
    str,
    typer.Option(
        "--address", metavar="URL", envvar="RAY_API_SERVER_ADDRESS", help="The dashboard of the cluster's head."
    ),
]


def submit(
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="Its name, or its YAML file.")],
    address: Cluster = "http://127.0.0.1:8265",
    out: Runs = Path("runs"),
    jobs: Jobs = None,
    store: Address = None,
) -> None:
    """Run an experiment as a job of a Ray cluster, follow it, and show what came of it.

    The folder of runs and the store have to be the same for this machine and the cluster's. Ctrl-C stops following;
    the job goes on.
    """
    read = load_experiment(experiment)
    from orchestration.commands.experiments import print_outcomes
    from orchestration.experiment.errors import TrainingError
    from orchestration.experiment.running import check_settings, finished_outcomes
    from orchestration.jobs import JobError, check_address, collect, follow
    from orchestration.jobs import submit as send
    from orchestration.store import FILE

    where = store or str((out / FILE).resolve())
    if "://" not in where:
        where = str(Path(where).resolve())
    try:
        headers = check_address(address)
        need("ray", "torch", "sqlalchemy", "alembic", "aiohttp")
        with tempfile.TemporaryDirectory(prefix="marl-health-") as folder:
            check_settings(read, Path(folder) / "check")
            name = collect(read, Path(folder))
            from ray.job_submission import JobSubmissionClient

            client = JobSubmissionClient(address, headers=headers)
            job = send(client, name, Path(folder), out.resolve(), where, jobs)
        print(f"{read.name}: job {job} of {address}", file=sys.stderr)
        try:
            follow(client, job, lambda lines: print(lines, end="", file=sys.stderr))
        except KeyboardInterrupt:
            raise CommandError(
                f"job {job} goes on; `ray job logs {job} --address {address} --follow` follows it again, "
                f"`ray job stop {job} --address {address}` ends it"
            ) from None
    except (JobError, TrainingError) as error:
        raise CommandError(str(error)) from error
    with opened_store(where, out) as opened:
        outcomes = finished_outcomes(opened, read)
        if not outcomes:
            raise CommandError(
                f"job {job} has ended, but nothing of it is in {opened.where}; name a store that this machine shares "
                "with the cluster: --store postgresql://user@host/database, or a file in a folder that both have"
            )
        print_outcomes(opened, read, outcomes)
