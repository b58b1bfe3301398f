"""KPIs split by group, against the event log, against the whole, and in both ways a world can run."""

import json
import math
import pickle
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

import marl_health
from marl_health.spec.errors import ScenarioError
from marl_health.worlds.flow.groups import FEWEST
from marl_health.worlds.game import WITHOUT
from tests.worlds.build import comes, play, scenario
from tests.worlds.test_random_scenarios import Maker
from tests.worlds.worlds import Player, steps_of

WARM_UP, EPISODE, RUN_OUT = 360.0, 4320.0, 720.0
SLOW = {"by": "insurance", "private": "9 min", "none": "16 min", "else": "12 min"}


def clinic(tmp_path, **parts):
    """A doctor who takes longer for some, patients who lose patience, and couriers who have no insurance."""
    content = {
        "clock": {"warm_up": "6 h", "episode": "3 days", "run_out": "12 h", "decide_every": "1 h"},
        "groups": ["insurance", "old", "kind"],
        "staff": {"doctor": {"count": 1}},
        "entities": {
            "patient": {
                "arrive": {"rate": {"per_hour": 4}},
                "has": {
                    "insurance": {"choice": {"private": "50%", "public": "35%", "none": "else"}},
                    "old": {"chance": "30%"},
                },
                "begins": "look",
            },
            "courier": {"arrive": {"rate": {"per_hour": 1}}, "has": {"old": "no"}, "begins": "hand_over"},
        },
        "pathway": {
            "look": {"use": "doctor", "for": {"times": [1, SLOW]}, "mark": "seen", "mark_end": "done", "next": "home"},
            "hand_over": {"use": "doctor", "for": "2 min", "mark": "seen", "mark_end": "done", "next": "home"},
            "home": {"leave": "discharged"},
            "gone": {"leave": "left_unseen"},
        },
        "timers": {
            "patience": {
                "for": "patient", "from": "arrival", "until": "seen", "go": "gone",
                "after": {"by": "insurance", "none": {"exponential": {"mean": "70 min"}}, "else": "150 min"},
            }
        },
        "measures": {
            "door": {"from": "arrival", "to": "seen", "target": {"by": "old", "yes": "10 min", "no": "30 min"}}
        },
        "kpis": {
            "waits": {"of": "door.count"},
            "mean": {"of": "door.mean"},
            "p90": {"of": "door.p90"},
            "median": {"of": "door.median"},
            "in_time": {"of": "door.share_within", "better": "higher"},
            "hours": {"of": "door.hours"},
            "hours_over": {"of": "door.hours_over"},
            "seen": {"of": "seen.count"},
            "left": {"of": "left_unseen.count"},
            "came": {"of": "patient.arrived"},
            "left_share": {"of": "left_unseen.count", "per": "patient.arrived"},
            "busy": {"of": "doctor.occupancy"},
            "queue": {"of": "doctor.mean_wait"},
            "money": {"of": "spent"},
            "gap": {"of": "door.mean", "gap": "insurance"},
            "any_gap": {"of": "door.mean", "gap": ["old", "insurance", "kind"]},
            "left_gap": {"of": "left_unseen.count", "per": "patient.arrived", "gap": "insurance"},
        },
    }  # fmt: skip
    return scenario(tmp_path, **content | parts)


def recorded(game):
    """(entity, minutes until seen) of those counted who were seen after the warm-up, and who came when."""
    came, seen = {}, {}
    for time, entity, kind, event, _ in game.events():
        if event == "arrival":
            came[entity] = time
        elif kind == "resource_use":
            seen[entity] = time
    counted = {entity: time for entity, time in came.items() if time < WARM_UP + EPISODE}
    waits = [
        (entity, seen[entity] - time) for entity, time in counted.items() if entity in seen and seen[entity] >= WARM_UP
    ]
    return counted, waits


