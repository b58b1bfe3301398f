"""Experiments end to end: every seed is trained, judged and stored, also if the process is killed in between."""

import contextlib
import csv
import io
import json
import os
import signal
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from marl_health import HealthParallelEnv, load
from orchestration.curriculum.machine import Stage
from orchestration.episodes import ScenarioRef
from orchestration.experiment.errors import TrainingError
from orchestration.experiment.guided import guided
from orchestration.experiment.reading import load_experiment
from orchestration.local_ray import local_ray
from orchestration.store import open_store
from orchestration.strategies.lots import lots_of
from tests.orchestration.command_line import invoke
from tests.orchestration.test_cli import start

WALK_IN = Path(__file__).resolve().parents[1] / "walk_in.yaml"

VDN = f"""\
schema: marl_health/experiment/v1
name: tiny
description: A few steps of VDN.
scenarios: [{WALK_IN}]
algorithm:
  name: vdn
  settings: {{num_env_runners: 0, num_envs_per_env_runner: 2, min_sample_timesteps_per_iteration: 400, updates: 1}}
seeds: [3]
budget: {{steps: 2000}}
evaluation: {{every: 400, replications: 2, policies: [wait], final: {{replications: 3}}}}
"""

PPO = f"""\
schema: marl_health/experiment/v1
name: staged
description: A few steps of PPO in two stages.
scenarios: [{WALK_IN}]
algorithm:
  name: ppo
  settings: {{num_env_runners: 0, num_envs_per_env_runner: 2, train_batch_size_per_learner: 300, minibatch_size: 100}}
seeds: 1
budget: {{steps: 5000}}
curriculum:
  stages:
    - {{name: calm, changes: {{vary: {{demand: {{uniform: [0.4, 0.6]}}}}}}, steps: {{at_most: 500}}}}
    - {{name: usual, steps: {{at_most: 500}}}}
evaluation: {{every: 300, replications: 2, policies: [wait, random], final: {{replications: 3}}}}
"""


@pytest.fixture
def written(tmp_path):
    """Writes an experiment and gives its file."""

    def write(text):
        path = tmp_path / "experiment.yaml"
        path.write_text(text)
        return path

    return write


def only_folder(out):
    (folder,) = out.glob("2*-s*")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_or_interrupted_run_is_gone_on_with_by_the_same_command(how, written, tmp_path):
    file, out = written(VDN), tmp_path / "runs"
    command = ("train", file, "--out", out, "--jobs", 1)
    # Whoever runs the tests in the background has told them to ignore an interrupt; a person's shell does not.
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    process = start(*command, start_new_session=True, **heard)
    try:
        deadline = time.monotonic() + 400
        while not (steps := so_far(out)) >= 800:
            assert time.monotonic() < deadline and process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        os.kill(process.pid, how)
        _, told = process.communicate(timeout=200)
        if how == signal.SIGINT:
            assert process.returncode == 1 and told.endswith("marl-health: interrupted\n"), told
            assert f"interrupted; the same command goes on after {so_far(out):,} steps. The best so far: " in told
            best = Path(told.rsplit("marl-health evaluate ", 1)[1].splitlines()[0])
            assert (best / "checkpoint.json").is_file()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    steps = so_far(out)
    assert steps < 2000
    with open_store(out / "results.db") as store:
        assert [job["status"] for job in store.jobs()] == ["interrupted"]

    code, told = finish(start(*command))
    assert code == 0, told
    folder = only_folder(out)
    rows = list(csv.DictReader((folder / "progress.csv").open()))
    assert [int(row["iteration"]) for row in rows] == list(range(1, len(rows) + 1))
    counted = [int(row["env_steps"]) for row in rows]
    assert counted == [416 * n for n in range(1, 6)], "no step is trained twice or left out"
    trained = json.loads((folder / "training.json").read_text())
    assert (trained["env_steps"], trained["ended"]) == (2080, "its 2,000 steps are used up")

    with open_store(out / "results.db") as store:
        (job,) = store.jobs()
        assert (job["status"], job["attempts"], job["env_steps"], job["seed"]) == ("finished", 2, 2080, 3)
        (line,) = store.logs(event="checkpoint")
        assert f"after {steps:,} steps" in line["message"]
        kpis = list(store.kpis(metric="return"))
        during = {row["env_steps"]: row["attempt"] for row in kpis if row["evaluation"] == "training"}
        assert during == {n: 1 if n <= steps else 2 for n in counted}
        final = [(row["policy"], row["reference"]) for row in kpis if row["evaluation"] == "final"]
        assert final == [("vdn", ""), ("wait", ""), ("wait", "vdn")]
        assert len(list(store.kpis(metric="return", evaluation="final", by_seed=True))) == 6
        trained = [row for row in store.episodes() if row["purpose"] == "training"]
        assert len({row["seed"] for row in trained}) == len(trained) >= 2080 // 100
        for row in trained:
            assert sum(row["terms"].values()) == pytest.approx(row["gained"]) and row["policy"] == "vdn"
            assert row["conservation"]["arrived"] > 0
        sampled = {row["env_steps"]: row for row in kpis if row["evaluation"] == "sampled"}
        for n, row in sampled.items():
            gained = [one["gained"] for one in trained if (one["env_steps"], one["attempt"]) == (n, row["attempt"])]
            assert row["replications"] == len(gained) and row["value"] == pytest.approx(sum(gained) / len(gained))
    assert (folder / "report.html").is_file() and (folder / "checkpoint" / "checkpoint.json").is_file()
    assert not (folder / "kept").exists() and not (folder / "tune").exists(), "nobody reads them any more"
    assert len(list((folder / "tensorboard").glob("events.out.tfevents.*"))) == 2
    assert all(-1 <= float(row["value_explained"]) <= 1 for row in rows[2:]), "once it learns"

    code, told = finish(start(*command))
    assert code == 0 and "(finished before)" in told
    with open_store(out / "results.db") as store:
        assert [job["attempts"] for job in store.jobs()] == [2]


