"""Machines: units that fail, are repaired and maintained, and are set up for one class of work."""

import pickle
from math import exp

import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, departures, game_of, play, scenario, starts, story
from tests.worlds.redrawn import CRITICAL, differs, left_after, redraws, weibull
from tests.worlds.test_invariants import audit

HOME = {"leave": "discharged"}
WEAR = {"fails": "90 min", "repair": {"for": "45 min", "costs": "500 usd"}}
MAINTAINED = {**WEAR, "maintenance": {"for": "20 min", "costs": "100 usd"}}
KPIS = {
    "failures": {"of": "scanner.failures"},
    "maintained": {"of": "scanner.maintained"},
    "down": {"of": "scanner.down_hours"},
    "busy": {"of": "scanner.busy_hours"},
    "spent": {"of": "spent"},
}
ENGINEER = {"engineer": {"sees": ["scanner.units"], "can": [{"maintain": "scanner"}]}}


def room(tmp_path, times=("01:00",), *, wear=WEAR, units=1, scan=None, **parts):
    """Patients who are scanned for an hour."""
    return scenario(
        tmp_path,
        places={"scanner": {"count": units, "wear": wear}},
        entities={"patient": {"arrive": comes(*times), "begins": "scan"}},
        pathway={"scan": {"visit": "scanner", "for": "1 h", "next": "home", **(scan or {})}, "home": HOME},
        kpis=KPIS,
        **{"clock": {"episode": "5 h", "decide_every": "10 min"}, **parts},
    )


def test_a_failure_interrupts_whoever_is_served_and_they_start_again(tmp_path):
    game = play(room(tmp_path))
    # It fails at 01:30, is back at 02:15 and would fail again at 03:45, at 05:15 and so on.
    assert starts(game, "scan") == {1: [60, 135]} and departures(game) == {1: (195, "discharged")}
    assert game.kpis() == {"failures": 2.0, "maintained": 0.0, "down": 1.5, "busy": 1.5, "spent": 1000.0}
    unit = [(time, what) for time, entity, kind, what, _ in game.events() if kind == "unit" and entity == -1]
    assert unit == [(90, "repair"), (135, "back"), (225, "repair"), (270, "back")]
    assert game.people()[-1].name == "scanner[0]"
    assert starts(game, "scan")[1] == [60, 135] and story(game, 1)[1] == (90, "resource_use_end", "scan")
    game = play(room(tmp_path, wear={**WEAR, "work": "resume"}))
    assert departures(game) == {1: (165, "discharged")} and game.kpis()["busy"] == 1.0


def test_a_unit_that_is_somebodys_place_goes_out_when_it_is_vacated(tmp_path):
    loaded = scenario(
        tmp_path,
        places={"scanner": {"count": 1, "wear": WEAR}},
        entities={"patient": {"arrive": comes("01:00", "01:10"), "begins": "in_room"}},
        pathway={"in_room": {"move_to": "scanner", "for": "1 h", "next": "home"}, "home": HOME},
        kpis=KPIS,
        clock={"episode": "5 h", "decide_every": "10 min"},
    )
    game = play(loaded)
    # Broken at 01:30, vacated at 02:00, back at 02:45; the life from there ends at 04:15, after the second has left.
    assert departures(game) == {1: (120, "discharged"), 2: (225, "discharged")}
    assert game.kpis()["failures"] == 2.0 and game.kpis()["down"] == 1.5


def test_an_agent_takes_a_unit_out_before_it_fails(tmp_path):
    loaded = room(tmp_path, wear=MAINTAINED, agents=ENGINEER)
    game = play(loaded, moves=[(0.5, "engineer_0", "maintain scanner[0]")])
    # Out from 00:30 to 00:50, so the scan is over at 02:00, and the unit fails at 02:20 and 04:35.
    assert departures(game) == {1: (120, "discharged")}
    assert game.kpis() == {"failures": 2.0, "maintained": 1.0, "down": 1.5, "busy": 1.0, "spent": 1100.0}


def test_a_unit_in_use_is_maintained_when_it_comes_free_and_others_wait(tmp_path):
    wear = {**MAINTAINED, "fails": "30 days"}
    loaded = room(tmp_path, ("01:00", "01:30"), wear=wear, agents=ENGINEER)
    env = marl_health.parallel_env(loaded)
    env.reset(seed=0)
    seen = {}
    while env.agents:
        env.step({"engineer_0": 1 if env.game.now == 80 else 0})
        if env.agents:
            seen[env.game.now] = {key.partition(".")[2]: value for key, value in env.readings("engineer_0").items()}
    assert seen[70] == {"busy": 1.0, "out": 0.0, "ordered": 0.0, "age": 70.0}
    assert seen[90] == {"busy": 1.0, "out": 0.0, "ordered": 1.0, "age": 90.0}
    assert seen[130] == {"busy": 0.0, "out": 1.0, "ordered": 0.0, "age": 0.0}
    assert seen[150] == {"busy": 1.0, "out": 0.0, "ordered": 0.0, "age": 10.0}
    assert env.kpis()["maintained"] == 1.0 and env.kpis()["busy"] == 2.0


