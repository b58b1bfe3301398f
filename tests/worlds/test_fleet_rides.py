"""Several units for one, several for one unit, units whose shift ends, and what is seen of all that."""

import pickle

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from orchestration.timeline import Timeline
from tests.worlds.build import comes, departures, game_of, play
from tests.worlds.fleets import RIDE, region, units_in_log
from tests.worlds.test_fleets import busy, goes_on, left
from tests.worlds.test_invariants import audit

QUICK = {"helicopter": {"count": 1, "based": "far"}}


# ---------------------------------------------------------------- several are sent, or the first of several fleets
def test_in_a_race_the_first_to_be_there_takes_the_patient_and_the_others_turn_back(tmp_path):
    ride = {**RIDE, "race": ["ambulance", "ambulance", "helicopter"]}
    del ride["by"]
    loaded = region(tmp_path, fleet={"count": 3, "based": ["near", "base", "near"]}, fleets=QUICK, ride=ride)
    game = play(loaded)
    # Of three ambulances the two nearest are sent, 10 and 20 minutes away, and the helicopter, which needs 40.
    assert left(game) == {1: 98}
    rows = units_in_log(game)
    assert [row[1] for row in rows["ambulance[1]"]] == [
        "idle", "driving_out", "loading", "driving_in", "unloading", "returning", "idle",
    ]  # fmt: skip
    assert rows["ambulance[0]"] == [
        (0, "idle", "near"), (60, "driving_out", "scene"), (70, "returning", "near"), (80, "idle", "near"),
    ]  # fmt: skip
    assert rows["ambulance[2]"] == [(0, "idle", "near")]
    assert rows["helicopter[0]"] == [
        (0, "idle", "far"), (60, "driving_out", "scene"), (70, "returning", "far"), (80, "idle", "far"),
    ]  # fmt: skip


def test_a_race_begins_with_those_that_are_free_and_losers_serve_the_next(tmp_path):
    ride = {"race": ["ambulance", "helicopter"], "to": "near", "load": "5 min", "unload": "3 min"}
    game = play(region(tmp_path, ["01:00", "01:02"], fleets=QUICK, ride=ride))
    # Both are sent for the first; at 01:10 the ambulance has won, and the helicopter goes on to the second: 30 more.
    assert left(game) == {1: 98, 2: 100 + 28}
    assert [row for row in units_in_log(game)["helicopter[0]"] if row[0] in (70, 100)] == [
        (70, "returning", "far"), (70, "driving_out", "scene"), (100, "loading", "scene"),
    ]  # fmt: skip


def test_of_several_fleets_the_one_that_is_there_first_sends_one_unit(tmp_path):
    game = play(region(tmp_path, ["01:00", "01:01"], fleets=QUICK, ride={**RIDE, "by": ["helicopter", "ambulance"]}))
    assert left(game) == {1: 98, 2: 61 + 40 + 28}
    assert [len(rows) for rows in units_in_log(game).values()] == [7, 7]


def test_whoever_dies_during_a_race_sends_all_units_back(tmp_path):
    ride = {"race": ["ambulance", "helicopter"], "to": "near", "load": "5 min", "unload": "3 min"}
    timers = {"course": {"for": "patient", "from": "arrival", "until": "done", "after": "4 min", "go": "died"}}
    loaded = region(tmp_path, fleets=QUICK, ride=ride, timers=timers, step={"mark_end": "done"},
                    pathway={"died": {"leave": "died"}})  # fmt: skip
    game = game_of(loaded)
    for minute in range(0, 200, 2):
        game.running.advance(float(minute))
        audit(game.running)
    assert departures(game) == {1: (64, "died")}
    assert [rows[-1] for rows in units_in_log(game).values()] == [(68, "idle", "base"), (68, "idle", "far")]


# ---------------------------------------------------------------- several ride together
def two(tmp_path, patients, **fleet):
    """Patients with a colour and a destination, who are there from 01:00 on, and one ambulance for two."""
    timetable = [{"at": at, "on": "Monday", "has": {"colour": colour, "goal": goal}} for at, colour, goal in patients]
    has = {
        "colour": {"choice": {"red": "50%", "green": "else"}},
        "goal": {"choice": {"near": "50%", "far": "else"}},
    }
    return region(
        tmp_path,
        fleet={"carries": 2, **fleet},
        ride={**RIDE, "to": "goal"},
        entities={"patient": {"at": "scene", "arrive": {"timetable": timetable}, "has": has, "begins": "ride"}},
    )


