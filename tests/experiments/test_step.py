"""The benchmark of a step: all that a step takes, on the steps of real episodes, in a table."""

import json
import sys
from pathlib import Path

import pytest

import marl_health
from experiments.benchmarks import step, tasks
from marl_health import HealthParallelEnv
from marl_health.worlds.flow.game import FlowGame

CLINIC = Path(__file__).parent.parent / "envs" / "clinic.yaml"


def test_it_prints_what_a_step_costs_and_on_what(monkeypatch, capsys, tmp_path):
    figures = tmp_path / "step.json"
    options = [str(CLINIC), "--policy", "random", "--episodes", "2", "--repeats", "1", "--json", str(figures)]
    monkeypatch.setattr(sys, "argv", ["step", *options])
    step.main()
    table = capsys.readouterr().out
    found = json.loads(figures.read_text())
    steps = 2 * (marl_health.load(CLINIC).clock.steps - 1)  # the last of an episode is left out
    assert len(found["events"]) == steps and sum(found["events"]) > steps
    assert found["us"].keys() == {step.WHOLE, step.KERNEL, step.OWN, *step.PARTS}
    assert all(len(times) == steps for times in found["us"].values())
    assert all(name in table for name in found["us"]) and "us each" in table


def test_what_clocks_cost_is_taken_off(monkeypatch):
    """By a clock that goes on by 1 us at every look, 7 us in the kernel and 5 us while the env looks."""
    time = [0]

    def look():
        time[0] += 1000
        return time[0]

    def slower(function, microseconds):
        def slow(*args, **named):
            time[0] += 1000 * microseconds
            return function(*args, **named)

        return slow

    monkeypatch.setattr(step, "process_time_ns", look)
    monkeypatch.setattr(FlowGame, "advance", slower(FlowGame.advance, 7))
    monkeypatch.setattr(HealthParallelEnv, "_observations", slower(HealthParallelEnv._observations, 5))
    found = step.measure(CLINIC, "random", 1, 1)["us"]
    expected = dict.fromkeys(step.PARTS, 0) | {step.WHOLE: 12, step.KERNEL: 7, step.OWN: 5, "observations": 5}
    assert {name: set(times) for name, times in found.items()} == {name: {us} for name, us in expected.items()}


@pytest.mark.parametrize("seed", [0, 3])
def test_events_are_those_that_happen(seed):
    """Counted one by one, an episode has as many as its heap has given out, and ends alike."""
    env = marl_health.parallel_env(CLINIC)
    moves = step.moves_of(env, "random", seed)
    before = env.conservation(), env.kpis()
    events = step.events_of(env, seed, moves)
    env.step(moves[-1])
    assert (env.conservation(), env.kpis()) == before
    assert len(events) == len(moves) - 1


def test_the_table_of_the_tasks_has_a_line_for_each_and_their_median(capsys, tmp_path):
    figures = tmp_path / "tasks.json"
    names = ["or_utilization", "radiology_scheduling"]
    tasks.main([*names, "--episodes", "1", "--repeats", "1", "--json", str(figures)])
    told = capsys.readouterr().out
    found = json.loads(figures.read_text())
    assert [cost["task"] for cost in found] == names
    assert all(0 < cost["kernel"] < cost["step"] and cost["events"] > 0 for cost in found)
    assert all(f"\n{name} " in told for name in (*names, "median")) and "wanted are 10,000" in told


def test_costs_are_shared_by_events_and_steps():
    cost = tasks.Cost("clinic", step=50.0, kernel=20.0, events=2.0, reset=500.0, steps=10)
    assert (cost.event, cost.per_second, cost.played) == (25.0, 20_000.0, 10_000.0)