def test_the_engineer_needs_time_to_come_and_repairs_what_has_failed_meanwhile(tmp_path):
    agents = {"engineer": {"sees": ["scanner.units"], "can": [{"maintain": "scanner", "lead": "1 h", "at_most": 1}]}}
    game = play(room(tmp_path, (), wear=MAINTAINED, agents=agents), moves=[(0, "engineer_0", "maintain scanner[0]")])
    assert game.kpis()["maintained"] == 1.0 and game.kpis()["failures"] == 1.0, "at 02:50; out from 01:00"
    game = play(room(tmp_path, (), wear=MAINTAINED, agents=agents), moves=[(1, "engineer_0", "maintain scanner[0]")])
    assert game.kpis()["maintained"] == 0.0, "it has failed at 01:30, half an hour before"


def test_one_of_two_units_fails_and_the_other_goes_on(tmp_path):
    wear = {**WEAR, "fails": {"uniform": ["80 min", "400 min"]}, "age": {"uniform": ["0 min", "60 min"]}}
    loaded = room(
        tmp_path, [f"{hour:02d}:{minute:02d}" for hour in range(4) for minute in (0, 20, 40)], wear=wear, units=2
    )
    for seed in range(5):
        game = game_of(loaded, seed)
        while not game.finished:
            game.advance()
            audit(game.running)


# ---------------------------------------------------------------- random numbers of their own
def test_lives_are_the_same_whatever_else_happens_and_units_differ(tmp_path):
    wear = {**MAINTAINED, "fails": {"weibull": {"shape": 2, "mean": "3 h"}}}
    clock = {"episode": "2 days", "decide_every": "1 h"}
    lives = []
    for times in ((), ("01:00", "02:00", "07:00", "09:00")):
        game = game_of(room(tmp_path, times, wear=wear, units=2, clock=clock))
        found = {0: [], 1: []}
        while not game.finished:
            for number, machine in game.running.pools[0].machines.items():
                life = machine.fails_at - machine.since
                if machine.out == 0 and life not in found[number]:
                    found[number].append(life)
            game.advance()
        lives.append(found)
    idle, used = lives
    for number in (0, 1):
        count = min(len(idle[number]), len(used[number]))
        assert count > 5 and idle[number][:count] == pytest.approx(used[number][:count])
    assert not set(idle[0]) & set(idle[1])


def test_a_unit_that_is_old_at_the_start_has_not_failed_before(tmp_path):
    law = weibull(2, 600)
    wear = {**WEAR, "fails": {"weibull": {"shape": 2, "mean": "10 h"}}, "age": "8 h"}
    loaded = room(tmp_path, (), wear=wear, units=400)
    machines = game_of(loaded).running.pools[0].machines.values()
    assert {machine.since for machine in machines} == {-480.0}
    assert differs([machine.fails_at for machine in machines], left_after(law, 480)) < CRITICAL


# ---------------------------------------------------------------- copies
def test_a_copy_made_while_one_unit_is_out_goes_on_alike(tmp_path):
    wear = {**MAINTAINED, "fails": {"weibull": {"shape": 2, "mean": "90 min"}}}
    game = game_of(room(tmp_path, ("01:00", "01:10", "02:00"), wear=wear, units=2))
    while not game.running.pools[0].out:
        game.advance()
    twin = pickle.loads(pickle.dumps(game))
    for one in (game, twin):
        while not one.finished:
            one.advance()
    assert twin.events() == game.events() and twin.kpis() == game.kpis()


def test_a_redrawn_unit_fails_as_its_age_says_and_is_back_as_its_repair_says(tmp_path):
    wear = {**WEAR, "fails": {"weibull": {"shape": 2, "mean": "10 h"}}, "age": "8 h"}
    wear["repair"] = {"for": {"weibull": {"shape": 3, "mean": "100 min"}}}
    game = game_of(room(tmp_path, (), wear=wear), seed=4, events=False)
    game.running.advance(30)
    assert not game.running.pools[0].out
    left = redraws(game, lambda world: world.pools[0].machines[0].fails_at - 30, 400)
    assert differs(left, left_after(weibull(2, 600), 510)) < CRITICAL
    while not game.running.pools[0].out:
        game.running.advance(game.running.now + 10)
    out = game.running.now - game.running.pools[0].machines[0].began
    left = redraws(game, lambda world: world.pools[0].machines[0].until - world.now, 400)
    assert differs(left, left_after(weibull(3, 100), out)) < CRITICAL