@pytest.mark.parametrize("seed", range(3))
def test_what_is_split_is_what_the_event_log_tells(tmp_path, seed):
    game = play(clinic(tmp_path), seed)
    people, kpis = game.people(), game.kpis_by("insurance")
    counted, waits = recorded(game)
    gone = {row[1] for row in game.events() if row[4] == "left_unseen" and row[0] >= WARM_UP}
    groups = defaultdict(list)
    late = Counter()
    for entity, minutes in waits:
        group = people[entity].attributes.get("insurance", WITHOUT)
        groups[group].append(minutes)
        late[group] += minutes <= (10 if people[entity].attributes["old"] else 30)
    assert set(kpis["mean"]) == set(groups) == {"private", "public", "none", WITHOUT}
    for group, minutes in groups.items():
        assert kpis["waits"][group] == len(minutes) > 20
        assert kpis["mean"][group] == pytest.approx(np.mean(minutes), rel=1e-9)
        assert kpis["p90"][group] == pytest.approx(np.quantile(minutes, 0.9), rel=1e-9)
        assert kpis["in_time"][group] == pytest.approx(late[group] / len(minutes))
        members = {entity for entity in counted if people[entity].attributes.get("insurance", WITHOUT) == group}
        assert kpis["left"][group] == len(members & gone)
        came = sum(people[entity].kind == "patient" and counted[entity] >= WARM_UP for entity in members)
        assert kpis["came"][group] == came
        share = kpis["left_share"][group]
        assert share == len(members & gone) / came if came else math.isnan(share)


def assert_adds_up(game):
    """Groups of every attribute add up to the whole, and means of groups, weighted, to the mean."""
    whole = game.kpis()
    assert game.groups()
    for attribute, groups in game.groups().items():
        split = game.kpis_by(attribute)
        assert split.keys() == whole.keys() - game.whole_kpis().keys()
        assert all(list(values) == groups for values in split.values())
        for name, values in split.items():
            of = next(kpi.reading for kpi in game.program.kpis if kpi.name == name)
            statistic = getattr(of, "statistic", "count")
            if "share" in name:
                continue
            if statistic == "count":
                assert math.fsum(values.values()) == pytest.approx(whole[name], rel=1e-9, abs=1e-9), name
            elif statistic in ("mean", "share_within"):
                weights = split["waits"]
                mean = math.fsum(values[group] * weights[group] for group in groups if weights[group])
                weight = whole["waits"]
                assert (mean / weight if weight else math.nan) == pytest.approx(whole[name], rel=1e-9, nan_ok=True)


def test_groups_add_up_to_the_whole_at_every_decision(tmp_path):
    loaded = clinic(tmp_path)
    game = loaded.kind.make_game(loaded.program)
    game.reset(3, events=False)
    for hour in range(72):
        game.advance()
        if hour > 3:
            assert_adds_up(game)
    assert game.finished and game.kpis()["hours_over"] > 1


def test_a_kpi_that_no_entity_has_a_part_in_says_so(tmp_path):
    game = play(clinic(tmp_path))
    whole = game.whole_kpis()
    assert set(whole) == {"busy", "queue", "money", "gap", "any_gap", "left_gap"}
    assert "resource" in whole["busy"] and "queue" in whole["queue"] and "nobody" in whole["money"]


def test_a_gap_is_the_largest_difference_between_groups_with_enough_records(tmp_path):
    loaded = clinic(tmp_path)
    told = 0
    for seed in range(6):
        game = play(loaded, seed)
        kpis, by = game.kpis(), {name: game.kpis_by(name) for name in ("insurance", "old", "kind")}
        gaps = {}
        for attribute, split in by.items():
            means = [
                split["mean"][group] for group, count in split["waits"].items() if count >= FEWEST and group != WITHOUT
            ]
            gaps[attribute] = max(means) - min(means) if len(means) > 1 else math.nan
        assert kpis["gap"] == pytest.approx(gaps["insurance"], nan_ok=True)
        assert kpis["any_gap"] == pytest.approx(max(gaps.values()))
        split = by["insurance"]
        shares = [split["left_share"][group] for group, came in split["came"].items() if came >= FEWEST]
        assert kpis["left_gap"] == pytest.approx(max(shares) - min(shares))
        told += kpis["gap"] > 0
    assert told == 6


