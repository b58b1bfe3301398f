"""Opening a store: what is no store is told in plain words, and its tables have the version that the code needs."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from orchestration.store import StoreError, open_store, schema
from orchestration.store.tables import Table

SECOND = """
from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("training_jobs", sa.Column("colour", sa.String(), nullable=True))
    {more}
"""


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "'' is no store; name a file such as runs/results.db, or postgresql://user@host/database"),
        ("mysql://me:secret@there/db", r"'mysql://me:\*\*\*@there/db' is no store"),
        ("://", "'://' is no store"),
        ("sqlite://", "a store in memory would be lost at once"),
        ("sqlite:///:memory:", "a store in memory would be lost at once"),
        ("postgresql://me:secret@there", r"postgresql://me:\*\*\*@there: names no database"),
        ("postgresql://me:secret@/db?host=/nowhere", r"me:\*\*\*@/db.*: connection .*failed"),
    ],
)
def test_what_is_no_store_is_told(address, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=told) as caught:
        open_store(address)
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_is_no_file_of_a_store_is_told(tmp_path):
    with pytest.raises(StoreError, match=r"is a folder; name a file in it, such as .*results\.db"):
        open_store(tmp_path)
    with pytest.raises(StoreError, match="there is no such file, so nothing was recorded there yet"):
        open_store(tmp_path / "results.db", create=False)
    assert not list(tmp_path.iterdir())
    (tmp_path / "notes.txt").write_text("to whom it may concern, " * 100)
    with pytest.raises(StoreError, match=r"notes\.txt: is no SQLite database; name another file"):
        open_store(tmp_path / "notes.txt")
    for below in ("results.db", "deeper/results.db"):
        with pytest.raises(StoreError, match=r"notes\.txt.* is a file and holds no others; name a folder"):
            open_store(tmp_path / "notes.txt" / below)
    with sqlite3.connect(tmp_path / "photos.db") as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    with pytest.raises(StoreError, match="is the database of another program"):
        open_store(tmp_path / "photos.db")


def test_an_empty_server_is_not_filled_by_looking_at_it(database):
    with pytest.raises(StoreError, match="has no tables of marl-health, so nothing was recorded there yet"):
        open_store(database, create=False)
    open_store(database).close()
    open_store(database, create=False).close()


def test_a_file_that_may_not_be_written_is_told_when_it_is_to_be(tmp_path, clinic):
    with open_store(tmp_path / "results.db") as store:
        with store._engine.connect() as connection:  # the same error as without permission, which root does not need
            connection.exec_driver_sql("PRAGMA query_only=ON")
        refused = pytest.raises(StoreError, match="may not be written; change the permissions")
        with refused, store.job(scenario=clinic, algorithm="ppo"):
            pass
        assert list(store.jobs()) == []


def test_every_form_of_a_file_s_name_is_the_same_store(tmp_path, clinic):
    with open_store(tmp_path / "results.db") as store, store.job(scenario=clinic, algorithm="ppo"):
        pass
    for address in (str(tmp_path / "results.db"), f"sqlite:///{tmp_path / 'results.db'}"):
        with open_store(address, create=False) as store:
            assert len(list(store.jobs())) == 1


def test_migrations_make_the_tables_that_the_code_describes(store):
    with store._engine.connect() as connection:
        options = {"version_table": schema.VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        missing = render_python_code(produce_migrations(context, Table.metadata).upgrade_ops)
        assert not compare_metadata(context, Table.metadata), f"write a migration that does this:\n{missing}"
        constraints = inspect(connection).get_check_constraints("training_jobs")
        assert {one["name"] for one in constraints} == {"ck_training_jobs_status"}
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.HEAD


def test_a_store_of_newer_code_is_refused(address):
    with open_store(address) as store, store.writing() as connection:
        connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"revision 9999, newer than this version of marl-health, which knows 0001"):
        open_store(address)


def newer_code(monkeypatch, tmp_path, more="pass"):
    """Let the code need a revision more than the stores there are."""
    migrations = tmp_path / "migrations 100%"
    shutil.copytree(schema.MIGRATIONS, migrations)
    (migrations / "versions" / "r0002_colour.py").write_text(SECOND.format(more=more))
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    monkeypatch.setattr(schema, "HEAD", "0002")


def columns(store):
    with store._engine.connect() as connection:
        return {column["name"] for column in inspect(connection).get_columns("training_jobs")}


def test_an_older_file_is_brought_up_to_date_when_it_is_opened(tmp_path, monkeypatch, clinic):
    with open_store(tmp_path / "results.db") as store, store.job(scenario=clinic, algorithm="ppo"):
        pass
    newer_code(monkeypatch, tmp_path)
    with open_store(tmp_path / "results.db") as store:
        assert "colour" in columns(store)
        assert len(list(store.jobs())) == 1


def test_an_older_server_is_brought_up_to_date_only_when_that_is_asked_for(database, tmp_path, monkeypatch):
    open_store(database).close()
    newer_code(monkeypatch, tmp_path)
    with pytest.raises(StoreError, match=r"are of revision 0001, older .* marl-health store upgrade --store URL"):
        open_store(database)
    with open_store(database, upgrade=True) as store:
        assert "colour" in columns(store)
    open_store(database).close()


def test_a_migration_that_fails_leaves_everything_as_it_was(address, tmp_path, monkeypatch, clinic):
    with open_store(address) as store, store.job(scenario=clinic, algorithm="ppo"):
        pass
    with monkeypatch.context() as patch:
        newer_code(patch, tmp_path, more='op.execute("this is no SQL")')
        with pytest.raises(StoreError, match="its tables stay as they are"):
            open_store(address, upgrade=True)
    with open_store(address) as store:
        assert "colour" not in columns(store)
        assert len(list(store.jobs())) == 1


def test_nothing_of_it_is_loaded_before_it_is_needed():
    script = (
        "import sys; from typer.testing import CliRunner; import marl_health; from orchestration.cli import app;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'sqlalchemy', 'alembic', 'pandas'}))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout == "[]\n", found.stderr
