"""Event logs in files: CSV and Parquet, in vidigi's columns."""

import csv
import importlib.util
from collections import defaultdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import app

SMALL = str(Path(__file__).parent.parent / "worlds" / "small_hospital.yaml")


def simulate(*arguments, code=0):
    arguments = ["simulate", SMALL, "--replications", "2", "--jobs", "1", *map(str, arguments)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result


def test_csv_and_parquet_say_the_same(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    for name in ("log.csv", "log.parquet"):
        simulate("--events", tmp_path / name)
    table = parquet.read_table(tmp_path / "log.parquet").to_pylist()
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(table) > 5000
    for row, same in zip(rows, table, strict=True):
        assert row == {name: "" if value is None else str(value) for name, value in same.items()}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "log.parquet"]


def test_resources_are_numbered_and_entities_named(tmp_path):
    simulate("--events", tmp_path / "log.csv")
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["run"] == "0"]
    used = defaultdict(set)
    for row in rows:
        needs_unit = row["event_type"] in ("resource_use", "resource_use_end") or row["pathway"] == "resident"
        assert needs_unit or row["resource_id"] == ""
        assert row["entity"].startswith(row["pathway"]) or "/" in row["entity"]
        if row["event_type"] == "resource_use":
            used[row["resource"]].add(int(row["resource_id"]))
    assert used["ct"] == {1}
    assert used["bay"] == set(range(1, 10))  # as many as there are
    assert used["icu_bed"] == {1, 2, 3}
    begun = {(row["entity_id"], row["event"]): row for row in rows if row["event_type"] == "resource_use"}
    for row in rows:
        if row["event_type"] == "resource_use_end" and row["event"] == "scan":
            assert row["resource_id"] == begun[row["entity_id"], "scan"]["resource_id"]


def test_without_pyarrow_it_says_what_to_install(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "pyarrow" else find(name, *rest)
    )
    monkeypatch.setattr("orchestration.commands.runs.simulate_policy", lambda *_, **__: pytest.fail("too late"))
    said = simulate("--events", tmp_path / "log.parquet", code=1).stderr
    assert "needs pyarrow" in said and "marl-health[analysis]" in said
