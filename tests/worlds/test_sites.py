"""Sites, the network between them, and the step that goes from one to another."""

import json
import pickle
from math import acos, cos, radians, sin

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from marl_health.worlds.flow.network import Network, kilometres
from tests.worlds.build import comes, departures, game_of, play, scenario, story
from tests.worlds.redrawn import redraws
from tests.worlds.sites import BY_AIR, HOME, ROADS, SITES, region


def problems(tmp_path, **changes):
    with pytest.raises(ScenarioError) as told:
        region(tmp_path, changes.pop("pathway", {"go": {"travel": {"to": "level_one"}, "next": "home"}}), **changes)
    return str(told.value)


# ---------------------------------------------------------------- distances and roads
def test_the_distance_is_that_of_the_sphere():
    a, b = SITES["scene"]["at"], SITES["level_one"]["at"]
    (north_a, east_a), (north_b, east_b) = (map(radians, point) for point in (a, b))
    angle = acos(sin(north_a) * sin(north_b) + cos(north_a) * cos(north_b) * cos(east_a - east_b))
    assert kilometres(a, b) == pytest.approx(6371.0088 * angle, rel=1e-6)
    assert kilometres((0.0, 0.0), (0.0, 180.0)) == pytest.approx(20015.1, rel=1e-4), "half of the equator"
    assert kilometres(a, a) == 0.0


def test_a_journey_takes_as_long_as_the_way_is_and_ends_at_the_site(tmp_path):
    loaded = region(tmp_path, {"go": {"travel": {"to": "level_one"}, "mark": "set_out", "next": "home"}})
    minutes = kilometres(SITES["scene"]["at"], SITES["level_one"]["at"]) * 1.3 / 50 * 60
    assert loaded.program.travel.minutes("scene", "level_one", 0.0) == pytest.approx(minutes)
    assert departures(play(loaded)) == {1: (round(60 + minutes, 6), "discharged")}
    person = play(loaded).people()[1]
    assert person.attributes["site"] == "scene" and person.changes[-1][1:] == ("site", "level_one")
    assert person.changes[-1][0] == pytest.approx(60 + minutes)


def test_the_shortest_way_along_the_roads_is_taken_both_ways(tmp_path):
    travel = region(tmp_path, {"go": {"travel": {"to": "level_one"}, "next": "home"}}, travel=ROADS).program.travel
    assert travel.minutes("scene", "level_one", 0.0) == 4 + 5 + 2, "over level_two it is shorter than 4 + 8"
    assert travel.minutes("level_one", "scene", 0.0) == 11
    assert travel.minutes("community", "community", 0.0) == 0
    assert travel.nearest("scene", ["community", "level_one", "level_two"]) == "level_two"


def test_hours_count_at_departure_and_before_the_first_the_last_holds():
    network = Network({"a": {"b": 10.0}}, hours=((420.0, 1.5), (600.0, 1.0), (1200.0, 0.5)), start=360.0)
    found = [network.minutes("a", "b", now) for now in (0.0, 59.9, 60.0, 239.9, 240.0, 840.0, 1440.0 + 60.0)]
    assert found == [5.0, 5.0, 15.0, 15.0, 10.0, 5.0, 15.0]
    assert network.minutes("a", "b", 60.0, pace=2.0) == 30.0


def test_hours_slow_a_journey_down(tmp_path):
    step = {"go": {"travel": {"to": "level_two"}, "next": "home"}}
    slow = {**ROADS, "times": {"07:00": 2, "09:00": 1}}
    loaded = region(tmp_path, step, travel=slow, times=("06:59", "07:01", "10:00"))
    assert departures(play(loaded)) == {1: (419 + 9, "discharged"), 2: (421 + 18, "discharged"),
                                        3: (609, "discharged")}  # fmt: skip


def test_speed_and_times_of_a_journey(tmp_path):
    base = region(tmp_path, {"go": {"travel": {"to": "level_two"}, "next": "home"}})
    minutes = departures(play(base))[1][0] - 60
    walked = region(tmp_path, {"go": {"travel": {"to": "level_two", "speed": "5 km/h"}, "next": "home"}})
    assert departures(play(walked))[1][0] - 60 == pytest.approx(10 * minutes)
    jam = region(tmp_path, {"go": {"travel": {"to": "level_two", "times": 3}, "next": "home"}})
    assert departures(play(jam))[1][0] - 60 == pytest.approx(3 * minutes)


