"""Appointments: durations until a time of the day, and what is due on the days to come."""

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, game_of, play, scenario, starts

DAYS = {"clock": {"episode": "6 days", "decide_every": "2 h"}}


def office(tmp_path, *, times=("09:00",), to_day=None, wait="to_day", see=None, has=None, **parts):
    """Patients on a list, whom an office gives one of the next three mornings."""
    attributes = {"to_day": "1 h", "minutes": {"choice": {"30": "50%", "90": "else"}}, **(has or {})}
    return scenario(
        tmp_path,
        staff={"doctor": {"count": 9}},
        entities={"patient": {"arrive": comes(*times), "has": attributes, "begins": "listed"}},
        pathway={
            "listed": {"wait": "50 days", "next": "day_1"},
            "day_1": {"set": {"to_day": to_day or {"until": "08:00"}}, "next": "booked"},
            "day_3": {"set": {"to_day": {"until": "08:00", "skip": 2}}, "next": "booked"},
            "booked": {"wait": wait, "next": "seen"},
            "seen": {"use": "doctor", "for": "10 min", "next": "home"},
            "home": {"leave": "discharged"},
        },
        slots={"list": {"in": "listed", "top": 2}},
        agents={
            "office": {
                "sees": ["hour", see or {"see": "booked.due", "days": 4}],
                "can": [{"choose": "list", "do": {"go": "day_1"}}, {"choose": "list", "do": {"go": "day_3"}}],
            }
        },
        **{**DAYS, **parts},
    )


@pytest.mark.parametrize(
    ("hour", "move", "begins"),
    [
        (10, "send to day_1 list[0]", 32),
        (30, "send to day_1 list[0]", 32),
        (32, "send to day_1 list[0]", 56),  # at the hour itself it is the next day's
        (10, "send to day_3 list[0]", 80),
        (26, "send to day_3 list[0]", 80),
    ],
)
def test_the_appointment_is_at_that_time_of_the_day(tmp_path, hour, move, begins):
    game = play(office(tmp_path), moves=[(hour, "office_0", move)])
    assert starts(game, "seen") == {1: [60 * begins]}


def test_the_time_of_the_day_counts_from_when_the_week_begins(tmp_path):
    clock = {"starts": "Tuesday 06:00", "warm_up": "1 day", "episode": "6 days", "decide_every": "2 h"}
    game = play(office(tmp_path, clock=clock), moves=[(0, "office_0", "send to day_1 list[0]")])
    assert starts(game, "seen") == {1: [1440 + 120]}, "two hours after the first decision"


def readings(env):
    seen = env.readings("office_0")
    return [seen[f"booked.due[{day}]"] for day in range(4)]


@pytest.mark.parametrize("of", [None, "minutes"])
def test_what_is_due_is_seen_day_by_day(tmp_path, of):
    see = {"see": "booked.due", "days": 4, **({"of": of} if of else {})}
    env = marl_health.parallel_env(office(tmp_path, times=("00:10", "00:20"), see=see, has={"minutes": 45}))
    env.reset(seed=0)
    each = 45 if of else 1
    env.step({"office_0": 0})
    names = env.action_names("office_0")
    env.step({"office_0": names.index("send to day_1 list[0]")})  # at 02:00: this morning
    assert readings(env) == [each, 0, 0, 0]
    env.step({"office_0": names.index("send to day_3 list[0]")})
    assert readings(env) == [each, 0, each, 0]
    for _ in range(3):
        env.step({"office_0": 0})
    assert readings(env) == [0, 0, each, 0], "it is past 08:00"
    for _ in range(8):
        env.step({"office_0": 0})
    assert readings(env) == [0, each, 0, 0], "a day later"
    assert readings(env.fork()) == readings(env)


def test_a_redrawn_future_keeps_the_appointments(tmp_path):
    game = game_of(office(tmp_path))
    for _ in range(5):
        game.advance()
    assert game.act("office_0", game.action_names("office_0").index("send to day_3 list[0]"))
    game.advance()
    for key in range(3):
        other = game.fork(redraw=key)
        while not other.finished:
            other.advance()
        assert starts(other, "seen") == {1: [60 * 80]}


def test_written_out_it_is_the_same(tmp_path):
    loaded = office(tmp_path, see={"see": "booked.due", "days": 4, "of": "minutes"}, times=("00:10", "00:20", "00:30"))
    game = game_of(loaded)
    game.advance()
    assert game.act("office_0", 1)
    game.advance()
    raw = game.look("office_0")
    assert [x / (x + 240) if x else 0.0 for x in raw[2:6]] == game.observe("office_0")[2:6]


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ({"to_day": {"until": "25:00"}}, r"until"),
        ({"wait": {"until": "08:00"}}, r"until stands only in the set of a step"),
        ({"wait": "3 h"}, r"does not last as long as an attribute says"),
        ({"has": {"to_day": {"constant": "1 h", "hidden": "yes"}}}, r"'to_day' is hidden"),
        ({"see": {"see": "boked.due", "days": 3}}, r"booked.due"),
        ({"see": {"see": "booked.due", "days": 3, "of": "minute"}}, r"minutes"),
    ],
)
def test_slips_are_told(tmp_path, slip, told):
    with pytest.raises(ScenarioError, match=told):
        office(tmp_path, **slip)
