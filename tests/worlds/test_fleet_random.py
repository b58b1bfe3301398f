"""Fleets in scenarios made at random, with agents who act at random: the books are kept, and copies are exact."""

import pickle
import random

import pytest

import marl_health
from tests.worlds.build import scenario
from tests.worlds.test_invariants import audit
from tests.worlds.worlds import Player

PLACES = ("base", "scene", "near", "far")


def made_up(tmp_path, seed):
    """A region with two fleets whose patients ride, wait at doors, ride on, are called away and die."""
    luck = random.Random(seed)
    minutes = {(a, b): luck.randint(3, 40) for n, a in enumerate(PLACES) for b in PLACES[n + 1 :]}
    roads = {a: {b: f"{minutes[a, b]} min" for n, b in enumerate(PLACES) if PLACES.index(a) < n} for a in PLACES[:-1]}
    together = luck.choice([1, 2, 3])
    fleets = {
        "van": {
            "based": luck.choice([["base"], ["base", "near"]]),
            "carries": together,
            **({"at_most_one": "colour == red"} if together > 1 and luck.random() < 0.7 else {}),
            **luck.choice([{"count": luck.randint(1, 4)}, {"shifts": {"00:00": 3, "09:00": 1, "15:30": 4}}]),
            **luck.choice([{}, {"returns": "scene"}]),
        },
        "jet": {"count": luck.randint(1, 2), "based": "far"},
    }
    who = luck.choice([{"by": "van"}, {"by": ["jet", "van"]}, {"race": ["van", "van", "jet"]}])
    short = {"exponential": {"mean": "6 min"}}
    ride = {**who, "to": "goal", "load": luck.choice(["0 min", short]), "unload": luck.choice(["0 min", short])}
    again = {"by": ["van", "jet"], "to": luck.choice(["near", "far", "other"]), "load": "5 min"}
    site = {"choice": {"near": "50%", "far": "else"}}
    return scenario(
        tmp_path,
        clock={"warm_up": "2 h", "episode": "20 h", "run_out": "8 h", "decide_every": "15 min"},
        sites={name: {} for name in PLACES},
        travel={"roads": roads},
        fleets=fleets,
        staff={"nurse": {"count": 2}},
        places={"mat": {"count": 3}, "bay": {"count": luck.randint(1, 4), "clean": "5 min"}},
        entities={
            "patient": {
                "at": "scene",
                "arrive": {"rate": {"per_hour": luck.choice([2, 4, 6])}},
                "has": {"colour": {"choice": {"red": "40%", "green": "else"}}, "goal": site, "other": site},
                "begins": "mat",
            }
        },
        queues={"calls": luck.choice([{}, {"classes": "colour", "order": "class"}]), "door": {}},
        slots={
            "waiting": {"waiting": "calls", "top": 3, "show": ["colour", "waited"]},
            "blocked": {"waiting": "door", "top": 2, "when": "colour == green", "show": ["waited"]},
        },
        pathway={
            "mat": {"move_to": "mat", "or": {"after": "2 h", "go": "gone"}, "next": "ride"},
            "ride": {
                "carry": ride,
                "queue": "calls",
                "mark_end": "handed",
                "next": luck.choice(["door", "looked_after"]),
                **luck.choice([{}, {"rises": {"after": "30 min", "to": -1}}]),
                **luck.choice([{}, {"or": {"after": "90 min", "go": "gone"}}]),
            },
            "door": {
                "move_to": "bay",
                "queue": "door",
                "mark": "inside",
                "for": {"exponential": {"mean": "50 min"}},
                "or": {"after": "25 min", "go": "on"},
                "next": {"split": {"send": "30%", "home": "else"}},
            },
            "looked_after": {"use": "nurse", "for": "8 min", "next": "door"},
            "arrests": {"use": "nurse", "for": "5 min", "next": {"split": {"door": "80%", "died": "else"}}},
            "on": {"carry": again, "next": "looked_after"},
            "send": {"carry": {"by": "van", "to": "other", "unload": "2 min"}, "next": "home"},
            "home": {"leave": "discharged"},
            "gone": {"leave": "gone"},
            "died": {"leave": "died"},
        },
        timers={"course": {"for": "patient", "from": "arrival", "until": "inside",
                           "after": {"exponential": {"mean": "4 h"}}, "go": "arrests"}},
        measures={"trip": {"from": "arrival", "to": "handed"}},
        agents={
            "officer": {
                "sees": ["van.states", {"see": "near.on_the_way", "by": "colour"}, "waiting", "blocked"],
                "can": [
                    {"choose": "waiting", "do": "first"},
                    {"choose": "waiting", "do": {"go": "gone"}, "at_most": 3},
                    {"choose": "blocked", "do": {"go": "on"}},
                    {"reserve": "van", "for": "colour == red", "levels": [0, 1]},
                    {"set": "van.extra", "levels": [0, 1, -1], "lead": "10 min"},
                    {"call_in": "jet", "count": 1, "lead": "20 min", "for": "2 h", "at_most": 2},
                ],
            }
        },
        score={"efficiency": [{"of": "trip.hours", "worth": -1}]},
        kpis={"trip": {"of": "trip.mean"}, "rides": {"of": "van.rides"}, "busy": {"of": "van.occupancy"}},
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_books_are_kept_and_copies_are_exact(tmp_path, seed):
    loaded = made_up(tmp_path, seed)
    env = marl_health.parallel_env(loaded, events=True)
    quiet = marl_health.parallel_env(loaded)
    player, twin = Player(seed, eager=0.6), Player(seed, eager=0.6)
    _, infos = env.reset(seed=seed)
    _, others = quiet.reset(seed=seed)
    copies, moves = [], []
    while env.agents:
        actions = player.act(env, infos)
        if len(moves) == 30:
            copies = [env.game.fork(), pickle.loads(pickle.dumps(env.game))]
            other = env.game.fork(redraw=seed)
            other.finish()
            audit(other.running)
        moves.append(actions)
        seen, _, _, _, infos = env.step(actions)
        unlogged, _, _, _, others = quiet.step(twin.act(quiet, others))
        audit(env.game.running)
        assert env.state_space.contains(env.state()) and env.game.snapshot()["units"].keys() == {"van", "jet"}
        assert {agent: view.tobytes() for agent, view in seen.items()} == {
            agent: view.tobytes() for agent, view in unlogged.items()
        }, "a log changes nothing"
        found = env.conservation()
        assert found["arrived"] == sum(found[end] for end in ("discharged", "died", "left", "inside"))
    assert quiet.kpis() == pytest.approx(env.kpis(), nan_ok=True) and env.kpis()["rides"] > 5
    for copied in copies:
        for actions in moves[30:]:
            for agent, action in actions.items():
                copied.act(agent, action)
            copied.advance()
        assert copied.events() == env.event_log()
