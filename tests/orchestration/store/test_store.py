"""What a job tells the store is found again, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import math
import sqlite3
import threading

import numpy as np
import pytest

import marl_health
from orchestration.evaluation.compare import compare
from orchestration.evaluation.statistics import Estimate
from orchestration.store import Episode, StoreError, address, open_store


def only(rows):
    (row,) = rows
    return row


def test_a_job_says_what_it_ran_on_and_how_it_ended(store, clinic, tmp_path):
    configuration = {"lr": 3e-4, "layers": (64, 64), "clip": math.inf, "where": tmp_path}
    with store.job(
        scenario=clinic, algorithm="mappo", seed=3, experiment="first", configuration=configuration
    ) as running:
        assert only(store.jobs())["status"] == "running"
        running.progress(2304)
    found = only(store.jobs(experiment="first", status="finished", hash=clinic.hash, scenario="clinic"))
    assert found["id"] == running.id
    assert (found["name"], found["algorithm"], found["seed"]) == ("clinic-mappo-s3", "mappo", 3)
    assert found["configuration"] == {"lr": 3e-4, "layers": [64, 64], "clip": None, "where": str(tmp_path)}
    assert found["env_steps"] == 2304 and found["attempts"] == 1 and found["reason"] is None
    assert found["started_at"] <= found["ended_at"] and found["started_at"].tzinfo is not None
    environment = only(store.environments(running.id))
    assert (environment["scenario"], environment["version"], environment["hash"]) == ("clinic", 3, clinic.hash)
    assert environment["content"] == clinic.data and environment["roles"] == ["front_desk", "manager"]
    assert [line["event"] for line in store.logs(running.id)] == ["started", "finished"]
    for other in ({"experiment": "second"}, {"status": "running"}, {"hash": "0"}, {"scenario": "ward"}):
        assert list(store.jobs(**other)) == []


def test_the_command_is_kept_without_a_password(store, clinic, monkeypatch):
    monkeypatch.setattr("sys.argv", ["marl-health", "train", "clinic", "--store", "postgresql://me:s3cret@host/db"])
    with store.job(scenario=clinic, algorithm="ppo"):
        pass
    assert only(store.jobs())["command"] == "marl-health train clinic --store postgresql://me:***@host/db"
    assert "s3cret" not in only(store.logs(event="started"))["message"]


def test_the_newest_jobs_come_oldest_first(store, clinic):
    for seed in range(4):
        with store.job(scenario=clinic, algorithm="ppo", seed=seed):
            pass
    assert [row["seed"] for row in store.jobs(newest=2)] == [2, 3]


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (ValueError("no such thing\nat all"), "failed", "ValueError: no such thing"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (SystemExit(143), "interrupted", "SystemExit: 143"),
    ],
)
def test_a_job_that_ends_early_says_why(store, clinic, error, status, reason):
    with pytest.raises(type(error)), store.job(scenario=clinic, algorithm="ppo"):
        raise error
    found = only(store.jobs())
    assert (found["status"], found["reason"]) == (status, reason)
    assert only(store.logs(event=status))["message"] == reason


def test_reward_weights_are_the_scenario_s_until_others_are_set(store, clinic):
    with store.job(scenario=clinic, algorithm="ppo") as job:
        job.weights({"clinical": 2.0, "financial": 0.5}, env_steps=1000, role="manager")
        with pytest.raises(ValueError, match="no component 'clinicla'; did you mean 'clinical'"):
            job.weights({"clinicla": 1.0}, env_steps=1000)
    rows = [
        tuple(row[name] for name in ("since_env_steps", "component", "measure", "role", "worth", "per", "unit"))
        for row in store.weights(job.id)
    ]
    assert rows == [
        (0, "clinical", "died.count", "", -5.0, 1.0, ""),
        (0, "efficiency", "wait.hours_over", "", -1.0, 1.0, ""),
        (0, "financial", "spent", "manager", -1.0, 100.0, "usd"),
        (1000, "clinical", "", "manager", 2.0, 1.0, ""),
        (1000, "financial", "", "manager", 0.5, 1.0, ""),
    ]


def test_episodes_and_kpis_are_found_again(store, clinic):
    with store.job(scenario=clinic, algorithm="ppo") as job:
        job.episode(-3.5, seed=np.int64(7), env_steps=6, length=6, terms={"clinical": np.float32(-3.5)})
        job.episodes([Episode(-1.0), Episode(math.nan, purpose="evaluation", policy="rule")])
        values = {"return": Estimate(-2.0, -3.0, -1.0, 50), "wait_mean": 12.5, "time_to_death": math.nan}
        job.kpis("ppo", values, units={"wait_mean": "min"}, env_steps=6)
        job.kpis("ppo", {"wait_mean": math.inf}, seed=1_000_000)
    first, second, third = store.episodes()
    assert (first["gained"], first["seed"], first["length"], first["terms"]) == (-3.5, 7, 6, {"clinical": -3.5})
    assert (second["seed"], second["purpose"], third["gained"], third["policy"]) == (None, "training", None, "rule")
    assert [row["id"] for row in store.episodes(purpose="evaluation")] == [third["id"]]
    returned, waited, died = store.kpis(job.id)
    assert (returned["value"], returned["low"], returned["high"]) == (-2.0, -3.0, -1.0)
    assert (returned["level"], returned["replications"], returned["evaluation"]) == (0.95, 50, "final")
    assert (waited["value"], waited["unit"], waited["low"], waited["level"]) == (12.5, "min", None, None)
    assert (died["value"], died["replications"]) == (None, 0)
    assert only(store.kpis(by_seed=True))["value"] == math.inf


def test_a_whole_comparison_is_found_again(store, clinic):
    compared = compare(clinic, ["wait", "random"], 4, 100)
    brisk = marl_health.load(clinic.file, {"pace": "brisk"})
    with store.job(scenario=brisk, algorithm="ppo") as job:
        job.comparison(compared, env_steps=9)
        job.episode(1.0, policy="learner")
    trained, judged = store.environments(job.id)
    assert (trained["hash"], judged["hash"]) == (brisk.hash, clinic.hash)
    assert only(store.episodes(policy="learner"))["environment_id"] == trained["id"]  # it goes on where it was
    assert {row["environment_id"] for row in store.kpis()} == {judged["id"]}
    by_seed = store.kpis(job.id, metric="return", by_seed=True, policy="random").frame()
    assert list(by_seed["seed"]) == [100, 101, 102, 103]
    assert list(by_seed["value"]) == compared.simulations["random"].values("return")
    metrics = len(compared.metrics)
    assert len(list(store.kpis(by_seed=True))) == 2 * 4 * metrics
    means = store.kpis().frame()
    assert len(means) == 3 * metrics
    paired = means[(means.metric == "wait_mean") & (means.reference == "wait")].iloc[0]
    expected = compared.paired["random"]["wait_mean"]
    assert (paired.policy, paired.value, paired.low, paired.high) == ("random", *tuple_of(expected))
    episodes = list(store.episodes(policy="wait", purpose="evaluation"))
    replications = compared.simulations["wait"].replications
    assert [row["conservation"] for row in episodes] == [one.conservation for one in replications]


def tuple_of(estimate):
    return estimate.mean, estimate.low, estimate.high


def test_frames_have_their_columns_even_without_rows(store):
    assert {"id", "metric", "value", "low", "high"} <= set(store.kpis().frame().columns)


def test_a_scenario_is_stored_once_per_stage(store, clinic):
    with store.job(scenario=clinic, algorithm="ppo") as job:
        calm = job.environment(clinic, "calm")
        assert job.environment(clinic, "calm") == calm
        job.episode(1.0)
        assert only(store.episodes())["environment_id"] == calm
        job.episode(1.0, environment=job.environment(clinic))
    assert [row["stage"] for row in store.environments()] == ["", "calm"]


def test_several_threads_may_tell_a_job(store, clinic):
    with store.job(scenario=clinic, algorithm="ppo", beat_seconds=0.01) as job:
        threads = [threading.Thread(target=lambda: [job.episode(1.0) for _ in range(10)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(list(store.episodes())) == 40


def test_rows_that_can_never_be_stored_do_not_stand_in_the_way(store, clinic):
    with store.job(scenario=clinic, algorithm="ppo") as job:
        with pytest.raises(StoreError):
            job.log("what is this?", level="catastrophe")
        with pytest.raises(StoreError):
            job.episode(1.0, environment=10_000)
        job.log("all is well")
    assert [line["message"] for line in store.logs(event="note")] == ["all is well"]


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path, clinic):
    store = open_store(tmp_path / "results.db")
    with store.job(scenario=clinic, algorithm="ppo", beat_seconds=1e6) as job:
        job.episode(1.0)
        with store._engine.connect() as connection:  # the same error as on a full disk, without one
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(StoreError, match=r"results\.db: the disk is full; free some space and go on"):
            job.log("x" * 100_000)
        with pytest.raises(StoreError, match="the disk is full"):
            job.log("y" * 100_000, event="second")
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        job.episode(2.0)
    assert [row["gained"] for row in store.episodes()] == [1.0, 2.0]
    assert [line["event"] for line in store.logs()] == ["started", "note", "second", "finished"]
    store.close()
    with sqlite3.connect(tmp_path / "results.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_writer_that_does_not_end_is_told_and_nothing_is_lost(tmp_path, clinic, monkeypatch):
    monkeypatch.setattr(address, "BUSY_SECONDS", 0.05)
    store = open_store(tmp_path / "results.db")
    with store.job(scenario=clinic, algorithm="ppo", beat_seconds=1e6) as job:
        other = sqlite3.connect(tmp_path / "results.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"results\.db: another process has been writing for too long"):
            job.log("first")
        assert only(store.jobs())["status"] == "running"  # readers do not wait
        other.execute("ROLLBACK")
        other.close()
        job.log("second")
    assert [line["message"] for line in store.logs(event="note")] == ["first", "second"]


def test_a_server_that_drops_its_connections_is_reached_again(database, clinic):
    with open_store(database) as store, store.job(scenario=clinic, algorithm="ppo", beat_seconds=1e6) as job:
        job.log("before")
        with store._engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            job.log("after")
        assert [line["message"] for line in store.logs(event="note")] == ["before", "after"]


def test_sqlite_files_are_as_they_should_be(tmp_path):
    store = open_store(tmp_path / "a folder" / "results.db")
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # a power cut loses nothing either
