"""The table of all validations: its verdicts, its figures, its exit code."""

import json
import math

import pytest

from experiments.validation import __main__ as command
from experiments.validation import estimates
from experiments.validation.table import MOST_ERRORS, Group, Row, judged, summary, verdict
from orchestration.workers import in_order

GOOD = judged("M/M/1", "mean wait (h)", 4.0, 4.02, 0.01, 36, precise=0.02)
BAD = judged("M/M/1", "p90 (h)", 4.0, 4.1, 0.01, 36, basis="published", note="500 replications")
VAGUE = judged("M/D/1", "mean wait (h)", 2.0, 2.0, 0.1, 36, precise=0.02)


def run(monkeypatch, capsys, *rows, arguments=()):
    told = []
    groups = (Group("Queueing theory", lambda jobs, tell: [tell(0.5), told.append(jobs), *rows][2:]),)
    monkeypatch.setattr(command, "GROUPS", groups)
    code = command.main(["--jobs", "1", *arguments])
    assert told == [1]
    return code, capsys.readouterr().out


def test_the_interval_is_students_and_z_is_in_standard_errors():
    assert (GOOD.low, GOOD.high) == pytest.approx((4.02 - 2.028094 * 0.01, 4.02 + 2.028094 * 0.01))
    assert GOOD.z == pytest.approx(2) and GOOD.half_width == pytest.approx(0.02028 / 4, rel=1e-3)
    published = judged("a", "b", 4.0, 4.05, 0.03, 36, basis="published", target_error=0.04)
    assert published.z == pytest.approx(1)


def test_what_is_not_the_same_is_not_said_to_agree():
    rows = [judged("a", "b", 4.0, 4.1, 1.0, 36), judged("a", "c", 4.0, 4.1, 1.0, 36, unlike="theirs counts others")]
    rows.append(judged("a", "d", 4.0, 9.0, 1.0, 36))
    assert [str(verdict(row)) for row in rows] == ["agrees", "not the same (theirs counts others)", "DIFFERS"]
    assert summary(rows) == "3 quantities: 1 agree, 1 not the same as theirs, for a known reason, 1 FAILED."


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_row_passes_up_to_3_66_standard_errors(sign):
    assert judged("a", "b", 4.0, 4.0 + sign * 0.999 * MOST_ERRORS, 1.0, 36).passes
    assert not judged("a", "b", 4.0, 4.0 + sign * 1.001 * MOST_ERRORS, 1.0, 36).passes


def test_without_any_spread_only_the_very_value_passes():
    assert judged("a", "b", 4.0, 4.0, 0.0, 36).passes
    assert not judged("a", "b", 4.0, 4.000001, 0.0, 36).passes


def test_what_cannot_be_computed_does_not_pass():
    assert not judged("a", "b", 4.0, math.nan, math.nan, 36).passes
    assert not judged("a", "b", 4.0, 4.0, math.nan, 36, precise=0.02).passes


def test_all_agree(monkeypatch, capsys):
    code, out = run(monkeypatch, capsys, GOOD)
    assert code == 0
    (line,) = [line for line in out.splitlines() if "mean wait" in line]
    for cell in ("M/M/1", "4.02", "4 ", "0.51", "+2.00", "agrees"):
        assert cell in line
    assert out.endswith("1 quantities: 1 agree.\n")


def test_one_that_differs_fails_the_command(monkeypatch, capsys):
    code, out = run(monkeypatch, capsys, GOOD, BAD, VAGUE)
    assert code == 1
    assert "DIFFERS (500 replications)" in out and "4 pub." in out and "TOO IMPRECISE" in out
    assert "3 quantities: 1 agree, 2 FAILED." in out


def test_the_rows_as_json(monkeypatch, capsys, tmp_path):
    odd = Row("a", "b", 0.0, "published", 1.0, math.nan, math.nan, math.nan, True)
    file = tmp_path / "rows.json"
    code, _ = run(monkeypatch, capsys, GOOD, odd, arguments=["--json", str(file)])
    told = json.loads(file.read_text())
    assert code == 0 and told["passes"] is True
    first, second = told["groups"][0]["rows"]
    assert (first["system"], first["ours"], first["precise"]) == ("M/M/1", 4.02, 0.02)
    assert second["z"] is None and second["half_width"] is None


def test_a_file_that_cannot_be_written_is_told_before_the_work(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(command, "GROUPS", (Group("never", lambda jobs, tell: pytest.fail("it ran")),))
    assert command.main(["--json", str(tmp_path / "none" / "rows.json")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_the_number_of_processes_changes_nothing():
    tasks = [("loss", seed) for seed in range(4)]
    assert list(in_order(estimates.replicate, tasks, 2)) == [estimates.replicate(task) for task in tasks]


def test_progress_is_told_to_the_end(monkeypatch):
    short = {"loss": estimates.SYSTEMS["loss"]}
    monkeypatch.setattr(estimates, "SYSTEMS", short)
    told = []
    rows = estimates.rows(1, told.append)
    assert len(rows) == 2 and told[-1] == 1 and told == sorted(told)
