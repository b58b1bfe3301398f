"""Units that one resource lends to another: what one gets, the other lacks."""

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, game_of, play, scenario, starts

HOME = {"leave": "discharged"}


def wards(tmp_path, *, red=("01:00",) * 3, blue=(), lend=None, **parts):
    """Two wards whose patients need a nurse for an hour; two nurses on red, one on blue, one of red may be lent."""
    kinds = {"red": red, "blue": blue}
    return scenario(
        tmp_path,
        staff={"red_nurse": {"count": 2}, "blue_nurse": {"count": 1}, "night_nurse": {"count": 1}},
        entities={
            **{name: {"arrive": comes(*times), "begins": f"{name}_care"} for name, times in kinds.items() if times},
            "other": {"arrive": comes("05:00"), "begins": "other_care"},
        },
        pathway={
            **{
                f"{name}_care": {"use": f"{name}_nurse", "for": "1 h", "next": "home"}
                for name, times in kinds.items()
                if times
            },
            "other_care": {"use": [f"{name}_nurse" for name in ("red", "blue", "night")], "for": "1 h", "next": "home"},
            "home": HOME,
        },
        agents={
            "chief": {
                "sees": ["hour", "red_nurse.capacity", "blue_nurse.capacity"],
                "can": [{"lend": "red_nurse", "to": ["blue_nurse", "night_nurse"], **(lend or {})}],
            }
        },
        **parts,
    )


def test_who_is_lent_works_elsewhere_and_is_missed_at_home(tmp_path):
    loaded = wards(tmp_path, red=("01:00", "01:00"), blue=("01:00", "01:00"))
    assert sorted(starts(play(loaded), "blue_care").values()) == [[60], [120]]
    game = play(loaded, moves=[(0, "chief_0", "set red_nurse.lent blue_nurse")])
    assert sorted(starts(game, "blue_care").values()) == [[60], [60]]
    assert sorted(starts(game, "red_care").values()) == [[60], [120]]


def test_units_are_never_made_nor_lost(tmp_path):
    game = game_of(wards(tmp_path, lend={"lead": "30 min"}))
    for target in (2, 3, 1, 3, 2):
        assert game.act("chief_0", target)
        game.advance()
        assert sum(pool.capacity for pool in game.running.pools) == 4
    assert [pool.capacity for pool in game.running.pools] == [1, 2, 1]
    copy = game.fork()
    assert copy.act("chief_0", 1)
    copy.advance()
    assert [pool.capacity for pool in copy.running.pools] == [2, 1, 1]
    assert [pool.capacity for pool in game.running.pools] == [1, 2, 1]
    assert [pool.capacity for pool in game.fork(redraw=3).running.pools] == [1, 2, 1]


def test_it_has_a_lead_time_and_whoever_is_at_work_finishes_that(tmp_path):
    loaded = wards(tmp_path, red=("01:00", "01:00", "01:00"), blue=("02:10", "02:10"), lend={"lead": "30 min"})
    game = play(loaded, moves=[(1, "chief_0", "set red_nurse.lent blue_nurse")])
    # Both nurses of red are at work at 01:30; from 02:00 on one of them is on blue.
    assert sorted(starts(game, "red_care").values()) == [[60], [60], [120]]
    assert sorted(starts(game, "blue_care").values()) == [[130], [130]]


def test_after_the_episode_everybody_is_at_home(tmp_path):
    loaded = wards(tmp_path, clock={"episode": "3 h", "run_out": "5 h", "decide_every": "1 h"})
    game = game_of(loaded)
    assert game.act("chief_0", 2)
    while not game.finished:
        game.advance()
    assert [pool.capacity for pool in game.running.pools] == [2, 1, 1]


def test_what_is_lent_is_seen(tmp_path):
    env = marl_health.parallel_env(wards(tmp_path))
    env.reset(seed=0)
    env.step({"chief_0": 3})
    seen = env.readings("chief_0")
    assert seen["red_nurse.lent position"] == 1.0
    assert seen["red_nurse.capacity"] == 1.0


@pytest.mark.parametrize(
    ("lend", "told"),
    [
        ({"to": ["blue_nurs"]}, r"blue_nurse"),
        ({"to": ["red_nurse"]}, r"names 'red_nurse' itself"),
        ({"count": 3}, r"lends 3, but at times there are only 2"),
    ],
)
def test_slips_are_told(tmp_path, lend, told):
    with pytest.raises(ScenarioError, match=told):
        wards(tmp_path, lend=lend)