DELAYED = {
    "defect": {"exponential": {"mean": "20 h"}},
    "fails": {"exponential": {"mean": "10 h"}},
    "repair": {"for": "4 h"},
    "sign": {"every": "2 h", "sound": "10%", "defective": "70%"},
}


def test_checks_warn_of_a_defect_as_often_as_they_say(tmp_path):
    loaded = room(tmp_path, (), wear=DELAYED, units=1000, clock={"episode": "1 days", "decide_every": "12 h"})
    world = game_of(loaded, events=False).running
    world.advance(12 * 60 + 1)
    pool = world.pools[0]
    sound, defective = [], []
    for machine in pool.machines.values():
        signs = machine.read(world, pool.wear)
        if machine.out == 0 and machine.since == 0.0:
            assert len(signs) == 6
            for check, warned in enumerate(signs, 1):
                (defective if 120 * check >= machine.defect_at else sound).append(warned)
    assert abs(sum(sound) / len(sound) - 0.1) < 3.66 * (0.09 / len(sound)) ** 0.5
    assert abs(sum(defective) / len(defective) - 0.7) < 3.66 * (0.21 / len(defective)) ** 0.5


def test_a_redrawn_unit_is_as_likely_defective_as_its_checks_say(tmp_path):
    loaded = room(tmp_path, (), wear=DELAYED, clock={"episode": "1 days", "decide_every": "2 h"})

    def chance(signs, age):
        """Of a defect, by Bayes' rule over a fine grid of the time at which it arose."""
        weights = {False: 0.0, True: 0.0}
        for part in range(4000):
            defect = (part + 0.5) * 0.05
            weight = exp(-defect / 20) * (exp(-(age - defect) / 10) if defect < age else 1.0)
            for check, warned in enumerate(signs, 1):
                warns = 0.7 if 2 * check >= defect else 0.1
                weight *= warns if warned else 1 - warns
            weights[defect < age] += weight
        return weights[True] / sum(weights.values())

    found = set()
    for seed in range(40):
        game = game_of(loaded, seed, events=False)
        game.running.advance(6 * 60 + 30)
        pool = game.running.pools[0]
        signs = tuple(pool.machines[0].read(game.running, pool.wear))
        if pool.out or pool.machines[0].since > 0 or signs in found:
            continue
        found.add(signs)
        share = sum(redraws(game, lambda world: world.pools[0].machines[0].defect_at < world.now, 200)) / 200
        expected = chance(signs, 6.5)
        # One of 64 lives is taken: that adds a little to the sampling error, and a bias of the order of 1/64.
        assert abs(share - expected) < 3.66 * (expected * (1 - expected) / 200) ** 0.5 + 0.03
        if len(found) == 3:
            break
    assert len(found) == 3


@pytest.mark.parametrize(
    ("place", "agents", "said"),
    [
        ({"wear": {"fails": "1 days"}}, {}, "repair"),
        ({"wear": {**WEAR, "fails": "urgency"}}, {}, "nothing here is named 'urgency'"),
        ({"wear": {**WEAR, "fails": "weight"}}, {}, "belongs to an entity, and this is about a unit"),
        ({"wear": {**WEAR, "sign": {"every": "1 h", "sound": "5%", "defective": "60%"}}}, {}, "say under defect"),
        ({"wear": WEAR, "clean": "5 min"}, {}, "neither clean nor turnover"),
        ({"wear": WEAR, "count": "unlimited"}, {}, "fixed count"),
        ({"wear": WEAR}, {"sees": ["scanner.units"], "can": [{"maintain": "scanner"}]}, "how long maintenance takes"),
        ({"wear": MAINTAINED}, {"sees": ["hour"], "can": [{"maintain": "scaner"}]}, "did you mean 'scanner'"),
        (
            {"wear": MAINTAINED},
            {"sees": ["hour"], "can": [{"set": "scanner.extra", "levels": [0, 1]}]},
            "no lever adds",
        ),
        ({"wear": MAINTAINED}, {"sees": ["hour"], "can": [{"switch": "scanner"}]}, "give it set_up"),
        ({}, {"sees": ["scanner.units"], "can": [{"set": "scanner.extra", "levels": [0, 1]}]}, "nothing to see as"),
    ],
)
def test_slips(tmp_path, place, agents, said):
    with pytest.raises(ScenarioError, match=said):
        scenario(
            tmp_path,
            places={"scanner": {"count": 1, **place}},
            entities={"patient": {"arrive": comes("01:00"), "has": {"weight": 3}, "begins": "scan"}},
            pathway={"scan": {"visit": "scanner", "for": "1 h", "next": "home"}, "home": HOME},
            agents={"engineer": agents} if agents else {},
        )
