"""The lever that sets a step's way on."""

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, departures, game_of, play, scenario

URGENT = {"when": [{"if": "acuity <= 2", "go": "home"}, {"else": "away"}]}
TIMES = ("00:30", "01:30", "02:30", "03:30")


def desk(tmp_path, to, *, pathway=None, more=(), **lever):
    """Patients at a desk, from which the chief says where they go."""
    return scenario(
        tmp_path,
        entities={"patient": {"arrive": comes(*TIMES), "begins": "desk"}},
        pathway={
            "desk": {"wait": "10 min", "next": "home"},
            "away": {"leave": "sent_away"},
            "home": {"leave": "discharged"},
            **(pathway or {}),
        },
        agents={"chief": {"sees": ["hour"], "can": [{"set": "desk.next", "to": to, **lever}, *more]}},
    )


def outcomes(game):
    return [outcome for _, (_, outcome) in sorted(departures(game).items())]


def test_it_sets_the_way_of_those_who_finish_the_step_from_then_on(tmp_path):
    loaded = desk(tmp_path, {"in": "home", "out": "away"})
    assert outcomes(play(loaded, moves=[(23, "chief_0", "set desk.next out")])) == ["discharged"] * 4
    moves = [(1, "chief_0", "set desk.next out"), (3, "chief_0", "set desk.next in")]
    assert outcomes(play(loaded, moves=moves)) == ["discharged", "sent_away", "sent_away", "discharged"]


def test_it_has_a_lead_time_like_every_lever_and_is_seen(tmp_path):
    loaded = desk(tmp_path, {"in": "home", "out": "away"}, lead="45 min", at_most=1)
    env = marl_health.parallel_env(loaded)
    env.reset(seed=0)
    env.step({"chief_0": 2})
    seen = {name: value for name, value in env.readings("chief_0").items() if name.startswith("desk.next")}
    assert seen == {"desk.next position": 1.0, "desk.next in force": 1.0, "desk.next left": 0.0}, "it is 01:00"
    game = game_of(loaded)
    assert game.act("chief_0", 2)
    while not game.finished:
        game.advance()
    # In effect at 00:45: the first left the desk at 00:40.
    assert outcomes(game) == ["discharged", "sent_away", "sent_away", "sent_away"]


def test_a_way_may_depend_on_the_patient(tmp_path):
    loaded = scenario(
        tmp_path,
        entities={
            "urgent": {"arrive": comes("01:30"), "has": {"acuity": 1}, "begins": "desk"},
            "usual": {"arrive": comes("00:30", "01:40"), "has": {"acuity": 3}, "begins": "desk"},
        },
        pathway={
            "desk": {"wait": "10 min", "next": "home"},
            "away": {"leave": "sent_away"},
            "home": {"leave": "discharged"},
        },
        agents={"chief": {"sees": ["hour"], "can": [{"set": "desk.next", "to": {"all": "home", "urgent": URGENT}}]}},
    )
    game = play(loaded, moves=[(1, "chief_0", "set desk.next urgent")])
    assert sorted(departures(game).values()) == [(40, "discharged"), (100, "discharged"), (110, "sent_away")]


def test_after_the_episode_the_first_way_is_in_force_again(tmp_path):
    loaded = scenario(
        tmp_path,
        clock={"episode": "3 h", "run_out": "3 h", "decide_every": "1 h"},
        entities={"patient": {"arrive": comes(*TIMES), "begins": "desk"}},
        pathway={
            "desk": {"wait": "40 min", "next": "home"},
            "away": {"leave": "sent_away"},
            "home": {"leave": "discharged"},
        },
        agents={"chief": {"sees": ["hour"], "can": [{"set": "desk.next", "to": {"in": "home", "out": "away"}}]}},
    )
    game = play(loaded, moves=[(0, "chief_0", "set desk.next out")])
    assert outcomes(game) == ["sent_away", "sent_away", "discharged", "discharged"]


IN_AND_OUT = {"in": "home", "out": "away"}


@pytest.mark.parametrize(
    ("to", "settings", "said"),
    [
        ({"out": "away", "in": "home"}, {}, "must be the next of 'desk'"),
        ({"in": "home", "out": "awy"}, {}, "did you mean 'away'"),
        (IN_AND_OUT, {"more": [{"set": "dsk.next", "to": IN_AND_OUT}]}, "did you mean 'desk'"),
        (IN_AND_OUT, {"more": [{"set": "desk.next", "to": IN_AND_OUT}]}, "set by another move already"),
        (IN_AND_OUT, {"more": [{"set": "away.next", "to": IN_AND_OUT}]}, "has no next that could be set"),
        (
            {"in": "home", "out": "round", "away": "away"},
            {"pathway": {"desk": {"next": "home"}, "round": {"next": "desk"}}},
            "no time need pass in the loop",
        ),
    ],
)
def test_slips(tmp_path, to, settings, said):
    with pytest.raises(ScenarioError, match=said):
        desk(tmp_path, to, **settings)