def test_two_ride_together_if_they_go_to_the_same_place(tmp_path):
    game = play(two(tmp_path, [("01:00", "red", "near"), ("01:01", "red", "far"), ("01:02", "green", "near")]))
    # The first is loaded at 75, then the third, until 80; there at 100, handed over at 103 and 106; back at the scene
    # at 126, where the second is loaded until 131, and driven for 40 minutes.
    assert left(game) == {1: 103, 3: 106, 2: 131 + 40 + 3}
    assert units_in_log(game)["ambulance[0]"][1:9] == [
        (60, "driving_out", "scene"), (70, "loading", "scene"), (75, "loading", "scene"), (80, "driving_in", "near"),
        (100, "unloading", "near"), (103, "unloading", "near"), (106, "returning", "base"),
        (106, "driving_out", "scene"),
    ]  # fmt: skip


def test_whoever_comes_while_the_first_is_loaded_may_still_ride_along_and_not_later(tmp_path):
    game = play(two(tmp_path, [("01:00", "red", "near"), ("01:14", "green", "near")]))
    assert left(game) == {1: 103, 2: 106}
    game = play(two(tmp_path, [("01:00", "red", "near"), ("01:16", "green", "near")]))
    assert left(game) == {1: 98, 2: 98 + 20 + 28}


def test_of_those_who_ride_together_at_most_one_is_red(tmp_path):
    patients = [("01:00", "red", "near"), ("01:01", "red", "near"), ("01:02", "green", "near")]
    assert left(play(two(tmp_path, patients))) == {1: 103, 2: 106, 3: 106 + 20 + 28}
    assert left(play(two(tmp_path, patients, at_most_one="colour == red"))) == {1: 103, 3: 106, 2: 106 + 20 + 28}
    greens = [("01:00", "green", "near"), ("01:01", "red", "near"), ("01:02", "green", "near")]
    assert left(play(two(tmp_path, greens, at_most_one="colour == red"))) == {1: 103, 2: 106, 3: 106 + 20 + 28}


def test_a_unit_with_two_waits_at_the_door_for_both(tmp_path):
    loaded = region(
        tmp_path,
        ["01:00", "01:01", "01:02"],
        fleet={"carries": 2},
        step={"next": "door"},
        pathway={"door": {"move_to": "bay", "for": "1 h", "next": "home"}},
        places={"bay": {"count": 1}},
    )
    game = game_of(loaded)
    for minute in range(500):
        game.running.advance(float(minute))
        audit(game.running)
    # In the bay from 103 and 163. The unit is free at 163, and back at 163 + 20 + 28 = 211; the bay is free at 223.
    assert left(game) == {1: 163, 2: 223, 3: 223 + 60}
    assert (211, "blocked", "near") in units_in_log(game)["ambulance[0]"]
    assert (106, "blocked", "near") in units_in_log(game)["ambulance[0]"]
    assert (163, "driving_out", "scene") in units_in_log(game)["ambulance[0]"]


@pytest.mark.parametrize("seed", range(4))
def test_units_that_carry_two_are_never_lost_and_copies_are_exact(tmp_path, seed):
    loaded = busy(tmp_path, fleet={"carries": 2, "at_most_one": "severe", "count": 2})
    game = game_of(loaded, seed)
    copies, together = [], 0
    for step, _ in enumerate(goes_on(game)):
        audit(game.running)
        for unit in game.running.pools[-1].units.values():
            severe = [entity.values[game.program.slots_of_values["severe"]] for entity in unit.riders]
            assert sum(severe) <= 1
            together += len(severe) == 2
        if step == 40:
            copies = [game.fork(), pickle.loads(pickle.dumps(game)), game.fork(redraw=seed)]
    assert together > 3
    for other in copies:
        assert [*goes_on(other)] and (other.events() == game.events()) == (other is not copies[2])
        audit(other.running)


