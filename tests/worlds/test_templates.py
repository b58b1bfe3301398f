"""Sites made from templates: what names mean inside and outside, parameters, sums over sites, agents at each site."""

import json
import pickle
from itertools import pairwise

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from marl_health.worlds.flow.model import FlowScenario
from tests.worlds.build import comes, departures, game_of, play, scenario, starts
from tests.worlds.networks import HOME, HOSPITAL, TWO, network, problems
from tests.worlds.worlds import Player, steps_of


# ---------------------------------------------------------------- names
def test_each_site_has_its_own_of_what_the_template_lists(tmp_path):
    program = network(tmp_path).program
    assert {pool.name: pool.shifts[0][1] for pool in program.pools} == {
        "near_team": 1, "near_bed": 2, "far_team": 3, "far_bed": 5
    }  # fmt: skip
    assert set(program.step_index) == {"go", "home", "near_door", "far_door"}


def test_the_way_on_leads_to_the_step_of_the_site_where_somebody_is(tmp_path):
    target = {"choice": {"near": "50%", "far": "50%"}}
    loaded = network(tmp_path, target="target", patient={"has": {"target": target}}, times=["01:00"] * 8)
    game = play(loaded)
    doors = {n: next(name for name in ("near_door", "far_door") if n in starts(game, name)) for n in game.people()}
    assert doors == {n: f"{person.attributes['target']}_door" for n, person in game.people().items()}
    assert set(doors.values()) == {"near_door", "far_door"}


def test_a_team_at_one_site_does_not_serve_the_other(tmp_path):
    game = play(network(tmp_path, target="near"))
    assert [time for _, (time, _) in sorted(departures(game).items())] == [90, 110, 130, 150], "one team, one by one"
    game = play(network(tmp_path, target="far"))
    assert [time for _, (time, _) in sorted(departures(game).items())] == [110, 110, 110, 130], "three teams"


def test_entities_of_a_template_come_at_each_site(tmp_path):
    walk_in = {"arrive": {"rate": {"per_day": {"times": [20, "beds"]}}}, "begins": "door"}
    game = play(network(tmp_path, hospital={"entities": {"walk_in": walk_in}}))
    kinds = [person.kind for person in game.people().values()]
    assert 20 < kinds.count("near_walk_in") < 65 and 70 < kinds.count("far_walk_in") < 140
    assert {person.attributes["site"] for person in game.people().values() if person.kind == "far_walk_in"} == {"far"}


def test_lists_conditions_and_splits_know_the_names_of_a_template(tmp_path):
    hospital = {
        "entities": {"walk_in": {"arrive": comes("02:00"), "begins": "door"}},
        "pathway": {
            "door": {"move_to": "bed", "with": "team", "queue": "line", "for": "20 min", "next": "sorted"},
            "sorted": {
                "next": {
                    "when": [
                        {"if": "kind == walk_in", "go": "ward"},
                        {"else": {"split": {"icu": "50%", "ward": "else"}}},
                    ]
                }
            },
            "icu": {"wait": "1 h", "next": "home"},
            "ward": {"wait": "2 h", "next": "home"},
        },
    }
    loaded = network(
        tmp_path,
        hospital=hospital,
        timers={
            "late": {
                "for": ["hospital.walk_in", "patient"],
                "from": "arrival",
                "until": "discharge",
                "after": "20 h",
                "go": "home",
            }
        },
        measures={"stay": {"from": "arrival", "to": "discharge", "for": "hospital.walk_in"}},
        kpis={"stays": {"of": "stay.count"}, "came": {"of": "hospital.walk_in.arrived"}},
        times=["01:00"] * 10,
        target="far",
    )
    game = play(loaded)
    assert game.kpis() == {"stays": 2.0, "came": 2.0}
    after = {name for *_, name, _ in game.events() if name in ("far_icu", "far_ward", "near_ward", "near_icu")}
    assert after == {"far_icu", "far_ward", "near_ward"}, "walk-ins of both go to their ward, patients by chance"


