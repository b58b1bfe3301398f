"""Fleets: vehicles that are sent, carry, wait at a full door and drive back."""

import pickle
from math import factorial
from statistics import stdev

import pytest

from marl_health.spec.errors import ScenarioError
from marl_health.worlds.flow.network import kilometres
from marl_health.worlds.flow.units import BACK, OUT
from tests.worlds.build import comes, departures, game_of, play, story
from tests.worlds.fleets import HOME, RIDE, ROADS, SITES, region, units_in_log
from tests.worlds.redrawn import redraws
from tests.worlds.test_invariants import audit


def left(game):
    """{entity: minute at which it left}"""
    return {entity: when for entity, (when, _) in departures(game).items()}


# ---------------------------------------------------------------- one ride after the other
def test_a_ride_takes_the_way_there_loading_the_way_and_handing_over(tmp_path):
    measures, ride = {"wait": {"from": "arrival", "to": "off"}}, {**RIDE, "mark_off": "off"}
    game = play(region(tmp_path, measures=measures, kpis={"wait": {"of": "wait.mean"}}, ride=ride))
    # Called at 01:00, there at 01:10, off at 01:15, at the hospital at 01:35, handed over at 01:38, back at 01:53.
    assert departures(game) == {1: (98, "discharged")} and game.kpis() == {"wait": 15.0}
    assert units_in_log(game) == {
        "ambulance[0]": [
            (0, "idle", "base"), (60, "driving_out", "scene"), (70, "loading", "scene"), (75, "driving_in", "near"),
            (95, "unloading", "near"), (98, "returning", "base"), (113, "idle", "base"),
        ]
    }  # fmt: skip
    person = game.people()[1]
    assert person.attributes["site"] == "scene"
    assert [(time, to) for time, what, to in person.changes if what == "site"] == [(95, "near")]
    assert story(game, 1) == [
        (60, "resource_use", "ride"), (98, "resource_use_end", "ride"), (98, "arrival_departure", "depart"),
    ]  # fmt: skip


def test_the_next_is_fetched_from_where_the_unit_is_and_others_wait_in_line(tmp_path):
    game = play(region(tmp_path, ["01:00", "01:10", "02:28", "03:31"]))
    # The second is fetched from the hospital at 98, which is 20 minutes away: handed over at 98 + 20 + 28 = 146. For
    # the third the unit turns round, 2 minutes after it left the hospital, as over the base it would be 13 + 10:
    # 148 + 2 + 20 + 28 = 198. For the fourth, 13 minutes after that, it goes on: 211 + 2 + 10 + 28.
    assert left(game) == {1: 98, 2: 146, 3: 198, 4: 251}
    assert [row for row in units_in_log(game)["ambulance[0]"] if row[1] == "driving_out"] == [
        (time, "driving_out", "scene") for time in (60, 98, 148, 211)
    ]


def test_a_unit_that_turns_round_twice_does_not_jump(tmp_path):
    game = game_of(region(tmp_path))
    unit, world = game.running.pools[0].units[0], game.running
    world.advance(100.0)
    assert unit.where(100.0) == ("near", "base", pytest.approx(2 / 15))
    unit.drive(world, "scene", OUT)
    assert unit.arrives == 100 + 2 + 20 and unit.where(101.0) == ("near", "base", pytest.approx(1 / 15))
    world._now = 101.0
    unit.drive(world, "base", BACK)
    assert unit.arrives == pytest.approx(101 + 14) and unit.where(102.0) == ("near", "base", pytest.approx(2 / 15))
    world._now = 102.0
    unit.drive(world, "far", OUT)
    assert unit.arrives == pytest.approx(102 + 2 + 30)
    assert unit.where(103.0) == ("near", "base", pytest.approx(1 / 15)) and unit.where(119.0) == ("near", "far", 0.5)


def test_the_nearest_free_unit_is_sent(tmp_path):
    game = play(region(tmp_path, ["01:00"] * 3, fleet={"count": 3, "based": ["base", "near", "far"]}))
    assert left(game) == {1: 60 + 10 + 28, 2: 60 + 20 + 28, 3: 60 + 40 + 28}
    assert {name: rows[-1][1:] for name, rows in units_in_log(game).items()} == {
        "ambulance[0]": ("idle", "base"), "ambulance[1]": ("idle", "near"), "ambulance[2]": ("idle", "far"),
    }  # fmt: skip


def test_free_units_wait_where_they_are_told_to(tmp_path):
    game = play(region(tmp_path, ["01:00", "02:30"], fleet={"returns": "scene"}))
    assert left(game) == {1: 98, 2: 150 + 28}, "back at the scene at 01:58, so the second is loaded at once"


