"""What agents do not know: hidden attributes, signals of them, and steps that reveal the truth."""

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest

from marl_health.spec.errors import ScenarioError
from tests.worlds import redrawn
from tests.worlds.build import comes, game_of, play, scenario
from tests.worlds.redrawn import CRITICAL, at, clinic, differs, only

DRAWS = 400

ILL = {"chance": "20%", "hidden": True}
TEST = {"signal_of": "ill", "sensitivity": "90%", "specificity": "70%"}
GRADE = {"choice": {"low": "70%", "mid": "20%", "high": "10%"}, "hidden": True}
SCORE = {
    "signal_of": "grade",
    "shows": {
        "low": {"green": "80%", "amber": "else"},
        "mid": {"green": "30%", "amber": "50%", "red": "20%"},
        "high": {"amber": "10%", "red": "90%"},
    },
}
SIZE = {"normal": {"mean": 30, "sd": 4}, "hidden": True}
GAUGE = {"signal_of": "size", "noise": 3}


def crowd(tmp_path, has, count=4000, **parts):
    """Many patients at once."""
    loaded = scenario(
        tmp_path,
        entities={"patient": {"arrive": {"at_start": {"count": count}}, "has": has, "begins": "rest"}},
        pathway={"rest": {"wait": "2 days", "next": "home"}, "home": {"leave": "discharged"}},
        **parts,
    )
    world = game_of(loaded, events=False).running
    slots = loaded.program.slots_of_values
    return [{name: entity.values[slot] for name, slot in slots.items()} for entity in world.entities.values()]


def redraws(game, read, draws=DRAWS):
    return redrawn.redraws(game, read, draws)


def near(share, expected, count):
    """Whether a share is what is expected, but for noise that is exceeded once in a thousand."""
    return abs(share - expected) < 3.3 * sqrt(expected * (1 - expected) / count)


# ---------------------------------------------------------------- signals
def test_a_test_has_the_sensitivity_and_specificity_that_it_says(tmp_path):
    people = crowd(tmp_path, {"ill": ILL, "test": TEST})
    ill = [person["test"] for person in people if person["ill"]]
    well = [not person["test"] for person in people if not person["ill"]]
    assert near(np.mean(ill), 0.9, len(ill)) and near(np.mean(well), 0.7, len(well))


def test_the_quality_of_a_test_may_depend_on_who_reads_it(tmp_path):
    readers = {"by": "reader", "junior": "60%", "senior": "95%"}
    has = {
        "ill": ILL,
        "reader": {"choice": {"junior": "50%", "senior": "50%"}},
        "test": {**TEST, "sensitivity": readers},
    }
    people = crowd(tmp_path, has)
    for reader, sensitivity in (("junior", 0.6), ("senior", 0.95)):
        found = [person["test"] for person in people if person["ill"] and person["reader"] == reader]
        assert near(np.mean(found), sensitivity, len(found))


def test_a_confusion_table_shows_each_value_with_its_share(tmp_path):
    people = crowd(tmp_path, {"grade": GRADE, "score": SCORE})
    for grade, shares in (("low", {"green": 0.8, "amber": 0.2}), ("high", {"amber": 0.1, "red": 0.9})):
        seen = [person["score"] for person in people if person["grade"] == grade]
        assert set(seen) == set(shares)
        for score, share in shares.items():
            assert near(seen.count(score) / len(seen), share, len(seen))


def test_noise_is_a_normal_error(tmp_path):
    people = crowd(tmp_path, {"size": SIZE, "gauge": GAUGE})
    errors = [person["gauge"] - person["size"] for person in people]
    assert differs(errors, NormalDist(0, 3).cdf) < CRITICAL
    assert abs(np.corrcoef(errors, [person["size"] for person in people])[0, 1]) < 0.06


def test_a_signal_may_be_drawn_by_a_step_and_again_each_time(tmp_path):
    loaded = scenario(
        tmp_path,
        entities={
            "patient": {
                "arrive": comes("00:00"),
                "has": {"ill": {"chance": 1.0, "hidden": True}, "test": False},
                "begins": "look",
            }
        },
        pathway={
            "look": {
                "wait": "1 min",
                "set": {"test": {"signal_of": "ill", "sensitivity": "50%", "specificity": "50%"}},
                "next": {"when": [{"if": "test", "go": "home"}, {"else": "look"}]},
            },
            "home": {"leave": "discharged"},
        },
    )
    looks = [sum(row[3] == "look" for row in play(loaded, seed).events()) for seed in range(40)]
    assert len(set(looks)) > 2 and 1.3 < np.mean(looks) < 3, "a test that is right half of the time"


# ---------------------------------------------------------------- the future drawn anew
def ward(tmp_path, has, **parts):
    """One patient who stays for the whole episode."""
    return clinic(tmp_path, {"rest": {"wait": "2 days", "next": "home"}}, patient={"has": has}, **parts)


def hidden(game, name):
    return game.program.slots_of_values[name]


def seen_as(loaded, name, value, minutes=30.0):
    """A world whose only patient shows this, found among seeds."""
    slot = loaded.program.slots_of_values[name]
    return next(game for seed in range(500) if only((game := at(loaded, minutes, seed)).running).values[slot] == value)


@pytest.mark.parametrize(("positive", "posterior"), [(True, 0.18 / 0.42), (False, 0.02 / 0.58)])
def test_whether_somebody_is_ill_is_drawn_given_the_test(tmp_path, positive, posterior):
    game = seen_as(ward(tmp_path, {"ill": ILL, "test": TEST}), "test", positive)
    slot = hidden(game, "ill")
    found = redraws(game, lambda world: only(world).values[slot])
    assert near(np.mean(found), posterior, DRAWS)


