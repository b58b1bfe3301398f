"""Clocks beside the pathway: exact under changing hazards, and deaths expected equal deaths drawn in the mean."""

from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from scipy import stats

import marl_health
from tests.worlds.build import comes, departures, play, scenario, story
from tests.worlds.worlds import SMALL, Player, steps_of

HOME = {"leave": "discharged"}
DEAD = {"leave": "died"}


def patients(per_hour=6):
    return {"patient": {"arrive": {"rate": {"per_hour": per_hour}}, "has": {"acuity": 3}, "begins": "first"}}


def lifetimes(tmp_path, hazard_by_acuity, changes, hours=400):
    """Minutes from arrival to death of those whose acuity changes at given minutes; nobody gets out otherwise."""
    steps, names = {}, ["first", *(f"then_{number}" for number in range(len(changes)))]
    before = 0
    for name, following, (minute, _) in zip(names, names[1:], changes, strict=False):
        steps[name] = {"wait": f"{minute - before} min", "next": following}
        before = minute
    for name, (_, acuity) in zip(names[1:], changes, strict=True):
        steps.setdefault(name, {})["set"] = {"acuity": acuity}
    steps.setdefault(names[-1], {}).update({"wait": "10000 h", "next": "home"})
    loaded = scenario(
        tmp_path,
        clock={"episode": f"{hours} h", "run_out": "400 h", "decide_every": f"{hours} h"},
        entities=patients(),
        pathway={**steps, "home": HOME, "dead": DEAD},
        health={
            "failing": {
                "for": "patient",
                "from": "arrival",
                "until": "discharge",
                "states": {"ill": {"gone": {"hazard": {"by": "acuity", **hazard_by_acuity}, "go": "dead"}}},
            }
        },
        kpis={"expected": {"of": "expected_deaths"}, "deaths": {"of": "died.count"}},
    )
    game = play(loaded, seed=1)
    came = {row[1]: row[0] for row in game.events() if row[3] == "arrival"}
    gone = departures(game)
    return np.array([gone[number][0] - time for number, time in came.items() if number in gone]), game


def test_a_constant_hazard_gives_exponential_lifetimes(tmp_path):
    found, game = lifetimes(tmp_path, {"3": "0.5 per_hour"}, [])
    assert len(found) > 2000
    assert stats.kstest(found / 120.0, "expon").pvalue > 1e-3
    kpis = game.kpis()
    assert abs(kpis["expected"] - kpis["deaths"]) < 3.66 * sqrt(kpis["deaths"])


def test_hazards_that_change_with_an_attribute_are_exact_in_between(tmp_path):
    """The cumulative hazard at death is exponential, however often the hazard changed before."""
    changes = [(20, 2), (35, 3), (50, 1), (70, 2), (90, 4), (130, 1)]
    hazards = {"1": "1.2 per_hour", "2": "0.3 per_hour", "3": "0.6 per_hour", "4": "0 per_hour"}
    found, game = lifetimes(tmp_path, hazards, changes)
    rate_of = {1: 1.2, 2: 0.3, 3: 0.6, 4: 0.0}
    edges = [0.0, *(float(minute) for minute, _ in changes), 1e5]
    rates = [rate_of[acuity] / 60 for acuity in (3, *(acuity for _, acuity in changes))]
    cumulative = np.concatenate([[0.0], np.cumsum(np.array(rates) * np.diff(edges))])
    assert stats.kstest(np.interp(found, edges, cumulative), "expon").pvalue > 1e-3
    assert not ((found > 90) & (found < 130)).any(), "nobody dies while the hazard is 0"
    kpis = game.kpis()
    assert abs(kpis["expected"] - kpis["deaths"]) < 3.66 * sqrt(kpis["deaths"])