# ---------------------------------------------------------------- shifts
def test_a_unit_on_a_job_finishes_it_when_its_shift_ends(tmp_path):
    shifts = {"00:00": 2, "01:05": 1, "06:00": 2}
    game = game_of(region(tmp_path, ["01:00", "01:00", "01:20", "06:01"], fleet={"count": None, "shifts": shifts}))
    for minute in range(500):
        game.running.advance(float(minute))
        audit(game.running)
    # Both are on the way at 01:05. At 01:38 one of them goes home for good; the other fetches the third.
    assert left(game) == {1: 98, 2: 98, 3: 98 + 20 + 28, 4: 361 + 10 + 28}
    rows = units_in_log(game)
    assert rows["ambulance[0]"][5:8] == [(98, "returning", "base"), (113, "off_duty", "base"), (360, "idle", "base")]
    assert [row for row in rows["ambulance[1]"] if row[0] > 300] == []


def test_free_units_go_off_duty_at_once_and_come_back(tmp_path):
    shifts = {"00:00": 3, "01:00": 1, "02:00": 3}
    game = game_of(region(tmp_path, ["01:30", "01:31"], fleet={"count": None, "shifts": shifts}))
    for minute in range(200):
        game.running.advance(float(minute))
        audit(game.running)
    assert left(game) == {1: 128, 2: 120 + 10 + 28}, "at 02:00 there are others again"
    states = [row[1] for row in units_in_log(game)["ambulance[2]"]]
    assert states == ["idle", "off_duty", "idle"]


def test_agents_add_units_and_take_them_away(tmp_path):
    agents = {"chief": {"sees": ["ambulance.free"], "can": [{"set": "ambulance.extra", "levels": [0, 1]}]}}
    loaded = region(tmp_path, ["01:30", "01:30", "02:30"], agents=agents)
    game = play(loaded, moves=[(1, "chief_0", "set ambulance.extra +1"), (2, "chief_0", "set ambulance.extra +0")])
    # At 02:00 both are at work; at 02:08 the first is free and goes off duty, so that one is left for the third, who is
    # fetched at 02:30, 22 minutes later, from the base.
    assert left(game) == {1: 128, 2: 128, 3: 150 + 10 + 28}
    assert sorted(rows[-1][1] for rows in units_in_log(game).values()) == ["idle", "off_duty"]


# ---------------------------------------------------------------- what is seen, read and drawn
SEEN = [
    "ambulance.states",
    {"see": "near.on_the_way", "by": "colour"},
    "far.on_the_way",
    {"see": "far.minutes_away", "from": "base"},
    "ambulance.free",
]


def watched(tmp_path, sees=SEEN, **parts):
    """Two patients, one of them red, who go to different hospitals."""
    has = {
        "colour": {"by": "goal", "near": {"choice": {"red": "100%"}}, "far": {"choice": {"green": "100%"}}},
        "goal": {"choice": {"near": "50%", "far": "else"}},
    }
    timetable = [
        {"at": at, "on": "Monday", "has": {"goal": goal}} for at, goal in (("01:00", "near"), ("01:05", "far"))
    ]
    return region(
        tmp_path,
        fleet={"count": 3},
        ride={**RIDE, "to": "goal"},
        entities={"patient": {"at": "scene", "arrive": {"timetable": timetable}, "has": has, "begins": "ride"}},
        agents={"chief": {"sees": sees, "can": [{"set": "ambulance.extra", "levels": [0, 1]}]}},
        **{"clock": {"episode": "6 h", "decide_every": "10 min"}, **parts},
    )  # fmt: skip


def test_agents_see_what_units_do_and_who_is_brought_where(tmp_path):
    env = marl_health.parallel_env(watched(tmp_path))
    env.reset(seed=0)
    seen = {}
    while env.agents:
        env.step({"chief_0": 0})
        if env.agents:
            values = env.readings("chief_0")
            states = {
                name.partition("[")[2][:-1]: value for name, value in values.items() if "states" in name and value
            }
            seen[env.game.now] = (states, [values[name] for name in values if "way" in name and "minutes" not in name])
            assert values["far.minutes_away"] == 45.0
    assert seen[60] == ({"idle": 3.0}, [0, 0, 0])
    assert seen[70] == ({"idle": 1.0, "driving_out": 2.0}, [0, 1, 1])  # green comes before red
    assert seen[80] == ({"idle": 1.0, "loading": 1.0, "driving_in": 1.0}, [0, 1, 1])
    assert seen[100][0] == {"idle": 1.0, "driving_in": 1.0, "returning": 1.0} and seen[100][1] == [0, 0, 1]
    assert seen[180] == ({"idle": 3.0}, [0, 0, 0])


