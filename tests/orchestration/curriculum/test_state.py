"""The state of a curriculum in a file."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from orchestration.curriculum import state
from orchestration.curriculum.machine import Curriculum, CurriculumError, Evaluation, Stage

STAGES = [Stage("easy", "return", success=10, in_a_row=2), Stage("hard", "return", success=20)]


@pytest.fixture
def curriculum():
    started = Curriculum(STAGES)
    started.record(Evaluation(100, {"return": 11.123456789012345}))
    return started


def test_a_state_survives_a_restart(curriculum, tmp_path):
    state.save(curriculum, tmp_path / "curriculum.json")
    again = Curriculum(STAGES)
    state.restore(again, tmp_path / "curriculum.json")
    assert again.state_dict() == curriculum.state_dict()
    assert again.record(Evaluation(200, {"return": 10})).move == "promote"


def test_a_write_that_fails_leaves_the_state_before(curriculum, tmp_path, monkeypatch):
    file = tmp_path / "curriculum.json"
    state.save(curriculum, file)
    before = file.read_text()
    curriculum.record(Evaluation(200, {"return": 12}))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        state.save(curriculum, file)
    assert [path.name for path in tmp_path.iterdir()] == ["curriculum.json"] and file.read_text() == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"format": 1}'])
def test_what_is_no_state_is_told(curriculum, tmp_path, text):
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(CurriculumError, match=r"state\.json: .*no state of a curriculum"):
        state.restore(curriculum, tmp_path / "state.json")


def test_the_state_of_other_stages_is_refused(curriculum, tmp_path):
    state.save(curriculum, tmp_path / "state.json")
    with pytest.raises(CurriculumError, match=r"state\.json: this state belongs to other stages"):
        state.restore(Curriculum(STAGES[:1]), tmp_path / "state.json")


def test_decisions_need_no_library_of_learning_or_simulation():
    script = (
        "import sys, json, orchestration.curriculum.state;"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    loaded = {"ray", "torch", "gymnasium", "pettingzoo", "simpy", "marl_health", "pydantic", "numpy"} & set(
        json.loads(found)
    )
    assert not loaded