def test_luck_does_not_depend_on_how_often_anybody_looks(tmp_path):
    """Attributes that change without changing the hazard move no death."""
    plain, _ = lifetimes(tmp_path, {"else": "0.5 per_hour"}, [])
    often, _ = lifetimes(tmp_path, {"else": "0.5 per_hour"}, [(minute, 1 + minute % 4) for minute in range(5, 200, 7)])
    assert often == pytest.approx(plain, abs=1e-5)


def test_competing_hazards_share_the_cases_in_proportion(tmp_path):
    loaded = scenario(
        tmp_path,
        clock={"episode": "400 h", "run_out": "100 h", "decide_every": "400 h"},
        entities=patients(),
        pathway={
            "first": {"wait": "1000 h", "next": "home"},
            "home": HOME,
            "dead": DEAD,
            "well": {"leave": "recovered"},
        },
        health={
            "course": {
                "for": "patient",
                "from": "arrival",
                "until": "discharge",
                "states": {
                    "ill": {
                        "gone": {"hazard": "0.3 per_hour", "go": "dead"},
                        "cured": {"hazard": "0.9 per_hour", "go": "well"},
                    }
                },
            }
        },
        kpis={
            "expected": {"of": "expected_deaths"},
            "deaths": {"of": "died.count"},
            "came": {"of": "patient.arrived"},
            "recovered": {"of": "recovered.count"},
        },
    )
    kpis = play(loaded).kpis()
    total = kpis["came"]
    assert kpis["deaths"] + kpis["recovered"] == total > 2000
    assert abs(kpis["deaths"] - total / 4) < 3.66 * sqrt(total * 3 / 16)
    assert abs(kpis["expected"] - kpis["deaths"]) < 3.66 * sqrt(kpis["deaths"])
    assert kpis["expected"] == pytest.approx(total / 4, rel=0.1)


def test_states_follow_each_other_and_stop_with_treatment(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"physician": {"count": 1}},
        entities={"patient": {"arrive": comes("01:00", "01:01"), "has": {"acuity": 3}, "begins": "look"}},
        pathway={
            "look": {"use": "physician", "for": "50 min", "mark": "seen", "next": "home"},
            "home": HOME,
            "dead": DEAD,
        },
        health={
            "untreated": {
                "for": "patient",
                "from": "arrival",
                "until": "seen",
                "states": {
                    "stable": {"worse": {"after": "20 min", "mark": "worsened"}},
                    "worse": {"arrest": {"after": "15 min", "mark": "arrested"}},
                    "arrest": {"gone": {"after": "10 min", "go": "dead"}},
                },
            }
        },
        kpis={
            "worsened": {"of": "worsened.count"},
            "arrested": {"of": "arrested.count"},
            "expected": {"of": "expected_deaths"},
        },
    )
    game = play(loaded)
    assert departures(game) == {1: (110, "discharged"), 2: (61 + 45, "died")}
    assert game.kpis() == {"worsened": 1, "arrested": 1, "expected": 1}


def test_a_machine_that_its_own_mark_ends_stays_ended(tmp_path):
    loaded = scenario(
        tmp_path,
        entities={"patient": {"arrive": comes("01:00"), "begins": "first"}},
        pathway={"first": {"wait": "5 h", "next": "home"}, "home": HOME, "dead": DEAD},
        health={
            "course": {
                "for": "patient",
                "from": "arrival",
                "until": "noticed",
                "states": {
                    "ill": {"worse": {"after": "1 h", "mark": "noticed"}},
                    "worse": {"gone": {"after": "1 h", "go": "dead"}},
                },
            }
        },
    )
    assert departures(play(loaded)) == {1: (360, "discharged")}


