"""Fleets between sites that are made from a template."""

import marl_health
from tests.worlds.build import departures, play
from tests.worlds.fleets import RIDE, ROADS, region
from tests.worlds.test_invariants import audit

HOSPITAL = {
    "places": {"bay": {"count": 1}},
    "pathway": {"door": {"move_to": "bay", "for": "1 h", "mark": "inside", "next": "home"}},
}
SITES = {"base": {}, "scene": {}, "near": {"like": "hospital"}, "far": {"like": "hospital"}}


def network(tmp_path, *, agents=None, step=None, **parts):
    """Patients who are brought to one of two hospitals and take a bay there."""
    has = {"goal": {"choice": {"near": "50%", "far": "else"}}}
    timetable = [
        {"at": at, "on": "Monday", "has": {"goal": goal}}
        for at, goal in (("01:00", "near"), ("01:01", "near"), ("01:02", "far"))
    ]
    return region(
        tmp_path,
        sites=SITES,
        templates={"hospital": HOSPITAL},
        fleet={"count": 3},
        ride={**RIDE, "to": "goal", "mark_reached": ["reached"]},
        step={"mark_end": "handed", "next": "hospital.door", **(step or {})},
        entities={"patient": {"at": "scene", "arrive": {"timetable": timetable}, "has": has, "begins": "ride"}},
        agents=agents or {},
        **{"clock": {"episode": "6 h", "decide_every": "10 min"}, **parts},
    )


def test_whoever_is_brought_somewhere_goes_on_there(tmp_path):
    measures = {"response": {"from": "arrival", "to": "reached"}, "blocked": {"from": "handed", "to": "inside"}}
    kpis = {"blocked": {"of": "blocked.hours"}, "response": {"of": "response.mean"}}
    game = play(network(tmp_path, kpis=kpis, measures=measures))
    audit(game.running)
    assert {n: when for n, (when, _) in departures(game).items()} == {1: 158, 2: 218, 3: 62 + 10 + 5 + 40 + 3 + 60}
    assert game.kpis() == {"blocked": (158 - 99) / 60, "response": 10.0}


def test_each_hospital_sees_who_is_on_the_way_to_it_and_how_far_it_is(tmp_path):
    agents = {
        "coordinator": {
            "each": "hospital",
            "sees": ["here.on_the_way", {"see": "here.minutes_away", "from": "scene"}, "bay.free"],
            "can": [{"set": "bay.extra", "levels": [0, 1]}],
        },
        "officer": {
            "sees": ["hospital.on_the_way", {"see": "hospital.minutes_away", "from": "scene"}],
            "can": [{"set": "ambulance.extra", "levels": [0, 1]}],
        },
    }
    env = marl_health.parallel_env(network(tmp_path, agents=agents))
    assert env.possible_agents == ["coordinator_0", "coordinator_1", "officer_0"]
    env.reset(seed=0)
    while env.game.now < 70:
        env.step({})
    first, second, officer = (env.readings(agent) for agent in env.possible_agents)
    assert [*first] == [*second], "the same names at every site"
    assert [*first.values()][:3] == [2.0, 20.0, 1.0] and [*second.values()][:3] == [1.0, 40.0, 1.0]
    assert [*officer.values()][:3] == [3.0, 20.0, 40.0]
    assert first["here.on_the_way"] == 2.0 and officer["far.minutes_away"] == 40.0
    assert ROADS["roads"]["scene"]["far"] == "40 min"
