"""The hospital is calibrated: published figures come out, fitted and held out, as the committed table says."""

import json
import math
from pathlib import Path

import pytest

from experiments.calibration.changed import value_at
from experiments.calibration.goals import HERE, read
from experiments.calibration.runs import Runs
from experiments.calibration.table import markdown, rows
from marl_health import load

NAME = "hospital_throughput"
TABLE = Path(HERE) / f"{NAME}.md"
FIT = Path(HERE) / f"{NAME}.fit.json"


@pytest.fixture(scope="module")
def goals():
    return read(NAME)


def test_the_table_is_that_of_the_scenario_as_it_is():
    assert load(NAME).hash in TABLE.read_text(), f"run 'python -m experiments.calibration table {NAME}' and commit it"


def test_what_stands_in_the_scenario_lies_within_the_errors_of_the_fit(goals):
    found = json.loads(FIT.read_text())
    free = goals[0].free
    assert set(found["values"]) == {path for parameter in free.values() for path in parameter.sets}
    assert (found["scenario"], found["version"], found["given"]) == (NAME, load(NAME).version, {})
    for name, parameter in free.items():
        assert {path: value_at(NAME, path) for path in parameter.sets} == parameter.values(1.0), name
        assert abs(math.log(found["factors"][name])) < math.log1p(found["errors"][name] / 100), name


def test_both_columns_look_at_every_part_of_the_hospital(goals):
    for column in ("fitted", "held_out"):
        measured = " ".join(goals[0].of(column))
        assert all(part in measured for part in ("ed_stay", "wait_for_provider", "boarding")), column
    assert len(goals[0].of("held_out")) >= 10


@pytest.mark.slow
def test_published_figures_come_out_on_the_seeds_named_before(goals):
    runs = Runs(*goals, 1)
    found = rows(runs, lambda: None)
    known = {name for name, target in goals[0].targets.items() if target.missed}
    outside = {row.name: row.figure for row in found if not row.inside}
    assert set(outside) == known, outside
    assert markdown(NAME, runs, found) == TABLE.read_text()
