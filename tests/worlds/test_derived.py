"""Numbers that follow from others: rules over attributes, the time since a mark, curves, signals in a table, words."""

from pathlib import Path

import numpy as np
import pytest

from marl_health.spec.errors import ScenarioError
from tests.worlds.build import comes, game_of, play, scenario
from tests.worlds.test_hidden import crowd, near, redraws

LABEL = {
    "when": [
        {"if": "walks", "is": "green"},
        {"if": "breaths == 0", "is": "black"},
        {"if": "breaths > 30 or not obeys", "is": "red"},
        {"else": "yellow"},
    ]
}
CASES = [
    ({"walks": "yes", "breaths": 40, "obeys": "no"}, "green"),
    ({"walks": "no", "breaths": 0, "obeys": "no"}, "black"),
    ({"walks": "no", "breaths": 31, "obeys": "yes"}, "red"),
    ({"walks": "no", "breaths": 30, "obeys": "no"}, "red"),
    ({"walks": "no", "breaths": 30, "obeys": "yes"}, "yellow"),
]
SIGNS = {
    "walks": "no",
    "breaths": {"choice": {"0": "20%", "20": "20%", "30": "20%", "31": "20%", "40": "20%"}},
    "obeys": "yes",
}


def tables(tmp_path):
    """Put the tables beside the scenarios that a test writes."""
    for name in ("curve.csv", "readings.csv"):
        (tmp_path / name).write_text((Path(__file__).parent / name).read_text())


def of_everybody(game, name):
    """What everybody has of an attribute, in the order in which they came."""
    slot = game.program.slots_of_values[name]
    return [entity.values[slot] for entity in game.running.entities.values()]


@pytest.mark.parametrize(("has", "label"), CASES, ids=lambda case: str(case))
def test_the_first_rule_that_holds_says_what_it_is(tmp_path, has, label):
    loaded = scenario(
        tmp_path,
        entities={"patient": {"arrive": comes("01:00", **has), "has": {**SIGNS, "label": LABEL}, "begins": "rest"}},
        pathway={"rest": {"wait": "2 days", "next": "home"}, "home": {"leave": "discharged"}},
    )  # fmt: skip
    assert of_everybody(play(loaded), "label") == [label]


def test_rules_may_say_numbers_that_are_drawn_and_only_one_of_them_is(tmp_path):
    has = {
        "old": {"chance": "50%"},
        "stay": {"when": [{"if": "old", "is": {"uniform": [10, 20]}}, {"else": {"uniform": [0, 10]}}]},
    }
    people = crowd(tmp_path, has)
    old = [person["stay"] for person in people if person["old"]]
    young = [person["stay"] for person in people if not person["old"]]
    assert min(old) >= 10 > max(young)
    assert abs(np.mean(old) - 15) < 3.3 * 2.9 / np.sqrt(len(old)) and abs(np.mean(young) - 5) < 3.3 * 2.9 / np.sqrt(
        len(young)
    )


def waiting(tmp_path, sets, has, **parts):
    """Somebody who comes at 01:00, waits half an hour, and then has something set."""
    tables(tmp_path)
    loaded = scenario(
        tmp_path,
        entities={"patient": {"arrive": comes("01:00"), "has": has, "begins": "wait"}},
        pathway={
            "wait": {"wait": "30 min", "next": "rest"},
            "rest": {"wait": "2 days", "set": sets, "next": "home"},
            "home": {"leave": "discharged"},
        },
        **parts,
    )
    return play(loaded)


def test_the_time_since_a_mark_and_a_curve_along_it(tmp_path):
    sets = {
        "passed": {"since": "arrival"},
        "level": {"along": {"since": "arrival"}, "table": "curve.csv", "column": "steep"},
        "flat": {"along": {"since": "arrival"}, "table": "curve.csv", "column": "picked"},
        "beyond": {"along": 500, "table": "curve.csv", "column": "steep"},
        "before": {"along": -5, "table": "curve.csv", "column": "steep"},
    }
    has = {"passed": "0 min", "level": 0, "flat": 0, "beyond": 0, "before": 0}
    choose = {"picked": {"default": "shallow", "among": ["steep", "shallow"]}}
    game = waiting(tmp_path, sets, has, choose=choose)
    found = {name: of_everybody(game, name)[0] for name in has}
    assert found == pytest.approx({"passed": 30.0, "level": 0.7, "flat": 0.475, "beyond": 0.2, "before": 1.0})


