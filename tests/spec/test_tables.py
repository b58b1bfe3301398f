"""Tables that are not what a scenario expects: a complaint at the place that names the table, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from marl_health.spec.errors import ScenarioError
from marl_health.spec.scenario import load

HERE = Path(__file__).parent
SMALL = (HERE / "small_ed.yaml").read_text(encoding="utf-8")
GOOD = (HERE / "arrivals.csv").read_bytes()
SCAN = "for: {lognormal: {mean: 15 min, sd: 5 min}}"
BY_ACUITY = "for: {times: [1 min, {by: acuity, table: minutes.csv, column: minutes}]}"


def message(tmp_path: Path, table: bytes) -> str:
    (tmp_path / "arrivals.csv").write_bytes(table)
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "small.yaml")
    (problem,) = caught.value.problems
    assert problem.path == "entities.walk_in.arrive.rate.by_hour.table"
    assert problem.line == 22
    return problem.message


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"", "needs a line of column names and at least one line of data"),
        (b"hour,weight\n", "at least one line of data"),
        (b"# only\n# remarks\n", "at least one line of data"),
        (b"hour,wait\n0,1\n", "has no column 'weight'"),
        (b"hour,weight\n0,1\n", "needs 24 weights, none negative, but arrivals.csv has 1 rows"),
        (GOOD.replace(b"0,2", b"0,-2", 1), "none negative"),
        (GOOD.replace(b"0,2", b"0,many", 1), "line 2 of arrivals.csv has 'many' in column 'weight'"),
        (GOOD.replace(b"0,2", b"0,nan", 1), "not a number"),
        (GOOD.replace(b"0,2", b"0,1e999", 1), "not a number"),
        (GOOD.replace(b"0,2", b"0", 1), "has '' in column 'weight'"),
        (GOOD.replace(b"0,2", b"0," + b"9" * 6000, 1), "not a number"),
        (b"hour,weight\n" + b"0,0\n" * 24, "none negative"),
        (b"\xff\xfe\x00h", "cannot be read as CSV"),
        (b'hour,weight\n0,"' + b"1" * 200_000, "cannot be read as CSV"),
        (b"hour,weight\n" + b"0,1\n" * 1_100_000, "larger than 4 MB"),
    ],
)
def test_tables_that_will_not_do(tmp_path: Path, table: bytes, words: str) -> None:
    assert words in message(tmp_path, table)


def test_remarks_blanks_and_a_byte_order_mark_are_no_fault(tmp_path: Path) -> None:
    rows = GOOD.replace(b",", b" , ")
    (tmp_path / "arrivals.csv").write_bytes(b"\xef\xbb\xbf" + rows.replace(b"\n", b"\r\n# a remark\r\n\r\n", 2))
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    assert load(tmp_path / "small.yaml").name == "small_ed"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("2,30\n3,20\n4,10\n", None),
        ("2,30\n3,20\n3,25\n4,10\n", "line 4 of minutes.csv is the second for '3'; keep one"),
        ("2,30\n3,20\n", "no case for acuity = 4"),
    ],
)
def test_a_table_by_the_value_of_an_attribute(tmp_path: Path, rows: str, words: str | None) -> None:
    (tmp_path / "arrivals.csv").write_bytes(GOOD)
    (tmp_path / "minutes.csv").write_text("acuity,minutes\n" + rows, encoding="utf-8")
    (tmp_path / "small.yaml").write_text(SMALL.replace(SCAN, BY_ACUITY), encoding="utf-8")
    if words is None:
        assert len(load(tmp_path / "small.yaml").program.tables) == 2
    else:
        with pytest.raises(ScenarioError, match=words):
            load(tmp_path / "small.yaml")


def test_a_link_does_not_lead_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_bytes(GOOD)
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "arrivals.csv").symlink_to(outside)
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(ScenarioError, match="leads out of the folder"):
        load(folder / "small.yaml")