def test_a_gap_needs_two_groups_of_enough_records(tmp_path):
    rare = {"choice": {"private": "98%", "none": "else"}}
    parts = {
        "arrive": {"rate": {"per_hour": 4}},
        "has": {"insurance": rare, "old": {"chance": "30%"}},
        "begins": "look",
    }
    pathway = {
        "look": {"use": "doctor", "for": "10 min", "mark": "seen", "next": "home"},
        "home": {"leave": "discharged"},
    }
    kpis = {"mean": {"of": "door.mean"}, "waits": {"of": "door.count"}, "gap": {"of": "door.mean", "gap": "insurance"}}
    game = play(clinic(tmp_path, entities={"patient": parts}, pathway=pathway, timers={}, kpis=kpis), seed=1)
    counts = game.kpis_by("insurance")["waits"]
    assert 0 < counts["none"] < FEWEST < counts["private"]
    assert math.isnan(game.kpis()["gap"])


def test_an_interval_counts_where_it_began_and_a_mark_where_it_is_set(tmp_path):
    """One patient of class 3 becomes one of class 1 half an hour after coming, and is seen after an hour."""
    loaded = scenario(
        tmp_path,
        groups=["acuity"],
        entities={"patient": {"arrive": comes("01:00"), "has": {"acuity": 3}, "begins": "wait_at_home"}},
        pathway={
            "wait_at_home": {"wait": "30 min", "next": "worse"},
            "worse": {"wait": "30 min", "set": {"acuity": 1}, "next": "look"},
            "look": {"wait": "10 min", "mark": "seen", "next": "home"},
            "home": {"leave": "discharged"},
            "dead": {"leave": "died"},
        },
        health={
            "failing": {
                "for": "patient", "from": "arrival", "until": "seen",
                "states": {"ill": {"gone": {"hazard": {"by": "acuity", "1": "0.04 per_hour", "3": "0.02 per_hour"},
                                            "go": "dead"}}},
            }
        },
        measures={"door": {"from": "arrival", "to": "seen"}},
        kpis={
            "mean": {"of": "door.mean"}, "hours": {"of": "door.hours"}, "seen": {"of": "seen.count"},
            "came": {"of": "patient.arrived"}, "gone": {"of": "discharged.count"}, "deaths": {"of": "expected_deaths"},
        },
    )  # fmt: skip
    for events in (True, False):
        game = loaded.kind.make_game(loaded.program)
        game.reset(1, events=events)
        game.advance(), game.advance()
        game.finish()
        kpis = game.kpis_by("acuity")
        assert kpis["hours"] == {"1": 0, "3": pytest.approx(1)}
        assert kpis["mean"]["3"] == pytest.approx(60) and math.isnan(kpis["mean"]["1"])
        assert kpis["came"] == {"1": 0, "3": 1} and kpis["seen"] == kpis["gone"] == {"1": 1, "3": 0}
        assert kpis["deaths"] == {"1": pytest.approx(0.02), "3": pytest.approx(0.01)}


def grouped(tmp_path, seed):
    """A random scenario, with groups and every KPI that can be split."""
    file = Path(Maker(seed).make(tmp_path).file)
    content = json.loads(file.read_text())
    content["groups"] = ["acuity", "kind"]
    mark = next(step["mark"] for step in content["pathway"].values() if "mark" in step)
    content["kpis"] = {
        "waits": {"of": "first_half.count"},
        **{what: {"of": f"first_half.{what}"} for what in ("mean", "p95", "share_within", "hours", "hours_over")},
        "died": {"of": "died.count"},
        "deaths": {"of": "expected_deaths"},
        "marks": {"of": f"{mark}.count"},
        "arrivals": {"of": "arrival.count"},
        "came": {"of": "walker.arrived"},
        "gap": {"of": "first_half.median", "gap": "acuity"},
    }
    content["kpis"]["in_time"] = content["kpis"].pop("share_within")
    file.write_text(json.dumps(content))
    return marl_health.load(file)


