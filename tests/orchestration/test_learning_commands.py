"""`train` and `evaluate`, end to end on a small clinic."""

import json
from pathlib import Path

import pytest

from marl_health import load
from marl_health.adapters.rllib import FIRST_TRAINING_SEED
from orchestration.commands.learning import HELD_OUT_SEED
from tests.orchestration.command_line import invoke

CLINIC = str(Path(__file__).with_name("clinic.yaml"))
REPLICATIONS = 6

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a short training run, and what was printed."""
    out = tmp_path_factory.mktemp("runs")
    options = ("--minutes", 0.5, "--replications", REPLICATIONS, "--jobs", 2, "--with", "pace=brisk")
    result = invoke("train", CLINIC, "--out", out, *options)
    (folder,) = (path for path in out.iterdir() if path.is_dir())
    return folder, result


def test_held_out_replications_are_never_trained_on():
    assert HELD_OUT_SEED + 100_000_000 < FIRST_TRAINING_SEED


def test_train_compares_with_the_baselines_and_reports(run):
    folder, result = run
    comparison = json.loads((folder / "comparison.json").read_text())
    assert list(comparison["policies"]) == ["ppo", "wait", "random"]
    assert comparison["seeds"] == list(range(HELD_OUT_SEED, HELD_OUT_SEED + REPLICATIONS))
    assert comparison["hash"] == load(CLINIC, {"pace": "brisk"}).hash
    page = (folder / "report.html").read_text()
    for title in ("Learning curve", "Paired differences", "Occupancy over time"):
        assert title in page
    assert "difference from ppo" in result.stdout
    for other in ("wait", "random"):
        assert any(line.startswith("ppo ") and f" {other} " in line for line in result.stdout.splitlines())
    assert f"report: {folder / 'report.html'}" in result.stdout
    assert "without the rule: the scenario 'clinic' has no reference rule" in result.stderr


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
    assert "note: trained on clinic version 3" in result.stderr


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
    assert "manager was trained with" in told and "Traceback" not in told
