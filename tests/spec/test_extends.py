"""A scenario that changes another: what merges, what replaces, and where complaints are placed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from marl_health.spec.errors import Problem, ScenarioError
from marl_health.spec.scenario import Scenario, load

HERE = Path(__file__).parent


def extended(tmp_path: Path, text: str, base: str = "small_ed.yaml") -> Scenario:
    for name in ("small_ed.yaml", "arrivals.csv"):
        shutil.copy(HERE / name, tmp_path)
    file = tmp_path / "changed.yaml"
    file.write_text(f"extends: {base}\nname: changed\n{text}", encoding="utf-8")
    return load(file)


def problems(tmp_path: Path, text: str, base: str = "small_ed.yaml") -> list[Problem]:
    with pytest.raises(ScenarioError) as caught:
        extended(tmp_path, text, base)
    return caught.value.problems


def test_only_what_is_said_changes(tmp_path: Path) -> None:
    changed = extended(tmp_path, "clock: {episode: 6 h}\nstaff: {doctor: {shifts: {23:00: 1}}}\nkpis: {unseen: null}\n")
    before = load(tmp_path / "small_ed.yaml")
    assert (changed.name, changed.clock.episode, changed.clock.decide_every) == ("changed", 360.0, 30.0)
    assert changed.spec.staff["doctor"].shifts == {1380.0: 1}, "hours replace the day, others stay"
    assert list(changed.spec.kpis) == ["mean_wait"]
    assert changed.hash != before.hash
    assert changed.spec.places == before.spec.places


def test_a_scenario_is_read_again_when_anything_it_was_read_from_changed(tmp_path: Path) -> None:
    first = extended(tmp_path, "")
    assert load(tmp_path / "changed.yaml") is first
    (tmp_path / "arrivals.csv").write_text((HERE / "arrivals.csv").read_text().replace("23,2", "23,20"), "utf-8")
    second = load(tmp_path / "changed.yaml")
    assert second.hash != first.hash
    base = tmp_path / "small_ed.yaml"
    base.write_text(base.read_text("utf-8").replace("per_day: 60", "per_day: 600"), "utf-8")
    third = load(tmp_path / "changed.yaml")
    assert third.hash not in (first.hash, second.hash)
    assert [file.name for file in third.read_from] == ["changed.yaml", "small_ed.yaml", "arrivals.csv"]


def test_another_form_of_a_number_replaces_the_old_one(tmp_path: Path) -> None:
    text = "pathway: {scan: {for: {constant: 9 min}}, recover: {stay: {lognormal: {sd: 3 h}}}}\n"
    spec = extended(tmp_path, text).spec
    assert spec.pathway["scan"].duration.constant.value == 9.0
    assert spec.pathway["recover"].stay.lognormal.sd.value == 180.0


def test_tables_of_the_base_are_found_from_another_folder(tmp_path: Path) -> None:
    extended(tmp_path, "")
    assert load("hospital_throughput").name == "hospital_throughput"
    assert extended(tmp_path, "clock: {episode: 1 day}\n", "hospital_throughput").clock.steps == 48


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("clock: {episod: 6 h}\n", 3, "unknown word 'episod'; did you mean 'episode'"),
        ("pathway: {triage: {for: 5}}\n", 3, "a duration with its unit"),
        ("kpis: {unsen: null}\n", 3, "has no 'unsen' here; did you mean 'unseen'"),
        ("entities: {planned: {arrive: {rate: {per_day: 3}}}}\n", 3, "exactly one of rate, timetable, burst"),
        ("pathway: {gone: null}\n", 72, "there is no step named 'gone'"),  # in the base, which names it
    ],
)
def test_complaints_name_the_file_where_it_is_written(tmp_path: Path, text: str, line: int, words: str) -> None:
    found = problems(tmp_path, text)
    (problem,) = [problem for problem in found if words in problem.message]
    assert problem.line == line
    assert Path(problem.file).name == ("changed.yaml" if line == 3 else "small_ed.yaml")


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("smal_ed.yaml", "there is no scenario 'smal_ed.yaml' to extend"),
        ("../small_ed.yaml", "there is no scenario '../small_ed.yaml' to extend"),
        ("/etc/passwd", "there is no scenario '/etc/passwd' to extend"),
        ("hospital_troughput", "did you mean 'hospital_throughput'"),
        ("changed.yaml", "only one level is allowed"),
        ("[a]", "the name or file of another scenario"),
        ("arrivals.csv", "a single value at the top"),
    ],
)
def test_bases_that_will_not_do(tmp_path: Path, base: str, words: str) -> None:
    assert any(words in problem.message for problem in problems(tmp_path, "", base))
