"""The calibration's machinery: known parameters are found, measures measure, and slips are told."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from experiments.calibration.__main__ import main
from experiments.calibration.changed import changed, write
from experiments.calibration.goals import read, scaled
from experiments.calibration.measures import EachMeasure, ShareMeasure, TimeMeasure, estimated
from experiments.calibration.recording import Episode, Person, play
from experiments.calibration.runs import Runs
from marl_health import ScenarioError, load

HERE = Path(__file__).parent
QUEUE = str(HERE / "queue.yaml")


@pytest.fixture
def goals_file(tmp_path):
    for name in ("queue.yaml", "queue_goals.yaml"):
        shutil.copy(HERE / name, tmp_path)
    return tmp_path / "queue_goals.yaml"


def set_in(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def fitted(file, *more):
    assert main(["fit", str(file), "--jobs", "1", *more]) == 0
    return json.loads(file.with_suffix(".fit.json").read_text())


# ------------------------------------------------------------ the fit
def test_known_parameters_are_found_again(goals_file):
    """The targets are what a queue with known parameters shows; the fit starts from others."""
    goals, document = read(str(goals_file))
    true = {"severe_visit": 1.3, "other_visit": 0.9, "patience": 0.8}
    values = {path: value for name, factor in true.items() for path, value in goals.free[name].values(factor).items()}
    runs = Runs(goals, document, 1)
    (samples,) = runs.samples([values], goals.of("fitted"), 100, lambda _: 5, lambda: None)
    for name, target in goals.of("fitted").items():
        figure = target.measure.figure(samples[name])
        unit = target.range.unit
        low, high = (target.range.shown(end) for end in (target.range.low, target.range.high))
        scale = 100 if unit == "%" else 1
        ends = [f"{scale * figure * share:.8g}{'' if unit == '%' else ' '}{unit}" for share in (0.96, 1.04)]
        space = "" if unit == "%" else " "
        set_in(goals_file, f"[{low}{space}{unit}, {high}{space}{unit}]", f"[{', '.join(ends)}]")
    found = fitted(goals_file)
    for name, factor in true.items():
        assert found["factors"][name] == pytest.approx(factor, rel=0.05), name
    assert found["cost"][1] < 0.1 < 10 < found["cost"][0]


def test_what_the_targets_do_not_tell_about_stays_where_it_was(goals_file):
    set_in(
        goals_file,
        "targets:\n",
        "  rest: {sets: {clock.run_out: 1 day}, why: it ends before anybody is asked}\ntargets:\n",
    )
    found = fitted(goals_file)
    assert found["factors"]["rest"] == pytest.approx(1, abs=0.02)
    assert found["told"]["rest"] < 0.05 < 0.9 < found["told"]["severe_visit"]


def test_writing_changes_the_numbers_and_nothing_else(goals_file):
    scenario = goals_file.parent / "queue.yaml"
    before = scenario.read_text().splitlines()
    found = fitted(goals_file, "--write")
    after = scenario.read_text().splitlines()
    differing = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(differing) == 2
    assert f"mean: {found['values']['timers.patience.after.weibull.mean']}" in differing[0][1]
    assert load(str(scenario)).hash == found["hash"]
    again = fitted(goals_file)
    assert (again["factors"], again["hash"]) == (found["factors"], found["hash"])


def test_the_number_of_processes_changes_nothing(goals_file):
    goals, document = read(str(goals_file))
    found = [
        Runs(goals, document, jobs).samples([{}], goals.targets, 5, lambda _: 4, lambda: None)[0] for jobs in (1, 2)
    ]
    for name in goals.targets:
        for one, other in zip(*(samples[name] for samples in found), strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("value", "factor", "expected"),
    [("90 min", 1.1, "99 min"), ("12.2%", 1.5, "18.3%"), ("0.10 per_hour", 2, "0.2 per_hour"), (3, 1.234, 3.7)],
)
def test_a_quantity_keeps_its_unit(value, factor, expected):
    assert scaled(value, factor) == expected


# ------------------------------------------------------------ measures
def person(kind="patient", arrived=0.0, outcome="", marks=(), **attributes):
    return Person(kind, attributes, arrived, list(marks), outcome)


def episode(*people):
    return Episode(100.0, 200.0, 250.0, list(people), {}, {})


def time(statistic="mean", **more):
    return TimeMeasure.model_validate(
        {"time": {"from": "a", "to": "b", "for": "patient"}, "statistic": statistic, **more}
    )


def test_an_interval_counts_if_it_begins_in_the_measured_time():
    late = person(marks=[(90, "a", None), (150, "b", None), (160, "a", None), (190, "b", None)], outcome="gone")
    after = person(marks=[(200, "a", None), (210, "b", None)], outcome="gone")
    unfinished = person(marks=[(170, "a", None)])
    dropped = person(marks=[(170, "a", None)], outcome="gone")
    found = time().take(episode(late, after, unfinished, dropped, person("other", marks=late.marks)))
    assert found.tolist() == [30, 80]


def test_an_interval_may_need_a_place():
    marks = [(110, "a", "ward"), (120, "b", None), (130, "a", "icu"), (170, "b", None)]
    held = TimeMeasure.model_validate(
        {"time": {"from": "a", "to": "b", "for": "patient", "holding": "icu"}, "statistic": "median"}
    )
    assert held.take(episode(person(marks=marks, outcome="x"))).tolist() == [40]


def test_statistics_pool_the_patients_of_all_episodes():
    samples = [np.array([10.0, 20.0]), np.array([60.0])]
    assert time().figure(samples) == 30
    assert time("median").figure(samples) == 20
    assert time("share_over", limit="20 min").figure(samples) == pytest.approx(1 / 3)
    assert time("share_within", limit="20 min").figure(samples) == pytest.approx(2 / 3)
    assert math.isnan(time().figure([np.array([])]))


def test_a_share_looks_at_those_who_came_in_the_measured_time():
    share = ShareMeasure.model_validate(
        {"share": {"outcome": "gone", "never": "b"}, "among": {"for": "patient", "with": {"severe": True}}}
    )
    came = [person(arrived=150.0, severe=True, outcome=outcome) for outcome in ("gone", "home", "home", "home")]
    others = [person(arrived=50.0, severe=True, outcome="gone"), person(arrived=150.0, severe=False, outcome="gone")]
    back = person(arrived=150.0, severe=True, outcome="gone", marks=[(160, "b", None)])
    assert share.take(episode(*came, *others, back)) == (1, 5)


def test_episodes_are_told_apart_by_another_figure():
    each = EachMeasure.model_validate(
        {"each": {"kpi": "wait"}, "by": {"occupancy": "ward"}, "at": "85%", "side": "ratio"}
    )
    samples = [(1.0, 0.5), (3.0, 0.85), (2.0, 0.7), (8.0, 0.9), (math.nan, 0.99)]
    assert each.figure(samples) == 4
    assert each.model_copy(update={"side": "below"}).figure(samples) == 2
    assert math.isnan(each.figure(samples[:3]))


def test_the_interval_of_a_mean_is_that_of_students_t():
    found = estimated(time(), [np.array([value]) for value in (1.0, 2.0, 3.0, 6.0)])
    half = 3.182446 * np.std([1, 2, 3, 6], ddof=1) / 2
    assert (found.mean, found.low, found.high) == pytest.approx((3, 3 - half, 3 + half))


def test_what_is_recorded_agrees_with_the_scenarios_own_kpis():
    kpis = {"kpis.left": {"of": "gone.count"}, "kpis.busy": {"of": "doctor.occupancy"}}
    scenario = changed(QUEUE, {**kpis, "clock.warm_up": "0 min", "clock.run_out": "10 h"})
    found = play(scenario, "wait", 3)
    gone = sum(human.outcome == "gone" for human in found.came)
    assert found.kpis["left"] == gone > 0
    taken, there = found.hours["doctor"]
    assert taken / there == pytest.approx(found.kpis["busy"])
    assert there == 120


# ------------------------------------------------------------ changes and slips
def test_a_changed_scenario_is_the_scenario_with_other_numbers():
    assert changed(QUEUE, {}).hash == load(QUEUE).hash
    other = changed(QUEUE, {"staff.doctor.count": 2, "kpis.busy": {"of": "doctor.occupancy"}})
    assert other.hash != load(QUEUE).hash
    assert other.spec.staff["doctor"].count == 2


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (
            "staff.docter.count",
            "staff.docter: the scenario has nothing here, so it cannot be set; did you mean 'doctor'?",
        ),
        ("staff.doctor.cuont", "cuont"),
        ("kpis.wait.of.more", "kpis.wait.of.more: the scenario has nothing here"),
    ],
)
def test_a_path_that_leads_nowhere_is_told(path, told):
    with pytest.raises(ScenarioError) as error:
        changed(QUEUE, {path: 2})
    assert told in str(error.value)


def test_only_single_numbers_are_written(tmp_path):
    shutil.copy(QUEUE, tmp_path)
    with pytest.raises(ScenarioError):
        write(str(tmp_path / "queue.yaml"), {"staff.doctor": 2})


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "[8 min, 9 min]",
            "[9 min, 8 min]",
            "queue_goals.yaml:27:5: targets.other_time.range: '9 min' is not below '8 min'",
        ),
        ("[8 min, 9 min]", "[8 min, 9%]", "'8 min' and '9%' are not of one kind"),
        ("[8 min, 9 min]", "[8, 9]", "the measure is a time, so the range must be one, as in [110 min, 182 min]"),
        ("statistic: median", "statistic: medium", "did you mean 'median'?"),
        ("statistic: median", "statistic: share_over", "share_over and share_within need a limit"),
        ("{occupancy: doctor}", "{ocupancy: doctor}", "a measure needs one of time, share, occupancy, kpi, each"),
        ("{occupancy: doctor}", "{occupancy: docter}", "'queue' has no resource 'docter'; did you mean 'doctor'?"),
        ("to: done", "to: don", "'queue' has no mark 'don'; did you mean 'done'?"),
        ("outcome: gone", "outcome: gine", "'queue' has no outcome 'gine'; did you mean 'gone'?"),
        ("{severe: true}", "{sever: true}", "'queue' has no attribute 'sever'; did you mean 'severe'?"),
        ("{occupancy: doctor}", "{kpi: waits}", "'queue' has no KPI 'waits'; did you mean 'wait'?"),
        ("check: 200", "check: 104", "lie less than 5 apart"),
        ("between: [0.3, 3]", "between: [1.2, 3]", "a factor above 0 and below 1"),
        (
            "{timers.patience.after.weibull.mean: 3 h}",
            "{timers.patience.after.weibul.mean: 3 h}",
            "did you mean 'weibull'?",
        ),
        ("run: usual\n    measure: {share", "run: usal\n    measure: {share", "has the run 'usal'; there are usual"),
        ("scenario: queue.yaml", "scenario: queues.yaml", "there is no such file"),
        ("why: made up\n  patience", "patience", "why"),
    ],
)
def test_slips_are_told_with_their_remedy(goals_file, capsys, old, new, told):
    set_in(goals_file, old, new)
    assert main(["fit", str(goals_file), "--jobs", "1"]) == 2
    message = capsys.readouterr().err
    assert told in message
    assert "Traceback" not in message


def test_the_table_says_what_is_outside(goals_file, capsys):
    set_in(goals_file, "[60%, 80%]", "[10%, 20%]")
    assert main(["table", str(goals_file), "--jobs", "1"]) == 1
    assert "held out: 0 of 1 inside" in capsys.readouterr().out
    text = goals_file.with_suffix(".md").read_text()
    assert "| occupancy of the doctor | 10 to 20 % |" in text and "| OUTSIDE |" in text
    assert load(str(goals_file.parent / "queue.yaml")).hash in text


def test_another_number_can_be_tried_without_writing_it(goals_file, capsys):
    assert main(["table", str(goals_file), "--jobs", "1", "--set", "staff.doctor.count=2"]) == 1
    assert not goals_file.with_suffix(".md").exists()
    assert main(["table", str(goals_file), "--set", "staff.doctor.count"]) == 2
    assert "write PATH=VALUE" in capsys.readouterr().err
