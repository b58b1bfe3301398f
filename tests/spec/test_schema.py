"""The schema and the tables of words: current, complete, and in agreement with what the library accepts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import marl_health
from marl_health.spec.document import load_document
from marl_health.spec.scenario import KINDS, packaged_scenarios
from marl_health.spec.schema import END, FOLDER, MANUAL, manual_text, reference_of, schema_of, schema_text, write
from marl_health.worlds.flow.sights import PoolNow

HERE = Path(__file__).parent
SMALL = [HERE / "small_ed.yaml", HERE.parent / "worlds" / "small_hospital.yaml"]
REMEDY = "run python -m marl_health.spec.schema"


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = schema_of("flow")
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_current(kind: str) -> None:
    assert (FOLDER / f"{kind}.json").read_text(encoding="utf-8") == schema_text(kind), REMEDY


def test_the_tables_of_words_are_current() -> None:
    manual = MANUAL.read_text(encoding="utf-8")
    assert manual == manual_text(manual), REMEDY


@pytest.mark.parametrize("file", [*SMALL, *packaged_scenarios().values()], ids=lambda file: file.stem)
def test_scenarios_fit_the_schema(file: Path, validator: Any) -> None:
    faults = [f"{list(fault.path)}: {fault.message}" for fault in validator.iter_errors(load_document(file).data)]
    assert not faults


@pytest.mark.parametrize("file", packaged_scenarios().values(), ids=lambda file: file.stem)
def test_packaged_scenarios_name_the_schema(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found, "the first line names the schema, for editors"
    assert (file.parent / found[1]).resolve() == (FOLDER / "flow.json").resolve()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("staf",), {}),
        (("clock", "episode"), 5),
        (("staff", "doctor", "count"), "many"),
        (("pathway", "triage", "lenght"), "3 min"),
        (("pathway", "triage", "use"), 3),
        (("pathway", "triage", "for"), {"exponental": {"mean": "3 min"}}),
        (("entities", "walk_in", "has", "acuity"), {"choice": []}),
        (("entities", "go-away"), {"begins": "triage"}),
        (("agents", "doctor_lead", "can"), [{"set": "doctor", "levels": [0, 1]}]),
    ],
)
def test_the_schema_marks_slips(path: tuple[str, ...], value: Any, validator: Any) -> None:
    data = load_document(SMALL[0]).data
    part = data
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert list(validator.iter_errors(data))


def test_a_scenario_that_extends_another_may_leave_out_the_rest(validator: Any) -> None:
    assert not list(validator.iter_errors({"extends": "hospital_throughput", "clock": {"decide_every": "1 h"}}))
    assert list(validator.iter_errors({"name": "alone"}))


def test_every_word_is_explained() -> None:
    parts = schema_of("flow")["$defs"]
    silent = [
        f"{name}.{word}"
        for name, part in parts.items()
        for word, node in part.get("properties", {}).items()
        if not node.get("description")
    ]
    assert not silent
    assert not [name for name, part in parts.items() if "properties" in part and not part.get("description")]


def test_every_part_has_one_table_and_every_link_a_target() -> None:
    reference = reference_of("flow")
    headings = re.findall(r"^### (.+)$", reference, re.MULTILINE)
    assert len(headings) == len(set(headings)) == len(schema_of("flow")["$defs"])
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([a-z-]+)\)", reference)) <= anchors


def test_the_manual_names_all_that_can_be_read_and_seen() -> None:
    manual = MANUAL.read_text(encoding="utf-8").partition("## The words")[0]
    words = ["count", "mean", "median", "p90", "p95", "share_within", "hours", "hours_over", "arrived", "occupancy"]
    words += [
        "busy_hours",
        "overtime_hours",
        "booked",
        "mean_wait",
        "mean_length",
        "served",
        "oldest",
        "now",
        "arriving",
    ]
    assert not [word for word in [*words, *PoolNow.WORDS] if f".{word}`" not in manual]


def test_the_manual_starts_with_a_scenario_that_runs(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.+?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    file = tmp_path / "my_clinic.yaml"
    file.write_text(found[1], encoding="utf-8")
    env = marl_health.parallel_env(file)
    env.reset(seed=1)
    while env.agents:
        env.step(dict.fromkeys(env.agents, 0))
    assert env.kpis()["mean_wait"] > 0


def test_the_command_writes_both(tmp_path: Path) -> None:
    """Through a copy of the manual whose tables are missing."""
    manual = tmp_path / "README.md"
    shutil.copy(MANUAL, manual)
    manual.write_text(re.sub(r"### .*", "", manual.read_text(encoding="utf-8"), flags=re.DOTALL) + END, "utf-8")
    write(tmp_path / "schema", manual)
    assert json.loads((tmp_path / "schema" / "flow.json").read_text(encoding="utf-8")) == schema_of("flow")
    assert "### Move to" in manual.read_text(encoding="utf-8")
    printed = subprocess.run(
        [sys.executable, "-m", "marl_health.spec.schema", "--reference"], capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == reference_of("flow").strip()
