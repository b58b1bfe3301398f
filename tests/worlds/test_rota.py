"""Crews: they come and go by the rota, and finish their work beside those who relieve them."""

import pickle

import pytest

from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, departures, game_of, play, scenario, starts

HOME = {"leave": "discharged"}
ROTA = {"rota": [{"at": "16:00", "for": "16 h", "count": 1}, {"at": "08:00", "for": "8 h", "count": 2}]}
SHIFTS = {"shifts": {"08:00": 2, "16:00": 1}}


def clinic(tmp_path, times, nurse=ROTA, **parts):
    """Patients who need a nurse for an hour."""
    return scenario(
        tmp_path,
        staff={"nurse": nurse},
        entities={"patient": {"arrive": comes(*times), "begins": "talk"}},
        pathway={"talk": {"use": "nurse", "for": "1 h", "next": "home"}, "home": HOME},
        kpis={"overtime": {"of": "nurse.overtime_hours"}, "busy": {"of": "nurse.busy_hours"}},
        **parts,
    )


def test_whoever_is_at_work_finishes_beside_the_relief(tmp_path):
    times = ("07:30", "07:45", "08:00", "08:00")
    game = play(clinic(tmp_path, times))
    # The night nurse sees the first until 08:30 and goes home; the two of the day take the second and third at 08:00.
    assert starts(game, "talk") == {1: [450], 2: [480], 3: [480], 4: [540]}
    assert game.kpis() == {"overtime": 0.5, "busy": 4.0}
    # By shifts there are two at 08:00, one of whom is at work: nobody goes home, and nobody works longer.
    game = play(clinic(tmp_path, times, SHIFTS))
    assert starts(game, "talk") == {1: [450], 2: [480], 3: [510], 4: [540]}
    assert game.kpis() == {"overtime": 0.0, "busy": 4.0}


def test_those_who_are_idle_go_at_once_and_the_others_after_their_work(tmp_path):
    game = game_of(clinic(tmp_path, ("15:30",)))
    nurses = game.running.pools[0]
    found = {}
    while not game.finished:
        found[game.now] = (nurses.capacity, nurses.free, nurses.busy)
        game.advance()
    # At 16:00 the change itself is still to come: one of the day goes home then, the other at 16:30.
    assert [found[hour * 60] for hour in (0, 8, 9, 16, 17)] == [(1, 1, 0), (1, 1, 0), (2, 2, 0), (2, 1, 1), (1, 1, 0)]
    assert game.kpis() == {"overtime": 0.5, "busy": 1.0}


def test_on_duty_is_what_the_rota_says_at_every_hour(tmp_path):
    rota = [(0, 2), (4, 2), (8, 4), (12, 2), (16, 4), (20, 1)]
    crews = [{"at": f"{at:02d}:00", "for": "8 h", "count": count} for at, count in rota]
    game = game_of(clinic(tmp_path, (), {"rota": crews}, clock={"episode": "2 days", "decide_every": "1 h"}))
    expected = {0: 3, 4: 4, 8: 6, 12: 6, 16: 6, 20: 5}
    while not game.finished:
        game.advance()
        hour = game.now / 60 % 24  # the change of this hour is still to come
        assert game.running.pools[0].capacity == expected[max(at for at in expected if at < (hour or 24))]


def test_a_crew_of_a_whole_day_relieves_itself(tmp_path):
    game = play(clinic(tmp_path, ("06:30", "06:45"), {"rota": [{"at": "07:00", "for": "24 h", "count": 1}]}))
    assert starts(game, "talk") == {1: [390], 2: [420]}
    assert game.kpis() == {"overtime": 0.5, "busy": 2.0}


