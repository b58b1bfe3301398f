"""The catalogue's table: what was played is kept, shares are those of the arithmetic, and the command goes on."""

import json
from pathlib import Path

import pytest

import policies
from experiments.catalogue import __main__ as command
from experiments.catalogue import cells, page
from experiments.catalogue.cells import AT_ONCE, Cell, Played, play
from experiments.catalogue.columns import OPTIMA, Column, columns, one_agent_tasks
from experiments.catalogue.learning import Learned, experiment
from experiments.catalogue.table import beaten, details, row, summary
from marl_health import load
from orchestration.workers import Workers
from policies import PolicyError

SCENARIO = "radiology_scheduling"
SMALL = ["--replications", "16", "--lookahead", "2", "--jobs", "1"]


def nothing():
    pass


def played(*returns):
    return Played(list(returns), [{"wait": None if value < 0 else value} for value in returns])


def test_every_task_has_a_panel_of_policies_that_are_known():
    tasks = one_agent_tasks()
    assert len(tasks) >= 13 and OPTIMA.keys() <= set(tasks)
    for name in tasks:
        panel = columns(load(name), 5)
        labels = [column.label for column in panel]
        optimum = ["optimum"] if name in OPTIMA else []
        assert labels == ["random", "wait", "best constant", "clock", "rule", *optimum, "look-ahead"]
        for column in panel:
            policies.check(column.policy)


def test_a_scenario_that_was_not_checked_as_it_is_has_none(tmp_path):
    file = tmp_path / f"{SCENARIO}.yaml"
    text = Path(load(SCENARIO).file).read_text()
    file.write_text(text.replace("version: 1", "version: 2"))
    with pytest.raises(PolicyError, match=f"in '{SCENARIO}' as it is now; run 'marl-health check'"):
        columns(load(file), 5)


def test_shares_and_differences_are_those_of_the_arithmetic():
    of = {
        "random": played(0.0, 2.0, 1.0),
        "rule": played(10.0, 12.0, 11.0),
        "clever": played(15.0, 17.0, 16.0),
        "short": played(5.0, 7.0),
    }
    found = {label: row(Column(label, label), of) for label in of}
    assert (found["clever"].share.value, found["short"].share.value) == pytest.approx((1.5, 0.5))
    assert (found["random"].share.value, found["rule"].share.value) == (0, 1)
    assert found["clever"].minus_rule.mean == found["clever"].minus_rule.low == pytest.approx(5)
    assert found["short"].minus_rule.mean == pytest.approx(-5) and found["short"].gained.n == 2
    assert found["rule"].minus_rule is None
    tables = {"clinic": (None, list(found.values()))}
    assert summary(tables)[1] == ["clinic", "150 +", "50 -"]
    assert beaten(tables, "clever") == ["clinic"] and beaten(tables, "short") == []
    assert details(list(found.values()), {"wait": "min"})[0][-1] == "wait (min)"


def test_no_share_where_random_is_as_good_as_the_rule():
    of = {"random": played(10.0, 1.0, 5.0), "rule": played(9.0, 2.0, 5.5), "clever": played(15.0, 17.0, 16.0)}
    assert row(Column("clever", "clever"), of).share is None


def test_what_was_played_is_not_played_again(tmp_path, monkeypatch):
    scenario, done = load(SCENARIO), []
    original = cells.run

    def counted(task):
        if task.seed == 1000 + 2 * AT_ONCE - 1 and len(done) < 2 * AT_ONCE:
            done.append(task.seed)
            raise KeyboardInterrupt
        done.append(task.seed)
        return original(task)

    monkeypatch.setattr(cells, "run", counted)
    cell = Cell(scenario, "wait", "wait", range(1000, 1000 + 2 * AT_ONCE))
    with Workers(1) as workers:
        with pytest.raises(KeyboardInterrupt):
            play(cell, workers, tmp_path, nothing)
        assert len(done) == 2 * AT_ONCE
        first = play(cell, workers, tmp_path, nothing)
        assert done[2 * AT_ONCE :] == list(cell.seeds[AT_ONCE:])  # the first lot was kept
        again = play(cell, workers, tmp_path, nothing)
        fewer = play(Cell(scenario, "wait", "wait", cell.seeds[:3]), workers, tmp_path, nothing)
        assert len(done) == 3 * AT_ONCE
        assert again == first and fewer.returns == first.returns[:3]
        play(Cell(scenario, "wait", "another", cell.seeds[:3]), workers, tmp_path, nothing)
        assert len(done) == 3 * AT_ONCE + 3


def test_the_command_writes_both_files_and_says_what_is_not_there(tmp_path, monkeypatch, capsys):
    def untrained(scenarios, options, console):
        for _ in scenarios:
            yield Learned("0123", Path("wait"))

    monkeypatch.setattr(command, "_learned", untrained)
    monkeypatch.setattr(page, "notes", lambda: {SCENARIO: {"hash": load(SCENARIO).hash, "note": "It is a note."}})
    options = [*SMALL, "--out", str(tmp_path / "out"), "--results", str(tmp_path)]
    assert command.main([SCENARIO, *options]) == 0
    told = json.loads((tmp_path / "catalogue.json").read_text())
    found = told["scenarios"][SCENARIO]["policies"]
    assert found["ppo from rule"]["return"] == found["wait"]["return"]
    assert found["look-ahead"]["return"]["n"] == 2 and found["rule"]["share"]["value"] == 1
    text = (tmp_path / "catalogue.md").read_text()
    assert "seeds 9,000,000 to 9,000,015" in text and "It is a note." in text
    assert "ppo from rule is above the rule in 0 of 1 tasks: none." in text
    before = text
    assert command.main([SCENARIO, *options]) == 0  # from what was kept
    assert (tmp_path / "catalogue.md").read_text() == before
    assert command.main(["radiology_schedulign", *options]) == 2
    assert "radiology_scheduling" in capsys.readouterr().err


def test_the_experiment_is_that_of_the_stated_budget():
    found = experiment(load(SCENARIO), 9216)
    assert found.model.budget.steps == 9216 and found.model.algorithm.init == "rule"
    assert found.hash == experiment(load(SCENARIO), 9216).hash != experiment(load(SCENARIO), 4608).hash


@pytest.mark.slow
def test_it_trains_as_well(tmp_path):
    options = [*SMALL, "--steps", "1", "--out", str(tmp_path / "out"), "--results", str(tmp_path)]
    assert command.main([SCENARIO, *options, "--as-it-is"]) == 0
    assert "It is not trained yet in the other 1." in (tmp_path / "catalogue.md").read_text()
    assert command.main([SCENARIO, *options]) == 0
    found = json.loads((tmp_path / "catalogue.json").read_text())["scenarios"][SCENARIO]["policies"]
    assert found["ppo from rule"]["share"]["value"] > 0.5  # it has learned little but what the rule does