@pytest.mark.parametrize("seed", range(3000, 3025))
def test_generated_functions_split_as_the_classes_do_and_copies_carry_it(tmp_path, seed):
    loaded = grouped(tmp_path, seed)
    found = []
    for events in (False, True):
        env = marl_health.parallel_env(loaded, events=events)
        for number, _ in enumerate(steps_of(env, seed, Player(seed))):
            if number == 9:
                copies = [env.fork(), env.fork(redraw=5)]
                copies[0].game.world = pickle.loads(pickle.dumps(copies[0].game.world))
        assert_adds_up(env.game)
        for copied in copies:
            copied.game.finish()
            assert_adds_up(copied.game)
        kpis = env.kpis()
        found.append((kpis, env.kpis_by("acuity"), copies[0].kpis_by("acuity"), copies[1].kpis_by("acuity")))
    for one, other in zip(*found, strict=True):
        assert flat(one) == pytest.approx(flat(other), rel=1e-9, abs=1e-9, nan_ok=True)


def flat(values):
    """All numbers of a table of KPIs."""
    return [number for value in values.values() for number in (value.values() if isinstance(value, dict) else [value])]


def test_groups_change_nothing_but_what_is_told(tmp_path):
    with_groups, without = clinic(tmp_path), clinic(tmp_path, groups=[], kpis={"mean": {"of": "door.mean"}})
    games = [play(loaded, seed=2) for loaded in (with_groups, without)]
    assert games[0].events() == games[1].events()
    assert without.program.groups is None and games[1].running.tally is None
    assert games[1].groups() == {}
    with pytest.raises(ValueError, match=r"can be split by nothing, not by 'insurance'.*under groups"):
        games[1].kpis_by("insurance")
    with pytest.raises(ValueError, match=r"only by insurance, old, kind, not by 'age'"):
        games[0].kpis_by("age")


def test_groups_stand_in_the_order_of_the_scenario_and_numbers_in_theirs(tmp_path):
    game = play(clinic(tmp_path))
    assert game.groups() == {
        "insurance": ["private", "public", "none", WITHOUT],
        "old": ["no", "yes"],
        "kind": ["courier", "patient"],
    }


def test_so_they_do_where_an_attribute_depends_on_another(tmp_path):
    private = {"choice": {"private": "70%", "none": "else"}}
    has = {"old": {"chance": "30%"}, "insurance": {"by": "old", "yes": {"choice": {"medicare": "100%"}}, "no": private}}
    entity = {"arrive": {"rate": {"per_hour": 4}}, "has": has, "begins": "home"}
    pathway = {"home": {"leave": "discharged"}}
    loaded = scenario(tmp_path, groups=["insurance"], entities={"patient": entity}, pathway=pathway)
    assert play(loaded).groups() == {"insurance": ["medicare", "private", "none"]}


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"groups": ["insurence"]}, "no attribute named 'insurence'; did you mean 'insurance'?"),
        ({"groups": ["old", "old"]}, "'old' is named twice"),
        ({"groups": ["old"]}, "groups of 'insurance' are not kept apart; name it under groups:"),
        ({"kpis": {"x": {"of": "door.count", "gap": "old"}}}, "larger where the group is; divide it by the size"),
        ({"kpis": {"x": {"of": "door.hours", "gap": "old"}}}, "larger where the group is; divide it by the size"),
        ({"kpis": {"x": {"of": "seen.count", "per": "door.hours", "gap": "old"}}}, "a gap needs a count here"),
        ({"kpis": {"x": {"of": "doctor.occupancy", "gap": "old"}}}, "no gap in 'doctor.occupancy' between groups: a"),
        ({"kpis": {"x": {"of": "door.mean", "gap": "old", "better": "higher"}}}, "a gap between groups is better"),
    ],
)  # fmt: skip
def test_what_cannot_be_split_is_refused_with_the_remedy(tmp_path, parts, says):
    with pytest.raises(ScenarioError) as error:
        clinic(tmp_path, **parts)
    assert says in str(error.value)


def test_an_attribute_of_many_values_is_no_group(tmp_path):
    entity = {"arrive": {"rate": {"per_hour": 4}}, "has": {"age": {"uniform": [0, 90]}}, "begins": "home"}
    with pytest.raises(ScenarioError, match="'age' can take many values; split by an attribute that takes few"):
        scenario(tmp_path, groups=["age"], entities={"patient": entity}, pathway={"home": {"leave": "discharged"}})
