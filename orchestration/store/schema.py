"""Which version a store's tables have, and how they get the newest.

A new store gets its tables at once. An older SQLite file is brought up to date when it is opened: it belongs to one
person. A database on a server belongs to several, some of whom may still run older code, so it is brought up to
date only when somebody asks for it (``marl-health store upgrade``).
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from orchestration.store.address import WRITES
from orchestration.store.errors import StoreError, told

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "marl_health_store_version"
"""Holds the revision. Not Alembic's usual name: the database may hold another program's tables too."""

HEAD = "0001"
"""The revision that this code works with: the newest in `migrations/versions`."""

_LOCK = 0x6D61726C  # "marl": whoever changes the tables on a server holds this advisory lock


def prepare(engine: Engine, where: str, *, create: bool, upgrade: bool) -> None:
    """Make sure that the tables are there and have the version that this code works with.

    Args:
        engine: of the store.
        where: the store, as messages name it.
        create: make the tables where there are none.
        upgrade: bring older tables up to date on a server too.

    Raises:
        StoreError: they are newer than this code, or are not there or older and not to be made or changed, or cannot
            be made or changed.
    """
    with told(where), engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
    with told(where), engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = _revision(connection)
        if found == HEAD:
            return  # somebody else was faster
        _must_be_ours(connection, found, where)
        if found is None and not create:
            raise StoreError(f"{where}: has no tables of marl-health, so nothing was recorded there yet")
        if found is not None and not upgrade and engine.dialect.name != "sqlite":
            raise StoreError(
                f"{where}: its tables are of revision {found}, older than this version of marl-health, which needs "
                f"{HEAD}; bring them up to date with: marl-health store upgrade --store URL"
            )
        try:
            _upgrade(connection)
        except SQLAlchemyError as error:
            raise StoreError(
                f"{where}: its tables stay as they are, they could not be made or changed: {error}"
            ) from error


def _revision(connection: Connection) -> str | None:
    """The revision of the tables; None if there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return found


def _must_be_ours(connection: Connection, found: str | None, where: str) -> None:
    from alembic.script import ScriptDirectory

    if found is None and connection.dialect.name == "sqlite" and inspect(connection).get_table_names():
        raise StoreError(f"{where}: is the database of another program; name another file, or a new one")

    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            f"{where}: its tables are of revision {found}, newer than this version of marl-health, which knows "
            f"{max(known)}; upgrade marl-health, or name another store"
        )


def _upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, all in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