def test_a_split_to_steps_of_a_template_draws_the_same_at_every_site(tmp_path):
    pathway = {"go": {"travel": {"to": "target"}, "next": {"split": {"hospital.door": "50%", "home": "else"}}}}

    def treated(target):
        has = {"has": {"target": {"choice": {target: "else"}}}}
        game = play(network(tmp_path, pathway=pathway, patient=has, times=["01:00"] * 20))
        return set(starts(game, f"{target}_door"))

    assert treated("near") == treated("far") and 0 < len(treated("near")) < 20


def test_one_site_may_be_named(tmp_path):
    loaded = network(
        tmp_path,
        pathway={"go": {"travel": {"to": "near"}, "next": "near.door"}},
        kpis={"near": {"of": "near.line.served"}},
    )
    assert play(loaded).kpis() == {"near": 4.0}, "that nobody comes to the other door is no mistake of the template"


# ---------------------------------------------------------------- parameters
def test_numbers_are_worked_out_from_parameters(tmp_path):
    counts = {
        "share": {"share": "30%", "of": "beds", "at_least": 1},
        "product": {"times": [1.5, "beds"]},
        "nested": {"by": "trauma", 1: {"share": "50%", "of": "beds"}, "else": 7},
    }
    places = {**HOSPITAL["places"], **{name: {"count": count} for name, count in counts.items()}}
    steps = {name: {"visit": name, "for": {"times": ["1 min", "beds"]}, "next": "home"} for name in counts}
    door = {**HOSPITAL["pathway"]["door"], "next": {"split": {"share": "30%", "product": "30%", "nested": "else"}}}
    hospital = {"places": places, "pathway": {"door": door, **steps}}
    program = network(tmp_path, hospital=hospital).program
    units = {pool.name: pool.shifts[0][1] for pool in program.pools}
    assert [units[f"near_{name}"] for name in counts] == [1, 3, 7], "30% of 2 is rounded up to what is said at least"
    assert [units[f"far_{name}"] for name in counts] == [2, 8, 3], "1.5, 7.5 and 2.5 are rounded"
    minutes = [program.steps[program.step_index[f"{site}_share"]].duration(None, None) for site in ("near", "far")]
    assert minutes == [2.0, 5.0]


def test_here_is_the_name_of_the_site(tmp_path):
    door = {**HOSPITAL["pathway"]["door"], "next": {"when": [{"if": "site == here", "go": "home"}, {"else": "lost"}]}}
    hospital = {"pathway": {"door": door, "lost": {"leave": "lost"}}}
    assert {end for _, end in departures(play(network(tmp_path, hospital=hospital))).values()} == {"discharged"}


# ---------------------------------------------------------------- marks and measures
def test_a_measure_of_a_template_is_kept_by_site_and_a_mark_means_the_same_everywhere(tmp_path):
    hospital = {
        "measures": {"to_home": {"from": "seen", "to": "cured"}},
        "pathway": {
            "door": {**HOSPITAL["pathway"]["door"], "next": "rest"},
            "rest": {"wait": {"by": "trauma", 1: "30 min", "else": "50 min"}, "mark_end": "cured", "next": "home"},
        },
    }
    loaded = network(
        tmp_path,
        hospital=hospital,
        target="target",
        patient={"has": {"target": {"choice": {"near": "50%", "far": "50%"}}}},
        times=["01:00"] * 8,
        measures={"whole": {"from": "arrival", "to": "cured"}},
        kpis={
            "by_site": {"each": "hospital", "of": "to_home.mean"},
            "all": {"of": "hospital.to_home.mean"},
            "count": {"of": "hospital.to_home.count"},
            "whole": {"of": "whole.count"},
            "seen": {"of": "seen.count"},
            "seen_here": {"each": "hospital", "of": "seen.count"},
        },
    )
    kpis = play(loaded).kpis()
    assert (kpis["near_by_site"], kpis["far_by_site"]) == (70, 50)
    assert kpis["all"] == (70 * kpis["near_seen_here"] + 50 * kpis["far_seen_here"]) / 8
    assert kpis["count"] == kpis["whole"] == kpis["seen"] == kpis["near_seen_here"] + kpis["far_seen_here"] == 8


