"""`train` and `evaluate`, end to end on a small clinic."""

import json
from pathlib import Path

import pytest

from marl_health import load
from marl_health import parallel_env as make_env
from marl_health.adapters.rllib import FIRST_TRAINING_SEED
from orchestration.commands.learning import HELD_OUT_SEED
from tests.orchestration.command_line import invoke
from tests.orchestration.test_cli import start

CLINIC = str(Path(__file__).with_name("clinic.yaml"))
REPLICATIONS = 6

pytestmark = pytest.mark.slow


OPTIONS = ("--steps", 1, "--replications", REPLICATIONS, "--jobs", 2, "--with", "pace=brisk")
"""One iteration."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a short training run, and what was printed."""
    out = tmp_path_factory.mktemp("runs")
    result = invoke("train", CLINIC, "--out", out, *OPTIONS)
    (folder,) = out.glob("2*-s0")
    return folder, result


def test_held_out_replications_are_never_trained_on():
    assert HELD_OUT_SEED + 100_000_000 < FIRST_TRAINING_SEED


def test_train_compares_with_the_baselines_and_reports(run):
    folder, result = run
    comparison = json.loads((folder / "comparison.json").read_text())
    assert list(comparison["policies"]) == ["mappo", "wait", "random"]
    assert comparison["seeds"] == list(range(HELD_OUT_SEED, HELD_OUT_SEED + REPLICATIONS))
    assert comparison["hash"] == load(CLINIC, {"pace": "brisk"}).hash
    page = (folder / "report.html").read_text()
    for title in ("Learning curve", "Paired differences", "Occupancy over time"):
        assert title in page
    assert "difference from mappo" in result.stdout and "in_time" in result.stdout, "every KPI has a row"
    for other in ("wait", "random"):
        assert any(line.startswith("mappo ") and f" {other} " in line for line in result.stdout.splitlines())
    assert f"report: {folder / 'report.html'}\ncheckpoint: {folder / 'checkpoint'}\nrun 1 in marl-h" in result.stdout
    assert "without the rule, so that learning starts from nothing: the scenario 'clinic' has no " in result.stderr
    assert "nothing was trained" not in result.stderr
    training = json.loads((folder / "training.json").read_text())
    assert training["iterations"] == 1 and training["env_steps"] % 6 == 0, "whole episodes"
    assert training["words"]["manager"]["sees"] == make_env(CLINIC).observation_names("manager_0")


def test_what_was_finished_is_shown_again(run):
    folder, first = run
    again = invoke("train", CLINIC, "--out", folder.parent, *OPTIONS)
    assert again.stdout.replace(" (finished before)", "") == first.stdout
    assert "nothing was trained, since all of it was finished before; another --seed would train anew" in again.stderr
    assert list(folder.parent.glob("2*-s*")) == [folder]


def test_one_agent_starts_from_its_rule(tmp_path):
    """And nothing but ours is said, in a process whose output Ray could write to."""
    options = ("--steps", 1, "--replications", 2, "--jobs", 1, "--out", tmp_path)
    out, err = start("train", "or_utilization", *options).communicate(timeout=400)
    (folder,) = tmp_path.glob("2*-s0")
    assert "mappo from rule and rule cannot be told apart" in out or "mappo from rule is " in out, err
    lines = err.splitlines()
    assert lines[0] == f"{folder.name}: starting; it imitates rule before it learns"
    assert all(line.startswith(f"{folder.name}: ") for line in lines) and len(lines) == 3, err
    manifest = json.loads((folder / "checkpoint" / "checkpoint.json").read_text())
    assert (manifest["init"], manifest["scenario"]) == ("rule", "or_utilization")


def test_the_run_is_in_the_store(run, tmp_path):
    folder, _ = run
    out = tmp_path / "run.json"
    invoke("runs", folder.name, "--out", folder.parent, "--json", out)
    job, training = json.loads(out.read_text()), json.loads((folder / "training.json").read_text())
    assert (job["status"], job["env_steps"], job["folder"]) == ("finished", training["env_steps"], str(folder))
    returns = {row["policy"]: row["value"] for row in job["kpis"] if row["metric"] == "return" and not row["reference"]}
    policies = json.loads((folder / "comparison.json").read_text())["policies"]
    assert returns == {name: values["return"]["mean"] for name, values in policies.items()}


def test_evaluate_finds_the_same_again(run, tmp_path):
    folder, _ = run
    out = tmp_path / "out.json"
    where = ("--scenario", CLINIC, "--with", "pace=brisk")
    result = invoke(
        "evaluate", folder / "checkpoint", *where, "--replications", REPLICATIONS, "--jobs", 1, "--json", out
    )
    assert json.loads(out.read_text()) == json.loads((folder / "comparison.json").read_text())
    assert "trained on" not in result.stderr


def test_evaluate_says_when_the_scenario_is_another(run):
    folder, _ = run
    result = invoke("evaluate", folder / "checkpoint", "--scenario", CLINIC, "--replications", 1, "--jobs", 1)
    assert "was trained on clinic version 3" in result.stderr


def test_a_checkpoint_is_a_policy_like_any_other(run, tmp_path):
    folder, _ = run
    checkpoint = str(folder / "checkpoint")
    invoke(
        *("compare", CLINIC, "--policies", f"wait,{checkpoint}", "--replications", 2, "--jobs", 1),
        *("--json", tmp_path / "out.json"),
    )
    assert list(json.loads((tmp_path / "out.json").read_text())["policies"]) == ["wait", checkpoint]


def test_what_is_wrong_with_a_checkpoint_is_told(run, tmp_path):
    folder, _ = run
    checkpoint = folder / "checkpoint"
    assert "--scenario FILE" in invoke("evaluate", checkpoint, code=1).stderr
    (tmp_path / "checkpoint.json").write_text("{")
    assert "damaged" in invoke("evaluate", tmp_path, "--scenario", CLINIC, code=1).stderr
    other = tmp_path / "other.yaml"
    other.write_text(Path(CLINIC).read_text().replace("room.free, doctor.free", "room.free"))
    told = invoke("simulate", other, "--policy", checkpoint, "--replications", 1, "--jobs", 1, code=1).stderr
    assert "manager sees something else here: not 'doctor.free', which it knew; train on this scenario" in told