def test_death_in_the_middle_of_work_frees_everything(tmp_path):
    loaded = scenario(
        tmp_path,
        staff={"nurse": {"count": 1}},
        places={"bay": {"count": 1, "clean": "10 min"}},
        entities={"patient": {"arrive": comes("01:00", "01:05"), "begins": "to_bay"}},
        pathway={
            "to_bay": {"move_to": "bay", "next": "care"},
            "care": {"use": "nurse", "for": "60 min", "next": "home"},
            "home": HOME,
            "dead": DEAD,
        },
        health={
            "failing": {
                "for": "patient",
                "from": "arrival",
                "until": "discharge",
                "states": {"ill": {"gone": {"after": "40 min", "go": "dead"}}},
            }
        },
    )
    game = play(loaded)
    assert departures(game) == {1: (100, "died"), 2: (105, "died")}
    assert story(game, 1)[-2:] == [(100, "resource_use_end", "care"), (100, "arrival_departure", "depart")]
    assert [pool.busy for pool in game.running.pools] == [0, 0]


def test_deaths_by_chance_count_as_their_chance(tmp_path):
    loaded = scenario(
        tmp_path,
        clock={"episode": "20 days", "decide_every": "20 days"},
        entities={
            "patient": {
                "arrive": {"rate": {"per_hour": 6}},
                "has": {"acuity": {"choice": {"1": "20%", "2": "80%"}}},
                "begins": "first",
            }
        },
        pathway={
            "first": {
                "wait": "10 min",
                "next": {
                    "split": {"by": "acuity", "1": {"dead": "30%", "home": "70%"}, "2": {"dead": "2%", "home": "else"}}
                },
            },
            "home": HOME,
            "dead": DEAD,
        },
        kpis={
            "expected": {"of": "expected_deaths"},
            "deaths": {"of": "died.count"},
            "left": {"of": "discharged.count"},
        },
    )
    kpis = play(loaded).kpis()
    assert abs(kpis["expected"] - kpis["deaths"]) < 3.66 * sqrt(kpis["deaths"])
    assert kpis["expected"] == pytest.approx(0.076 * (kpis["deaths"] + kpis["left"]), rel=0.05)


def test_expected_deaths_equal_drawn_deaths_in_the_mean_on_a_whole_hospital(tmp_path):
    """The difference is a martingale: its mean over replications is 0 within its standard error."""
    deadly = tmp_path / "deadly.yaml"
    deadly.write_text(SMALL.read_text().replace("hazard: 0.25 per_hour, go: died", "hazard: 2.5 per_hour, go: died"))
    env = marl_health.parallel_env(deadly)
    pairs = []
    for seed in range(50):
        for _ in steps_of(env, seed, Player(seed)):
            pass
        kpis = env.kpis()
        pairs.append((kpis["expected_deaths"], kpis["deaths"]))
    expected, drawn = np.array(pairs).T
    difference = expected - drawn
    assert drawn.mean() > 0.8
    assert abs(difference.mean()) < 3.66 * difference.std(ddof=1) / sqrt(50)


def test_timers_fire_once_and_at_their_time_whatever_happens_in_between(tmp_path):
    loaded = scenario(
        tmp_path,
        clock={"episode": "10 days", "decide_every": "10 days"},
        staff={"nurse": {"count": 2}},
        entities={"patient": {"arrive": {"rate": {"per_hour": 5}}, "begins": "talk"}},
        pathway={
            "talk": {
                "use": "nurse",
                "for": {"exponential": {"mean": "20 min"}},
                "next": {"split": {"talk": "50%", "home": "50%"}},
            },
            "home": HOME,
            "called": {"leave": "called_away"},
        },
        timers={"call": {"for": "patient", "from": "arrival", "until": "discharge", "after": "45 min", "go": "called"}},
    )
    game = play(loaded)
    came = {row[1]: row[0] for row in game.events() if row[3] == "arrival"}
    called = [number for number, (_, outcome) in departures(game).items() if outcome == "called_away"]
    assert len(called) > 100
    for number, (time, outcome) in departures(game).items():
        assert time - came[number] <= 45 + 1e-6
        assert (outcome == "called_away") == (abs(time - came[number] - 45) < 1e-6)
    assert all(first <= second for (first, *_), (second, *_) in pairwise(game.events()))
