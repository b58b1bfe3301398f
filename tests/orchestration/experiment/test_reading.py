"""Experiments in YAML: what is read, and what is said of slips."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

import marl_health
from marl_health import ScenarioError
from marl_health.spec.document import parse_document
from orchestration.experiment.model import FOR_A_TEAM, AlgorithmName
from orchestration.experiment.reading import is_experiment, load_experiment, packaged_experiments
from orchestration.experiment.schema import FILE, schema_text
from tests.orchestration.command_line import invoke

ROOT = Path(__file__).resolve().parents[3]
CLINIC = ROOT / "tests/orchestration/clinic.yaml"

GOOD = """\
schema: marl_health/experiment/v1
name: first
description: A first try.
scenarios: [clinic.yaml]
algorithm: {name: mappo, share: shape, init: wait, settings: {lr: 0.001}}
seeds: [3, 5]
budget: {steps: 20000, time: 2 min}
stop: {success: {of: wait_mean, at_most: 20 min, in_a_row: 3}, without_progress: 10}
curriculum:
  stages:
    - {name: calm, changes: {vary: {demand: {uniform: [0.4, 0.6]}}}, steps: {at_most: 5000}}
    - name: usual
evaluation:
  every: 1000
  policies: [wait, random]
  final: {replications: 20, scenarios: [{scenario: clinic.yaml, with: {pace: brisk}}]}
