"""Strategies as experiments and the command line say them: what is possible, and what is told of the rest."""

import pytest

from marl_health import ScenarioError
from orchestration.experiment.reading import load_experiment
from tests.orchestration.command_line import invoke
from tests.orchestration.strategies.worlds import FILES

GOOD = """\
schema: marl_health/experiment/v1
name: both
description: Both.
scenarios: [clinic.yaml, walk_in.yaml]
strategy: independent
algorithm: {name: mappo}
budget: {steps: 1000}
stop: {success: {of: return, at_least: -10, in_a_row: 2}}
"""


@pytest.fixture
def read(tmp_path):
    """Reads an experiment from a text, beside both scenarios."""
    for file in FILES.values():
        (tmp_path / file.name).write_text(file.read_text())

    def from_text(text):
        (tmp_path / "both.yaml").write_text(text)
        return load_experiment(tmp_path / "both.yaml")

    return from_text


@pytest.mark.parametrize("strategy", ["independent", "sequential", "hierarchical", "coordinated"])
def test_every_strategy_can_be_said(read, strategy):
    found = read(GOOD.replace("independent", strategy))
    assert list(found.workflows) == ["clinic", "walk_in"] and found.model.strategy == strategy


SLIPS = [
    ("strategy: independent", "strategy: hierachical", "5:1: strategy: 'hierachical' is not allowed here"),
    ("strategy: independent", "strategy: hierachical", "did you mean 'hierarchical'?"),
    ("strategy: independent\n", "", "several scenarios need a strategy"),
    ("independent\nalgorithm: {name: mappo}", "hierarchical\nalgorithm: {name: vdn}", "pays each workflow and their"),
    ("independent\nalgorithm: {name: mappo}", "sequential\nalgorithm: {name: vdn}", "'clinic' pays manager"),
    (
        "independent\nalgorithm: {name: mappo}",
        "coordinated\nalgorithm: {name: mappo, init: wait}",
        "init: no policy knows",
    ),
    (
        "independent\nalgorithm: {name: mappo}\nbudget: {steps: 1000}\nstop: {success: {of: return, at_least: -10",
        "coordinated\nalgorithm: {name: mappo}\nbudget: {steps: 1000}\nstop: {success: {of: wait_mean, at_most: 9 min",
        "stop.success.of: with a coordinated strategy, success is that of all workflows; write of: return",
    ),
    ("of: return, at_least: -10", "of: in_time, at_least: 0.9", "'walk_in' has no KPI 'in_time'"),
    ("stop:", "evaluation: {final: {scenarios: [walk_in.yaml]}}\nstop:", "judged in their own scenarios only"),
]


@pytest.mark.parametrize(("old", "new", "told"), SLIPS, ids=[f"{n} {slip[1][:24]}" for n, slip in enumerate(SLIPS)])
def test_what_cannot_be_is_told_at_its_place(read, old, new, told):
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        read(GOOD.replace(old, new))
    assert told in str(caught.value), str(caught.value)


def test_a_team_of_workflows_is_paid_as_one_even_if_a_scenario_pays_somebody_apart(read):
    assert read(GOOD.replace("independent", "coordinated").replace("mappo", "qmix")).model.algorithm.name == "qmix"


def test_scenarios_and_their_strategy_can_be_arguments(read, tmp_path):
    from orchestration.experiment.asking import asked_for

    options = {"algorithm": "mappo", "seeds": 2, "minutes": 1.0, "steps": 50, "replications": 3, "chosen": {}}
    made = asked_for(*map(str, FILES.values()), strategy="sequential", **options)
    assert (made.name, made.model.strategy) == ("mappo_on_clinic_walk_in", "sequential")
    read(GOOD)
    files = list(FILES.values())
    told = invoke("train", *files, "--strategy", "sequentail", "--out", tmp_path / "runs", code=1).stderr
    assert "strategy: 'sequentail' is not allowed here" in told and "did you mean 'sequential'?" in told
    assert "several scenarios need a strategy" in invoke("train", *files, "--out", tmp_path / "runs", code=1).stderr
    told = invoke("train", tmp_path / "both.yaml", files[0], "--out", tmp_path / "runs", code=1).stderr
    assert "both.yaml is an experiment, which says what it trains; name it alone" in told
    told = invoke(
        "train", tmp_path / "both.yaml", "--strategy", "coordinated", "--out", tmp_path / "runs", code=1
    ).stderr
    assert "--strategy" in told and "is an experiment, which says so itself; change it there" in told
    told = invoke("train", files[0], "--strategy", "coordinated", "--out", tmp_path / "runs", code=1).stderr
    assert "a strategy is for several scenarios" in told
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").glob("2*")), "nothing was begun"
