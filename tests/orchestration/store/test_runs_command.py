"""`marl-health runs` and `marl-health store upgrade`."""

from __future__ import annotations

import json
import sys

import pytest

from orchestration.evaluation.compare import compare
from orchestration.store import open_store
from orchestration.store.folders import index
from tests.orchestration.command_line import invoke

TRAINED = "20261120-160513-clinic-ppo-s4"


@pytest.fixture(scope="module")
def comparison(clinic):
    """A comparison whose first policy is called as an algorithm is."""
    return compare(clinic, {"ppo": "random", "wait": "wait"}, 3, 100)


@pytest.fixture
def folder(tmp_path, clinic, comparison):
    """A folder of runs that holds one, as `marl-health train` leaves it."""
    run = tmp_path / "runs" / TRAINED
    run.mkdir(parents=True)
    facts = {"scenario": "clinic", "version": 3, "hash": clinic.hash, "agents": ["front_desk_0", "manager_0"]}
    facts |= {"algorithm": "ppo", "seed": 4, "command": "marl-health train", "env_steps": 145152, "seconds": 411.6}
    (run / "training.json").write_text(json.dumps(facts))
    (run / "comparison.json").write_text(json.dumps(comparison.to_json()))
    return tmp_path / "runs"


def listed(*arguments, tmp_path):
    invoke("runs", *arguments, "--json", tmp_path / "out.json")
    return json.loads((tmp_path / "out.json").read_text())


def test_without_runs_nothing_is_made(tmp_path):
    assert invoke("runs", "--out", tmp_path).stdout == f"no runs in {tmp_path}; marl-health train makes one\n"
    assert not list(tmp_path.iterdir())


def test_runs_that_left_a_folder_are_listed_once(folder, tmp_path, comparison):
    for _ in range(2):
        (found,) = listed("--out", folder, tmp_path=tmp_path)
    assert (found["name"], found["status"], found["env_steps"]) == (TRAINED, "finished", 145152)
    assert found["return"]["value"] == comparison.simulations["ppo"].estimate("return").mean
    told = invoke("runs", "--out", folder).stdout
    assert TRAINED in told and "145,152" in told and f"clinic v3 {found['hash']}" in told


def test_a_run_of_the_store_and_its_folder_are_one(folder, tmp_path, clinic):
    with (
        open_store(folder / "results.db") as store,
        store.job(scenario=clinic, algorithm="ppo", folder=folder / TRAINED),
    ):
        pass
    (found,) = listed("--out", folder, tmp_path=tmp_path)
    assert found["name"] == TRAINED and found["return"] is None


def test_a_folder_tells_as_much_as_the_store_did(folder, tmp_path, clinic, comparison):
    with open_store(folder / "results.db") as store:
        (indexed,) = index(store, folder)
        with store.job(scenario=clinic, algorithm="ppo") as job:
            job.comparison(comparison)
        columns = ["policy", "reference", "metric", "unit", "value", "low", "high", "level", "replications"]
        differ = (
            store.kpis(indexed).frame()[columns].merge(store.kpis(job.id).frame()[columns], how="outer", indicator=True)
        )
        apart = differ[differ["_merge"] != "both"]
        # Of a difference, the file does not say in how many replications both values were recorded.
        assert set(apart["metric"]) <= {"time_to_death"} and set(apart["reference"]) <= {"ppo"}


def test_damaged_folders_are_left_out(folder, tmp_path):
    (folder / TRAINED / "training.json").write_text("{")
    assert listed("--out", folder, tmp_path=tmp_path) == []


def test_the_list_can_be_narrowed(folder, tmp_path, clinic):
    with open_store(folder / "results.db") as store:
        for seed in range(3):
            with store.job(scenario=clinic, algorithm="mappo", seed=seed, experiment="first"):
                pass

    def seeds(*arguments):
        return [job["seed"] for job in listed("--out", folder, *arguments, tmp_path=tmp_path)]

    assert seeds() == [0, 1, 2, 4]
    assert seeds("--experiment", "first", "--newest", 2) == [1, 2]
    assert seeds("--status", "running") == seeds("--scenario", "ward") == []
    assert "did you mean 'running'" in invoke("runs", "--out", folder, "--status", "runing", code=2).stderr.replace(
        "\n", " "
    )


def test_one_run_is_shown_by_number_or_name(folder, tmp_path, clinic, comparison):
    with (
        open_store(folder / "results.db") as store,
        pytest.raises(ValueError),
        store.job(scenario=clinic, algorithm="ppo", configuration={"lr": 0.1}) as job,
    ):
        for steps in (1000, 2000):
            job.kpis("ppo", {"return": -float(steps)}, evaluation="during", env_steps=steps)
        job.comparison(comparison)
        raise ValueError("the learner fell asleep")
    told = invoke("runs", job.id, "--out", folder).stdout
    for words in (
        "failed",
        "ValueError: the learner fell asleep",
        "lr: 0.1",
        clinic.hash,
        "wait.hours_over",
        "100 usd",
    ):
        assert words in told
    assert "evaluation during in clinic after 2,000 steps" in told and "1,000" not in told  # the last of its kind
    by_name = listed(TRAINED, "--out", folder, tmp_path=tmp_path)
    assert by_name["name"] == TRAINED and by_name["command"] == "marl-health train"
    assert "did you mean" in invoke("runs", TRAINED[:-1], "--out", folder, code=1).stderr
    assert "there is no run 77" in invoke("runs", 77, "--out", folder, code=1).stderr


def test_the_store_can_be_another(address, folder, clinic, tmp_path, monkeypatch):
    with open_store(address) as store, store.job(scenario=clinic, algorithm="qmix"):
        pass
    asked = ("--store", address, "--out", folder)
    assert [one["algorithm"] for one in listed(*asked, tmp_path=tmp_path)] == ["qmix"]
    monkeypatch.setenv("MARL_HEALTH_STORE", address)
    assert [one["algorithm"] for one in listed(tmp_path=tmp_path)] == ["qmix"]
    assert "up to date" in invoke("store", "upgrade").stdout


def test_looking_makes_no_store(tmp_path):
    assert "there is no such file" in invoke("runs", "--store", tmp_path / "typo.db", code=1).stderr
    assert not list(tmp_path.iterdir())


def test_what_is_no_store_is_told_in_a_line(tmp_path):
    for command in (("runs",), ("store", "upgrade"), ("train", "hospital_throughput", "--out", tmp_path / "runs")):
        told = invoke(*command, "--store", "mysql://there/db", code=1).stderr
        assert (
            told
            == "marl-health: 'mysql://there/db' is no store; name a file such as runs/results.db, or postgresql://user@host/database\n"
        )
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_told(monkeypatch, folder):
    for name in [name for name in sys.modules if name.startswith("orchestration.store")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    told = invoke("runs", "--out", folder, code=1).stderr
    assert told == "marl-health: this needs sqlalchemy, which is not installed; pip install 'marl-health[store]'\n"
