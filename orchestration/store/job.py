"""A job as its own process sees it: what it is told is stored at once, and a beat says that it lives."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from orchestration.evaluation.statistics import Estimate
from orchestration.store import claim as claims
from orchestration.store import rows
from orchestration.store.errors import JobTakenError, StoreError, told
from orchestration.store.rows import Episode, Row
from orchestration.store.tables import EnvironmentConfig, EpisodeSummary, KpiMetric, OrchestrationLog, RewardWeight

if TYPE_CHECKING:
    from marl_health import Scenario
    from orchestration.evaluation.compare import Comparison
    from orchestration.store.store import Store

BEAT_SECONDS = 20.0
"""Between two signs of life of a job that stores nothing."""

_NEVER = (DataError, IntegrityError, ProgrammingError)
"""What a database says of rows that it will never take; its other troubles may pass."""


class Job:
    """A job that this process has; :meth:`Store.job` makes it.

    Every method but :meth:`progress` stores what it is given before it returns, in one transaction. If the store
    cannot take it (the disk is full), the method raises :class:`StoreError`, and the rows are kept and stored with the
    next ones. All methods may be called from several threads.

    Attributes:
        id: in the store. name: for people. attempt: 1, or more if it was resumed.
        env_steps: how far it had come when it was resumed; None if it is new.
    """

    def __init__(self, store: Store, row: Mapping[str, Any], beat_seconds: float, latest: int | None = None) -> None:
        self.id: int = row["id"]
        self.name: str = row["name"]
        self.attempt: int = row["attempts"]
        self.env_steps: int | None = row["env_steps"]
        self._store = store
        self._claim: str = row["claim"]
        self._environments: dict[tuple[str, str], int] = {}
        self._latest = latest
        self._waiting: list[tuple[Any, list[Row]]] = []
        self._changes: Row = {}
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._beats = threading.Thread(target=self._beat, args=(beat_seconds,), name=f"job {self.id}", daemon=True)
        self._beats.start()

    def environment(self, scenario: Scenario, stage: str = "") -> int:
        """Say which scenario the job meets from now on, and at which stage of a curriculum; its id in the store.

        The scenario's reward weights are stored with it.
        """
        self._latest = self._met(scenario, stage)
        return self._latest

    def _met(self, scenario: Scenario, stage: str) -> int:
        """The id of a scenario, which is stored when it is met for the first time."""
        key = (scenario.hash, stage)
        with self._lock:
            if key not in self._environments:
                with told(self._store.where), self._store.writing() as connection:
                    claims.hold(connection, self.id, self._claim, self._store.now())
                    made = self._environment(connection, scenario, stage)
                self._environments[key] = made
            return self._environments[key]

    def _environment(self, connection: Connection, scenario: Scenario, stage: str) -> int:
        table = EnvironmentConfig.__table__
        same = (table.c.job_id == self.id) & (table.c.hash == scenario.hash) & (table.c.stage == stage)
        known: int | None = connection.execute(select(table.c.id).where(same)).scalar()
        if known is not None:
            return known
        row = {"job_id": self.id, **rows.environment(scenario, stage)}
        made: int = connection.execute(insert(EnvironmentConfig).values(row).returning(table.c.id)).scalar_one()
        if weights := list(rows.weights(scenario, self.env_steps or 0)):
            common = {"job_id": self.id, "environment_id": made, "attempt": self.attempt}
            connection.execute(insert(RewardWeight), [{**row, **common} for row in weights])
        return made

    def log(self, message: str, *, event: str = "note", level: str = "info", **details: Any) -> None:
        """Note what happened.

        Args:
            message: for people.
            event: a word to search for.
            level: one of `tables.LEVELS`.
            details: what else belongs to it; JSON.
        """
        line = {"level": level, "event": event, "message": rows.plain(message), "details": rows.plain(details)}
        self._store_rows(OrchestrationLog, [line], "at")

    def episode(self, gained: float, *, environment: int | None = None, **facts: Any) -> None:
        """Store what came of one episode; `facts` are those of :class:`~orchestration.store.rows.Episode`."""
        self.episodes([Episode(gained, **facts)], environment=environment)

    def episodes(self, episodes: Iterable[Episode], *, environment: int | None = None) -> None:
        """Store what came of several episodes: all of them, or none.

        Args:
            episodes: what came of them.
            environment: where they were played, as :meth:`environment` gave it; default: the latest.
        """
        where = {"environment_id": self._where(environment)}
        self._store_rows(EpisodeSummary, [{**rows.episode(one), **where} for one in episodes], "ended_at")

    def kpis(
        self,
        policy: str,
        values: Mapping[str, float | Estimate],
        *,
        units: Mapping[str, str] | None = None,
        seed: int | None = None,
        reference: str = "",
        evaluation: str = "final",
        env_steps: int | None = None,
        environment: int | None = None,
    ) -> None:
        """Store KPIs of a policy: of one replication, or means with their intervals.

        Args:
            policy: whose they are.
            values: KPI, or `return`, to its value.
            units: of the KPIs.
            seed: of the replication, if it is one.
            reference: if they are differences: the policy whose values were subtracted.
            evaluation: which evaluation they belong to.
            env_steps: steps of training of what was evaluated.
            environment: where; default: the latest.
        """
        units = units or {}
        common = {
            "environment_id": self._where(environment),
            "policy": policy,
            "reference": reference,
            "evaluation": evaluation,
            "env_steps": rows.whole(env_steps),
        }
        found = [{**rows.kpi(name, value, units.get(name, ""), seed), **common} for name, value in values.items()]
        self._store_rows(KpiMetric, found, "recorded_at")

    def comparison(
        self, comparison: Comparison, *, evaluation: str = "final", env_steps: int | None = None, stage: str = ""
    ) -> None:
        """Store a whole comparison at once: every replication of every policy, the means, and the paired differences.

        Args:
            comparison: what was compared; its scenario need not be one that is trained on.
            evaluation: what to call it.
            env_steps: steps of training of what was evaluated.
            stage: of a curriculum, if its scenario is one's.
        """
        common = {"environment_id": self._met(comparison.scenario, stage)}
        episodes: list[Row] = []
        kpis: list[Row] = []
        named = {"evaluation": evaluation, "env_steps": rows.whole(env_steps), **common}
        units = comparison.simulations[comparison.reference].units
        for policy, simulation in comparison.simulations.items():
            episodes += [{**row, **common} for row in rows.episodes_of(simulation, env_steps)]
            kpis += [{**row, **named, "policy": policy, "reference": ""} for row in rows.kpis_of(simulation)]
        for policy, differences in comparison.paired.items():
            against = {"policy": policy, "reference": comparison.reference}
            kpis += [{**rows.kpi(name, e, units.get(name, "")), **named, **against} for name, e in differences.items()]
        with self._lock:
            self._add(EpisodeSummary, episodes, "ended_at")
            self._store_rows(KpiMetric, kpis, "recorded_at")

    def weights(
        self, worth: Mapping[str, float], *, env_steps: int, role: str = "", environment: int | None = None
    ) -> None:
        """Store what whole components of the reward are worth from a point of training on.

        Args:
            worth: component to its weight.
            env_steps: since when.
            role: whose reward it is; the team's if empty.
            environment: where; default: the latest.

        Raises:
            ValueError: there is no such component.
        """
        where = {"environment_id": self._where(environment)}
        self._store_rows(RewardWeight, [{**row, **where} for row in rows.component_weights(worth, env_steps, role)])

    def progress(self, env_steps: int) -> None:
        """Say how far the job has come. Costs nothing: it is stored with the next beat, or the next that is told."""
        with self._lock:
            self.env_steps = int(env_steps)
            self._changes["env_steps"] = self.env_steps

    def flush(self) -> None:
        """Store what could not be stored before, and beat.

        Raises:
            StoreError: it cannot be stored now either.
            JobTakenError: another process has the job.
        """
        with self._lock, told(self._store.where):
            refused: list[Any] | Row = self._changes
            try:
                with self._store.writing() as connection:
                    claims.hold(connection, self.id, self._claim, self._store.now(), **self._changes)
                    for table, refused in self._waiting:
                        if refused:
                            connection.execute(insert(table), refused)
            except _NEVER:
                refused.clear()  # or nothing that comes after could be stored
                raise
            self._waiting.clear()
            self._changes.clear()

    def end(self, status: str, reason: str | None = None) -> None:
        """Mark the job as ended and store all that waits; no beats follow.

        Raises:
            StoreError: the store cannot take it.
        """
        self._ended.set()
        if threading.current_thread() is not self._beats:
            self._beats.join()
        with self._lock:
            level = "error" if status == "failed" else "info"
            line = {"level": level, "event": status, "message": rows.plain(reason or status), "details": {}}
            self._add(OrchestrationLog, [line], "at")
            self._changes |= {"status": status, "reason": reason, "ended_at": self._store.now()}
            self.flush()

    def _store_rows(self, table: Any, found: Sequence[Row], time: str | None = None) -> None:
        with self._lock:
            self._add(table, found, time)
            self.flush()

    def _add(self, table: Any, found: Sequence[Row], time: str | None) -> None:
        if not found:
            return
        common: Row = {"job_id": self.id, "attempt": self.attempt}
        if time is not None:
            common[time] = self._store.now()
        self._waiting.append((table, [{**row, **common} for row in found]))

    def _where(self, environment: int | None) -> int:
        where = self._latest if environment is None else environment
        if where is None:
            raise StoreError(f"job {self.id} has met no scenario yet; say which with job.environment(scenario)")
        return where

    def _beat(self, seconds: float) -> None:
        while not self._ended.wait(seconds):
            try:
                self.flush()
            except JobTakenError:
                return  # whoever stores something next is told
            except StoreError:
                continue  # it may pass; until then the rows are kept
