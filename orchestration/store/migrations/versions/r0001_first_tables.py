"""The first tables.

Revision 0001, which begins the history. There is no way back from it: dropping the tables drops the results.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "training_jobs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("configuration", JSON, nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("code_version", sa.String(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("env_steps", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=True),
        sa.Column("machine", sa.String(), nullable=True),
        sa.Column("pid", sa.BigInteger(), nullable=True),
        sa.Column("process_started", sa.String(), nullable=True),
        sa.Column("lease_seconds", sa.Double(), nullable=True),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("heartbeat_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.CheckConstraint(
            "status IN ('running', 'finished', 'failed', 'interrupted')", name=op.f("ck_training_jobs_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_jobs")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_training_jobs_experiment"), "training_jobs", ["experiment"], unique=False)
    op.create_index(op.f("ix_training_jobs_name"), "training_jobs", ["name"], unique=False)
    op.create_index(op.f("ix_training_jobs_status"), "training_jobs", ["status"], unique=False)
    op.create_table(
        "environment_configs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("scenario", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("split", sa.String(), nullable=False),
        sa.Column("chosen", JSON, nullable=False),
        sa.Column("content", JSON, nullable=True),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("roles", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["training_jobs.id"], name=op.f("fk_environment_configs_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_environment_configs")),
        sa.UniqueConstraint("job_id", "hash", "stage", name=op.f("uq_environment_configs_job_id_hash_stage")),
    )
    op.create_index(op.f("ix_environment_configs_hash"), "environment_configs", ["hash"], unique=False)
    op.create_index(op.f("ix_environment_configs_scenario"), "environment_configs", ["scenario"], unique=False)
    op.create_table(
        "orchestration_logs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("job_id", KEY, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("details", JSON, nullable=False),
        sa.CheckConstraint("level IN ('debug', 'info', 'warning', 'error')", name=op.f("ck_orchestration_logs_level")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["training_jobs.id"], name=op.f("fk_orchestration_logs_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orchestration_logs")),
    )
    op.create_index(op.f("ix_orchestration_logs_job_id_at"), "orchestration_logs", ["job_id", "at"], unique=False)
    op.create_table(
        "episode_summaries",
        sa.Column("id", KEY, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("environment_id", KEY, nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("env_steps", sa.BigInteger(), nullable=True),
        sa.Column("length", sa.Integer(), nullable=True),
        sa.Column("gained", sa.Double(), nullable=True),
        sa.Column("terms", JSON, nullable=False),
        sa.Column("conservation", JSON, nullable=False),
        sa.Column("ended_at", TIME, nullable=False),
        sa.CheckConstraint("purpose IN ('training', 'evaluation')", name=op.f("ck_episode_summaries_purpose")),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["environment_configs.id"],
            name=op.f("fk_episode_summaries_environment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["training_jobs.id"], name=op.f("fk_episode_summaries_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_episode_summaries")),
    )
    op.create_index(op.f("ix_episode_summaries_environment_id"), "episode_summaries", ["environment_id"], unique=False)
    op.create_index(
        op.f("ix_episode_summaries_job_id_purpose_policy"),
        "episode_summaries",
        ["job_id", "purpose", "policy"],
        unique=False,
    )
    op.create_table(
        "kpi_metrics",
        sa.Column("id", KEY, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("environment_id", KEY, nullable=False),
        sa.Column("evaluation", sa.String(), nullable=False),
        sa.Column("env_steps", sa.BigInteger(), nullable=True),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("level", sa.Double(), nullable=True),
        sa.Column("replications", sa.Integer(), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["environment_configs.id"],
            name=op.f("fk_kpi_metrics_environment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["training_jobs.id"], name=op.f("fk_kpi_metrics_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_metrics")),
    )
    op.create_index(op.f("ix_kpi_metrics_environment_id"), "kpi_metrics", ["environment_id"], unique=False)
    op.create_index(
        op.f("ix_kpi_metrics_job_id_metric_policy"), "kpi_metrics", ["job_id", "metric", "policy"], unique=False
    )
    op.create_index(op.f("ix_kpi_metrics_metric"), "kpi_metrics", ["metric"], unique=False)
    op.create_table(
        "reward_weights",
        sa.Column("id", KEY, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("environment_id", KEY, nullable=False),
        sa.Column("since_env_steps", sa.BigInteger(), nullable=False),
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("worth", sa.Double(), nullable=False),
        sa.Column("per", sa.Double(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["environment_configs.id"],
            name=op.f("fk_reward_weights_environment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["training_jobs.id"], name=op.f("fk_reward_weights_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_weights")),
    )
    op.create_index(op.f("ix_reward_weights_environment_id"), "reward_weights", ["environment_id"], unique=False)
    op.create_index(op.f("ix_reward_weights_job_id"), "reward_weights", ["job_id"], unique=False)
