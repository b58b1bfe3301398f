"""Those who come all at once, soon after the first decision."""

import numpy as np
import pytest

from marl_health.spec.errors import ScenarioError
from tests.worlds.build import game_of, play, scenario

CLOCK = {"warm_up": "2 h", "episode": "1 days", "decide_every": "1 h"}


def incident(tmp_path, burst, **parts):
    return scenario(
        tmp_path,
        **{"clock": CLOCK, **parts},
        entities={"casualty": {"arrive": {"burst": burst}, "has": {"luck": {"uniform": [0, 1]}}, "begins": "rest"}},
        pathway={"rest": {"wait": "10 days", "next": "home"}, "home": {"leave": "discharged"}},
    )


def arrivals(game):
    return [row[0] for row in game.events() if row[3] == "arrival"]


def test_as_many_come_as_it_says_after_the_first_decision_at_times_of_the_given_distribution(tmp_path):
    game = play(incident(tmp_path, {"count": 2000, "after": {"uniform": ["0 min", "40 min"]}}))
    times = np.array(arrivals(game)) - 120
    assert len(times) == 2000 and times.min() >= 0 and times.max() < 40 and (np.diff(times) >= 0).all()
    assert abs(times.mean() - 20) < 3.3 * 40 / np.sqrt(12 * 2000)


def test_what_varies_says_how_many_and_everybody_is_the_same_whatever_their_number(tmp_path):
    vary = {"how_many": {"uniform": [40, 60]}}
    counts, lucks = set(), []
    for seed in range(12):
        game = play(incident(tmp_path, {"count": "how_many"}, vary=vary), seed=seed)
        counts.add(len(arrivals(game)))
        assert set(arrivals(game)) == {120.0}
        lucks.append([entity.values[1] for entity in game.running.entities.values()])
    assert min(counts) >= 40 and max(counts) <= 60 and len(counts) > 5
    again = play(incident(tmp_path, {"count": 30}), seed=0)
    assert [entity.values[1] for entity in again.running.entities.values()][:5] != lucks[1][:5]


def test_a_redrawn_future_has_others_to_come_and_none_of_the_past(tmp_path):
    loaded = incident(tmp_path, {"count": 400, "after": {"uniform": ["0 min", "400 min"]}})
    game = game_of(loaded)
    while game.running.now < 120 + 180:
        game.advance()
    before = arrivals(game)
    totals = []
    for key in range(20):
        other = game.fork(redraw=key)
        while not other.finished:
            other.advance()
        times = arrivals(other)
        assert times[: len(before)] == before and min(times[len(before) :]) >= game.running.now
        totals.append(len(times) - len(before))
    expected = 400 * (400 - 180) / 400
    assert len(set(totals)) > 5
    assert abs(np.mean(totals) - expected) < 3.3 * np.sqrt(400 * 0.55 * 0.45 / 20)


def test_too_many_and_two_ways_to_come_are_refused(tmp_path):
    with pytest.raises(ScenarioError, match="at most 200,000 can be simulated"):
        incident(tmp_path, {"count": 300_000})
    with pytest.raises(ScenarioError, match="exactly one of rate, timetable, burst and at_start"):
        scenario(
            tmp_path,
            entities={"casualty": {"arrive": {"burst": {"count": 3}, "at_start": {"count": 2}}, "begins": "home"}},
            pathway={"home": {"leave": "discharged"}},
        )
