"""How entities come: again, by timetable, as those there at the start; and what differs between episodes."""

import pytest

from tests.worlds.build import comes, departures, game_of, play, scenario

HOME = {"leave": "discharged"}


def test_absence_lowers_every_shift(tmp_path):
    loaded = scenario(
        tmp_path,
        vary={"ill": {"choice": {"1": "50%", "2": "50%"}}},
        staff={"nurse": {"shifts": {"00:00": 2, "12:00": 4}, "absent": "ill"}},
        entities={"patient": {"arrive": comes("01:00"), "begins": "talk"}},
        pathway={"talk": {"use": "nurse", "for": "1 min", "next": "home"}, "home": HOME},
    )
    seen = set()
    for seed in range(12):
        game = game_of(loaded, seed)
        morning = game.running.pools[0].capacity
        while game.now < 13 * 60:
            game.advance()
        assert game.running.pools[0].capacity == morning + 2
        seen.add(morning)
    assert seen == {0, 1}


def test_a_distribution_outside_of_patients_differs_between_episodes(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 9, "absent": {"choice": {"0": "50%", "3": "50%"}}}},
        entities={"patient": {"arrive": comes("01:00"), "begins": "talk"}},
        pathway={"talk": {"use": "nurse", "for": "1 min", "next": "home"}, "home": HOME},
    )
    assert {game_of(loaded, seed).running.pools[0].capacity for seed in range(12)} == {6, 9}


def test_those_who_leave_come_back_as_asked_for(tmp_path):
    loaded = scenario(
        tmp_path,
        entities={
            "patient": {
                "arrive": comes("01:00"),
                "has": {"old": {"chance": "50%"}, "colour": {"choice": {"red": "50%", "blue": "50%"}}},
                "begins": "rest",
            },
            "returner": {
                "has": {"old": {"chance": "0%"}, "colour": {"choice": {"red": "50%", "blue": "50%"}}},
                "begins": "rest",
            },
        },
        pathway={
            "rest": {
                "wait": {"exponential": {"mean": "30 min"}},
                "next": {"when": [{"if": "kind == returner", "go": "end"}, {"else": "home"}]},
            },
            "home": {
                "leave": "discharged",
                "again": {"chance": "100%", "after": "3 h", "as": "returner", "keeps": ["old"]},
            },
            "end": {"leave": "discharged"},
        },
    )
    waits = []
    for seed in range(8):
        game = game_of(loaded, seed)
        held = {}
        while not game.finished:
            game.advance()
            held.update({number: (entity, list(entity.values)) for number, entity in game.running.entities.items()})
        log = game.events()
        first, second = (next(row[0] for row in log if row[1] == number and row[3] == "depart") for number in (1, 2))
        back = next(row[0] for row in log if row[1] == 2 and row[3] == "arrival")
        assert back == pytest.approx(first + 180)
        waits.append((first - 60, second - back))
        assert game.conservation() == {"arrived": 2, "discharged": 2, "died": 0, "left": 0, "inside": 0}
    assert len({round(wait, 6) for pair in waits for wait in pair}) == 16


def test_timetables_know_who_comes_who_stays_away_and_who_is_late(tmp_path):
    arrive = {
        "timetable": [
            {"at": "08:00", "on": "Monday", "count": 3, "has": {"case": "long"}},
            {"at": "09:00", "has": {"case": "short"}},
        ],
        "no_show": "30%",
        "late": "7 min",
    }
    loaded = scenario(
        tmp_path,
        clock={"episode": "14 days", "decide_every": "1 days"},
        entities={
            "patient": {
                "arrive": arrive,
                "has": {"case": {"choice": {"short": "50%", "long": "50%"}}},
                "begins": "talk",
            }
        },
        pathway={"talk": {"wait": {"by": "case", "long": "50 min", "short": "10 min"}, "next": "home"}, "home": HOME},
    )
    came = 0
    for seed in range(20):
        game = play(loaded, seed)
        for row in game.events():
            minute = row[0] % 1440
            if row[3] == "arrival":
                assert round(minute, 6) in (487, 547)
                assert row[0] % 10080 < 1440 or round(minute, 6) == 547
                came += 1
            elif row[3] == "depart":
                assert round(minute, 6) in (487 + 50, 547 + 10)
    assert abs(came - 20 * 20 * 0.7) < 3.66 * (400 * 0.7 * 0.3) ** 0.5


def test_those_there_at_the_start_fill_their_place_and_have_part_of_their_stay_behind_them(tmp_path):
    loaded = scenario(
        tmp_path,
        clock={"episode": "60 days", "decide_every": "60 days"},
        places={"bed": {"count": 500}},
        entities={"resident": {"arrive": {"at_start": {"fill": "bed", "to": "80%"}}, "begins": "rest"}},
        pathway={"rest": {"stay": {"lognormal": {"mean": "4 days", "sd": "4 days"}}, "next": "home"}, "home": HOME},
    )
    game = game_of(loaded)
    assert game.running.pools[0].busy == 400
    while not game.finished:
        game.advance()
    stays = [minute / 1440 for minute, _ in departures(game).values()]
    exact, spread = 4.0, 7.0  # E[X^2] / 2 E[X] = (16 + 16) / 8
    assert abs(sum(stays) / len(stays) - exact) < 3.66 * spread / 20
    assert game.conservation()["discharged"] == 400


def test_a_constant_stay_seen_at_the_start_is_partly_over(tmp_path):
    loaded = scenario(
        tmp_path,
        entities={"resident": {"arrive": {"at_start": {"count": 400}}, "begins": "rest"}},
        pathway={"rest": {"wait": "10 h", "next": "home"}, "home": HOME},
    )
    stays = sorted(minute for minute, _ in departures(play(loaded)).values())
    assert len(stays) == 400 and stays[0] < 30 and stays[-1] > 570
    assert abs(sum(stays) / 400 - 300) < 3.66 * 600 / 12**0.5 / 20


def test_choices_of_the_scenario_are_made_when_it_is_loaded(tmp_path):
    parts = {
        "choose": {"speed": {"default": "slow", "among": {"slow": "30 min", "fast": "10 min"}}},
        "entities": {"patient": {"arrive": comes("01:00"), "begins": "talk"}},
        "pathway": {"talk": {"wait": "speed", "next": "home"}, "home": HOME},
    }
    assert departures(play(scenario(tmp_path, **parts)))[1][0] == 90
    assert departures(play(scenario(tmp_path, chosen={"speed": "fast"}, **parts)))[1][0] == 70
