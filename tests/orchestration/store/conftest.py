"""A store of each kind: an SQLite file, and a database on a PostgreSQL server of the tests' own."""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import marl_health
from orchestration.store import open_store

CLINIC = Path(__file__).parents[1] / "clinic.yaml"
NUMBERS = itertools.count()


def binaries() -> Path | None:
    """The folder of PostgreSQL's own programs, the newest if there are several."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    folders = [*installed, *([Path(on_path).parent] if on_path else [])]
    return next((folder for folder in reversed(folders) if (folder / "postgres").exists()), None)


def unprivileged() -> dict[str, str]:
    """PostgreSQL refuses to run as root; then it runs as somebody else."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": name}
    pytest.skip("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


@pytest.fixture(scope="session")
def server() -> Iterator[Path]:
    """The folder of the socket of a running server, which listens nowhere else."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (no initdb and postgres on PATH or in /usr/lib/postgresql)")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed; pip install 'marl-health[postgresql]'")
    who = unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path may have no more than 107 characters
    if who:
        shutil.chown(folder, who["user"])
    try:
        command = [programs / "initdb", "-D", folder / "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **who)
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", "fsync=off", "shared_buffers=16MB"]
        options = [part for setting in settings for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", folder / "data", *options], stdout=log, stderr=log, cwd=folder, **who
            )
        try:
            until_it_listens(folder, process)
            yield folder
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nobody needs its files any more
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def until_it_listens(folder: Path, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(host=str(folder), user="tester", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)


@pytest.fixture
def database(server: Path) -> str:
    """The URL of a fresh database."""
    import psycopg

    name = f"test{next(NUMBERS)}"
    with psycopg.connect(host=str(server), user="tester", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://tester@/{name}?host={server}"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a fresh store may be."""
    if request.param == "sqlite":
        return str(tmp_path / "results.db")
    url: str = request.getfixturevalue("database")
    return url


@pytest.fixture
def store(address: str) -> Iterator[object]:
    with open_store(address) as opened:
        yield opened


@pytest.fixture(scope="session")
def clinic() -> marl_health.Scenario:
    return marl_health.load(CLINIC)
