"""Runs migrations on the connection, and in the transaction, that `orchestration.store.schema` hands over."""

from alembic import context

from orchestration.store.schema import VERSION_TABLE
from orchestration.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite changes a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
