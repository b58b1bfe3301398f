"""The curriculum's decisions: moving on, going back, limits, and a restart at any point."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.curriculum.machine import Curriculum, CurriculumError, Evaluation, Stage

EASY = Stage("easy", "return", success=10, in_a_row=2, at_least=200, at_most=5000)
HARD = Stage("hard", "return", success=20, in_a_row=2, fall=0, falls_in_a_row=3, at_least=300)
LAST = Stage("last", "return", success=30, fall=5, falls_in_a_row=2)


def play(curriculum, values, every=100, start=0):
    """The moves that follow from a row of returns."""
    return [
        curriculum.record(Evaluation(start + (number + 1) * every, {"return": value})).move
        for number, value in enumerate(values)
    ]


def test_a_stage_is_left_when_success_has_lasted():
    curriculum = Curriculum([EASY, HARD])
    assert play(curriculum, [9, 10, 9, 10]) == ["stay"] * 4
    decision = curriculum.record(Evaluation(500, {"return": 11, "wait": 3}))
    assert (decision.move, decision.before, decision.stage, decision.succeeded) == ("promote", "easy", "hard", True)
    assert decision.reason == "return was at least 10 2 times in a row"
    assert curriculum.stage is HARD


def test_nobody_leaves_before_the_minimum_has_passed_since_the_stage_was_entered():
    curriculum = Curriculum([EASY, HARD, LAST])
    assert play(curriculum, [99, 99]) == ["stay", "promote"]
    assert play(curriculum, [99, 99, 99], start=200) == ["stay", "stay", "promote"]
    curriculum = Curriculum([EASY, HARD, LAST])
    play(curriculum, [99, 99])
    assert play(curriculum, [-1] * 4, start=200, every=80) == ["stay", "stay", "stay", "regress"]


def test_performance_that_falls_leads_back_and_success_onwards_again():
    curriculum = Curriculum([EASY, HARD])
    play(curriculum, [10, 10])
    assert play(curriculum, [15, 5, -1, 1, -1, -1], start=200) == ["stay"] * 6
    decision = curriculum.record(Evaluation(900, {"return": -1}))
    assert (decision.move, decision.stage, decision.succeeded) == ("regress", "easy", False)
    assert decision.reason == "return was worse than 0 3 times in a row"
    assert play(curriculum, [10, 10], start=900) == ["stay", "promote"]  # what counted before counts no longer


def test_between_the_two_levels_nothing_happens():
    curriculum = Curriculum([EASY, HARD])
    play(curriculum, [10, 10])
    assert set(play(curriculum, [0, 19.9, 0, 19.9, 5] * 20, start=200)) == {"stay"}


def test_nobody_goes_back_who_is_clearly_on_the_way_up():
    for climb, move in ((lambda n: -100 + 10 * n, "stay"), (lambda n: -100 + 60 * (n % 2), "regress")):
        curriculum = Curriculum([replace(EASY, at_least=0), replace(HARD, at_least=800)])
        play(curriculum, [10, 10])
        assert play(curriculum, [climb(number) for number in range(8)], start=200)[-1] == move


def test_when_its_steps_are_used_up_a_stage_is_left_and_never_gone_back_to():
    curriculum = Curriculum([replace(EASY, at_most=400), HARD])
    assert play(curriculum, [1, 1, 1]) == ["stay"] * 3
    decision = curriculum.record(Evaluation(400, {"return": 1}))
    assert (decision.move, decision.succeeded, decision.reason) == ("promote", False, "its 400 steps are used up")
    assert set(play(curriculum, [-1] * 20, start=400)) == {"stay"}
    assert curriculum.record(Evaluation(10_000, {"return": -1})).reason == "the steps of stage 'easy' are used up"


def test_the_maximum_counts_all_visits():
    curriculum = Curriculum([replace(EASY, at_most=400), HARD])
    play(curriculum, [10, 10])
    assert play(curriculum, [-1] * 3, start=200)[-1] == "regress"
    assert play(curriculum, [1, 1], start=500) == ["stay", "promote"]


def test_the_end_comes_once():
    curriculum = Curriculum([LAST])
    decision = curriculum.record(Evaluation(100, {"return": 30}))
    assert (decision.move, decision.stage, decision.succeeded) == ("finish", "last", True)
    assert curriculum.finished
    assert play(curriculum, [-99] * 5, start=100) == ["stay"] * 5
    assert curriculum.finished


def test_a_stage_without_a_metric_lasts_for_its_steps():
    curriculum = Curriculum([Stage("warm", at_most=150), LAST])
    assert [curriculum.record(Evaluation(steps, {})).move for steps in (100, 200)] == ["stay", "promote"]


def test_what_was_not_recorded_says_nothing():
    curriculum = Curriculum([EASY, HARD])
    assert play(curriculum, [10, math.nan, 10]) == ["stay", "stay", "promote"]


def test_what_cannot_be_is_told():
    with pytest.raises(CurriculumError, match="at least one stage"):
        Curriculum([])
    curriculum = Curriculum([EASY, HARD])
    with pytest.raises(CurriculumError, match="stage 'easy' is judged by return, which was not evaluated"):
        curriculum.record(Evaluation(100, {"wait": 1}))
    play(curriculum, [1])
    with pytest.raises(CurriculumError, match="restore the curriculum's state from the checkpoint"):
        curriculum.record(Evaluation(99, {"return": 1}))
    with pytest.raises(CurriculumError, match="belongs to other stages"):
        Curriculum([EASY, replace(HARD, success=21)]).load_state_dict(curriculum.state_dict())
    for wrong in ({}, {**curriculum.state_dict(), "recent": 3}, {**curriculum.state_dict(), "used": {}}):
        with pytest.raises(CurriculumError, match="no state of a curriculum"):
            curriculum.load_state_dict(wrong)


@st.composite
def curricula(draw):
    stages = []
    for number in range(draw(st.integers(1, 4))):
        success = draw(st.integers(-5, 5))
        at_least = draw(st.integers(0, 300))
        stages.append(
            Stage(
                f"s{number}",
                "return",
                success=success,
                in_a_row=draw(st.integers(1, 3)),
                fall=draw(st.none() | st.integers(1, 6).map(lambda gap, top=success: top - gap)),
                falls_in_a_row=draw(st.integers(1, 3)),
                at_least=at_least,
                at_most=draw(st.none() | st.integers(at_least, 1500)),
            )
        )
    return stages


values = st.floats(-12, 12) | st.just(math.nan)
evaluations = st.lists(st.tuples(st.integers(0, 150), values), min_size=1, max_size=60)


def recorded(steps_and_values, sign=1):
    total = 0
    for steps, value in steps_and_values:
        total += steps
        yield Evaluation(total, {"return": sign * value})


@given(curricula(), evaluations)
@settings(max_examples=150)
def test_whatever_comes_the_rules_hold(stages, found):
    curriculum = Curriculum(stages)
    names = [stage.name for stage in stages]
    entered, used = 0, dict.fromkeys(names, 0)
    before = 0
    for evaluation in recorded(found):
        stage, was_finished = curriculum.stage, curriculum.finished
        decision = curriculum.record(evaluation)
        used[stage.name] += 0 if was_finished else evaluation.env_steps - before
        before = evaluation.env_steps
        assert decision.before == stage.name and decision.stage == curriculum.stage.name
        distance = names.index(decision.stage) - names.index(decision.before)
        assert distance == {"stay": 0, "finish": 0, "promote": 1, "regress": -1}[decision.move]
        used_up = stage.at_most is not None and used[stage.name] >= stage.at_most
        if decision.move != "stay":
            assert not was_finished
            assert used_up or evaluation.env_steps - entered >= stage.at_least
            entered = evaluation.env_steps
        else:
            assert was_finished or not used_up
        if decision.move == "finish":
            assert decision.before == names[-1]
        if decision.move == "promote" and not decision.succeeded:
            assert used_up
        if decision.move == "regress":
            value = evaluation.values["return"]
            assert stage.fall is not None and (math.isnan(value) or value < stage.fall)
            to = curriculum.stage
            assert to.at_most is None or used[to.name] < to.at_most


@given(curricula(), evaluations, st.integers(0, 60))
@settings(max_examples=100)
def test_a_restart_anywhere_changes_no_decision(stages, found, at):
    through, told = Curriculum(stages), []
    stopped, again = Curriculum(stages), []
    for number, evaluation in enumerate(recorded(found)):
        if number == at:
            saved = json.dumps(stopped.state_dict(), allow_nan=False)
            stopped = Curriculum(stages)
            stopped.load_state_dict(json.loads(saved))
        told.append(repr(through.record(evaluation)))
        again.append(repr(stopped.record(evaluation)))
    assert told == again


@given(curricula(), evaluations)
@settings(max_examples=100)
def test_lower_is_better_is_the_same_upside_down(stages, found):
    down = [
        replace(s, higher_is_better=False, success=-s.success, fall=None if s.fall is None else -s.fall) for s in stages
    ]
    one, other = Curriculum(stages), Curriculum(down)
    for a, b in zip(recorded(found), recorded(found, sign=-1), strict=True):
        assert one.record(a).move == other.record(b).move


@given(st.lists(st.tuples(st.integers(1, 150), st.floats(-2, 11)), min_size=1, max_size=40))
@settings(max_examples=60)
def test_a_curriculum_with_maxima_ends(found):
    curriculum = Curriculum([Stage(f"s{n}", "return", success=9, fall=0, at_most=300) for n in range(3)])
    total = 0
    for steps, value in itertools.cycle(found):
        total += steps
        curriculum.record(Evaluation(total, {"return": value}))
        if curriculum.finished:
            break
        assert total <= 3 * (300 + 150)
