"""When training ends early."""

from __future__ import annotations

import json
import math

from orchestration.curriculum.criteria import Criterion
from orchestration.experiment.stopping import Stopping

SHORT = Criterion("wait", "min", False, 20.0, 2)


def told(rule, returns, waits=None):
    waits = waits or [99.0] * len(returns)
    return [rule.record({"return": r, "wait": w}) for r, w in zip(returns, waits, strict=True)]


def test_training_ends_when_it_is_good_enough_for_long_enough():
    reasons = told(Stopping(SHORT), [1.0] * 5, [19, 21, 20, math.nan, 20])
    assert reasons == [None] * 5
    assert told(Stopping(SHORT), [1.0] * 3, [21, 20, 19])[-1] == "wait was good enough 2 times in a row"


def test_training_ends_when_it_gets_no_better():
    reasons = told(Stopping(without_progress=3), [1, 2, 2, math.nan, 3, 3, 2, 3])
    assert reasons == [None] * 7 + ["no new best return in 3 evaluations"]


def test_every_stage_is_counted_anew():
    rule = Stopping(without_progress=2)
    assert told(rule, [5, 4]) == [None, None]
    rule.enter_stage()
    assert told(rule, [1, 0]) == [None, None]


def test_a_restart_changes_nothing():
    returns, waits = [3, 2, 4, 4, 1, 3], [10, 30, 19, 25, 18, 20]
    for at in range(len(returns)):
        rule = Stopping(SHORT, 3)
        first = told(rule, returns[:at], waits[:at])
        again = Stopping(SHORT, 3)
        again.load_state_dict(json.loads(json.dumps(rule.state_dict())))
        assert first + told(again, returns[at:], waits[at:]) == told(Stopping(SHORT, 3), returns, waits)
