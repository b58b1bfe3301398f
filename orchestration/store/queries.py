"""What can be asked of a store: each question is asked when its answer is looked at, and answers in rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, select

from orchestration.store.tables import (
    EnvironmentConfig,
    EpisodeSummary,
    KpiMetric,
    OrchestrationLog,
    RewardWeight,
    TrainingJob,
)

if TYPE_CHECKING:
    import pandas as pd

Reading = Callable[[], AbstractContextManager[Connection]]
"""Opens a connection for a question."""


class Rows:
    """The answer to a question, which is asked anew each time it is looped over or made a frame of."""

    def __init__(self, reading: Reading, question: Select[Any]) -> None:
        self._reading = reading
        self._question = question

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self._reading() as connection:
            found = connection.execute(self._question).mappings().all()
        return iter([dict(row) for row in found])

    def frame(self) -> pd.DataFrame:
        """The rows as a pandas frame; columns are there even without rows."""
        import pandas as pd

        return pd.DataFrame(list(self), columns=[column.name for column in self._question.selected_columns])


class Questions:
    """The questions; a :class:`~orchestration.store.store.Store` answers them.

    Wherever a question takes ``job``, it is a job's id; None asks about all of them.
    """

    _reading: Reading

    def jobs(
        self,
        *,
        job: int | None = None,
        status: str | None = None,
        experiment: str | None = None,
        scenario: str | None = None,
        hash: str | None = None,
        newest: int | None = None,
    ) -> Rows:
        """Jobs, oldest first.

        Args:
            job: this one only.
            status: one of `tables.STATUSES`.
            experiment: of this experiment.
            scenario: that met a scenario of this name.
            hash: that met this very one.
            newest: so many at most, the newest.
        """
        table = TrainingJob.__table__
        question = select(table)
        for column, wanted in (("id", job), ("status", status), ("experiment", experiment)):
            if wanted is not None:
                question = question.where(table.c[column] == wanted)
        met = EnvironmentConfig.__table__
        for column, wanted in (("scenario", scenario), ("hash", hash)):
            if wanted is not None:
                question = question.where(table.c.id.in_(select(met.c.job_id).where(met.c[column] == wanted)))
        if newest is not None:
            question = question.where(
                table.c.id.in_(question.with_only_columns(table.c.id).order_by(table.c.id.desc()).limit(newest))
            )
        return Rows(self._reading, question.order_by(table.c.id))

    def environments(self, job: int | None = None) -> Rows:
        """The scenarios that jobs met, with what each of them said."""
        return self._of(EnvironmentConfig, job)

    def weights(self, job: int | None = None) -> Rows:
        """Reward weights, in the order in which they were set."""
        return self._of(RewardWeight, job)

    def episodes(self, job: int | None = None, *, purpose: str | None = None, policy: str | None = None) -> Rows:
        """Episodes in the order in which they were stored; `purpose` is `training` or `evaluation`."""
        return self._of(EpisodeSummary, job, purpose=purpose, policy=policy)

    def kpis(
        self,
        job: int | None = None,
        *,
        metric: str | None = None,
        policy: str | None = None,
        evaluation: str | None = None,
        by_seed: bool = False,
    ) -> Rows:
        """KPIs and returns.

        Args:
            job: of this one.
            metric: a KPI, or `return`.
            policy: of this policy.
            evaluation: such as `final`.
            by_seed: the values of single replications, instead of means, differences and their intervals.
        """
        seed = KpiMetric.__table__.c.seed
        return self._of(
            KpiMetric,
            job,
            seed.is_not(None) if by_seed else seed.is_(None),
            metric=metric,
            policy=policy,
            evaluation=evaluation,
        )

    def logs(self, job: int | None = None, *, event: str | None = None) -> Rows:
        """What happened, in order."""
        return self._of(OrchestrationLog, job, event=event)

    def _of(self, kind: Any, job: int | None, *conditions: Any, **equal: str | None) -> Rows:
        table = kind.__table__
        question = select(table).where(*conditions)
        for column, wanted in {"job_id": job, **equal}.items():
            if wanted is not None:
                question = question.where(table.c[column] == wanted)
        return Rows(self._reading, question.order_by(table.c.id))
