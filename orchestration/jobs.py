"""Experiments as jobs of a Ray cluster: sent with the files they need, followed until they end.

What runs there is `marl-health train EXPERIMENT`, so that a job that was interrupted goes on when the same experiment
is submitted again.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marl_health import ScenarioError
from marl_health.spec.scenario import packaged_scenarios
from orchestration.experiment.reading import Experiment, load_experiment, packaged_experiments

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

SENT = (".yaml", ".yml", ".csv", ".json")
"""Kinds of files of an experiment's folder that are sent with it."""

MOST_BYTES = 50_000_000
"""Of all that is sent."""

ANSWER_SECONDS = 10.0
"""Within which a cluster has to answer."""

UNAUTHORISED = (401, 403)
"""What a server answers that wants a token, or another."""

COMMAND = ("python", "-c", "from marl_health.console import main; main()")
"""`marl-health`, wherever the cluster's Python has its scripts."""


class JobError(RuntimeError):
    """An experiment cannot be sent, or its job has failed; the message says why and what to do."""


def check_address(address: str) -> dict[str, str]:
    """Make sure that a Ray cluster answers, and say what it wants to be sent with every request.

    A token is only sent where one is wanted: that of `RAY_AUTH_TOKEN`, or of the file in which Ray keeps it.

    Args:
        address: of its dashboard, such as `http://head:8265`.

    Returns:
        Headers; none where the cluster wants no token.

    Raises:
        JobError: no cluster answers, or it does not take the token.
    """
    if not address.startswith(("http://", "https://")):
        raise JobError(f"--address {address}: name the dashboard of the cluster's head, as in http://head:8265")
    token = _token()
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        try:
            asked = urllib.request.Request(f"{address.rstrip('/')}/api/version", headers=headers)
            with urllib.request.urlopen(asked, timeout=ANSWER_SECONDS) as answer:
                if "ray_version" in json.load(answer):
                    return headers
        except urllib.error.HTTPError as error:
            if error.code in UNAUTHORISED and token and not headers:
                continue
            if error.code in UNAUTHORISED:
                raise JobError(
                    f"--address {address}: this cluster wants {'another' if token else 'a'} token; "
                    "`ray get-auth-token` prints it on the head: put it into RAY_AUTH_TOKEN or ~/.ray/auth_token"
                ) from error
        except (OSError, ValueError) as error:
            raise JobError(
                f"--address {address}: no Ray cluster answers there ({getattr(error, 'reason', error)}); start one "
                "with `ray start --head`, or name the address that it printed for its dashboard"
            ) from error
        break
    raise JobError(f"--address {address}: this is not the dashboard of a Ray cluster")


def _token() -> str:
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token.strip()
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def collect(experiment: Experiment, folder: Path) -> str:
    """Copy what an experiment needs into a folder, and make sure that it is the same there.

    Args:
        experiment: read from a file.
        folder: which is sent.

    Returns:
        What to call the experiment there: its name if it is a packaged one, or else its file.

    Raises:
        JobError: it needs files that are not in its own folder.
    """
    file = Path(experiment.file).resolve()
    if file in [path.resolve() for path in packaged_experiments().values()]:
        return file.stem
    home = file.parent
    packaged = [Path(path).resolve() for path in packaged_scenarios().values()]
    for scenario in (*experiment.scenarios, *experiment.judged):
        path = Path(scenario.file).resolve()
        if path not in packaged and not path.is_relative_to(home):
            raise JobError(f"{experiment.file}: {path} is not sent with it; put it into {home} and name it from there")
    _copy(home, folder)
    try:
        there = load_experiment(folder / file.name)
    except ScenarioError as error:
        raise JobError(
            f"{experiment.file}: cannot be read where it is sent to; put all that it needs into {home}: {error}"
        ) from error
    if there.hash != experiment.hash:
        raise JobError(
            f"{experiment.file}: is another experiment where it is sent to; put all that it needs into {home}"
        )
    return file.name


def submit(client: JobSubmissionClient, experiment: str, folder: Path, out: Path, store: str, jobs: int | None) -> str:
    """Send an experiment; the job's id.

    Args:
        client: of the cluster.
        experiment: as :func:`collect` calls it.
        folder: that it has filled.
        out: where runs have their folders; the same for all machines of the cluster.
        store: where results are kept, as the cluster reaches it.
        jobs: processes for the evaluations at the end.
    """
    words = [*COMMAND, "train", experiment, "--out", str(out), "--store", store]
    words += [] if jobs is None else ["--jobs", str(jobs)]
    sent: dict[str, Any] = {"working_dir": str(folder)}
    job: str = client.submit_job(entrypoint=shlex.join(words), runtime_env=sent, metadata={"experiment": experiment})
    return job


def follow(client: JobSubmissionClient, job: str, tell: Callable[[str], None]) -> None:
    """Pass on what a job prints, until it ends.

    Raises:
        JobError: it did not end well.
    """
    asyncio.run(_tail(client, job, tell))
    while not (status := client.get_job_status(job)).is_terminal():
        time.sleep(0.5)
    if status.value != "SUCCEEDED":
        said = client.get_job_info(job).message or "it says no more"
        raise JobError(f"job {job}: {status.value.lower()}: {said.strip().splitlines()[-1]}")


async def _tail(client: JobSubmissionClient, job: str, tell: Callable[[str], None]) -> None:
    async for lines in client.tail_job_logs(job):
        tell(lines)


def _copy(home: Path, folder: Path) -> None:
    size = 0
    for at, below, files in os.walk(home):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in files:
            path = Path(at) / name
            if path.suffix not in SENT:
                continue
            with suppress(FileNotFoundError):
                size += path.stat().st_size
                if size > MOST_BYTES:
                    raise JobError(f"{home}: holds more than {MOST_BYTES:,} bytes; give the experiment its own folder")
                target = folder / path.relative_to(home)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
