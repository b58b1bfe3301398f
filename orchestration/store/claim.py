"""Who has a job: taken when it begins or is resumed, kept up by beats, and lost when its process is gone."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from orchestration.store.errors import JobTakenError, StoreError
from orchestration.store.process import Process, this_process
from orchestration.store.tables import OrchestrationLog, TrainingJob

LEASE_SECONDS = 120.0
"""Without a beat for so long, a job on another machine counts as interrupted."""

Row = dict[str, Any]

_JOBS = TrainingJob.__table__


def claimed(now: datetime) -> Row:
    """What stands in the row of a job that this process has from now on."""
    process = this_process()
    return {
        "status": "running",
        "reason": None,
        "claim": uuid.uuid4().hex,
        "host": process.host,
        "machine": process.machine,
        "pid": process.pid,
        "process_started": process.started,
        "lease_seconds": LEASE_SECONDS,
        "heartbeat_at": now,
        "ended_at": None,
    }


def take(connection: Connection, job: int, now: datetime) -> Row:
    """Take a job that was interrupted or failed, to go on with it; what stands in its row then.

    Raises:
        StoreError: there is none, it is finished, or somebody else has it.
    """
    found = connection.execute(select(_JOBS).where(_JOBS.c.id == job).with_for_update()).mappings().one_or_none()
    if found is None:
        raise StoreError(f"there is no job {job}; marl-health runs lists those there are")
    if found["status"] == "running":
        raise StoreError(
            f"job {job} is running on {found['host']} (process {found['pid']}, last seen "
            f"{found['heartbeat_at']:%Y-%m-%d %H:%M:%S} UTC); end that first, or if its machine is gone, wait until "
            f"nothing was heard of it for {found['lease_seconds']:.0f} seconds"
        )
    if found["status"] == "finished":
        raise StoreError(f"job {job} is finished, so there is nothing to resume; start a new one")
    changed = claimed(now) | {"attempts": found["attempts"] + 1}
    connection.execute(update(TrainingJob).where(_JOBS.c.id == job).values(changed))
    return {**found, **changed}


def hold(connection: Connection, job: int, claim: str, now: datetime, **changes: Any) -> None:
    """Beat for a job: say that it lives, and change what else is to be changed in its row.

    A job that was given up for lost too early, because its machine slept, say, is running again after this.

    Raises:
        JobTakenError: somebody else has it now.
    """
    mine = (_JOBS.c.id == job) & (_JOBS.c.claim == claim)
    beat = {"heartbeat_at": now, **changes}
    if connection.execute(update(TrainingJob).where(mine, _JOBS.c.status == "running").values(beat)).rowcount:
        return
    again = {"status": "running", "reason": None, "ended_at": None, **beat}
    if connection.execute(update(TrainingJob).where(mine, _JOBS.c.status == "interrupted").values(again)).rowcount:
        attempt = connection.execute(select(_JOBS.c.attempts).where(mine)).scalar_one()
        note(connection, job, attempt, now, "info", "revived", "given up for lost too early: it is alive")
        return
    raise JobTakenError(f"job {job} was taken over by another process; this one must stop working on it")


def give_up_lost(connection: Connection, now: datetime) -> list[int]:
    """Mark the running jobs whose process is gone as interrupted; their ids."""
    running = connection.execute(select(_JOBS).where(_JOBS.c.status == "running")).mappings().all()
    lost = []
    for row in running:
        reason = _lost(row, now)
        if reason is None:
            continue
        same = (_JOBS.c.id == row["id"]) & (_JOBS.c.claim == row["claim"]) & (_JOBS.c.status == "running")
        ended = {"status": "interrupted", "reason": reason, "ended_at": row["heartbeat_at"]}
        unchanged = _JOBS.c.heartbeat_at == row["heartbeat_at"]  # or it has just shown that it lives
        if connection.execute(update(TrainingJob).where(same, unchanged).values(ended)).rowcount:
            note(connection, row["id"], row["attempts"], now, "warning", "interrupted", reason)
            lost.append(row["id"])
    return lost


def any_lost(connection: Connection, now: datetime) -> bool:
    """Whether a running job's process is gone; does not change anything."""
    running = connection.execute(select(_JOBS).where(_JOBS.c.status == "running")).mappings().all()
    return any(_lost(row, now) is not None for row in running)


def _lost(row: Any, now: datetime) -> str | None:
    """Why a job that is marked as running does not run; None if it does."""
    seen = f"last seen {row['heartbeat_at']:%Y-%m-%d %H:%M:%S} UTC"
    alive = Process(row["host"], row["machine"], row["pid"], row["process_started"]).alive
    if alive is None:  # on another machine, only the beats tell
        if now - row["heartbeat_at"] <= timedelta(seconds=row["lease_seconds"]):
            return None
        return f"no sign of life from process {row['pid']} on {row['host']}, {seen}"
    return None if alive else f"process {row['pid']} on {row['host']} is gone, {seen}"


def note(
    connection: Connection,
    job: int | None,
    attempt: int,
    now: datetime,
    level: str,
    event: str,
    message: str,
    details: Row | None = None,
) -> None:
    """Write a line of the log."""
    connection.execute(
        insert(OrchestrationLog).values(
            job_id=job, attempt=attempt, at=now, level=level, event=event, message=message, details=details or {}
        )
    )