# ---------------------------------------------------------------- where to
def test_to_an_attribute_that_holds_a_site_and_back_again(tmp_path):
    pathway = {
        "out": {"travel": {"to": "target"}, "next": "treated"},
        "treated": {"wait": "10 min", "set": {"target": "origin"}, "next": "back"},
        "back": {"travel": {"to": "target"}, "next": "home"},
    }
    has = {"origin": "site", "target": {"choice": {"level_one": "40%", "community": "else"}}}
    loaded = region(tmp_path, pathway, has=has, travel=ROADS, times=["01:00"] * 20)
    game = play(loaded)
    ways = {"level_one": 11, "community": 4 + 5 + 30}
    targets = {number: person.attributes["target"] for number, person in game.people().items()}
    assert set(targets.values()) == set(ways)
    assert departures(game) == {n: (60 + 10 + 2 * ways[to], "discharged") for n, to in targets.items()}
    assert all(person.changes[-1][1:] == ("site", "scene") for person in game.people().values())


def test_the_nearest_site_and_the_nearest_of_those_that_meet_a_condition(tmp_path):
    def goes_to(**travel):
        game = play(region(tmp_path, {"go": {"travel": {"to": travel}, "next": "home"}}, travel=ROADS))
        return game.people()[1].changes[-1][2]

    hospitals = ["community", "level_one", "level_two"]
    assert goes_to(nearest=hospitals) == "level_two"
    assert goes_to(nearest=hospitals, when="trauma == 1") == "level_one"
    assert goes_to(nearest=hospitals, when="trauma == none and beds < 200") == "community"
    assert goes_to(nearest=["level_one", "community"]) == "level_one"


def test_the_place_at_the_old_site_is_free_at_departure(tmp_path):
    loaded = region(
        tmp_path,
        {
            "mat": {"move_to": "mat", "for": "10 min", "next": "go"},
            "go": {"travel": {"to": "level_two"}, "next": "home"},
        },
        travel=ROADS,
        times=("01:00", "01:00"),
        places={"mat": {"count": 1}},
    )
    assert departures(play(loaded)) == {1: (60 + 10 + 9, "discharged"), 2: (60 + 20 + 9, "discharged")}


# ---------------------------------------------------------------- what depends on the site
def test_conditions_and_numbers_ask_where_somebody_is(tmp_path):
    pathway = {
        "start": {"next": {"when": [{"if": "site == scene", "go": "go"}, {"else": "stays"}]}},
        "go": {"travel": {"to": "level_one"}, "next": "stays"},
        "stays": {"wait": {"by": "site", "level_one": "5 min", "else": "7 min"}, "next": "home"},
    }
    at = {"choice": {"scene": "50%", "community": "50%"}}
    game = play(region(tmp_path, pathway, at=at, travel=ROADS, times=["01:00"] * 12))
    begun = {number: person.attributes["site"] for number, person in game.people().items()}
    assert set(begun.values()) == {"scene", "community"}
    assert departures(game) == {n: (60 + (16 if at == "scene" else 7), "discharged") for n, at in begun.items()}


def test_a_condition_reads_the_parameters_of_the_site(tmp_path):
    pathway = {
        "start": {
            "next": {"when": [{"if": "site.trauma in [1, 2] and site.beds > 600", "go": "home"}, {"else": "far"}]}
        },
        "far": {"leave": "elsewhere"},
    }
    game = play(region(tmp_path, pathway, at={"choice": dict.fromkeys(SITES, "25%")}, times=["01:00"] * 30))
    ends = {(person.attributes["site"], departures(game)[number][1]) for number, person in game.people().items()}
    assert ends == {(site, "discharged" if site == "level_two" else "elsewhere") for site in SITES}


# ---------------------------------------------------------------- copies and other futures
def under_way(tmp_path, travel, seed=0):
    game = game_of(region(tmp_path, {"go": {"travel": travel, "next": "home"}}, travel=ROADS), seed)
    game.running.advance(65.0)
    return game


def test_a_fork_and_a_pickled_game_arrive_at_the_same_time(tmp_path):
    game = under_way(tmp_path, {"to": "level_one"})
    for copied in (game.fork(), pickle.loads(pickle.dumps(game))):
        copied.finish()
        assert departures(copied) == {1: (71.0, "discharged")}


def test_a_journey_without_chance_ends_in_every_redrawn_future_when_it_ends(tmp_path):
    game = under_way(tmp_path, {"to": "level_one"})
    (entity,) = game.running.entities.values()
    assert redraws(game, lambda world: world.entities[entity.id].until, draws=20) == [pytest.approx(71.0)] * 20


def test_the_rest_of_a_journey_with_chance_is_drawn_anew_given_how_long_it_lasted(tmp_path):
    game = under_way(tmp_path, {"to": "level_one", "times": {"uniform": [0.3, 2.3]}})
    (entity,) = game.running.entities.values()
    ends = redraws(game, lambda world: world.entities[entity.id].until, draws=400)
    assert min(ends) >= 65.0 and max(ends) <= 60 + 11 * 2.3
    middle = (65.0 + 60 + 11 * 2.3) / 2
    spread = (60 + 11 * 2.3 - 65.0) / 12**0.5
    assert abs(sum(ends) / 400 - middle) < 4 * spread / 20, "uniform on what is left"