def test_several_signals_count_together(tmp_path):
    second = {"signal_of": "ill", "sensitivity": "60%", "specificity": "95%"}
    loaded = ward(tmp_path, {"ill": ILL, "test": TEST, "second": second})
    slots = loaded.program.slots_of_values
    for seed in range(500):
        game = at(loaded, 30.0, seed)
        values = only(game.running).values
        if values[slots["test"]] and values[slots["second"]]:
            break
    found = redraws(game, lambda world: only(world).values[slots["ill"]])
    assert near(np.mean(found), 0.2 * 0.9 * 0.6 / (0.2 * 0.9 * 0.6 + 0.8 * 0.3 * 0.05), DRAWS)


def test_a_grade_is_drawn_given_the_score(tmp_path):
    game = seen_as(ward(tmp_path, {"grade": GRADE, "score": SCORE}), "score", "amber")
    slot = hidden(game, "grade")
    found = redraws(game, lambda world: only(world).values[slot])
    weights = {"low": 0.7 * 0.2, "mid": 0.2 * 0.5, "high": 0.1 * 0.1}
    for grade, weight in weights.items():
        assert near(found.count(grade) / DRAWS, weight / sum(weights.values()), DRAWS)


def test_a_size_is_drawn_given_a_noisy_gauge(tmp_path):
    """Normal prior, normal error: the posterior is known in closed form."""
    game = at(ward(tmp_path, {"size": SIZE, "gauge": GAUGE}), 30.0, 3)
    gauge = only(game.running).values[hidden(game, "gauge")]
    weight = 16 / (16 + 9)
    law = NormalDist(30 + weight * (gauge - 30), sqrt(16 * 9 / 25))
    slot = hidden(game, "size")
    assert differs(redraws(game, lambda world: only(world).values[slot]), law.cdf) < CRITICAL


def test_without_a_signal_it_is_the_prior_whatever_the_truth(tmp_path):
    loaded = ward(tmp_path, {"ill": ILL})
    slot = loaded.program.slots_of_values["ill"]
    for truth in (True, False):
        game = seen_as(loaded, "ill", truth)
        assert near(np.mean(redraws(game, lambda world: only(world).values[slot])), 0.2, DRAWS)


def test_what_changed_since_is_taken_into_account(tmp_path):
    """Tested, treated (which heals 3 in 4) and tested again: both tests and the treatment count."""
    tests = [
        {"wait": "10 min", "set": {"test": TEST}, "next": "treat"},
        {"wait": "10 min", "set": {"ill": {"by": "ill", "yes": {"chance": "25%"}, "no": False}}, "next": "again"},
        {"wait": "2 days", "set": {"second": TEST}, "next": "home"},
    ]
    loaded = clinic(
        tmp_path,
        dict(zip(("first", "treat", "again"), tests, strict=True)),
        patient={"has": {"ill": ILL, "test": False, "second": False}},
    )
    slots = loaded.program.slots_of_values
    for seed in range(500):
        game = at(loaded, 30.0, seed)
        values = only(game.running).values
        if values[slots["test"]] and values[slots["second"]]:
            break
    still = 0.2 * 0.9 * 0.25 * 0.9
    healed = 0.2 * 0.9 * 0.75 * 0.3
    never = 0.8 * 0.3 * 0.3
    found = redraws(game, lambda world: only(world).values[slots["ill"]])
    assert near(np.mean(found), still / (still + healed + never), DRAWS)
    twice = redraws(game.fork(redraw=1), lambda world: only(world).values[slots["ill"]])
    assert near(np.mean(twice), still / (still + healed + never), DRAWS), "a redrawn world keeps what was seen"


def test_what_was_revealed_stays(tmp_path):
    loaded = clinic(
        tmp_path,
        {"rest": {"wait": "1 h", "next": "look"}, "look": {"wait": "2 days", "reveal": "ill", "next": "home"}},
        patient={"has": {"ill": ILL, "test": TEST}},
    )
    slot = loaded.program.slots_of_values["ill"]
    for seed in range(12):
        game = at(loaded, 90.0, seed)
        assert set(redraws(game, lambda world: only(world).values[slot], 30)) == {only(game.running).values[slot]}


# ---------------------------------------------------------------- slips
@pytest.mark.parametrize(
    ("has", "said"),
    [
        ({"test": {**TEST, "signal_of": "il"}}, "did you mean 'ill'"),
        ({"test": {"signal_of": "ill", "sensitivity": "90%"}}, "sensitivity and specificity go together"),
        ({"test": {**TEST, "noise": 3}}, "needs exactly one of"),
        ({"test": {**TEST, "sensitivity": 1.4}}, "no share"),
        ({"test": {**TEST, "signal_of": "grade"}}, "write shows or noise"),
        ({"test": {"signal_of": "ill", "noise": 2}}, "only a number has noise"),
        ({"test": {"signal_of": "size", "noise": 0}}, "must be above 0"),
        ({"test": {"signal_of": "size", "noise": "3 min"}}, "plain number is needed"),
        ({"test": {**SCORE, "shows": {"low": {"a": "50%"}}}}, "the shares add up to 50%"),
        ({"test": {**SCORE, "shows": {"low": {"a": 1}, "mid": {"a": 1}}}}, "no case for grade = high"),
        ({"test": {"times": [2, GAUGE]}}, "stands alone"),
    ],
)
def test_slips_in_signals(tmp_path, has, said):
    with pytest.raises(ScenarioError, match=said):
        ward(tmp_path, {"ill": ILL, "grade": GRADE, "size": SIZE, **has})
