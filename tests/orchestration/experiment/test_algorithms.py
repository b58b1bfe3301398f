"""Every algorithm goes the whole way of an experiment, and those with a buffer go on with it."""

import csv
import json
import math

import numpy as np
import pytest
import ray

from marl_health import load
from marl_health.spec.document import parse_document
from orchestration.episodes import ScenarioRef
from orchestration.experiment.guide import Rules
from orchestration.experiment.guided import Plan, guided
from orchestration.experiment.reading import read_experiment
from orchestration.experiment.running import run_experiment
from orchestration.store import open_store
from policies import rules
from policies.registry import make
from policies.rllib.algorithms import ALGORITHMS, algorithm_config
from tests.orchestration.experiment.test_running import WALK_IN

pytestmark = pytest.mark.slow

ON_POLICY = {"train_batch_size_per_learner": 150, "minibatch_size": 75, "num_epochs": 1}
FROM_A_BUFFER = {"min_sample_timesteps_per_iteration": 150, "learning_starts": 100, "updates": 1}


@pytest.fixture(scope="module", autouse=True)
def local_ray():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(autouse=True)
def rule_of_the_walk_in(monkeypatch):
    monkeypatch.setattr(rules, "__path__", [*rules.__path__, str(WALK_IN.with_name("walk_in_rules"))])


def trained(name, out):
    """What a few hundred steps of an algorithm leave behind."""
    settings = {"num_env_runners": 0, "num_envs_per_env_runner": 2, "gamma_minutes": 30.0}
    settings |= ON_POLICY if name in ("ppo", "mappo") else FROM_A_BUFFER
    text = {
        "schema": "marl_health/experiment/v1",
        "name": f"few_steps_of_{name}",
        "description": "Not enough to learn anything.",
        "scenarios": [str(WALK_IN)],
        "algorithm": {"name": name, "settings": settings},
        "seeds": [1],
        "budget": {"steps": 300},
        "evaluation": {"every": 1000, "replications": 2, "policies": ["wait", "rule"], "final": {"replications": 2}},
    }
    experiment = read_experiment(parse_document(json.dumps(text), "test"))
    with open_store(out / "results.db") as store:
        (outcome,) = run_experiment(experiment, store, out)
        kpis = list(store.kpis(outcome.job, metric="return"))
        (job,) = store.jobs()
        episodes = list(store.episodes(outcome.job, purpose="training"))
    return outcome, job, kpis, episodes


@pytest.mark.parametrize("name", ALGORITHMS)
def test_goes_the_whole_way(name, tmp_path):
    outcome, job, kpis, episodes = trained(name, tmp_path)
    assert (job["status"], job["algorithm"]) == ("finished", name) and job["env_steps"] >= 300
    final = {(row["policy"], row["reference"]) for row in kpis if row["evaluation"] == "final"}
    assert final == {(name, ""), ("wait", ""), ("wait", name), ("rule", ""), ("rule", name)}
    assert {row["evaluation"] for row in kpis} == {"sampled", "training", "final"} and len(episodes) >= 4
    rows = list(csv.DictReader((outcome.folder / "progress.csv").open()))
    assert -1 <= float(rows[-1]["value_explained"]) <= 1
    assert math.isnan(float(rows[-1]["entropy"])) == (name in ("qmix", "vdn", "dqn")), "who has no actor has none"
    assert make(str(outcome.folder / "checkpoint")).name == name


@pytest.mark.parametrize("name", ["dqn", "sac", "maddpg", "qmix"])
def test_goes_on_with_the_buffer_it_had(name, tmp_path):
    """As a run does that was killed: a new algorithm goes on from the checkpoint."""
    config = algorithm_config(name, str(WALK_IN), seed=1).env_runners(num_env_runners=0, num_envs_per_env_runner=2)
    config.training(learning_starts=100, updates=1, gamma_minutes=30.0).reporting(
        min_sample_timesteps_per_iteration=150
    )
    plan = Plan(Rules(every=1000), (ScenarioRef.of(load(WALK_IN)),), range(2), tmp_path / "kept", {"algorithm": name})
    made = guided(config.algo_class, plan)
    algorithm = made(config=config)
    algorithm.train()
    other = made(config=config.copy(copy_frozen=False))
    other.restore(str(algorithm.save(str(tmp_path / "checkpoint")).checkpoint.path))
    assert len(other.replay) == len(algorithm.replay) > 100 and other.scale.value == algorithm.scale.value
    drawn, again = (each.replay.sample(50, steps=3, scale=1.0) for each in (algorithm, other))
    for module, part in drawn.policy_batches.items():
        for column, values in part.items():
            np.testing.assert_array_equal(values, again[module][column], err_msg=f"{module} {column}")
    assert other.train()["num_env_steps_sampled_lifetime"] > 300
