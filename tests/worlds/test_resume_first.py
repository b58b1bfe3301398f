"""Whoever is interrupted is next, where the scenario says so."""

import pytest

from tests.worlds.build import comes, departures, play, scenario

HOME = {"leave": "discharged"}


@pytest.mark.parametrize(("preempt", "usual", "sick"), [("resume", 185, 135), ("resume_first", 140, 185)])
def test_the_interrupted_is_next_although_more_urgent_ones_wait(tmp_path, preempt, usual, sick):
    def kind(time, acuity, work, begins="treatment"):
        return {"arrive": comes(time), "has": {"acuity": acuity, "work": work}, "begins": begins}

    loaded = scenario(
        tmp_path,
        staff={"doctor": {"count": 1}},
        entities={
            "usual": kind("01:00", 4, "1 h"),
            "sick": kind("01:05", 2, "45 min"),
            "dying": kind("01:10", 1, "20 min", "rescue"),
        },
        queues={"line": {"classes": "acuity", "order": "class"}},
        pathway={
            "treatment": {"use": "doctor", "queue": "line", "for": "work", "next": "home"},
            "rescue": {"use": "doctor", "priority": -1, "preempt": preempt, "for": "work", "next": "home"},
            "home": HOME,
        },
    )
    assert {entity: minute for entity, (minute, _) in departures(play(loaded)).items()} == {1: usual, 2: sick, 3: 90}


def test_those_interrupted_twice_lose_nothing_and_stay_next(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"doctor": {"count": 1}},
        entities={
            "usual": {"arrive": comes("01:00", "01:01"), "begins": "treatment"},
            "dying": {"arrive": comes("01:10", "01:50"), "begins": "rescue"},
        },
        pathway={
            "treatment": {"use": "doctor", "for": "1 h", "next": "home"},
            "rescue": {"use": "doctor", "priority": -1, "preempt": "resume_first", "for": "20 min", "next": "home"},
            "home": HOME,
        },
    )
    assert sorted(minute for minute, _ in departures(play(loaded)).values()) == [90, 130, 160, 220]