def test_shares_and_means_over_sites_are_those_of_all_together(tmp_path):
    kpis = {
        "all": {"of": "hospital.bed.occupancy"},
        "own": {"each": "hospital", "of": "bed.occupancy"},
        "wait": {"of": "hospital.line.mean_wait"},
        "busy": {"of": "hospital.team.busy_hours"},
    }
    found = play(network(tmp_path, kpis=kpis)).kpis()
    assert found["far_own"] == 0.0
    assert found["all"] == pytest.approx(found["near_own"] * 2 / 7)
    assert found["wait"] == pytest.approx((0 + 20 + 40 + 60) / 4)
    assert found["busy"] == pytest.approx(80 / 60)


# ---------------------------------------------------------------- agents
def agents(tmp_path, **more):
    slots = {"waiting": {"waiting": "line", "top": 2, "show": ["waited"]}}
    desk = {
        "each": "hospital",
        "sees": ["bed.free", "line.waiting", "waiting", "hospital.bed.free", {"each": "hospital", "see": "team.free"}],
        "can": [{"set": "bed.extra", "levels": [0, 1]}, {"choose": "waiting", "do": "first"}],
    }
    officer = {
        "sees": ["hospital.line.waiting", "hospital.waiting", "sent"],
        "can": [{"each": "hospital", "choose": "sent", "do": {"set": {"target": "here"}, "go": "ride"}}],
    }
    pathway = {
        "stop": {"wait": "90 min", "next": "ride"},
        "ride": {"travel": {"to": "target"}, "next": "hospital.door"},
    }
    return network(
        tmp_path,
        hospital={"slots": slots},
        pathway=pathway,
        slots={"sent": {"in": "stop", "top": 2}},
        patient={"has": {"target": {"nearest": "hospital"}}},
        agents={"desk": desk, "officer": officer},
        **more,
    )


def test_agents_of_a_role_see_and_can_do_the_same_at_their_site(tmp_path):
    loaded = agents(tmp_path)
    game = game_of(loaded)
    assert game.agents == ("desk_0", "desk_1", "officer_0") and loaded.roles == ["desk", "officer"]
    assert game.action_names("desk_0") == game.action_names("desk_1")
    assert game.action_names("desk_0")[1:3] == ["set bed.extra +0", "set bed.extra +1"]
    assert game.observation_names("desk_0")[:2] == ["bed.free", "line.waiting"]
    assert game.look("desk_0")[0] == 2 and game.look("desk_1")[0] == 5, "beds of near and of far"
    shared = game.observation_names("desk_0").index("hospital.bed.free")
    assert game.look("desk_0")[shared] == game.look("desk_1")[shared] == 7
    assert game.act("desk_1", 2)
    assert [game.running.pools[n].capacity for n, pool in enumerate(loaded.program.pools) if "bed" in pool.name] == [
        2,
        6,
    ]


def test_an_entry_for_each_site_is_one_move_for_each(tmp_path):
    loaded = agents(tmp_path)
    game = game_of(loaded)
    names = game.action_names("officer_0")
    assert names == [
        "wait",
        *(f"send to ride with target {site} sent[{slot}]" for site in ("near", "far") for slot in (0, 1)),
    ]
    game.advance(), game.advance()
    assert game.act("officer_0", names.index("send to ride with target far sent[0]"))
    game.finish()
    assert game.people()[1].changes[0][2] == "far" and departures(game)[1][0] == 120 + 30 + 20
    assert departures(game)[2][0] == 60 + 90 + 10 + 20, "who is not sent goes to the nearest"


def test_what_is_paid_to_a_role_is_paid_to_its_agents_and_for_each_to_the_own(tmp_path):
    score = {
        "efficiency": [{"each": "hospital", "of": "line.served", "worth": 1, "to": "desk"}],
        "risk": [{"of": "hospital.line.served", "worth": -0.5, "to": "desk"}],
    }
    game = play(agents(tmp_path, score=score))
    team, own = game.gains()
    assert own == {"desk_0": [0, 4.0, 0, -2.0, 0], "desk_1": [0, 0, 0, -2.0, 0]} and not any(team)