def test_rides_and_hours_are_read(tmp_path):
    kpis = {name: {"of": f"ambulance.{name}"} for name in ("rides", "blocked_hours", "driving_hours", "busy_hours")}
    loaded = watched(tmp_path, kpis=kpis, step={"next": "door"}, places={"bay": {"count": 1}},
                     pathway={"door": {"move_to": "bay", "for": "1 h", "next": "home"}})  # fmt: skip
    found = play(loaded).kpis()
    # The first is in the bay from 98 to 158. The second is at the other hospital at 65 + 10 + 5 + 40 + 3 = 123, and as
    # there is but one bay, waits there until 158.
    assert found == {
        "rides": 2.0, "blocked_hours": pytest.approx(35 / 60),
        "driving_hours": pytest.approx((10 + 20 + 15 + 10 + 40 + 45) / 60), "busy_hours": pytest.approx((38 + 93) / 60),
    }  # fmt: skip


def test_a_snapshot_tells_where_every_unit_is(tmp_path):
    game = game_of(watched(tmp_path))
    game.running.advance(85.0)
    units = game.snapshot()["units"]["ambulance"]
    assert units[0] == {
        "unit": 0, "state": "driving_in", "site": "near", "from": "scene", "to": "near", "share": 0.5, "since": 75.0,
        "until": 95.0, "riders": [1],
    }  # fmt: skip
    assert (units[1]["from"], units[1]["to"], units[1]["share"]) == ("scene", "far", pytest.approx(5 / 40))
    assert units[2]["state"] == "idle" and units[2]["from"] == units[2]["to"] == "base"
    assert game.snapshot()["resources"]["ambulance"]["taken"] == 2


@pytest.mark.parametrize(
    ("sees", "told"),
    [
        (["near.minutes_away"], "says not from where; write {see: near.minutes_away, from: SITE}"),
        ([{"see": "near.minutes_away", "from": "bas"}], "there is no site named 'bas'; did you mean 'base'"),
        ([{"see": "near.on_the_way", "by": "color"}], "color"),
        ([{"see": "ambulance.free", "from": "base"}], "goes with SITE.minutes_away only"),
        (["nea.on_the_way"], "there is nothing to see as 'nea.on_the_way'"),
    ],
)
def test_slips_in_what_is_seen_are_told(tmp_path, sees, told):
    with pytest.raises(ScenarioError) as found:
        watched(tmp_path, sees)
    assert told in str(found.value)


def test_nobody_is_carried_beside_other_work(tmp_path):
    with pytest.raises(ScenarioError, match="'ride' travels, and nobody can do part of their work elsewhere"):
        region(
            tmp_path,
            pathway={"start": {"together": {"one": {"do": ["ride"]}}, "next": "home"}, "ride": {"carry": RIDE}},
            entities={"patient": {"at": "scene", "arrive": comes("01:00"), "begins": "start"}},
        )


def test_the_log_names_the_fleet_that_carries(tmp_path):
    ride = {"race": ["ambulance", "helicopter"], "to": "near"}
    loaded = region(tmp_path, ["01:00", "01:05"], fleets={"helicopter": {"count": 1, "based": "scene"}}, ride=ride)
    game = play(loaded)
    # The helicopter is there and takes the first. The ambulance, which turned back, has started again at once.
    used = [(row[0], row[1], row[2], row[4]) for row in game.events() if row[1] > 0 and row[2].startswith("resource")]
    assert used == [
        (60, 1, "resource_use", "helicopter"), (65, 2, "resource_use", "ambulance"),
        (80, 1, "resource_use_end", "helicopter"), (95, 2, "resource_use_end", "ambulance"),
    ]  # fmt: skip
    spans = Timeline.of(loaded, game.people(), game.events()).spans
    assert [(span.entity, span.resource, span.start, span.end) for span in spans if span.resource] == [
        (1, "helicopter", 60, 80), (2, "ambulance", 65, 95),
    ]  # fmt: skip
