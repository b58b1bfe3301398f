"""Scenarios put together at random from every word of the language: whatever comes out must run and keep its books."""

import random

import numpy as np
import pytest

import marl_health
from tests.worlds.build import scenario
from tests.worlds.test_invariants import audit, waits_in_log
from tests.worlds.worlds import Player

STAFF, PLACES = ("nurse", "physician", "porter"), ("bay", "ward", "ct")


class Maker:
    """Makes one random scenario; the same seed, the same scenario."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.queues, self.slots, self.pathway = {}, {}, {}

    def maybe(self, chance):
        return self.random.random() < chance

    def duration(self):
        mean = self.random.choice([3, 10, 25, 60])
        return self.random.choice(
            [
                f"{mean} min",
                {"exponential": {"mean": f"{mean} min"}},
                {"lognormal": {"mean": f"{mean} min", "cv": 0.6}},
                {"by": "acuity", "1": f"{2 * mean} min", "else": {"uniform": ["1 min", f"{2 * mean} min"]}},
            ]
        )

    def waiting(self, name, spec):
        """Queue, priority, interruption and patience for a step that may have to wait."""
        if self.maybe(0.6):
            self.queues[f"line_{name}"] = {
                "classes": "acuity",
                "order": self.random.choice(
                    ["arrival", "class", {"first": [3, 1]}, {"ageing": {"1": 9, "2": 3, "3": 1}}]
                ),
            }
            spec["queue"] = f"line_{name}"
            if self.maybe(0.4):
                by = self.random.choice(["waited", "acuity"])
                self.slots[f"slots_{name}"] = {"waiting": f"line_{name}", "top": 3, "by": by, "show": ["acuity"]}
        if self.maybe(0.3):
            spec["priority"] = self.random.choice([-1, 1])
        if self.maybe(0.25):
            spec["preempt"] = self.random.choice(["resume", "resume_first", "restart"])
        if self.maybe(0.25):
            after = self.random.choice(["40 min", {"exponential": {"mean": "2 h"}}])
            spec["or"] = {"after": after, "go": self.random.choice(["gone", "rest"])}
        return spec

    def use(self, name, *, inside=False):
        kinds = self.random.sample(STAFF, self.random.choice([1, 1, 2]))
        if self.maybe(0.2):
            kinds.append(kinds[0])
        spec = {"use": kinds, "for": self.duration()}
        if self.maybe(0.3):
            spec["same"] = True
        return spec if inside else self.waiting(name, spec)

    def step(self, name):
        kind = self.random.choice(["use", "use", "move", "visit", "stay", "together", "set"])
        if kind == "use":
            return self.use(name)
        if kind == "move":
            spec = {"move_to": self.random.choice(("bay", "ward"))}
            if self.maybe(0.4):
                spec |= {"with": [self.random.choice(STAFF)], "for": self.duration()}
            return self.waiting(name, spec)
        if kind == "visit":
            return self.waiting(name, {"visit": "ct", "with": self.random.sample(STAFF, 1), "for": self.duration()})
        if kind == "stay":
            self.slots[f"slots_{name}"] = {"in": name, "top": 2, "by": "waited", "show": ["waited"]}
            shorten = {"at_least": "30%", "lead": "10 min", "mark": f"short_{name}"}
            return {"stay": self.duration(), "shorten": shorten}
        if kind == "set":
            return {"wait": "2 min", "set": {"acuity": {"choice": {"1": "30%", "2": "30%", "3": "40%"}}}}
        branches = {}
        for branch in range(self.random.choice([1, 2, 3])):
            inner = f"{name}_{branch}"
            self.pathway[inner] = self.random.choice(
                [self.use(inner, inside=True), {"wait": self.duration()}, {"visit": "ct", "for": self.duration()}]
            )
            do = [inner] * self.random.choice([1, 1, 2])
            branches[f"branch_{branch}"] = {"do": do} | ({"chance": "60%"} if self.maybe(0.5) else {})
        return {"together": branches}

    def make(self, tmp_path):
        names = [f"step_{number}" for number in range(self.random.choice([4, 6, 8]))]
        for number, name in enumerate(names):
            spec = self.step(name) if number else self.waiting(name, {"use": "nurse", "for": "4 min"})
            following = names[number + 1] if number + 1 < len(names) else "home"
            spec["mark"] = f"at_{name}"
            if "together" not in spec and self.maybe(0.3):
                spec["next"] = {
                    "split": {following: "else", "dead": "5%"} | ({"home": "15%"} if following != "home" else {})
                }
            elif number and self.maybe(0.25):
                self.pathway[f"pause_{name}"] = {"wait": "15 min", "next": names[self.random.randrange(number)]}
                spec["next"] = {"split": {following: "75%", f"pause_{name}": "25%"}}
            else:
                spec["next"] = following
            self.pathway[name] = spec
        self.pathway |= {
            "rest": {"wait": {"exponential": {"mean": "30 min"}}, "next": "home"},
            "home": {
                "leave": "discharged",
                "again": {"chance": "10%", "after": "2 h", "as": "walker", "keeps": ["acuity"]},
            },
            "gone": {"leave": "left_without_being_seen"},
            "dead": {"leave": "died"},
        }
        if "'go': 'rest'" not in str(self.pathway):
            del self.pathway["rest"]
        acuity = {"choice": {"1": "20%", "2": "30%", "3": "50%"}}
        middle = f"at_{names[len(names) // 2]}"
        hazard = {"by": "acuity", "1": "0.3 per_hour", "else": "0.1 per_hour"}
        can = [
            {"set": f"{self.random.choice(STAFF)}.extra", "levels": [0, 1, -1], "lead": "20 min"},
            {"call_in": self.random.choice(STAFF), "count": 2, "for": "3 h", "at_most": 3},
            {"reserve": self.random.choice([*PLACES, *STAFF]), "for": "acuity <= 1", "levels": [0, 1]},
        ]
        for queue in self.queues:
            can.append({"set": f"{queue}.order", "to": {"arrival": "arrival", "class": "class"}, "at_least": "2 h"})
        for name, step in self.pathway.items():
            if isinstance(step.get("next"), str) and step["next"] != "home" and self.maybe(0.3):
                can.append({"set": f"{name}.next", "to": {"usual": step["next"], "out": "home"}, "at_least": "1 h"})
        used = []
        for name, slots in self.slots.items():
            inside = "in" in slots
            do = "shorten" if inside else self.random.choice(["first", {"go": "gone"}])
            can.append({"choose": name, "do": do})
            used.append(name)
        text = str(self.pathway)
        named = {name for name in (*STAFF, *PLACES) if f"'{name}'" in text}
        can = [move for move in can if (move.get("reserve") or move.get("set", "").split(".extra")[0]) in named
               or "choose" in move or "to" in move or move.get("call_in") in named]  # fmt: skip
        staff = {
            "nurse": {"shifts": {"00:00": 3, "07:00": 4, "16:30": 2}},
            "physician": {"shifts": {"00:00": 2, "09:15": 3, "21:00": 2}},
            "porter": {"count": 2},
        }
        if self.maybe(0.5):
            crews = [("00:00", "9 h", 2), ("08:30", "12 h", 3), ("20:15", "225 min", 1)]
            staff["physician"] = {"rota": [{"at": at, "for": long, "count": count} for at, long, count in crews]}
        places = {"bay": {"count": 6}, "ward": {"count": 9, "clean": "20 min"}, "ct": {"count": 2}}
        if self.maybe(0.5):
            places["ct"]["clean"] = {"by": "acuity", "1": "10 min", "else": "4 min"}
        return scenario(
            tmp_path,
            clock={"warm_up": "3 h", "episode": "1 days", "run_out": "6 h", "decide_every": "1 h"},
            staff={name: spec for name, spec in staff.items() if name in named},
            places={name: spec for name, spec in places.items() if name in named},
            entities={
                "walker": {
                    "arrive": {"rate": {"per_hour": self.random.choice([1.5, 3, 6])}},
                    "has": {"acuity": acuity},
                    "begins": names[0],
                }
            },
            pathway=self.pathway,
            queues=self.queues,
            slots={name: spec for name, spec in self.slots.items() if name in used},
            timers={
                "patience": {
                    "for": "walker", "from": "arrival", "until": middle,
                    "after": {"by": "acuity", "1": "never", "else": {"exponential": {"mean": "4 h"}}}, "go": "gone",
                }
            },
            health={
                "course": {
                    "for": "walker", "from": "arrival", "until": middle,
                    "states": {
                        "well": {"ill": {"hazard": hazard, "set": {"acuity": 1}}},
                        "ill": {"gone": {"hazard": "0.1 per_hour", "go": "dead"}, "well": {"after": "3 h"}},
                    },
                }
            },
            measures={"first_half": {"from": "arrival", "to": middle, "target": "1 h"}},
            score={
                "clinical": [{"of": "expected_deaths", "worth": -1}],
                "compliance": [{"of": "first_half.hours_over", "worth": -1}],
            },
            kpis={"stay": {"of": "first_half.mean"}, "deaths": {"of": "died.count"}},
            agents={"chief": {"sees": ["hour", *used], "can": can}},
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_a_random_scenario_runs_keeps_its_books_and_can_be_copied(tmp_path, seed):
    loaded = Maker(seed).make(tmp_path)
    env = marl_health.parallel_env(loaded, events=True)
    player = Player(seed, eager=0.8)
    _, infos = env.reset(seed=seed)
    copied, actions = None, []
    while env.agents:
        moves = player.act(env, infos)
        if len(actions) == 11:
            copied = env.game.fork()
        actions.append(moves)
        observations, _, _, _, infos = env.step(moves)
        audit(env.game.running)
        assert all(np.isfinite(observation).all() for observation in observations.values())
        found = env.conservation()
        assert found["arrived"] == found["discharged"] + found["died"] + found["left"] + found["inside"]
    world = env.game.running
    waits, _ = waits_in_log(env)
    for number, line in enumerate(world.program.lines):
        family = [other for other in world.lines if number in (other.index, other.base.index if other.base else -1)]
        area = sum(other.minutes(world.now) for other in family)
        spent = sum((world.now if left is None else left) - joined for joined, left in waits[number])
        assert area == pytest.approx(spent, rel=1e-6, abs=1e-6), line.name
    for moves in actions[11:]:
        for agent, action in moves.items():
            copied.act(agent, action)
        copied.advance()
        copied.gains()
    assert copied.events() == env.event_log()
    assert repr(copied.kpis()) == repr(env.kpis())
