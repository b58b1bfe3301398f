"""The tables of the result store.

A *training job* is one run of one algorithm with one seed. It owns everything else: the *environment
configurations* it met (one per scenario and stage), the *reward weights* that held in them, a *summary of every
episode*, the *KPIs* of evaluations, and the *log* of what the orchestrator did.

Times are UTC. A number that was not recorded (nan) is NULL. Steps are joint steps of the environment since the
job's training began.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from typing_extensions import override

STATUSES = ("running", "finished", "failed", "interrupted")
"""Of a job. `failed`: an error ended it. `interrupted`: somebody did, or its process is gone."""

PURPOSES = ("training", "evaluation")
"""Of an episode."""

LEVELS = ("debug", "info", "warning", "error")
"""Of a line of the log."""


class UtcTime(TypeDecorator[datetime]):
    """A point in time with its zone; SQLite, which knows none, keeps it in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    @override
    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite counts up only what it calls INTEGER; everywhere else such a table may outgrow 32 bits.
Key = BigInteger().with_variant(Integer(), "sqlite")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Table(DeclarativeBase):
    """Base of the tables; every constraint has a name, so that a migration can speak of it."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {float: Double()}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class _Numbered:
    """What every table has."""

    id: Mapped[int] = mapped_column(Key, primary_key=True, sort_order=-2)


class _Recorded(_Numbered):
    """What every row has that a job writes as it goes."""

    attempt: Mapped[int] = mapped_column(Integer, sort_order=-1)
    """Which start of the job wrote it. Whoever resumes from a checkpoint repeats what came after that."""


def _job(*, index: bool = True) -> Mapped[int]:
    return mapped_column(Key, ForeignKey("training_jobs.id", ondelete="CASCADE"), index=index)


def _environment() -> Mapped[int]:
    return mapped_column(Key, ForeignKey("environment_configs.id", ondelete="CASCADE"), index=True)


class TrainingJob(_Numbered, Table):
    """One run of one algorithm with one seed, whose process it is, and when it was last seen alive."""

    __tablename__ = "training_jobs"
    __table_args__ = (_one_of("status", STATUSES), {"sqlite_autoincrement": True})

    name: Mapped[str] = mapped_column(String, index=True)
    """As its folder is called, if it has one."""
    experiment: Mapped[str] = mapped_column(String, index=True)
    """The experiment it belongs to; empty if it stands alone."""
    algorithm: Mapped[str] = mapped_column(String)
    seed: Mapped[int | None] = mapped_column(BigInteger)
    configuration: Mapped[dict[str, Any]] = mapped_column(Json)
    command: Mapped[str] = mapped_column(Text)
    code_version: Mapped[str] = mapped_column(String)
    """Of marl-health."""
    folder: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String, index=True)
    reason: Mapped[str | None] = mapped_column(Text)
    """Why it failed or was interrupted."""
    env_steps: Mapped[int | None] = mapped_column(BigInteger)
    """How far it has come."""
    attempts: Mapped[int] = mapped_column(Integer)
    """How often it was started: 1, and 1 more whenever it was resumed."""
    claim: Mapped[str] = mapped_column(String)
    """Drawn anew by whoever starts or resumes the job, and asked for by every write: only one can have it."""
    host: Mapped[str | None] = mapped_column(String)
    machine: Mapped[str | None] = mapped_column(String)
    """Where process ids can be compared: a boot of a machine, and a container on it."""
    pid: Mapped[int | None] = mapped_column(BigInteger)
    process_started: Mapped[str | None] = mapped_column(String)
    """With the process id it names a process for good; ids alone are used again."""
    lease_seconds: Mapped[float | None]
    """Without a beat for so long, a job on another machine counts as interrupted."""
    started_at: Mapped[datetime] = mapped_column(UtcTime)
    heartbeat_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)


class EnvironmentConfig(_Numbered, Table):
    """A scenario, as a job met it: which version, what it said, and at which stage of a curriculum."""

    __tablename__ = "environment_configs"
    __table_args__ = (UniqueConstraint("job_id", "hash", "stage"),)

    job_id: Mapped[int] = _job(index=False)  # the unique constraint has an index that begins with it
    scenario: Mapped[str] = mapped_column(String, index=True)
    version: Mapped[int]
    hash: Mapped[str] = mapped_column(String, index=True)
    """Of all that the scenario says, its tables and alternatives included."""
    stage: Mapped[str] = mapped_column(String)
    """Of a curriculum; empty without one."""
    split: Mapped[str] = mapped_column(String)
    chosen: Mapped[dict[str, str]] = mapped_column(Json)
    """The alternatives that were chosen by name."""
    content: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """All that the scenario said, so that it can be read when its file has changed."""
    file: Mapped[str | None] = mapped_column(Text)
    roles: Mapped[list[str]] = mapped_column(Json)


class RewardWeight(_Recorded, Table):
    """What one unit of a measure was worth from a point of training on, until a later row about it."""

    __tablename__ = "reward_weights"

    job_id: Mapped[int] = _job()
    environment_id: Mapped[int] = _environment()
    since_env_steps: Mapped[int] = mapped_column(BigInteger)
    component: Mapped[str] = mapped_column(String)
    """clinical, efficiency, financial, risk or compliance."""
    measure: Mapped[str] = mapped_column(String)
    """Empty where the weight is that of the whole component."""
    role: Mapped[str] = mapped_column(String)
    """Who gets it; empty for the team."""
    worth: Mapped[float]
    per: Mapped[float]
    unit: Mapped[str] = mapped_column(String)
    """Of `per`, in base units: minutes, usd; empty for a plain number."""


class EpisodeSummary(_Recorded, Table):
    """What came of one episode."""

    __tablename__ = "episode_summaries"
    __table_args__ = (_one_of("purpose", PURPOSES), Index(None, "job_id", "purpose", "policy"))

    job_id: Mapped[int] = _job(index=False)
    environment_id: Mapped[int] = _environment()
    purpose: Mapped[str] = mapped_column(String)
    policy: Mapped[str] = mapped_column(String)
    seed: Mapped[int | None] = mapped_column(BigInteger)
    env_steps: Mapped[int | None] = mapped_column(BigInteger)
    """Steps of training when it was played."""
    length: Mapped[int | None]
    """Decisions in it."""
    gained: Mapped[float | None]
    """The team's return, not discounted."""
    terms: Mapped[dict[str, float]] = mapped_column(Json)
    """The return by component."""
    conservation: Mapped[dict[str, int]] = mapped_column(Json)
    """Where everybody is who ever came."""
    ended_at: Mapped[datetime] = mapped_column(UtcTime)


