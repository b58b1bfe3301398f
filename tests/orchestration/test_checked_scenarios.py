"""The committed results of the catalogue check are those of the scenarios as they are now.

The whole check of a scenario takes minutes. Here a sample of every comparison is played again, and one comparison,
another each day, as far as its first look. All must come out as committed, so no day is luckier than another.
"""

import json
from datetime import date

import pytest

from marl_health import load
from marl_health.spec.scenario import packaged_scenarios
from orchestration.check.effects import effects
from orchestration.check.replay import replay
from orchestration.check.sequential import JUDGED
from orchestration.check.trials import Trials
from policies.clock import result_file, spelled

DECIDED = [name for name in packaged_scenarios() if load(name).roles and "reference" not in load(name).tags]
"""Packaged scenarios that are tasks: somebody decides, and they are not there to reproduce a published model."""

UNCHECKED = [name for name in DECIDED if "unchecked" in load(name).tags]
"""Those that say of themselves that they have not passed the check yet."""

TASKS = [name for name in DECIDED if name not in UNCHECKED]


@pytest.fixture(params=TASKS, scope="module")
def checked(request):
    """A scenario, its committed result, and where to play."""
    scenario = load(request.param)
    file = result_file(scenario)
    assert file.is_file(), f"run 'marl-health check {scenario.name}' and commit {file}"
    return scenario, json.loads(file.read_text()), Trials(scenario, 1)


def compared(result):
    return [finding for finding in result["findings"] if "policies" in finding]


def played_again(trials, finding, pairs):
    seeds = range(JUDGED, JUDGED + pairs)
    both = zip(finding["policies"], finding["ample"], strict=True)
    (good,), (bad,) = (trials.returns([policy], seeds, ample=ample) for policy, ample in both)
    return [a - b for a, b in zip(good, bad, strict=True)]


def test_the_result_is_that_of_the_scenario_as_it_is(checked):
    scenario, result, _ = checked
    assert result["hash"] == scenario.hash, f"run 'marl-health check {scenario.name}' again and commit what it finds"
    assert result["version"] == scenario.version


def test_every_point_was_checked_and_passes(checked):
    _, result, _ = checked
    assert {finding["point"] for finding in result["findings"]} == {1, 2, 3, 4, 5, 6}
    assert [finding["what"] for finding in result["findings"] if not finding["passed"]] == []
    assert result["passed"]
    for finding in compared(result):
        assert finding["passed"] == (finding["low"] > 0)


@pytest.mark.parametrize("name", UNCHECKED)
def test_what_has_passed_does_not_call_itself_unchecked(name):
    file = result_file(load(name))
    assert not file.is_file() or not json.loads(file.read_text())["passed"], f"take 'unchecked' off the tags of {name}"


@pytest.mark.slow
def test_a_sample_of_every_comparison_comes_out_as_committed(checked):
    _, result, trials = checked
    for finding in compared(result):
        expected = finding["first_differences"]
        assert played_again(trials, finding, len(expected)) == pytest.approx(expected, rel=1e-9), finding["what"]


@pytest.mark.slow
def test_the_first_look_of_one_comparison_comes_out_as_committed(checked):
    _, result, trials = checked
    findings = compared(result)
    finding = findings[date.today().toordinal() % len(findings)]
    expected = finding["first_look"]
    differences = played_again(trials, finding, expected["pairs"])
    assert sum(differences) / len(differences) == pytest.approx(expected["difference"], rel=1e-9), finding["what"]


@pytest.mark.slow
def test_the_clock_is_not_below_the_best_constant_on_the_training_seeds(checked):
    _, result, trials = checked
    clock, search = result["clock"], result["search"]
    seeds = range(search["first_seed"], search["first_seed"] + search["rungs"][-1])
    returns = trials.returns([spelled(clock["blocks"]), clock["best_constant"]], seeds)
    found, constant = (sum(values) / len(values) for values in returns)
    assert found == pytest.approx(clock["training_return"], rel=1e-9)
    assert constant == pytest.approx(clock["training_return_of_best_constant"], rel=1e-9)
    assert found >= constant


@pytest.mark.slow
def test_actions_observations_and_the_replay_come_out_as_committed(checked):
    scenario, result, _ = checked
    again = [finding.to_json() for finding in (*effects(scenario), replay(scenario))]
    assert again == [finding for finding in result["findings"] if finding["point"] in (1, 6)]