def test_speed_flight_and_the_hours_of_traffic(tmp_path):
    sites = {"base": {"at": [36.0, -115.0]}, "scene": {"at": [36.1, -115.0]}, "near": {"at": [36.1, -115.2]}}
    travel = {"distance": "great_circle", "detour": 1.5, "speed": "60 km/h", "times": {"00:00": 2}}
    known = {"sites": sites, "travel": travel, "ride": {"by": "ambulance", "to": "near"}}
    ways = sum(kilometres(sites["scene"]["at"], sites[name]["at"]) for name in ("base", "near"))
    for fleet, minutes in (
        ({}, ways * 1.5 * 2),
        ({"speed": "120 km/h"}, ways * 1.5),
        ({"speed": "240 km/h", "flies": "yes"}, ways / 4),
    ):
        assert left(play(region(tmp_path, fleet=fleet, **known))) == {1: pytest.approx(60 + minutes, abs=1e-5)}


# ---------------------------------------------------------------- a full door
DOOR = {"ride": {"carry": RIDE, "next": "door", "mark_end": "handed"}, "home": HOME}


def test_at_a_full_door_the_unit_waits_until_there_is_a_place(tmp_path):
    loaded = region(
        tmp_path,
        ["01:00", "01:05", "01:10"],
        fleet={"count": 2},
        pathway={**DOOR, "door": {"move_to": "bay", "mark": "inside", "for": "1 h", "next": "home"}},
        places={"bay": {"count": 1}},
        measures={"blocked": {"from": "handed", "to": "inside"}},
        kpis={"blocked": {"of": "blocked.hours"}},
    )
    game = play(loaded)
    # Handed over at 98 and 103. The first ambulance fetches the third at once and is at the door at 146. The bay is
    # free at 158 for the second and at 218 for the third.
    assert left(game) == {1: 158, 2: 218, 3: 278}
    rows = units_in_log(game)
    assert rows["ambulance[1]"][-4:] == [
        (100, "unloading", "near"), (103, "blocked", "near"), (158, "returning", "base"), (173, "idle", "base"),
    ]  # fmt: skip
    assert [row for row in rows["ambulance[0]"] if row[1] == "blocked"] == [(146, "blocked", "near")]
    assert game.kpis()["blocked"] == pytest.approx((0 + (158 - 103) + (218 - 146)) / 60)


def test_whoever_waits_too_long_at_the_door_rides_on_to_another_hospital(tmp_path):
    pathway = {
        **DOOR,
        "door": {"move_to": "bay", "for": "3 h", "or": {"after": "20 min", "go": "on"}, "next": "home"},
        "on": {"carry": {"by": "ambulance", "to": "far", "load": "9 min", "unload": "1 min"}, "next": "home"},
    }
    loaded = region(tmp_path, ["01:00", "01:05"], fleet={"count": 2}, pathway=pathway, places={"bay": {"count": 1}},
                    measures={"a": {"from": "arrival", "to": "handed"}}, kpis={"ride": {"of": "a.mean"}})  # fmt: skip
    game = play(loaded)
    # At the door at 103, off again at 123 with the same unit, without loading, 30 minutes to the other one.
    assert left(game) == {1: 98 + 180, 2: 123 + 30 + 1}
    assert units_in_log(game)["ambulance[1]"][4:] == [
        (100, "unloading", "near"), (103, "blocked", "near"), (123, "driving_in", "far"), (153, "unloading", "far"),
        (154, "returning", "base"), (199, "idle", "base"),
    ]  # fmt: skip


def test_the_unit_waits_while_its_crew_hands_over_to_others(tmp_path):
    pathway = {
        "ride": {"carry": RIDE, "next": "hand_over"},
        "hand_over": {"use": "nurse", "for": "30 min", "next": "home"},
    }
    game = play(
        region(tmp_path, ["01:00", "01:05"], fleet={"count": 2}, pathway=pathway, staff={"nurse": {"count": 1}})
    )
    assert left(game) == {1: 98 + 30, 2: 128 + 30}
    assert units_in_log(game)["ambulance[1]"][-3:] == [
        (103, "blocked", "near"), (158, "returning", "base"), (173, "idle", "base"),
    ]  # fmt: skip


