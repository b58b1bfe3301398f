"""Alembic's migrations of the result store; `orchestration.store.schema` runs them."""
