"""A curriculum in YAML: what it makes of scenarios, and what it says of slips."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import marl_health
from marl_health import ScenarioError
from orchestration.curriculum.machine import Evaluation, Stage
from orchestration.curriculum.reading import load_course

CLINIC = Path(__file__).parents[1] / "clinic.yaml"

GOOD = """\
scenario: clinic.yaml
stages:
  - name: calm
    changes: {vary: {demand: {uniform: [0.4, 0.6]}}}
    success: {of: return, at_least: -2, in_a_row: 3}
    steps: {at_least: 600, at_most: 6000}
  - name: brisk
    with: {pace: brisk}
    success: {of: wait_mean, at_most: 0.5 h}
    back: {worse_than: 60 min}
  - name: usual
"""


@pytest.fixture
def course(tmp_path):
    """Reads a curriculum from a text, beside the clinic."""
    (tmp_path / "clinic.yaml").write_text(CLINIC.read_text())

    def read(text):
        (tmp_path / "course.yaml").write_text(text)
        return load_course(tmp_path / "course.yaml")

    return read


def test_stages_are_what_the_file_says(course):
    found = course(GOOD)
    assert found.stages == (
        Stage("calm", "return", True, -2.0, 3, at_least=600, at_most=6000),
        Stage("brisk", "wait_mean", False, 30.0, 2, 60.0, 2),
        Stage("usual"),
    )
    assert [scenario.chosen for scenario in found.scenarios] == [{}, {"pace": "brisk"}, {}]
    curriculum = found.begin()
    for steps in (300, 600, 900):
        decision = curriculum.record(Evaluation(steps, {"return": -1.0}))
    assert decision.stage == "brisk"


def test_changed_scenarios_are_written_so_that_others_can_load_them(course, tmp_path):
    found = course(GOOD)
    calm, brisk, usual = found.write(tmp_path / "stages")
    assert Path(calm.file) == tmp_path / "stages" / "calm" / "clinic.yaml"
    assert calm.hash == found.scenarios[0].hash != usual.hash == marl_health.load(CLINIC).hash
    assert calm.data["vary"] == {"demand": {"uniform": [0.4, 0.6]}}
    assert brisk.chosen == {"pace": "brisk"} and brisk.hash == marl_health.load(CLINIC, {"pace": "brisk"}).hash
    assert [one.hash for one in pickle.loads(pickle.dumps([calm, brisk]))] == [calm.hash, brisk.hash]
    arrived = {}
    for name, scenario in (("calm", calm), ("usual", usual)):
        env = marl_health.parallel_env(scenario)
        arrived[name] = 0
        for seed in range(5):
            env.reset(seed=seed)
            while env.agents:
                env.step(dict.fromkeys(env.agents, 0))
            arrived[name] += env.conservation()["arrived"]
    assert arrived["calm"] < 0.7 * arrived["usual"]


def test_tables_go_along(course, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pace.csv").write_text("acuity,minutes\n1,20\n2,12\n3,6\n")
    text = CLINIC.read_text().replace(
        "for: pace", "for: {times: [1 min, {by: acuity, table: data/pace.csv, column: minutes}]}"
    )
    (tmp_path / "tabled.yaml").write_text(text.replace("name: clinic", "name: tabled"))
    found = course(GOOD.replace("clinic.yaml", "tabled.yaml").replace("    with: {pace: brisk}\n", ""))
    calm, *_ = found.write(tmp_path / "elsewhere" / "stages")
    assert (tmp_path / "elsewhere/stages/calm/data/pace.csv").is_file()
    assert calm.hash == found.scenarios[0].hash


DEMAND = "{vary: {demand: {uniform: [0.4, 0.6]}}}"
SUCCESS = "    success: {of: return, at_least: -2, in_a_row: 3}\n    steps: {at_least: 600, at_most: 6000}\n"
LEVEL = "stages.0.success.at_least: return has no unit; write a plain number"
UNIT = "stages.1.success.at_most: wait_mean is in min; write a level with a unit, such as 30 min"

SLIPS = [
    (
        "of: return",
        "of: wait_maen",
        "5:15: stages.0.success.of: 'clinic' has no KPI 'wait_maen'; did you mean 'wait_mean'",
    ),
    ("at_least: -2", "at_most: -2", "5:27: stages.0.success.at_most: return is better higher; write at_least"),
    ("at_least: -2", "at_least: -2, at_most: 3", "5:5: stages.0.success: needs one of at_least"),
    ("at_least: -2", "at_least: 2 h", f"5:27: {LEVEL}"),
    ("0.5 h", "30", f"9:30: {UNIT}"),
    ("60 min", "30 min", "10:12: stages.1.back.worse_than: has to be worse than the level of success"),
    ("60 min", "2400 usd", "10:12: stages.1.back.worse_than: wait_mean is in min"),
    ("name: usual", "name: calm", "11:5: stages.2.name: there are two stages named 'calm'"),
    (SUCCESS, "", "3:5: stages.0.name: nobody would ever leave this stage"),
    ("at_most: 6000", "at_most: 500", "6:5: stages.0.steps: at_most 500 is less than at_least 600"),
    ("in_a_row: 3", "in_a_row: 0", "5:41: stages.0.success.in_a_row: should be at least 1, not 0"),
    ("steps:", "step:", "6:5: stages.0.step: unknown word 'step'; did you mean 'steps'?"),
    ("scenario: clinic.yaml\n", "", "2:5: stages.0.name: says no scenario, and neither does the curriculum"),
    ("clinic.yaml", "clinik", "1:1: scenario: there is neither a scenario named 'clinik' nor a file of that name"),
    ("uniform: [", "unifrom: [", "4:31: vary.demand.unifrom: unknown word 'unifrom'; did you mean 'uniform'?"),
    ("{vary: {demand", "{vari: {demand", "4:15: vari: unknown word 'vari'; did you mean 'vary'?"),
    (DEMAND, "{name: other}", "4:15: stages.0.changes.name: a stage cannot change the name"),
    ("pace: brisk", "pace: brsk", "8:12: stages.1.with.pace: 'pace' has no alternative 'brsk'; did you mean 'brisk'"),
    (
        "pace: brisk",
        "pece: brisk",
        "8:12: stages.1.with.pece: the scenario leaves no choice named 'pece'; did you mean",
    ),
    (
        DEMAND,
        "{agents: {manager: {sees: [hour]}}}",
        "7:5: stages.1.name: changes who decides, or what they see and can",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), SLIPS, ids=[slip[1][:30] for slip in SLIPS])
def test_slips_are_told_with_their_place(course, old, new, told):
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        course(GOOD.replace(old, new))
    assert told in str(caught.value), str(caught.value)
    assert "course.yaml:" in str(caught.value)


def test_the_first_stage_has_nothing_to_go_back_to(course):
    with pytest.raises(ScenarioError, match=r"6:5: stages\.0\.back: there is no stage before the first"):
        course(GOOD.replace("    steps: {at_least: 600, at_most: 6000}", "    back: {worse_than: -10}"))


def test_nothing_is_trained_on_what_is_held_out(course, tmp_path):
    (tmp_path / "exam.yaml").write_text(CLINIC.read_text().replace("split: train", "split: held_out"))
    with pytest.raises(ScenarioError, match=r"'clinic' is held out for evaluation"):
        course(GOOD.replace("clinic.yaml", "exam.yaml"))


def test_every_problem_is_told_at_once(course):
    with pytest.raises(ScenarioError) as caught:
        course(GOOD.replace("of: return", "of: x").replace("60 min", "30 min").replace("name: usual", "name: calm"))
    assert len(caught.value.problems) == 3