# ---------------------------------------------------------------- whoever is called away
@pytest.mark.parametrize(
    ("after", "gone", "rows"),
    [
        ("4 min", 64, [(60, "driving_out", "scene"), (64, "returning", "base"), (68, "idle", "base")]),
        ("12 min", 72, [(70, "loading", "scene"), (72, "returning", "base"), (82, "idle", "base")]),
        # Seven minutes behind it, 13 before it: back over the scene are 7 + 10, over the hospital 13 + 15.
        ("22 min", 82, [(75, "driving_in", "near"), (82, "returning", "base"), (99, "idle", "base")]),
        ("36 min", 96, [(95, "unloading", "near"), (96, "returning", "base"), (111, "idle", "base")]),
    ],
)
def test_a_unit_whose_patient_dies_drives_back_from_where_it_is(tmp_path, after, gone, rows):
    timers = {"course": {"for": "patient", "from": "arrival", "until": "done", "after": after, "go": "died"}}
    loaded = region(tmp_path, timers=timers, step={"mark_end": "done"}, pathway={"died": {"leave": "died"}})
    game = game_of(loaded)
    for minute in range(300):
        game.running.advance(float(minute))
        audit(game.running)
    assert departures(game) == {1: (gone, "died")}
    assert units_in_log(game)["ambulance[0]"][-3:] == rows


def test_the_old_place_is_kept_until_the_unit_sets_off(tmp_path):
    loaded = region(
        tmp_path,
        pathway={"mat": {"move_to": "mat", "mark": "lies", "next": "ride"}},
        places={"mat": {"count": 1}},
        measures={"wait": {"from": "arrival", "to": "lies"}},
        kpis={"wait": {"of": "wait.mean"}},
        entities={"patient": {"at": "scene", "arrive": comes("01:00", "01:01"), "begins": "mat"}},
    )
    assert play(loaded).kpis()["wait"] == (0 + 14) / 2, "the first is loaded at 01:15"


# ---------------------------------------------------------------- books, copies and other futures
def busy(tmp_path, *, fleet=None, **parts):
    """A day of calls with chance in everything."""
    return region(
        tmp_path,
        [f"{hour:02d}:{minute:02d}" for hour in range(1, 22) for minute in (0, 7, 31)],
        fleet={"count": 3, "based": ["base", "near"], **(fleet or {})},
        has={"goal": {"choice": {"near": "60%", "far": "else"}}, "severe": {"chance": "30%"}},
        ride={"by": "ambulance", "to": "goal", "load": {"uniform": ["2 min", "15 min"]},
              "unload": {"exponential": {"mean": "6 min"}}},
        step={"mark_end": "there", "next": "door"},
        pathway={
            "door": {"move_to": "bay", "for": {"exponential": {"mean": "40 min"}}, "next": "home"},
            "died": {"leave": "died"},
        },
        places={"bay": {"count": 2}},
        timers={"course": {"for": "patient", "from": "arrival", "until": "there",
                           "after": {"exponential": {"mean": "3 h"}}, "go": "died"}},
        **parts,
    )  # fmt: skip


def goes_on(game):
    """Play to the end, in steps that fall between the decisions."""
    while game.running.now < 1400:
        game.running.advance(game.running.now + 13.0)
        yield game
    game.finish()


@pytest.mark.parametrize("seed", range(4))
def test_units_are_never_lost_and_copies_are_exact(tmp_path, seed):
    loaded = busy(tmp_path)
    game = game_of(loaded, seed)
    copies = []
    for step, _ in enumerate(goes_on(game)):
        audit(game.running)
        if step == 40:
            copies = [game.fork(), pickle.loads(pickle.dumps(game))]
    found = game.conservation()
    assert found["arrived"] == 63 == found["discharged"] + found["died"] + found["inside"] and found["died"] > 3
    for other in [*copies, game_of(loaded, seed)]:
        assert [*goes_on(other)] and other.events() == game.events()
    quiet = game_of(loaded, seed, events=False)
    assert [*goes_on(quiet)] and quiet.conservation() == found


def loading(tmp_path, load):
    """A game at 72, two minutes after loading began."""
    game = game_of(region(tmp_path, ride={**RIDE, "load": load}))
    game.running.advance(72.0)
    return game


def test_other_futures_keep_ways_and_draw_the_rest_of_loading(tmp_path):
    game = loading(tmp_path, {"uniform": ["1 min", "9 min"]})
    ends = redraws(game, lambda world: world.pools[0].units[0].until, draws=400)
    assert min(ends) >= 72 and max(ends) <= 79
    assert abs(sum(ends) / 400 - 75.5) < 4 * 7 / 12**0.5 / 20, "uniform on what is left"
    game.running.advance(80.0)  # on the way, until a time that everybody can tell
    until = game.running.pools[0].units[0].until
    assert redraws(game, lambda world: world.pools[0].units[0].until, draws=5) == [until] * 5
    other = game.fork(redraw=3)
    other.finish()
    audit(other.running)
    assert left(other)[1] == pytest.approx(until + 3)