def test_agents_of_a_role_need_to_be_alike(tmp_path):
    sees = {"a": {"role": "desk", "sees": ["hour"], "can": [{"set": "near.bed.extra", "levels": [0, 1]}]},
            "b": {"role": "desk", "sees": ["hour"], "can": [{"set": "far.bed.extra", "levels": [0, 1]}]}}  # fmt: skip
    assert game_of(network(tmp_path, agents=sees)).agents == ("desk_0", "desk_1")
    sees["b"]["sees"] = ["hour", "weekday"]
    told = problems(tmp_path, agents=sees)
    assert "agents.b: sees 5 things, but desk_0 of the same role 3; agents of a role are alike" in told


# ---------------------------------------------------------------- the example as a whole
def test_the_example_conserves_everybody_and_does_the_same_again(tmp_path):
    env = marl_health.parallel_env(TWO, events=True)
    logs = []
    for _ in range(2):
        for _ in steps_of(env, 5, Player(5)):
            assert env.state_space.contains(env.state())
        logs.append(env.event_log())
        found = env.conservation()
        assert found["arrived"] == found["discharged"] + found["died"] + found["left"] + found["inside"]
    assert logs[0] == logs[1] and {"north_door", "south_door", "ride"} <= {row[3] for row in logs[0]}


def test_a_copy_goes_on_alike_and_a_redrawn_one_otherwise():
    loaded = marl_health.load(TWO)
    game = game_of(loaded, seed=2)
    for _ in range(6):
        game.advance()
    copies = [
        game.fork(),
        pickle.loads(pickle.dumps(game)),
        game.fork(redraw=1),
        game.fork(redraw=1),
        game.fork(redraw=2),
    ]
    for each in (game, *copies):
        each.finish()
    assert copies[0].events() == copies[1].events() == game.events()
    assert copies[2].events() == copies[3].events()
    assert len({len(each.events()) for each in (game, copies[2], copies[4])}) > 1


def test_the_event_log_is_the_same_when_written_by_generated_code():
    loaded = marl_health.load(TWO)
    with_log, without = game_of(loaded, seed=4), game_of(loaded, seed=4, events=False)
    for game in (with_log, without):
        game.finish()
    assert with_log.kpis() == without.kpis() and with_log.conservation() == without.conservation()


# ---------------------------------------------------------------- ways by an attribute
def test_a_way_on_for_each_value_of_an_attribute(tmp_path):
    colour = {"choice": {"red": "30%", "green": "40%", "grey": "else"}}
    ways = {"by": "colour", "red": "home", "green": {"split": {"home": "50%", "away": "else"}}, "else": "away"}
    entities = {"patient": {"arrive": comes(*["01:00"] * 30), "has": {"colour": colour}, "begins": "sort"}}
    pathway = {"sort": {"next": ways}, "away": {"leave": "elsewhere"}, **HOME}
    game = play(scenario(tmp_path, entities=entities, pathway=pathway))
    ends = {(person.attributes["colour"], departures(game)[number][1]) for number, person in game.people().items()}
    assert ends == {("red", "discharged"), ("green", "discharged"), ("green", "elsewhere"), ("grey", "elsewhere")}
    with pytest.raises(ScenarioError, match="no case for colour = grey; add one, or else"):
        del ways["else"]
        scenario(tmp_path, entities=entities, pathway=pathway)


# ---------------------------------------------------------------- what stays as it was
def test_the_hash_and_the_models_of_the_example_are_of_what_the_file_says():
    loaded = marl_health.load(TWO)
    assert (
        "templates" in loaded.data and "door" not in loaded.data["pathway"] and "north_door" in loaded.whole["pathway"]
    )
    assert isinstance(loaded.spec, FlowScenario) and json.dumps(loaded.data)


