"""The result store: opens it, starts and resumes jobs in it, and finds out which of them were killed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, Engine, func, insert, select

import marl_health
from orchestration.runs import command_line
from orchestration.store import claim as claims
from orchestration.store.address import FILE, WRITES, connect, read_address, shown
from orchestration.store.errors import JobTakenError, StoreError, told
from orchestration.store.job import BEAT_SECONDS, Job
from orchestration.store.queries import Questions
from orchestration.store.rows import plain
from orchestration.store.schema import prepare
from orchestration.store.tables import EnvironmentConfig, TrainingJob

if TYPE_CHECKING:
    from marl_health import Scenario

DEFAULT = Path("runs") / FILE
"""The store that is used unless another is named."""


def open_store(address: str | Path = DEFAULT, *, create: bool = True, upgrade: bool = False) -> Store:
    """Open a store, bring its tables up to date, and mark the jobs that were killed as interrupted.

    Args:
        address: an SQLite file, or ``postgresql://user@host/database``.
        create: make the file, and the tables, if there are none.
        upgrade: bring older tables up to date on a server too; a file's are in any case.

    Raises:
        StoreError: it is no store, cannot be reached or written, or is newer than this code.
    """
    url = read_address(address)
    engine = connect(url, create=create)
    try:
        prepare(engine, shown(url), create=create, upgrade=upgrade)
        store = Store(engine, shown(url))
        store.reconcile()
    except BaseException:
        engine.dispose()
        raise
    return store


class Store(Questions):
    """An open store; see :func:`open_store`. Close it, or use it as a context.

    Attributes:
        where: what to call it in messages.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self.where = where
        self._engine = engine
        with self._reading() as connection:
            self._ahead = _server_time(connection) - datetime.now(UTC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections; the store can be used again."""
        self._engine.dispose()

    def now(self) -> datetime:
        """The time by the clock of the store, which all who share it go by."""
        return datetime.now(UTC) + self._ahead

    @contextmanager
    def job(
        self,
        *,
        scenario: Scenario,
        algorithm: str,
        seed: int | None = None,
        experiment: str = "",
        name: str = "",
        configuration: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        beat_seconds: float = BEAT_SECONDS,
    ) -> Iterator[Job]:
        """A new job, for as long as the block runs.

        It is marked as finished when the block ends well, as failed when it ends with an error, as interrupted when
        somebody ends it, and as interrupted by whoever opens the store next if the process was killed.

        Args:
            scenario: what it trains on first; say others with :meth:`Job.environment`.
            algorithm: such as `mappo`.
            seed: of training.
            experiment: which it belongs to.
            name: for people; default: the folder's, or else made of scenario, algorithm and seed.
            configuration: of the algorithm; JSON.
            folder: where it keeps its files.
            beat_seconds: between two signs of life.

        Raises:
            StoreError: the store cannot take it.
        """
        now = self.now()
        made = name or (
            folder.name if folder else f"{scenario.name}-{algorithm}" + ("" if seed is None else f"-s{seed}")
        )
        row = {
            "name": made,
            "experiment": experiment,
            "algorithm": algorithm,
            "seed": seed,
            "configuration": plain(configuration or {}),
            "command": plain(command_line()),
            "code_version": marl_health.__version__,
            "folder": None if folder is None else str(folder.absolute()),
            "env_steps": None,
            "attempts": 1,
            "started_at": now,
            **claims.claimed(now),
        }
        with told(self.where), self.writing() as connection:
            row["id"] = connection.execute(insert(TrainingJob).values(row).returning(TrainingJob.id)).scalar_one()
            claims.note(connection, row["id"], 1, now, "info", "started", f"started: {row['command']}")
        with _until_its_end(Job(self, row, beat_seconds)) as job:
            job.environment(scenario)
            yield job

    @contextmanager
    def resume(self, job: int, *, beat_seconds: float = BEAT_SECONDS) -> Iterator[Job]:
        """A job that was interrupted or failed, to go on with it for as long as the block runs.

        It is in the scenario that it met last, until it says where it is.

        Args:
            job: its id.
            beat_seconds: between two signs of life.

        Raises:
            StoreError: there is no such job, it is finished, or it is running.
        """
        self.reconcile()
        now = self.now()
        with told(self.where), self.writing() as connection:
            row = claims.take(connection, job, now)
            met = EnvironmentConfig.__table__.c
            latest = connection.execute(select(func.max(met.id)).where(met.job_id == job)).scalar()
            claims.note(connection, job, row["attempts"], now, "info", "resumed", plain(f"resumed: {command_line()}"))
        with _until_its_end(Job(self, row, beat_seconds, latest)) as resumed:
            yield resumed

    def reconcile(self) -> list[int]:
        """Mark running jobs whose process is gone as interrupted; their ids.

        A process on this machine is looked for; one on another counts as gone if its beats have failed to come for
        as long as its lease.
        """
        with told(self.where), self._reading() as connection:
            if not claims.any_lost(connection, self.now()):
                return []
        with told(self.where), self.writing() as connection:
            return claims.give_up_lost(connection, self.now())

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction, which is kept if the block ends well and undone otherwise."""
        with self._engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told(self.where), self._engine.connect() as connection:
            yield connection


def _server_time(connection: Connection) -> datetime:
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)
    found: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return found.astimezone(UTC)


@contextmanager
def _until_its_end(job: Job) -> Iterator[Job]:
    """Mark a job by the way in which the block ends."""
    try:
        yield job
    except JobTakenError:
        raise  # it is somebody else's now, and so is how it ends
    except BaseException as error:
        stopped = isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit))
        status = "interrupted" if stopped else "failed"
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}".rstrip(": ")
        try:
            job.end(status, reason)
        except StoreError as trouble:
            error.add_note(f"the end of job {job.id} could not be stored: {trouble}")
        raise
    job.end("finished")
