"""Simulation and comparison: what is reported is what happened, whoever did the work."""

import json
import math
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

import policies
from marl_health import ScenarioError, load, parallel_env
from orchestration.episodes import Task, own_seed, run, tasks
from orchestration.evaluation.compare import compare
from orchestration.evaluation.statistics import mean_interval, paired_difference, variance_ratio
from orchestration.simulate import simulate
from orchestration.workers import WorkerError, in_order

CLINIC = Path(__file__).with_name("clinic.yaml")

QUEUE = """
schema: marl_health/v1
name: queue
version: 1
description: A line that nobody manages.
tags: [test]
split: train
clock: {episode: 10 h, decide_every: 5 h}
staff: {server: {count: 1}}
entities:
  customer: {arrive: {rate: {per_hour: 5}}, begins: service}
pathway:
  service: {use: server, for: {exponential: {mean: 10 min}}, mark: served, next: out}
  out: {leave: done}
measures: {wait: {from: arrival, to: served}}
score: {efficiency: [{of: done.count, worth: 2}]}
kpis: {served: {of: done.count}, wait: {of: wait.mean}}
agents: {}
"""


@pytest.fixture(scope="module")
def clinic():
    return load(CLINIC)


@pytest.fixture
def queue(tmp_path):
    (tmp_path / "queue.yaml").write_text(QUEUE)
    return load(tmp_path / "queue.yaml")


def by_hand(seed):
    """One episode of the random policy, stepped without any of the code under test but the policy."""
    env = parallel_env(CLINIC)
    policy = policies.make("random")
    observations, infos = env.reset(seed=seed)
    policy.reset(env, own_seed("random", seed))
    rewards = np.zeros(2)
    clinical = 0.0
    while env.agents:
        observations, gained, _, _, infos = env.step(policy.act(env, observations, infos))
        rewards += list(gained.values())
        clinical += np.mean([info["reward_clinical"] for info in infos.values()])
    return rewards, clinical, env.kpis(), env.conservation()


def test_a_replication_reports_what_happened(clinic):
    rewards, clinical, kpis, conservation = by_hand(7)
    assert rewards[0] != rewards[1], "the fixture pays one role apart, so that the mean over agents is tested"
    (result,) = simulate(clinic, "random", 1, 7).replications
    assert result.gained == pytest.approx(rewards.mean(), abs=1e-9)
    assert result.terms["clinical"] == pytest.approx(clinical, abs=1e-9)
    assert sum(result.terms.values()) == pytest.approx(result.gained, abs=1e-9)
    assert result.kpis == pytest.approx(kpis, nan_ok=True)
    assert result.conservation == conservation


def test_the_json_has_the_shape_that_was_promised(clinic):
    found = simulate(clinic, "random", 4, 10).to_json()
    assert list(found) == [
        *("scenario", "version", "hash", "policy", "seeds"),
        *("return", "reward_terms", "kpis", "conservation"),
    ]
    assert (found["scenario"], found["version"], found["hash"]) == ("clinic", 3, clinic.hash)
    assert (found["policy"], found["seeds"]) == ("random", [10, 11, 12, 13])
    assert found["return"].keys() == {"mean", "low", "high"}
    assert found["reward_terms"].keys() == {"clinical", "efficiency", "financial", "risk", "compliance"}
    assert found["kpis"].keys() == {"wait_mean", "in_time", "time_to_death", "spent"}
    assert all(kpi.keys() == {"mean", "low", "high", "n", "unit"} for kpi in found["kpis"].values())
    assert [found["kpis"][name]["unit"] for name in ("wait_mean", "in_time", "spent")] == ["min", "", "usd"]
    conserved = found["conservation"]
    assert conserved.pop("arrived") == sum(conserved.values()) > 0
    assert conserved.keys() == {"discharged", "died", "left", "inside"}


def test_the_summary_is_that_of_the_replications(clinic):
    simulation = simulate(clinic, "wait", 12, 0)
    summary = simulation.summary()
    returns = [replication.gained for replication in simulation.replications]
    assert summary["return"]["mean"] == pytest.approx(np.mean(returns))
    assert sum(summary["reward_terms"].values()) == pytest.approx(summary["return"]["mean"])
    deaths = [replication.kpis["time_to_death"] for replication in simulation.replications]
    recorded = [value for value in deaths if not math.isnan(value)]
    assert 0 < len(recorded) < 12, "the fixture's KPI is recorded in some replications only"
    assert summary["kpis"]["time_to_death"]["n"] == len(recorded)
    assert summary["kpis"]["time_to_death"]["mean"] == pytest.approx(np.mean(recorded))
    assert summary["conservation"]["arrived"] == sum(r.conservation["arrived"] for r in simulation.replications)


def test_results_do_not_depend_on_the_number_of_processes(clinic):
    one, two = (compare(clinic, ["wait", "random"], 5, 3, jobs=jobs, occupancy=True) for jobs in (1, 2))
    assert json.dumps(one.to_json()) == json.dumps(two.to_json())
    assert one.occupancy() == two.occupancy()


def test_event_logs_come_in_order_from_several_processes(clinic):
    logs = {}
    for jobs in (1, 2):
        logs[jobs] = []
        simulate(clinic, "random", 5, 0, jobs=jobs, events=lambda *row, jobs=jobs: logs[jobs].append(row))
    assert logs[1] == logs[2]
    assert [number for number, *_ in logs[1]] == [0, 1, 2, 3, 4]
    assert all(events and people for _, events, people in logs[1])