def test_the_true_future_does_not_show_in_redrawn_ones(tmp_path):
    found = []
    for until in (76.0, 77.0):
        game = loading(tmp_path, {"uniform": ["3 min", "9 min"]})
        unit = game.running.pools[0].units[0]
        unit.epoch += 1
        unit.until = until
        game.running.at(until, unit)
        other = game.fork(redraw=5)
        other.finish()
        found.append(left(other))
    assert found[0] == found[1]


def erlang_c(servers, load):
    """Chance to wait in M/M/c, the load in erlang (Erlang, 1917)."""
    terms = [load**k / factorial(k) for k in range(servers)]
    last = load**servers / factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)


@pytest.mark.slow
def test_waits_for_a_fleet_are_those_of_erlang(tmp_path):
    """Without ways a fleet is M/M/c: calls at random, a time on the job that is exponential."""
    loaded = region(
        tmp_path,
        fleet={"count": 3, "based": "scene"},
        ride={"by": "ambulance", "to": "scene", "load": {"exponential": {"mean": "30 min"}}},
        entities={"patient": {"at": "scene", "arrive": {"rate": {"per_hour": 4.8}}, "begins": "ride"}},
        clock={"warm_up": "4 days", "episode": "40 days", "decide_every": "1 days"},
        kpis={"wait": {"of": "ambulance.mean_wait"}, "busy": {"of": "ambulance.occupancy"}},
    )
    runs = []
    for seed in range(20):
        game = game_of(loaded, seed, events=False)
        game.finish()
        runs.append(game.kpis())
    expected = erlang_c(3, 2.4) * 30 / (3 - 2.4)
    waits = [run["wait"] for run in runs]
    mean, error = sum(waits) / 20, stdev(waits) / 20**0.5
    assert abs(mean - expected) < 3.66 * error < 0.25 * expected, (mean, expected, error)
    assert sum(run["busy"] for run in runs) / 20 == pytest.approx(0.8, abs=0.02)


@pytest.mark.slow
def test_waits_for_one_unit_with_ways_are_those_of_pollaczek_and_khinchine(tmp_path):
    """Based where it brings everybody, one unit is M/G/1: the ways, and a time on scene that is exponential."""
    loaded = region(
        tmp_path,
        fleet={"based": "near"},
        ride={"by": "ambulance", "to": "near", "load": {"exponential": {"mean": "20 min"}}},
        entities={"patient": {"at": "scene", "arrive": {"rate": {"per_hour": 0.6}}, "begins": "ride"}},
        clock={"warm_up": "10 days", "episode": "100 days", "decide_every": "1 days"},
        kpis={"wait": {"of": "ambulance.mean_wait"}, "busy": {"of": "ambulance.occupancy"}},
    )
    runs = []
    for seed in range(20):
        game = game_of(loaded, seed, events=False)
        game.finish()
        runs.append(game.kpis())
    busy, square = 0.01 * 60, 60**2 + 20**2  # of a job of 20 + 20 + 20 minutes, of which those on scene vary
    expected = 0.01 * square / (2 * (1 - busy))
    waits = [run["wait"] for run in runs]
    mean, error = sum(waits) / 20, stdev(waits) / 20**0.5
    assert abs(mean - expected) < 3.66 * error < 0.25 * expected, (mean, expected, error)
    assert sum(run["busy"] for run in runs) / 20 == pytest.approx(busy, abs=0.02)


def test_slips_are_told(tmp_path):
    def told(**changes):
        with pytest.raises(ScenarioError) as found:
            region(tmp_path, **changes)
        return str(found.value)

    assert "there is no fleet named 'ambulanc'; did you mean 'ambulance'?" in told(ride={**RIDE, "by": "ambulanc"})
    assert "there is no site or template named 'bas'" in told(fleet={"based": "bas"})
    assert "there is no site, or attribute that holds one, named 'hospital'" in told(ride={**RIDE, "to": "hospital"})
    assert "needs exactly one of by and race" in told(ride={"to": "near"})
    assert "a fleet has a limited count" in told(fleet={"count": "unlimited"})
    assert "2,001 units are too many to be followed one by one" in told(fleet={"count": 2001})
    assert "at_most_one says who may ride together" in told(fleet={"at_most_one": "kind == patient"})
    assert "so no speed of its own can be told" in told(fleet={"speed": "50 km/h"})
    assert "nobody knows the straight line" in told(fleet={"flies": "yes"})
    assert "a fleet drives from site to site" in told(travel=None)
    assert "'ambulance' is also under staff" in told(staff={"ambulance": {"count": 1}})
    assert "one unit carries; to send several ambulances write race" in told(ride={**RIDE, "by": ["ambulance"] * 2})
    assert "no step uses 'ferry'" in told(fleets={"ferry": {"count": 1, "based": "base"}})
    assert SITES.keys() >= ROADS["roads"].keys()
