"""Every algorithm goes the whole way of an experiment, and what began as a rule is called so wherever it is told."""

import csv
import json
import math

import numpy as np
import pytest
import ray

from marl_health import parallel_env
from marl_health.spec.document import parse_document
from orchestration.experiment.reading import read_experiment
from orchestration.experiment.running import run_experiment
from orchestration.store import open_store
from policies import rules
from policies.registry import make
from policies.rllib.algorithms import ALGORITHMS
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


def trained(name, out, **said):
    """What a few hundred steps of an algorithm leave behind."""
    settings = {"num_env_runners": 0, "num_envs_per_env_runner": 2, "gamma_minutes": 30.0}
    settings |= ON_POLICY if name in ("ppo", "mappo") else FROM_A_BUFFER
    text = {
        "schema": "marl_health/experiment/v1",
        "name": f"few_steps_of_{name}",
        "description": "Not enough to learn anything.",
        "scenarios": [str(WALK_IN)],
        "algorithm": {"name": name, "settings": settings, **said},
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


def test_what_began_as_a_rule_is_called_so(tmp_path):
    outcome, job, kpis, episodes = trained("mappo", tmp_path, init="rule")
    called = "mappo from rule"
    assert job["algorithm"] == outcome.label == called
    assert {row["policy"] for row in kpis if not row["reference"]} == {called, "wait", "rule"}
    assert {row["policy"] for row in episodes} == {called}
    assert make(str(outcome.folder / "checkpoint")).name == called
    assert called in (outcome.folder / "comparison.json").read_text()
    assert called in (outcome.folder / "report.html").read_text()
    env, policy, rule = parallel_env(str(WALK_IN)), make(str(outcome.folder / "checkpoint")), make("rule")
    observations, infos = env.reset(seed=7)
    policy.reset(env, 7)
    rule.reset(env, 7)
    same = []
    while env.agents:
        chosen, ruled = (each.act(env, observations, infos) for each in (policy, rule))
        same += [chosen[a] == ruled[a] for a in env.agents if infos[a]["action_mask"].sum() > 1]
        observations, _, _, _, infos = env.step(ruled)
    assert np.mean(same) > 0.7, "it does what the rule does, mostly"