def so_far(out):
    """Steps at the last checkpoint."""
    found = list(out.glob("*/resume.json"))
    return json.loads(found[0].read_text())["env_steps"] if found else 0


def finish(process):
    out, err = process.communicate(timeout=200)
    return process.returncode, out + err


@pytest.mark.slow
def test_stages_follow_each_other_and_training_ends_with_the_last(written, tmp_path):
    code, told = finish(start("train", written(PPO), "--out", tmp_path / "runs", "--jobs", 1))
    assert code == 0, told
    folder = only_folder(tmp_path / "runs")
    trained = json.loads((folder / "training.json").read_text())
    assert trained["ended"].startswith("the curriculum is finished") and trained["env_steps"] < 2000
    for row in csv.DictReader((folder / "progress.csv").open()):
        assert 0 < float(row["entropy"]) < 3 and -1 <= float(row["value_explained"]) <= 1
    with open_store(tmp_path / "runs" / "results.db") as store:
        met = {row["stage"]: row["id"] for row in store.environments()}
        assert set(met) == {"calm", "usual", ""}  # the last is where it was judged at the end
        (line,) = store.logs(event="promote")
        during = list(store.kpis(metric="return", evaluation="training"))
        promoted = line["details"]["env_steps"]
        for row in during:
            assert row["environment_id"] == met["calm" if row["env_steps"] <= promoted else "usual"]
        final = {row["policy"] for row in store.kpis(metric="return", evaluation="final")}
        assert final == {"ppo", "wait", "random"}


@pytest.mark.slow
def test_a_checkpoint_has_all_that_decides_how_training_goes_on(tmp_path):
    import ray

    from orchestration.experiment.guide import Rules
    from orchestration.experiment.guided import Plan
    from policies.rllib.algorithms import algorithm_config
    from policies.rllib.ppo import MaskedPPO
    from policies.rllib.ppo.learner import SCALE
    from policies.rllib.vdn import VDN as VDNAlgorithm

    walk_in = ScenarioRef.of(load(WALK_IN))
    stages = (Stage("one", at_most=200), Stage("two"))
    plan = Plan(Rules(every=300, stages=stages), (walk_in, walk_in), range(2), tmp_path / "kept", {"algorithm": "ppo"})
    config = algorithm_config("ppo", str(WALK_IN)).env_runners(num_env_runners=0, num_envs_per_env_runner=2)
    config.training(train_batch_size_per_learner=300, minibatch_size=100, num_epochs=1)
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        algorithm = guided(MaskedPPO, plan)(config=config)
        result = algorithm.train()
        assert result["judged"]["to"] == "two" and result["should_checkpoint"] and not result["done"]
        checkpoint = str(algorithm.save(str(tmp_path / "checkpoint")).checkpoint.path)
        other = guided(MaskedPPO, plan)(config=config.copy(copy_frozen=False))
        other.restore(checkpoint)
        learners = [each.learner_group._learner for each in (algorithm, other)]
        scale, restored = (learner.get_state()[SCALE] for learner in learners)
        assert scale == restored and scale["count"] >= 300
        assert other.guide.state_dict() == algorithm.guide.state_dict() and other.guide.stage == 1
        assert (other.guide.kept, other.iteration) == (1, 1)
        assert other.train()["num_env_steps_sampled_lifetime"] == 2 * result["num_env_steps_sampled_lifetime"]

        config = algorithm_config("vdn", str(WALK_IN)).env_runners(num_env_runners=0, num_envs_per_env_runner=2)
        config.training(updates=1).reporting(min_sample_timesteps_per_iteration=100)
        plan = Plan(Rules(every=300), (walk_in,), range(2), tmp_path / "others", {"algorithm": "vdn"})
        algorithm = guided(VDNAlgorithm, plan)(config=config)
        algorithm.train()
        checkpoint = str(algorithm.save(str(tmp_path / "another")).checkpoint.path)
        other = guided(VDNAlgorithm, plan)(config=config.copy(copy_frozen=False))
        other.restore(checkpoint)
        assert len(other.replay) == len(algorithm.replay) >= 90, "the buffer goes on too"
    finally:
        ray.shutdown()


