"""What the report for managers says in words: sentences that say no more than the figures, names, numbers, moves."""

import math
from pathlib import Path

import pytest

from marl_health import load
from orchestration.briefing.summary import summary
from orchestration.briefing.words import interval, metrics_of, move_words
from orchestration.episodes import Replication
from orchestration.evaluation.compare import Comparison
from orchestration.evaluation.statistics import Estimate
from orchestration.simulate import Simulation

HERE = Path(__file__).parent
CLINIC = HERE / "clinic.yaml"
SMALL = HERE.parent / "worlds" / "small_hospital.yaml"
NAN = math.nan


# ------------------------------------------------------------ sentences
def comparison_of(gained, kpis):
    """Policies with these returns, and values of KPIs of the clinic; others are the same throughout."""
    scenario = load(CLINIC)
    simulations = {}
    for name, returns in gained.items():
        same_for_all = dict.fromkeys(scenario.spec.kpis, 1.0)
        replications = [
            Replication(seed, gained=each, kpis={**same_for_all, **{kpi: v[name][seed] for kpi, v in kpis.items()}})
            for seed, each in enumerate(returns)
        ]
        simulations[name] = Simulation(scenario, name, replications)
    return Comparison(scenario, simulations)


def sentences(gained, kpis=None):
    comparison = comparison_of(gained, kpis or {})
    means = {m: [s.estimate(m).mean for s in comparison.simulations.values()] for m in comparison.metrics}
    return summary(comparison, metrics_of(comparison.scenario, means))


STEADY = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]
HIGH = [10.0, 12.0] * 5
SHAKY = [9.0, -8.0, 7.0, -9.0, 8.0, -7.0, 9.0, -6.0, 7.0, -8.0]


def test_a_clear_lead_is_told_with_its_interval():
    first, second, last = sentences({"wait": STEADY, "rule": HIGH})
    assert first == (
        "By the scenario's own score `rule` is clearly better than the other (against `wait` +10.50 points, "
        "95% +10.12 to +10.88)."
    )
    assert "`rule` is not clearly different in any of" in second
    assert "10 replications" in last and "only" not in last


def test_what_may_be_luck_is_called_so():
    first, *_ = sentences({"wait": STEADY, "rule": SHAKY, "other": HIGH})
    assert "`other` is clearly better than both others" in first
    first, *_ = sentences({"wait": STEADY, "rule": [value + 0.5 for value in SHAKY]})
    assert "cannot be told apart from" in first and "clearly" not in first
    first, *_ = sentences(
        {"wait": STEADY, "rule": HIGH, "other": [a + b / 9 for a, b in zip(HIGH, SHAKY, strict=True)]}
    )
    assert "`other` comes out highest, but it cannot be told apart from `rule`" in first
    assert "clearly better than `wait`" in first


def test_better_and_worse_follow_what_the_scenario_says():
    scenario = load(CLINIC)
    lower = next(name for name, kpi in scenario.spec.kpis.items() if kpi.better == "lower")
    _, up, _ = sentences({"wait": STEADY, "rule": STEADY}, {lower: {"wait": STEADY, "rule": HIGH}})
    _, down, _ = sentences({"wait": STEADY, "rule": STEADY}, {lower: {"wait": HIGH, "rule": STEADY}})
    others = len(scenario.spec.kpis) - 1
    assert f"clearly worse in 1 of {others + 1} indicators" in up and "better" not in up
    assert f"clearly better in 1 of {others + 1} indicators" in down and "worse" not in down


def test_what_is_the_same_each_time_is_not_called_clear():
    """Ten replications in which one patient fewer died have no spread, but that is no proof."""
    kpi = next(iter(load(CLINIC).spec.kpis))
    _, told, _ = sentences({"wait": STEADY, "rule": STEADY}, {kpi: {"wait": [2.0] * 10, "rule": [1.0] * 10}})
    assert "not clearly different in any" in told


@pytest.mark.parametrize("policies_", [1, 2, 3, 4])
def test_there_are_three_to_six_sentences(policies_):
    gained = dict(zip(("wait", "a", "b", "c", "d"), (STEADY, HIGH, SHAKY, STEADY, HIGH), strict=True))
    chosen = dict(list(gained.items())[: policies_ + 1])
    assert 3 <= len(sentences(chosen)) <= 6


def test_one_replication_says_that_it_says_nothing():
    told = " ".join(sentences({"wait": [1.0], "rule": [5.0]}))
    assert "nothing can be said" in told and "clearly" not in told


# ------------------------------------------------------------ words
@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("first waiting_patients[3]", "put one of the waiting patients first"),
        ("shorten nearly_ready[0]", "end the stay of one of the nearly ready early"),
        ("send to cancelled waiting_cases[1]", "send one of the waiting cases to cancelled"),
        ("set ward_bed.extra +8", "set extra ward bed to +8"),
        ("set ct_queue.order quick_first", "order the CT queue by 'quick first'"),
        ("set ambulance_1.next divert", "set the way on from ambulance 1 to 'divert'"),
        ("set ed_bay.reserve 3", "keep 3 of emergency department bay back"),
        ("call in 2 ed_physician", "call in 2 emergency department physician"),
    ],
)
def test_moves_in_words(action, words):
    assert move_words(action) == words


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Estimate(213.04, 156.9, 269.2, 9), "213 (157 to 269)"),
        (Estimate(-0.52, -0.86, -0.18, 9), "−0.52 (−0.86 to −0.18)"),
        (Estimate(-1.0, -2.0, -0.0004, 9), "−1.0000 (−2.0000 to −0.0004)"),
        (Estimate(0.0, 0.0, 0.0, 9), "0"),
        (Estimate(-1.0, -1.0, -1.0, 9), "−1.0 (each time)"),
        (Estimate(35567.6, 32130.8, 39004.4, 9), "35,568 (32,131 to 39,004)"),
        (Estimate(3.2, NAN, NAN, 1), "3.2"),
        (Estimate(NAN, NAN, NAN, 0), "–"),
    ],
)
def test_intervals_in_digits_that_they_bear(found, text):
    assert interval(found) == text


def test_long_durations_are_shown_in_hours():
    scenario = load(SMALL)
    for minutes, unit, factor in ((179.0, "min", 1.0), (181.0, "h", 1 / 60)):
        shown = metrics_of(scenario, {kpi: [minutes, 5.0] for kpi in scenario.spec.kpis})["door_to_doctor_mean"]
        assert (shown.unit, shown.factor) == (unit, factor)
