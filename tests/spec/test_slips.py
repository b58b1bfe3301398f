"""Slips of newcomers: each one edit of a small valid scenario, answered at its place with how to mend it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from marl_health.spec.errors import Problem, ScenarioError
from marl_health.spec.scenario import load
from tests.spec.slips import HERE, SLIPS, SMALL, Slip


def folder(tmp_path: Path, text: str) -> Path:
    shutil.copy(HERE / "arrivals.csv", tmp_path)
    file = tmp_path / "slip.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(tmp_path: Path, text: str) -> list[Problem]:
    with pytest.raises(ScenarioError) as caught:
        load(folder(tmp_path, text))
    return caught.value.problems


def test_the_small_scenario_is_valid(tmp_path: Path) -> None:
    assert load(folder(tmp_path, SMALL)).name == "small_ed"


@pytest.mark.parametrize("case", SLIPS, ids=lambda case: case.name.replace(" ", "_"))
def test_slip(case: Slip, tmp_path: Path) -> None:
    text = case.text()
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if case.at in line]
    found = problems(tmp_path, text)
    fitting = [p for p in found if p.line in lines and all(words in p.message for words in case.says)]
    assert fitting, "\n".join(map(str, found))
    assert len(found) <= 2, "one slip, a page of complaints:\n" + "\n".join(map(str, found))


def test_all_slips_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = SMALL.replace("next: see_doctor", "next: see_docter").replace("column: weight", "column: wieght")
    text = (
        text.replace("if: needs_ward", "if: need_ward").replace("bay.free]", "bay.fre]").replace("to: seen", "to: sean")
    )
    found = problems(tmp_path, text.replace("{of: spent", "{of: spend"))
    assert [problem.path for problem in found] == [
        "entities.walk_in.arrive.rate.by_hour.table",
        "pathway.triage.next",
        "pathway.decide.next.when.0.if",
        "agents.doctor_lead.sees.4",
        "measures.to_doctor.to",
        "score.financial.0.of",
    ]


def test_several_slips_in_the_form_are_told_at_once(tmp_path: Path) -> None:
    text = SMALL.replace("for: 5 min", "for: 5 mim").replace("top: 4", "top: 400").replace("25%", "x")
    found = problems(
        tmp_path, text.replace("doctor: {shifts", "doctor: {shift").replace("worth: -1, per: 1 h", "worth: much")
    )
    assert {problem.path for problem in found} >= {
        "staff.doctor.shift",
        "slots.waiting_room.top",
        "score.clinical.0.worth",
    }


def test_an_alternative_that_is_not_there(tmp_path: Path) -> None:
    file = folder(tmp_path, SMALL + "choose:\n  share:\n    default: low\n    among: {low: 10%, high: 20%}\n")
    with pytest.raises(ScenarioError, match="no alternative of share named 'hihg'; did you mean 'high'"):
        load(file, {"share": "hihg"})
    with pytest.raises(ScenarioError, match="no choice named 'shere'; did you mean 'share'"):
        load(file, {"shere": "high"})


def test_an_unknown_scenario() -> None:
    with pytest.raises(ScenarioError, match=r"neither a scenario named 'hospital_troughput'.*'hospital_throughput'"):
        load("hospital_troughput")