def test_marks_of_health_and_of_shortened_stays_are_kept_by_site_too(tmp_path):
    hospital = {
        "pathway": {
            "door": {"move_to": "bed", "with": "team", "queue": "line", "for": "20 min", "next": "rest"},
            "rest": {"stay": "20 h", "shorten": {"mark": "early"}, "next": "home"},
        },
        "entities": {"walk_in": {"arrive": comes("02:00"), "begins": "door"}},
        "health": {
            "ill": {"for": "walk_in", "from": "arrival", "until": "discharge",
                    "states": {"well": {"worse": {"after": "3 h", "mark": "worsened"}}, "worse": {}}},
        },
        "slots": {"resting": {"in": "rest", "top": 1}},
    }  # fmt: skip
    desk = {"each": "hospital", "sees": ["resting"], "can": [{"choose": "resting", "do": "shorten"}]}
    kpis = {name: {"each": "hospital", "of": f"{name}.count"} for name in ("early", "worsened")}
    loaded = network(tmp_path, hospital=hospital, agents={"desk": desk}, kpis={**kpis, "all": {"of": "early.count"}})
    game = play(loaded, moves=[(6, "desk_1", "shorten resting[0]")])
    assert game.kpis() == {"near_early": 0, "far_early": 1, "near_worsened": 1, "far_worsened": 1, "all": 1}


# ---------------------------------------------------------------- who is on the way, and the state of many sites
def test_who_is_on_the_way_is_in_the_state_and_in_pictures(tmp_path):
    has = {"target": {"choice": {"near": "50%", "far": "else"}}}
    timers = {"lost": {"for": "patient", "from": "arrival", "until": "discharge", "after": "15 min", "go": "home"}}
    parts = {"patient": {"has": has}, "target": "target", "times": ["01:00"] * 12}
    loaded = network(tmp_path, **parts)
    game = game_of(loaded)
    game.running.advance(65.0)
    targets = [entity.values[loaded.program.heading] for entity in game.running.entities.values()]
    state = dict(zip(game.state_names(), game.state(), strict=True))
    far = targets.count("far")
    assert 0 < far < 12 and state["far.coming"] == far / (far + 5) and state["scene.coming"] == 0
    snapshot = game.snapshot()
    assert [journey["to"] for journey in snapshot["journeys"]] == targets
    assert {(journey["since"], journey["until"]) for journey in snapshot["journeys"]} == {(60.0, 70.0), (60.0, 90.0)}
    game.running.advance(71.0)
    assert len(game.running.underway) == far and sum(game.snapshot()["sites"]["near"]["inside"]) == 12 - far
    game.running.advance(91.0)
    assert not game.running.underway
    lost = game_of(network(tmp_path, timers=timers, **parts))
    lost.running.advance(76.0)
    assert not lost.running.underway, "whoever turned round is not on the way any more"


@pytest.mark.parametrize("sites", [12, 60])
def test_the_state_of_many_sites_has_room_for_all_of_them(tmp_path, sites):
    rooms = ["theatre", "icu", "scanner", "bay"]
    steps = {room: {"visit": room, "for": "5 min", "next": then} for room, then in pairwise([*rooms, "last"])}
    hospital = {
        "places": {name: {"count": 2} for name in ("bed", *rooms)},
        "pathway": {
            "door": {**HOSPITAL["pathway"]["door"], "next": "theatre"},
            **steps,
            "last": {"wait": "1 min", "mark": "cured", "next": "home"},
        },
        "measures": {"whole": {"from": "seen", "to": "cured"}},
    }
    many = {f"h{number}": {"like": "hospital", "beds": 2, "trauma": 1} for number in range(sites)}
    loaded = network(
        tmp_path,
        hospital=hospital,
        sites={"scene": {}, **many},
        travel={"roads": {"scene": dict.fromkeys(many, "10 min")}},
        target="h3",
        agents={"desk": {"each": "hospital", "sees": ["bed.free"], "can": [{"set": "bed.extra", "levels": [0, 1]}]}},
    )
    game = game_of(loaded)
    game.running.advance(75.0)  # two of four have a bed at h3
    names, state = game.state_names(), game.state()
    assert len(names) == len(state) == len(set(names)) <= 1024
    found = dict(zip(names, state, strict=True))
    assert found[f"h{sites - 1}.coming"] == 0.0
    if sites == 12:
        assert found["h3_bed.taken"] == 1.0 and found["h3_whole.now"] == 2 / 12 and found["h4_bed.taken"] == 0.0
        assert "desk_11.bed.extra position" in found
    else:
        assert found["h3.places.taken"] == 0.2 and found["h4.places.taken"] == 0.0, "2 of 10 places"
        assert found["hospital.whole.now"] == 2 / (2 + 600) and found["h3.staff.taken"] == 2 / 3
        assert "desk.bed.extra position" in found
