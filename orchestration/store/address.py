"""Where a store is: an SQLite file, or a PostgreSQL database by its URL; and how it is connected to."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from orchestration.store.errors import StoreError, told

FILE = "results.db"
"""How the store of a folder of runs is called."""

FORMS = "a file such as runs/results.db, or postgresql://user@host/database"

BUSY_SECONDS = 30.0
"""How long one writer waits for another."""

WRITES = "marl_health_writes"
"""Execution option of a connection whose transactions write."""


def read_address(address: str | Path) -> URL:
    """The URL of a store that a person named.

    Raises:
        StoreError: it is neither a file nor a PostgreSQL database.
    """
    text = str(address).strip()
    if "://" not in text and not text.startswith("sqlite:"):
        return _file_url(Path(text)) if text else _unknown(text)
    try:
        url = make_url(text)
    except ArgumentError:
        return _unknown(text)
    backend = url.drivername.partition("+")[0]
    if backend == "sqlite":
        if not url.database or url.database == ":memory:" or url.query:
            raise StoreError(f"{text}: a store in memory would be lost at once; name {FORMS}")
        return _file_url(Path(url.database))
    if backend in ("postgresql", "postgres"):
        if not (url.database or "service" in url.query):
            raise StoreError(f"{shown(url)}: names no database; write postgresql://user@host/database")
        return url.set(drivername="postgresql+psycopg")
    return _unknown(url.render_as_string(hide_password=True))


def _file_url(path: Path) -> URL:
    if path.is_dir():
        raise StoreError(f"{path}: is a folder; name a file in it, such as {path / FILE}")
    return URL.create("sqlite", database=str(path.absolute()))


def _unknown(text: str) -> URL:
    raise StoreError(f"'{text}' is no store; name {FORMS}")


def shown(url: URL) -> str:
    """The address as it may stand in a message: a password is not shown."""
    if url.drivername == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def connect(url: URL, *, create: bool) -> Engine:
    """An engine for a store, which is reached once to see that it is there.

    Args:
        url: as :func:`read_address` gives it.
        create: make an SQLite file, and its folder, if there is none.

    Raises:
        StoreError: it cannot be reached.
    """
    where = shown(url)
    with told(where):
        if url.drivername == "sqlite":
            _ready_file(Path(str(url.database)), where, create=create)
            engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
            event.listen(engine, "connect", _sqlite_connected)
            event.listen(engine, "begin", _sqlite_begins)
            return engine
        try:
            engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        except ModuleNotFoundError as error:
            raise StoreError(
                "PostgreSQL needs psycopg, which is not installed; pip install 'marl-health[postgresql]'"
            ) from error
        with engine.connect():
            return engine


def _ready_file(path: Path, where: str, *, create: bool) -> None:
    """Make sure that the file is there and that readers and a writer do not wait for each other (WAL)."""
    if not path.exists():
        if not create:
            raise StoreError(f"{where}: there is no such file, so nothing was recorded there yet")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise StoreError(f"{where}: {error.filename} is a file and holds no others; name a folder") from error
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
        try:
            connection.execute("PRAGMA journal_mode=WAL")  # remembered in the file; SQLite refuses it to two at once
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
        finally:
            connection.close()
        time.sleep(0.05)


def _sqlite_connected(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # transactions, those around changes of tables included, begin where we say
    connection.execute("PRAGMA foreign_keys=ON")


def _sqlite_begins(connection: Connection) -> None:
    # A transaction that reads first and then writes cannot wait for another writer, so writers say so at once.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
