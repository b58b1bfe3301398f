"""What guides the training of a seed: when it is evaluated, what is kept, which stage follows, and when it ends."""

import json
import math

import pytest

from marl_health import load
from orchestration.curriculum.machine import Stage
from orchestration.episodes import ScenarioRef
from orchestration.experiment.guide import Guide, Rules
from orchestration.experiment.staged import Staged
from tests.orchestration.test_cli import CLINIC

STAGES = (
    Stage("easy", "return", True, 10.0, 1, None, 1, 0, None),
    Stage("hard", "return", True, 20.0, 1, 0.0, 1, 0, None),
)


def judged(guide, iteration, value):
    return guide.judge(iteration, 100 * iteration, {"return": value})


def test_it_is_evaluated_at_once_then_now_and_then_and_at_the_end():
    guide = Guide(Rules(every=1000, steps=5000))
    due = []
    for steps in range(400, 5600, 400):
        if guide.spend(steps, 1.0):
            due.append(steps)
            guide.judge(steps // 400, steps, {"return": 0.0})
        if guide.over:
            break
    assert due == [400, 1200, 2000, 3200, 4000, 5200]
    assert guide.over == "its 5,000 steps are used up"


def test_no_iteration_begins_that_would_overrun_the_time():
    guide = Guide(Rules(every=1000, seconds=10.0))
    guide.spend(100, 4.0)
    assert guide.over is None
    assert guide.spend(200, 4.0)
    assert guide.over == "its 0.166667 minutes are used up"


def test_the_best_is_kept_even_if_it_is_the_first_and_was_not_recorded():
    guide = Guide(Rules(every=1000))
    assert [judged(guide, n, value).best for n, value in enumerate([math.nan, -5.0, -7.0, 3.0], 1)] == [
        True,
        True,
        False,
        True,
    ]
    assert (guide.kept, guide.best) == (4, 3.0)


def test_training_ends_without_progress():
    guide = Guide(Rules(every=1000, without_progress=2))
    assert [judged(guide, n, value).over for n, value in enumerate([1.0, 0.0, 0.5], 1)] == [
        None,
        None,
        "no new best return in 2 evaluations",
    ]


def test_stages_are_entered_left_and_gone_back_to():
    guide = Guide(Rules(every=1000, stages=STAGES, without_progress=5))
    moves = []
    for number, value in enumerate([5.0, 12.0, 3.0, -1.0, 11.0, 25.0], 1):
        verdict = judged(guide, number, value)
        moves.append((verdict.decision.move, guide.stage, verdict.best))
    assert moves == [
        ("stay", 0, True),
        ("promote", 1, True),
        ("stay", 1, True),  # the best at this stage, although less than at the one before
        ("regress", 0, False),
        ("promote", 1, True),
        ("finish", 1, True),
    ]
    assert guide.over.startswith("the curriculum is finished")


@pytest.mark.parametrize("at", range(1, 8))
def test_a_guide_that_was_restarted_comes_to_the_same_decisions(at):
    rules = Rules(every=150, steps=5000, stages=STAGES, without_progress=3)
    values = [5.0, 12.0, 3.0, -1.0, 11.0, 7.0, 6.5, 6.0]
    told = []
    for restarts in (False, True):
        guide, found = Guide(rules), []
        for number, value in enumerate(values, 1):
            found.append(guide.spend(100 * number, 2.0))
            found.append(judged(guide, number, value))
            found.append((guide.kept, guide.best, guide.stage, guide.seconds, guide.over))
            if restarts and number == at:
                state = json.loads(json.dumps(guide.state_dict()))
                guide = Guide(rules)
                guide.load_state_dict(state)
        told.append(found)
    assert told[0] == told[1]


def test_an_environment_changes_its_scenario_with_the_next_episode():
    usual, brisk = load(CLINIC), load(CLINIC, {"pace": "brisk"})
    env = Staged([ScenarioRef.of(usual), ScenarioRef.of(brisk)])
    env.reset(seed=1)
    env.enter(1)
    assert env.unwrapped.scenario.hash == usual.hash, "the episode under way is played to its end"
    env.reset(seed=1)
    assert env.unwrapped.scenario.hash == brisk.hash
    env.enter(0)
    env.reset(seed=1)
    assert env.unwrapped.scenario.hash == usual.hash
