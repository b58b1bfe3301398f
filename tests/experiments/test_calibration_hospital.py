"""The hospital is calibrated: published figures come out, fitted and held out, as the committed table says."""

import json
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


def test_what_was_fitted_stands_in_the_scenario(goals):
    values = json.loads(FIT.read_text())["values"]
    assert set(values) == {path for parameter in goals[0].free.values() for path in parameter.sets}
    for path, value in values.items():
        assert value_at(NAME, path) == value, path


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