"""


@pytest.fixture
def experiment(tmp_path):
    """Reads an experiment from a text, beside the clinic."""
    (tmp_path / "clinic.yaml").write_text(CLINIC.read_text())

    def read(text):
        (tmp_path / "first.yaml").write_text(text)
        return load_experiment(tmp_path / "first.yaml")

    return read


def test_an_experiment_is_what_the_file_says(experiment):
    found = experiment(GOOD)
    assert (found.name, found.model.all_seeds) == ("first", [3, 5])
    assert [scenario.hash for scenario in found.scenarios] == [marl_health.load(CLINIC).hash]
    assert [scenario.chosen for scenario in found.judged] == [{"pace": "brisk"}]
    assert (found.model.budget.steps, found.model.budget.time) == (20000, 2.0)
    assert (found.success.metric, found.success.level, found.success.in_a_row) == ("wait_mean", 20.0, 3)
    assert [stage.name for stage in found.course.stages] == ["calm", "usual"]
    assert found.model.algorithm.settings == {"lr": 0.001}


def test_little_has_to_be_said(experiment):
    text = GOOD[: GOOD.index("stop:")].replace(", share: shape, init: wait, settings: {lr: 0.001}", "")
    found = experiment(text.replace("seeds: [3, 5]\n", ""))
    assert found.model.all_seeds == [0, 1, 2, 3, 4] and found.course is None and found.success is None
    assert found.model.evaluation.policies == ["wait", "random", "rule"]  # the clinic has no rule; it is left out


def test_the_hash_changes_with_what_is_said_and_with_the_scenarios(experiment, tmp_path):
    one, other = experiment(GOOD).hash, experiment(GOOD.replace("[3, 5]", "[3, 6]")).hash
    assert one != other
    assert experiment(GOOD + "# a remark\n").hash == one
    (tmp_path / "clinic.yaml").write_text(CLINIC.read_text().replace("per_hour: 11", "per_hour: 12"))
    assert load_experiment(tmp_path / "first.yaml").hash not in (one, other)


SLIPS = [
    ("experiment/v1", "experiment/v2", "1:1: schema: 'marl_health/experiment/v2' is not allowed here"),
    ("name: mappo", "name: mapo", "5:13: algorithm.name: 'mapo' is not allowed here; write"),
    (
        "name: mappo",
        "name: qmix",
        "5:13: algorithm.name: qmix needs one reward for the whole team, but 'clinic' pays manager",
    ),
    ("init: wait", "init: rul", "5:40: algorithm.init: there is no policy 'rul'"),
    ("init: wait", "init: rule", "5:40: algorithm.init: the scenario 'clinic' has no reference rule"),
    (
        "scenarios: [clinic.yaml]",
        "scenarios: [clinik]",
        "4:13: scenarios.0: there is neither a scenario named 'clinik'",
    ),
    ("scenarios: [clinic.yaml]", "scenarios: [clinic.yaml, clinic.yaml]", "several scenarios need a strategy"),
    (
        "scenarios: [clinic.yaml]",
        "strategy: coordinated\nscenarios: [clinic.yaml]",
        "a strategy is for several scenarios",
    ),
    (
        "scenarios: [clinic.yaml]",
        "strategy: together\nscenarios: [a, b]",
        "4:1: strategy: 'together' is not allowed here",
    ),
    ("scenarios: [clinic.yaml]", "scenarios: []", "4:1: scenarios: needs at least 1 entries"),
    ("{scenario: clinic.yaml, with: {pace: brisk}}", "{scenario: clinic.yaml, with: {pace: slow}}", "no alternative"),
    ("[3, 5]", "0", "6:1: seeds: needs 1 to 1000 seeds, not 0"),
    ("[3, 5]", "[3, 3]", "6:1: seeds: the seed 3 is named twice"),
    ("[3, 5]", "[-1]", "6:1: seeds: -1 is no seed"),
    ("{steps: 20000, time: 2 min}", "{}", "7:1: budget: needs steps or time, or training would never end"),
    ("time: 2 min", "time: 2", "7:24: budget.time: 2 has no unit"),
    ("of: wait_mean", "of: wait", "8:18: stop.success.of: 'clinic' has no KPI 'wait'; did you mean 'wait_mean'"),
    (
        "name: calm, changes",
        "name: calm, chnages",
        "11:20: curriculum.stages.0.chnages: unknown word 'chnages'; did you mean",
    ),
    ("policies: [wait, random]", "policies: [wait, wait]", "15:3: evaluation.policies: 'wait' is named twice"),
    (
        "policies: [wait, random]",
        "policies: [wait, rule]",
        "15:20: evaluation.policies.1: the scenario 'clinic' has no reference",
    ),
    ("final: {replications: 20", "final: {replications: 1000001", "should be at most 100000"),
    (
        "final: {replications: 20",
        "final: {first_seed: 2000005, replications: 20",
        "13:1: evaluation: the final evaluation has patients",
    ),
    (
        "final: {replications: 20",
        "final: {first_seed: 2147483640, replications: 20",
        "seeds of evaluations end at 2147483647",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), SLIPS, ids=[f"{n} {slip[1][:20]}" for n, slip in enumerate(SLIPS)])
def test_slips_are_told_with_their_place(experiment, old, new, told):
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        experiment(GOOD.replace(old, new))
    assert told in str(caught.value), str(caught.value)


def test_a_broken_scenario_is_told_in_its_own_file(experiment, tmp_path):
    experiment(GOOD)
    (tmp_path / "clinic.yaml").write_text(CLINIC.read_text().replace("decide_every", "decide_evry"))
    with pytest.raises(ScenarioError, match=r"clinic\.yaml:9:73: clock\.decide_evry: unknown word"):
        load_experiment(tmp_path / "first.yaml")


def test_what_is_held_out_is_only_judged(experiment, tmp_path):
    (tmp_path / "exam.yaml").write_text(CLINIC.read_text().replace("split: train", "split: held_out"))
    with pytest.raises(ScenarioError, match=r"scenarios\.0: 'clinic' is held out for evaluation"):
        experiment(GOOD.replace("scenarios: [clinic.yaml]", "scenarios: [exam.yaml]"))
    found = experiment(GOOD.replace("[{scenario: clinic.yaml, with: {pace: brisk}}]", "[exam.yaml]"))
    assert [scenario.split for scenario in found.judged] == ["held_out"]


def test_every_algorithm_has_its_folder():
    assert set(FOR_A_TEAM) < set(get_args(AlgorithmName))
    for name in get_args(AlgorithmName):
        assert (ROOT / "policies/rllib" / name / "__init__.py").is_file()


def test_experiments_are_validated_as_scenarios_are(experiment, tmp_path):
    experiment(GOOD)
    told = invoke("validate", tmp_path / "first.yaml", CLINIC).stdout
    assert "first.yaml: OK (experiment first, hash " in told and "clinic.yaml: OK (clinic version 3" in told
    (tmp_path / "first.yaml").write_text(GOOD.replace("seeds: [3, 5]", "seeds: 0"))
    assert "first.yaml:6:1: seeds: needs 1 to 1000" in invoke("validate", tmp_path / "first.yaml", code=1).stderr
    with pytest.raises(
        ScenarioError, match=r"there is neither an experiment named 'mapo_in_the_hospital' .* did you mean"
    ):
        load_experiment("mapo_in_the_hospital")
    assert not is_experiment(CLINIC) and not is_experiment("nothing") and not is_experiment(tmp_path)


def test_the_guide_s_example_is_good(experiment):
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "experiments/README.md").read_text(), flags=re.DOTALL)
    assert [stage.name for stage in experiment(text).course.stages] == ["quiet", "usual"]


def test_the_schema_that_editors_read_is_up_to_date():
    assert FILE.read_text() == schema_text(), "run python -m orchestration.experiment.schema"
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    for text in (GOOD, packaged_experiments()["mappo_in_the_hospital"].read_text()):
        said = parse_document(text, "experiment.yaml").data
        assert not list(validator.iter_errors(said))
        assert list(validator.iter_errors({**said, "seeds": "five"}))
        assert list(validator.iter_errors({**said, "budgte": 5}))


@pytest.mark.parametrize("name", list(packaged_experiments()))
def test_packaged_experiments_are_good(name):
    assert load_experiment(name).name == name