def test_a_choice_between_words_is_a_word_that_everything_may_depend_on(tmp_path):
    choose = {"rule": {"default": "long", "among": ["long", "short"]}}
    has = {"used": "rule", "minutes": {"by": "used", "long": "2 h", "short": "5 min"}}
    entities = {"patient": {"arrive": comes("01:00"), "has": has, "begins": "rest"}}
    pathway = {"rest": {"wait": "2 days", "next": "home"}, "home": {"leave": "discharged"}}
    found = []
    for chosen in ({}, {"rule": "short"}):
        game = play(scenario(tmp_path, chosen=chosen, choose=choose, entities=entities, pathway=pathway))
        found += of_everybody(game, "used") + of_everybody(game, "minutes")
    assert found == ["long", 120.0, "short", 5.0]


def test_a_signal_in_a_table_shows_each_value_with_its_share_and_tells_of_the_truth(tmp_path):
    tables(tmp_path)
    gauge = {"signal_of": "grade", "table": "readings.csv", "column": "gauge", "share": "fine"}
    has = {"grade": {"choice": {"1": "50%", "2": "50%"}, "hidden": True}, "gauge": gauge}
    people = crowd(tmp_path, has)
    first = [person["gauge"] for person in people if person["grade"] == 1]
    second = [person["gauge"] for person in people if person["grade"] == 2]
    assert near(np.mean(np.array(first) == 10), 0.8, len(first)) and 30 not in first
    assert near(np.mean(np.array(second) == 30), 0.5, len(second))
    loaded = scenario(
        tmp_path,
        entities={"patient": {"arrive": comes("01:00", gauge=10), "has": has, "begins": "rest"}},
        pathway={"rest": {"wait": "2 days", "next": "home"}, "home": {"leave": "discharged"}},
    )
    game = game_of(loaded)
    while game.now < 120:
        game.advance()
    drawn = redraws(game, lambda world: of_world(loaded, world, "grade"), 400)
    assert near(np.mean(np.array(drawn) == 1), 0.8 / (0.8 + 0.25), 400), "Bayes' rule"


def of_world(loaded, world, name):
    """What the only entity of a world has of an attribute."""
    (entity,) = world.entities.values()
    return entity.values[loaded.program.slots_of_values[name]]


SLIPS = [
    ({"label": {"when": [{"if": "walks", "is": "green"}]}}, {}, "the last rule must be {else: value}"),
    ({"label": {"when": [{"if": "walks"}, {"else": "red"}]}}, {}, "needs both if and is, or only else"),
    ({"label": {"when": [{"if": "wlks", "is": "green"}, {"else": "red"}]}}, {}, "did you mean 'walks'"),
    ({"label": {"when": [{"if": "walks", "is": "green"}, {"else": 3}]}}, {}, "all parts need the same kind of unit"),
    ({"label": {"since": "arrival"}}, {}, "since may only stand where something is set"),
    ({"label": "0 min"}, {"label": {"since": "nowhere"}}, "there is no mark named 'nowhere'"),
    ({"label": {"constant": "3 min", "hidden": True}}, {"label": {"since": "arrival"}}, "'label' is hidden"),
    ({"label": {"along": 3, "table": "readings.csv", "column": "gauge"}}, {}, "is the second for '1'"),
    ({"label": {"along": "walks", "table": "curve.csv", "column": "steep"}}, {}, "a plain number or a duration"),
    ({"label": {"along": 3, "table": "curve.csv", "column": "step"}}, {}, "did you mean 'steep'"),
    ({"label": {"signal_of": "walks", "table": "readings.csv", "column": "gauge", "share": "fine"}}, {}, "no case"),
    ({"label": {"signal_of": "walks", "table": "readings.csv"}}, {}, "table, column and share go together"),
]  # fmt: skip


@pytest.mark.parametrize(("has", "sets", "says"), SLIPS, ids=lambda part: str(part)[:60])
def test_slips_are_told_with_the_remedy(tmp_path, has, sets, says):
    with pytest.raises(ScenarioError) as caught:
        waiting(tmp_path, sets, {"walks": {"chance": "50%"}, **has})
    assert says in str(caught.value)