def test_a_replication_depends_on_its_seed_alone(clinic):
    in_a_row = simulate(clinic, "random", 4, 0).replications[3]
    alone = simulate(clinic, "random", 1, 3).replications[0]
    assert in_a_row == alone or repr(in_a_row) == repr(alone)  # nan is not equal to itself


def test_the_name_of_a_policy_may_be_longer_than_that_of_a_file(clinic):
    name = "clock:" + json.dumps({f"{hour:02d}:00": {"manager": "call in 1 doctor"} for hour in range(24)})
    assert len(name) > 255
    assert simulate(clinic, name, 1, 0).estimate("spent").mean == 500


def test_the_policy_has_randomness_of_its_own():
    assert len({own_seed(name, seed) for name in ("random", "other") for seed in range(50)}) == 100
    assert own_seed("random", 0) == own_seed("random", 0) < 2**64


def test_a_scenario_without_agents_is_simulated_too(queue):
    simulation = simulate(queue, "wait", 3, 0)
    assert simulation.policy == "wait"
    for replication in simulation.replications:
        assert replication.gained == 2 * replication.kpis["served"] == replication.terms["efficiency"] > 0
    with pytest.raises(policies.PolicyError, match="nobody decides"):
        compare(queue, ["wait"], 1, 0)


def test_a_scenario_that_changed_meanwhile_is_told(clinic, tmp_path):
    file = tmp_path / "clinic.yaml"
    shutil.copy(CLINIC, file)
    (task,) = tasks(load(file), ["wait"], [0])
    file.write_text(CLINIC.read_text().replace("count: 3", "count: 4"))
    with pytest.raises(ScenarioError, match="changed while"):
        run(task)


@pytest.mark.parametrize(("replications", "seed"), [(0, 0), (-1, 0), (1, -1)])
def test_impossible_numbers_are_refused(clinic, replications, seed):
    with pytest.raises(ValueError, match=r"replication|seed"):
        simulate(clinic, "wait", replications, seed)


# ------------------------------------------------------------ comparison
def test_differences_are_other_minus_first_pair_by_pair(clinic):
    comparison = compare(clinic, ["wait", "random"], 8, 20)
    alone = {name: simulate(clinic, name, 8, 20) for name in ("wait", "random")}
    found = comparison.to_json()
    assert list(found) == ["scenario", "version", "hash", "seeds", "policies", "paired"]
    assert found["seeds"] == list(range(20, 28))
    for name, simulation in alone.items():
        assert json.dumps(found["policies"][name]) == json.dumps(simulation.summary())
    assert list(found["paired"]) == ["random"]
    assert list(found["paired"]["random"]) == ["return", "wait_mean", "in_time", "time_to_death", "spent"]
    for metric, difference in found["paired"]["random"].items():
        expected = paired_difference(alone["random"].values(metric), alone["wait"].values(metric))
        ratio = variance_ratio(alone["random"].values(metric), alone["wait"].values(metric))
        assert list(difference) == ["difference", "low", "high", "variance_ratio"]
        assert repr(list(difference.values())) == repr([expected.mean, expected.low, expected.high, ratio])
    spent = mean_interval(alone["random"].values("spent"))
    assert found["paired"]["random"]["spent"]["difference"] == spent.mean > 0


def test_policies_may_be_called_otherwise(clinic):
    comparison = compare(clinic, {"nobody": "wait", "chance": "random"}, 2, 0)
    assert list(comparison.simulations) == ["nobody", "chance"]
    assert comparison.reference == "nobody"
    # What it is called must not change what it does.
    plain = compare(clinic, ["wait", "random"], 2, 0)
    assert comparison.simulations["chance"].values("return") == plain.simulations["random"].values("return")


@pytest.mark.parametrize("names", [[], ["wait", "wait"], ["wait", "ruel"]])
def test_bad_lists_of_policies_are_told(clinic, names):
    with pytest.raises(policies.PolicyError):
        compare(clinic, names, 1, 0)


def test_occupancy_is_the_share_of_each_place_at_each_decision(clinic):
    bands = compare(clinic, ["wait"], 6, 0, occupancy=True).occupancy()["wait"]
    assert bands.keys() == {"room"}  # places, not staff
    room = bands["room"]
    assert room["hours"] == [0, 1, 2, 3, 4, 5]
    assert all(0 <= low <= high <= 1 for low, high in zip(room["low"], room["high"], strict=True))
    assert max(room["mean"]) > 0.5
    assert compare(clinic, ["wait"], 1, 0).occupancy() == {}


# ------------------------------------------------------------ processes
def die(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def square(number):
    if number == 5:
        raise policies.PolicyError("five cannot be squared")
    return number * number


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_tasks(jobs):
    assert list(in_order(abs, range(-20, 0), jobs)) == list(range(20, 0, -1))


def test_tasks_are_read_as_they_are_needed():
    read = []
    results = in_order(abs, (read.append(n) or n for n in range(100)), 2)
    next(results)
    assert len(read) < 20
    results.close()


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_task_raises_is_raised(jobs):
    with pytest.raises(policies.PolicyError, match="five"):
        list(in_order(square, range(10), jobs))


def test_a_killed_process_is_told_and_does_not_hang():
    with pytest.raises(WorkerError, match="killed"):
        list(in_order(die, range(10), 2))


def test_a_task_names_what_to_run_and_nothing_else(clinic):
    task = next(tasks(clinic, ["wait", "random"], [4, 5]))
    assert task == Task(task.scenario, "wait", 4)
    assert [(t.policy, t.seed) for t in tasks(clinic, ["a", "b"], [4, 5])] == [("a", 4), ("b", 4), ("a", 5), ("b", 5)]
