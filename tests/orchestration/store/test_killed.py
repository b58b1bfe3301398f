"""A process that is killed loses nothing that it was told was stored, and its job does not run for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from orchestration.store import JobTakenError, StoreError, open_store
from orchestration.store.process import Process, this_process
from orchestration.store.tables import TrainingJob

ROOT = Path(__file__).resolve().parents[3]
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")

WRITER = """
import sys
import marl_health
from orchestration.store import Episode, open_store

address, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
clinic = marl_health.load("tests/orchestration/clinic.yaml")
with open_store(address) as store, store.job(scenario=clinic, algorithm="ppo", seed=first) as job:
    for number in range(first, first + count):
        job.episodes([Episode(0.0, seed=number, length=part) for part in range(3)])
        print(number, flush=True)
"""


def writer(address, first=0, count=1_000_000):
    command = [sys.executable, "-c", WRITER, str(address), str(first), str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


@needs_proc
def test_a_killed_process_loses_no_finished_row(address):
    open_store(address).close()
    process = writer(address)
    told = [int(process.stdout.readline()) for _ in range(20)]
    kill(process)  # which is in the middle of a write: it does nothing else
    told += [int(line) for line in process.stdout.read().splitlines()]
    with open_store(address) as store:
        episodes = [(row["seed"], row["length"]) for row in store.episodes()]
        lots = len(episodes) // 3
        assert episodes == [(number, part) for number in range(lots) for part in range(3)]  # whole lots, no gap
        assert lots - len(told) in (0, 1)  # the last may have been stored before it could say so
        (job,) = store.jobs()
        assert job["status"] == "interrupted"
        assert f"process {process.pid} on " in job["reason"] and "is gone" in job["reason"]
        assert job["ended_at"] == job["heartbeat_at"]
        assert [line["event"] for line in store.logs()] == ["started", "interrupted"]
        assert store.reconcile() == []
        with store.resume(job["id"]) as resumed:
            resumed.episode(1.0)
        (job,) = store.jobs()
        assert (job["status"], job["attempts"], job["reason"]) == ("finished", 2, None)
        assert [row["attempt"] for row in store.episodes()][-2:] == [1, 2]


@needs_proc
def test_a_killed_process_is_noticed_before_its_parent_does(tmp_path):
    address = tmp_path / "results.db"
    process = writer(address)
    process.stdout.readline()
    with open_store(address) as store:
        assert [job["status"] for job in store.jobs()] == ["running"]
        os.kill(process.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while not store.reconcile():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    process.wait()


def test_several_processes_make_and_fill_one_store(address):
    processes = [writer(address, first, 15) for first in (0, 100)]
    for process in processes:
        _, wrong = process.communicate(timeout=60)
        assert process.returncode == 0, wrong
    with open_store(address) as store:
        assert sorted(row["seed"] for row in store.episodes()) == sorted([*range(15), *range(100, 115)] * 3)
        assert [job["status"] for job in store.jobs()] == ["finished"] * 2


def elsewhere(store, job, **changes):
    """Let a job look as if it ran on another machine."""
    changes = {"machine": "another machine", "host": "node7", **changes}
    with store.writing() as connection:
        connection.execute(update(TrainingJob).where(TrainingJob.id == job.id).values(changes))


def test_a_job_on_another_machine_is_lost_when_its_lease_is(store, clinic):
    with store.job(scenario=clinic, algorithm="ppo", beat_seconds=1e6) as job:
        lease = timedelta(seconds=next(iter(store.jobs()))["lease_seconds"])
        elsewhere(store, job, heartbeat_at=store.now() - lease + timedelta(seconds=30))
        assert store.reconcile() == []
        elsewhere(store, job, heartbeat_at=store.now() - lease - timedelta(seconds=1))
        assert store.reconcile() == [job.id]
        (found,) = store.jobs()
        assert found["status"] == "interrupted" and "no sign of life" in found["reason"] and "node7" in found["reason"]


def test_a_job_that_was_given_up_too_early_revives(store, clinic):
    with store.job(scenario=clinic, algorithm="ppo", beat_seconds=1e6) as job:
        elsewhere(store, job, heartbeat_at=store.now() - timedelta(days=1))
        assert store.reconcile() == [job.id]
        job.log("still here")
        (found,) = store.jobs()
        assert (found["status"], found["reason"], found["ended_at"]) == ("running", None, None)
    assert [line["event"] for line in store.logs()] == ["started", "interrupted", "revived", "note", "finished"]


def test_a_job_that_was_taken_over_cannot_be_written_to_any_more(store, clinic):
    with (
        pytest.raises(JobTakenError, match="taken over by another process"),
        store.job(scenario=clinic, algorithm="ppo", beat_seconds=1e6) as job,
    ):
        elsewhere(store, job, heartbeat_at=store.now() - timedelta(days=1))
        with store.resume(job.id) as other:
            other.log("mine")
            with pytest.raises(JobTakenError):
                job.log("no longer mine")
    (found,) = store.jobs()
    assert (found["status"], found["attempts"]) == ("finished", 2)
    assert [line["message"] for line in store.logs(event="note")] == ["mine"]


def test_only_what_was_ended_early_can_be_resumed(store, clinic):
    with pytest.raises(StoreError, match="no job 77"), store.resume(77):
        pass
    with store.job(scenario=clinic, algorithm="ppo") as job:
        job.progress(500)
        with pytest.raises(StoreError, match=rf"job {job.id} is running on .* end that first"), store.resume(job.id):
            pass
    with pytest.raises(StoreError, match="is finished, so there is nothing to resume"), store.resume(job.id):
        pass
    with pytest.raises(ValueError), store.job(scenario=clinic, algorithm="ppo") as second:
        second.progress(500)
        raise ValueError
    with store.resume(second.id) as again:
        assert (again.attempt, again.env_steps) == (2, 500)
        again.environment(clinic)
    assert len(list(store.environments(second.id))) == 1


def test_beats_come_by_themselves(store, clinic):
    with store.job(scenario=clinic, algorithm="ppo", beat_seconds=0.02) as job:
        (before,) = store.jobs()
        job.progress(700)
        deadline = time.monotonic() + 30
        while (now := next(iter(store.jobs())))["env_steps"] != 700 or now["heartbeat_at"] == before["heartbeat_at"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@needs_proc
def test_a_process_is_told_from_another_with_the_same_id():
    me = this_process()
    assert me.alive is True
    assert Process(me.host, me.machine, me.pid, "1").alive is False
    assert Process(me.host, "another boot", me.pid, me.started).alive is None
    assert Process(me.host, me.machine, me.pid, "").alive is None


@needs_proc
def test_of_somebody_else_s_hidden_process_nothing_can_be_told(monkeypatch):
    def not_yours(pid, number):
        raise PermissionError

    me = this_process()
    beyond = Process(me.host, me.machine, 2**22 + 1, "1")  # Linux has no larger process ids than 2**22
    assert beyond.alive is False
    monkeypatch.setattr("os.kill", not_yours)
    assert beyond.alive is None


def test_rows_of_a_job_go_with_it(store, clinic):
    with store.job(scenario=clinic, algorithm="ppo") as job:
        job.episode(1.0)
    with store.writing() as connection:
        connection.execute(text("DELETE FROM training_jobs"))
    for rows in (store.environments(), store.weights(), store.episodes(), store.kpis(), store.logs()):
        assert list(rows) == []