class Broken(HealthParallelEnv):
    """Fails in the middle of an episode."""

    def step(self, actions):
        if self.game.now > 200:
            raise ZeroDivisionError("the ward has no beds")
        return super().step(actions)


@pytest.mark.slow
def test_a_seed_is_repeatable_and_an_error_in_the_environment_is_told(written, tmp_path):
    from orchestration.experiment.training import set_up, train_seed

    text = PPO[: PPO.index("curriculum:")] + PPO[PPO.index("evaluation:") :]
    experiment = load_experiment(written(text.replace("steps: 5000", "steps: 1").replace("rs: 0", "rs: 2")))
    setup = set_up(experiment, lots_of(experiment)[0], tmp_path)
    quiet = Console(file=io.StringIO())

    def trained(made, name):
        folder = tmp_path / name
        folder.mkdir()
        what = {"scenario": experiment.scenarios[0], "algorithm": "ppo"}
        with open_store(tmp_path / f"{name}.db") as store, store.job(**what) as job:
            told = train_seed(made, 4, folder, job, quiet)
        manifest = json.loads((folder / "checkpoint" / "checkpoint.json").read_text())
        return told["best_return"], {f: d for f, d in manifest["files"].items() if "module_state" in f}

    with local_ray(2, tmp_path):
        assert trained(setup, "one") == trained(setup, "two")
        broken = replace(setup, make_env=partial(Broken, experiment.scenarios[0]))
        with pytest.raises(TrainingError, match=r"ZeroDivisionError: the ward has no beds \(traceback: "):
            trained(broken, "three")


def test_an_iteration_without_environments_is_an_error():
    class Silent:
        def train(self):
            return {"training_iteration": 1}

    with pytest.raises(RuntimeError, match="no environment reported results in this iteration"):
        guided(Silent, None)().train()


@pytest.fixture
def no_ray(monkeypatch):
    def started(*_):
        raise AssertionError("Ray was started")

    monkeypatch.setattr("ray.init", started)


def refused(file, out, *options):
    told = invoke("train", file, "--out", out, *options, code=1).stderr
    assert not list(out.glob("2*")), "no run was begun"
    return told


@pytest.mark.slow  # RLlib is imported
def test_settings_that_cannot_be_are_told_before_ray_starts(written, tmp_path, no_ray):
    out = tmp_path / "runs"
    told = refused(written(VDN.replace("updates: 1", "update: 1")), out)
    assert "algorithm.settings: vdn has no setting 'update'; did you mean 'updates'?" in told
    told = refused(written(VDN.replace("updates: 1", "updates: 0")), out)
    assert "algorithm.settings: VDN: updates is at least 1, not 0" in told


def test_what_is_wrong_with_an_experiment_is_told_at_its_place(written, tmp_path, no_ray):
    out = tmp_path / "runs"
    assert "algorithm.name: 'vdm' is not allowed here" in refused(written(VDN.replace("name: vdn", "name: vdm")), out)
    assert "4:13: scenarios.0: there is no such file" in refused(
        written(VDN.replace("walk_in.yaml", "walk_on.yaml")), out
    )
    elsewhere = VDN.replace(
        "{replications: 3}", f"{{replications: 3, scenarios: [{WALK_IN.with_name('clinic.yaml')}]}}"
    )
    told = refused(written(elsewhere), out)
    assert "evaluation.final.scenarios.0: others decide in 'clinic' than in what is trained on" in told
    assert "steps: " in refused(written(VDN.replace("steps: 2000", "steps: 0")), out)
    told = refused(written(VDN), out, "--seeds", 2)
    assert "--seeds" in told and "is an experiment, which says so itself; change it there" in told
    assert "'vdm' is not allowed here" in refused(WALK_IN, out, "--algorithm", "vdm")
    assert "no store" in refused(written(VDN), out, "--store", "mysql://somewhere/x")


def test_the_hash_of_an_experiment_tells_its_jobs_apart(written):
    one = load_experiment(written(VDN)).hash
    assert one != load_experiment(written(VDN.replace("steps: 2000", "steps: 3000"))).hash