def test_everybody_is_somewhere_and_the_same_seed_gives_the_same_events(tmp_path):
    pathway = {"go": {"travel": {"to": "level_one", "times": {"uniform": [0.5, 2]}}, "next": "home"}}
    loaded = region(tmp_path, pathway, times=["01:00", "02:00", "23:58"])
    first, second = play(loaded, seed=3), play(loaded, seed=3)
    assert first.events() == second.events() != play(loaded, seed=4).events()
    assert first.conservation() == {"arrived": 3, "discharged": 2, "died": 0, "left": 0, "inside": 1}
    assert story(first, 1)[0] == (60.0, "queue", "go") and story(first, 1)[-1][1:] == ("arrival_departure", "depart")


# ---------------------------------------------------------------- what is wrong
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"at": None}, "entities.patient: needs at: the site where it comes into being"),
        ({"at": "level_on"}, "there is no site named 'level_on'; did you mean 'level_one'?"),
        ({"travel": {"distance": "great_circle"}}, "speed goes with distance"),
        ({"travel": {**BY_AIR, "speed": "50"}}, "'50' is not a speed; write one such as 50 km/h"),
        ({"travel": {**ROADS, "speed": "50 km/h"}}, "roads are in minutes"),
        ({"travel": {"roads": {"scene": {"level_one": "3 min"}}}}, "no road leads to the site 'level_two'"),
        ({"travel": {"roads": {"scene": {"level_one": "3 min"}, "level_two": {"community": "4 min"}}}},
         "no road leads from 'scene' to 'level_two'"),
        ({"travel": {"roads": {**ROADS["roads"], "level_one": {"bridge": "9 min"}}}},
         "is 8 min from 'bridge' to 'level_one'; roads go both ways"),
        ({"sites": {**SITES, "far": {"trauma": 1}}}, "sites.far: needs at: [latitude, longitude]"),
        ({"travel": None}, "how long does it take?"),
        ({"pathway": {"go": {"travel": {"to": "nowhere"}, "next": "home"}}},
         "there is no site, or attribute that holds one, named 'nowhere'"),
        ({"pathway": {"go": {"travel": {"to": "sick"}, "next": "home"}}, "has": {"sick": {"chance": "5%"}}},
         "'sick' may be False, which is no site; declare it as sick: site under has"),
        ({"pathway": {"go": {"travel": {"to": {"nearest": "hospitl"}}, "next": "home"}}},
         "there is no site or template named 'hospitl'"),
        ({"pathway": {"go": {"travel": {"to": {"nearest": "level_one", "when": "level == 1"}}, "next": "home"}}},
         "there is no parameter of these sites named 'level'"),
        ({"pathway": {"go": {"travel": {"to": {"nearest": "level_one", "when": "trauma == 2"}}, "next": "home"}}},
         "no site meets this condition"),
        ({"travel": ROADS, "pathway": {"go": {"travel": {"to": "level_one", "speed": "5 km/h"}, "next": "home"}}},
         "the roads of travel are in minutes"),
        ({"has": {"site": {"choice": {"scene": "100%"}}}}, "write at: SITE instead"),
        ({"pathway": {"go": {"travel": {"to": "level_one"}, "next": "go"}}}, "from here nobody ever leaves"),
        ({"pathway": {"a": {"next": {"when": [{"if": "site.level == 1", "go": "home"}, {"else": "home"}]}}}},
         "no site has a parameter 'level'"),
        ({"pathway": {"a": {"together": {"one": {"do": ["go"]}}, "next": "home"}, "go": {"travel": {"to": "scene"}}}},
         "'go' travels, and nobody can do part of their work elsewhere"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_sites_is_told(tmp_path, changes, told):
    assert told in problems(tmp_path, **changes)


def test_sites_are_needed_for_what_refers_to_them(tmp_path):
    patient = {"arrive": comes("01:00"), "begins": "home"}
    with pytest.raises(ScenarioError, match="there are no sites to travel between"):
        scenario(tmp_path, entities={"patient": patient}, pathway=HOME, travel=ROADS)
    with pytest.raises(ScenarioError, match="the scenario has no sites"):
        scenario(tmp_path, entities={"patient": {**patient, "at": "scene"}}, pathway=HOME)


def test_a_scenario_without_sites_has_no_attribute_for_them(tmp_path):
    loaded = scenario(tmp_path, entities={"patient": {"arrive": comes("01:00"), "begins": "home"}}, pathway=HOME)
    assert loaded.program.slots_of_values == {"kind": 0} and loaded.program.sites == {}


def test_a_site_holds_its_template_and_parameters(tmp_path):
    site = region(tmp_path, {"home_": {"next": "home"}}).program.sites["community"]
    assert (site.name, site.at, site.template) == ("community", (36.0, -115.12), None)
    assert site.parameters == {"trauma": "none", "beds": 179}
    assert json.dumps(marl_health.load(region(tmp_path, {"x": {"next": "home"}}).file).data)