class KpiMetric(_Recorded, Table):
    """A KPI, or the return, of a policy: in one replication, over all of them, or against another policy."""

    __tablename__ = "kpi_metrics"
    __table_args__ = (Index(None, "job_id", "metric", "policy"),)

    job_id: Mapped[int] = _job(index=False)
    environment_id: Mapped[int] = _environment()
    evaluation: Mapped[str] = mapped_column(String)
    """Which evaluation it belongs to, such as `final`."""
    env_steps: Mapped[int | None] = mapped_column(BigInteger)
    """Steps of training of what was evaluated."""
    policy: Mapped[str] = mapped_column(String)
    reference: Mapped[str] = mapped_column(String)
    """If not empty, the value is the mean of `policy` minus `reference` on the same replications."""
    metric: Mapped[str] = mapped_column(String, index=True)
    unit: Mapped[str] = mapped_column(String)
    seed: Mapped[int | None] = mapped_column(BigInteger)
    """Of the replication; NULL for a mean over replications."""
    value: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    level: Mapped[float | None]
    """Coverage of the interval from `low` to `high`."""
    replications: Mapped[int]
    """How many of them the value was recorded in."""
    recorded_at: Mapped[datetime] = mapped_column(UtcTime)


class OrchestrationLog(_Recorded, Table):
    """A line of what happened: a job started, a stage was reached, a checkpoint was written."""

    __tablename__ = "orchestration_logs"
    __table_args__ = (_one_of("level", LEVELS), Index(None, "job_id", "at"))

    job_id: Mapped[int | None] = mapped_column(Key, ForeignKey("training_jobs.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcTime)
    level: Mapped[str] = mapped_column(String)
    event: Mapped[str] = mapped_column(String)
    """A word to search for, such as `interrupted`."""
    message: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(Json)