def test_nobody_is_called_away_from_work_after_the_shift(tmp_path):
    urgent = {"arrive": comes("08:10"), "begins": "rescue"}
    usual = {"arrive": comes("07:30", "08:00"), "begins": "talk"}
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"rota": [{"at": at, "for": "8 h", "count": 1} for at in ("00:00", "08:00", "16:00")]}},
        entities={"usual": usual, "urgent": urgent},
        pathway={
            "talk": {"use": "nurse", "for": "1 h", "next": "home"},
            "rescue": {"use": "nurse", "for": "20 min", "priority": -1, "preempt": "resume", "next": "home"},
            "home": HOME,
        },
    )
    game = play(loaded)
    ends = {entity: minute for entity, (minute, _) in departures(game).items()}
    # The one of the night is left to finish at 08:30; the one of the day, at work since 08:00, is called away.
    assert ends == {1: 510, 3: 510, 2: 560}


def test_agents_add_and_take_away_across_a_change_of_crews(tmp_path):
    can = [{"set": "nurse.extra", "levels": [0, 1, -1]}]
    loaded = clinic(tmp_path, ("07:30",) * 3, agents={"chief": {"sees": ["nurse.free"], "can": can}})
    moves = [(7, "chief_0", "set nurse.extra +1"), (9, "chief_0", "set nurse.extra -1")]
    game = game_of(loaded)
    capacity = {}
    while not game.finished:
        for hour, agent, name in moves:
            if game.now == hour * 60:
                assert game.act(agent, game.action_names(agent).index(name))
        capacity[game.now / 60] = game.running.pools[0].capacity
        game.advance()
    # 07:00 one and one more; from 08:00 two and one more, while the one of the night finishes until 08:30.
    assert [capacity[hour] for hour in (6, 7, 8, 9, 10, 16, 17)] == [1, 2, 2, 1, 1, 1, 0]
    assert starts(game, "talk") == {1: [450], 2: [450], 3: [480]}


def test_a_copy_made_in_overtime_goes_on_alike(tmp_path):
    loaded = clinic(
        tmp_path, ("07:45", "08:00", "08:00", "08:00"), clock={"episode": "1 days", "decide_every": "5 min"}
    )
    game = game_of(loaded)
    while game.now < 8 * 60 + 10:
        game.advance()
    assert game.running.pools[0].leaving
    twin = pickle.loads(pickle.dumps(game))
    for one in (game, twin):
        while not one.finished:
            one.advance()
    assert twin.events() == game.events()
    assert twin.kpis() == game.kpis() == {"overtime": 0.75, "busy": 4.0}


@pytest.mark.parametrize(
    ("nurse", "said"),
    [
        ({"count": 2, **ROTA}, "exactly one of count, shifts and rota"),
        ({}, "exactly one of count, shifts and rota"),
        ({"absent": 1, **ROTA}, "which crew is short"),
        ({"rota": [{"at": "08:00", "for": "25 h", "count": 1}]}, "1440"),
        ({"rota": []}, "rota"),
    ],
)
def test_slips(tmp_path, nurse, said):
    with pytest.raises(ScenarioError, match=said):
        clinic(tmp_path, (), nurse)


def test_nor_for_the_sake_of_what_else_the_work_needs(tmp_path):
    def kind(time, begins="scan"):
        return {"arrive": comes(time), "begins": begins}

    loaded = scenario(
        tmp_path,
        staff={"nurse": {"rota": [{"at": at, "for": "8 h", "count": 1} for at in ("00:00", "08:00", "16:00")]}},
        places={"scanner": {"count": 1}},
        entities={"usual": kind("07:30"), "urgent": kind("08:10", "rescue")},
        pathway={
            "scan": {"visit": "scanner", "with": "nurse", "for": "1 h", "next": "home"},
            "rescue": {
                "visit": "scanner", "with": "nurse", "for": "20 min",
                "priority": -1, "preempt": "resume", "next": "home",
            },
            "home": HOME,
        },
    )  # fmt: skip
    # The scanner comes free when the nurse of the night, whose shift is over, has finished with the first.
    assert departures(play(loaded)) == {1: (510, "discharged"), 2: (530, "discharged")}
