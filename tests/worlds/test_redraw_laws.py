"""What nobody can know is drawn from the right law: the one that holds given what has been observed so far."""

from math import exp, sqrt

import numpy as np
import pytest

from tests.worlds.redrawn import (
    CRITICAL,
    DRAWS,
    at,
    clinic,
    differs,
    left_after,
    lognormal,
    only,
    redraws,
    still_there,
    weibull,
)


# ---------------------------------------------------------------- what is under way
@pytest.mark.parametrize("passed", [0.5, 30.0, 61.0])
def test_work_under_way_ends_by_its_law_given_how_long_it_has_lasted(tmp_path, passed):
    """After 61 min one in 200 is still there: then the tail is drawn by inversion."""
    loaded = clinic(
        tmp_path,
        {"work": {"use": "nurse", "for": {"lognormal": {"mean": "20 min", "sd": "12 min"}}, "next": "home"}},
        staff={"nurse": {"count": 1}},
    )
    game = still_there(loaded, passed, "work")
    left = redraws(game, lambda world: only(world).until - passed)
    assert differs(left, left_after(lognormal(20, 12), passed)) < CRITICAL


def test_stays_end_by_their_law_whatever_forms_their_number_has(tmp_path):
    """A sum of two draws that depends on an attribute: no single uniform decides."""
    law = {"plus": ["10 min", {"exponential": {"mean": "20 min"}}, {"uniform": ["0 min", "30 min"]}]}
    loaded = clinic(
        tmp_path,
        {"rest": {"stay": {"by": "frail", "yes": law, "no": "1 min"}, "next": "home"}},
        patient={"has": {"frail": {"chance": "90%"}}},
    )
    game = still_there(loaded, 45.0, "rest")
    left = np.sort(redraws(game, lambda world: only(world).until - 45))
    rng = np.random.default_rng(5)
    whole = 10 + rng.exponential(20, 400_000) + rng.uniform(0, 30, 400_000)
    expected = np.sort(whole[whole > 45] - 45)
    assert differs(left, lambda x: np.searchsorted(expected, x) / len(expected)) < CRITICAL


def test_an_end_that_was_arranged_is_known(tmp_path):
    """The stay ends an hour after it was shortened, or earlier by itself."""
    loaded = clinic(
        tmp_path,
        {
            "ward": {
                "stay": {"lognormal": {"mean": "300 min", "sd": "200 min"}},
                "shorten": {"at_least": 0, "mark": "shortened", "lead": "1 h"},
                "next": "home",
            }
        },
        slots={"inside": {"in": "ward", "top": 1}},
        agents={"manager": {"sees": ["hour", "inside"], "can": [{"choose": "inside", "do": "shorten"}]}},
    )
    game = next(game for seed in range(20) if (game := at(loaded, 160.0, seed)).running.entities)
    assert game.act("manager_0", 1)
    game.running.advance(180.0)
    found = np.array(redraws(game, lambda world: only(world).until - 180))
    law = left_after(lognormal(300, 200), 180.0)
    assert found.max() == pytest.approx(40)
    sooner = found < 40 - 1e-6
    assert abs(sooner.mean() - law(40)) < 3.3 * sqrt(law(40) * (1 - law(40)) / DRAWS)
    assert differs(found[sooner], lambda x: law(x) / law(40)) < CRITICAL


def test_interrupted_work_is_what_is_left_given_how_much_was_done(tmp_path):
    law = {"lognormal": {"mean": "60 min", "sd": "40 min"}}
    pathway = {
        "come": {"next": {"when": [{"if": "urgent", "go": "rescue"}, {"else": "work"}]}},
        "work": {"use": "nurse", "for": law, "next": "home"},
        "rescue": {"use": "nurse", "for": "10 min", "preempt": "resume", "priority": -1, "next": "home"},
    }
    times = [{"at": "00:00", "on": "Monday", "has": {"urgent": False}}]
    times += [{"at": time, "on": "Monday", "has": {"urgent": True}} for time in ("00:30", "01:00")]
    loaded = clinic(
        tmp_path,
        pathway,
        entities={"patient": {"arrive": {"timetable": times}, "has": {"urgent": False}, "begins": "come"}},
        staff={"nurse": {"count": 1}},
    )
    for minute, done in ((35.0, 30.0), (45.0, 35.0), (65.0, 50.0), (75.0, 55.0)):
        seed = next(seed for seed in range(50) if at(loaded, 78.0, seed).running.entities)
        game = at(loaded, minute, seed)

        def left(world, minute=minute):
            patient = next(iter(world.entities.values()))
            return patient.until - minute if patient.remaining is None else patient.remaining

        assert differs(redraws(game, left, 800), left_after(lognormal(60, 40), done)) < CRITICAL


def test_cleaning_ends_by_its_law_given_who_left_the_place_and_how_long_it_has_lasted(tmp_path):
    clean = {"by": "dirty", "yes": {"lognormal": {"mean": "60 min", "sd": "30 min"}}, "no": "1 min"}
    loaded = clinic(
        tmp_path,
        {"sleep": {"move_to": "bed", "for": "10 min", "next": "home"}},
        patient={"has": {"dirty": {"chance": "90%"}}},
        places={"bed": {"count": 1, "clean": clean}},
    )
    game = next(game for seed in range(50) if (game := at(loaded, 50.0, seed)).running.pools[0].cleaning)

    def ready(world):
        return next(entry[0] for entry in world.agenda if type(entry[3]).__name__ == "Cleaning") - 50

    assert differs(redraws(game, ready), left_after(lognormal(60, 30), 40.0)) < CRITICAL


def test_restarted_work_is_known_to_take_as_long_as_it_was_tried(tmp_path):
    """Interrupted after half an hour, begun again 10 minutes ago: it takes at least half an hour in all."""
    law = {"lognormal": {"mean": "60 min", "sd": "40 min"}}
    pathway = {
        "come": {"next": {"when": [{"if": "urgent", "go": "rescue"}, {"else": "work"}]}},
        "work": {"use": "nurse", "for": law, "next": "home"},
        "rescue": {"use": "nurse", "for": "10 min", "preempt": "restart", "priority": -1, "next": "home"},
    }
    times = [{"at": at, "on": "Monday", "has": {"urgent": at > "00:00"}} for at in ("00:00", "00:30")]
    loaded = clinic(
        tmp_path,
        pathway,
        entities={"patient": {"arrive": {"timetable": times}, "has": {"urgent": False}, "begins": "come"}},
        staff={"nurse": {"count": 1}},
    )
    game = next(game for seed in range(50) if (game := at(loaded, 50.0, seed)).running.entities)
    found = redraws(game, lambda world: only(world).until - 40, 800)
    law = left_after(lognormal(60, 40), 30.0)
    assert differs(found, lambda whole: law(whole - 30)) < CRITICAL


def test_hidden_attributes_are_drawn_from_their_prior_and_others_stay(tmp_path):
    severity = {"lognormal": {"mean": 3, "sd": 2}, "hidden": True}
    loaded = clinic(
        tmp_path,
        {"rest": {"stay": {"times": ["severity", "1 h"]}, "next": "home"}},
        patient={"has": {"severity": severity, "age": {"uniform": [0, 90]}}},
    )
    game = still_there(loaded, 20.0, "rest")
    found = np.array(redraws(game, lambda world: (*only(world).values[1:], only(world).until)))
    assert differs(found[:, 0], lognormal(3, 2)) < CRITICAL
    assert set(found[:, 1]) == {only(game.running).values[2]}
    assert np.all(found[:, 2] >= 20)


# ---------------------------------------------------------------- clocks beside the pathway
def test_timers_run_out_by_their_law_given_how_long_they_have_run_and_what_set_them(tmp_path):
    patience = {"by": "acuity", "3": {"weibull": {"shape": 2.2, "mean": "60 min"}}, "else": "never"}
    loaded = clinic(
        tmp_path,
        {
            "call": {"wait": "5 min", "next": "queue"},
            "queue": {"wait": "1 day", "set": {"acuity": 1}, "mark_end": "seen", "next": "home"},
            "gone": {"leave": "gone"},
        },
        patient={"has": {"acuity": {"choice": {"1": "1%", "3": "99%"}}}},
        timers={
            "patience": {"for": "patient", "from": "arrival", "until": "seen", "after": patience, "go": "gone"},
        },
    )
    game = still_there(loaded, 70.0, "queue")

    def left(world):
        return next(entry[0] for entry in world.agenda if type(entry[3]).__name__ in ("Clock", "HealthClock")) - 70

    assert differs(redraws(game, left), left_after(weibull(2.2, 60), 70.0)) < CRITICAL


def test_states_of_health_change_by_hazard_and_by_the_time_they_have_lasted(tmp_path):
    """Of two ways out, one has a constant hazard and one a fixed time; an attribute changes in between."""
    machine = {
        "for": "patient",
        "from": "arrival",
        "until": "seen",
        "states": {
            "well": {
                "ill": {"hazard": {"by": "acuity", "2": "0.6 per_hour", "else": "0.2 per_hour"}, "mark": "ill"},
                "better": {"after": {"lognormal": {"mean": "3 h", "sd": "1 h"}}, "mark": "better"},
            },
            "ill": {},
            "better": {},
        },
    }
    loaded = clinic(
        tmp_path,
        {
            "first": {"wait": "1 h", "next": "second"},
            "second": {"wait": "1 day", "set": {"acuity": 2}, "mark": "changed", "mark_end": "seen", "next": "home"},
        },
        patient={"has": {"acuity": 3}},
        health={"untreated": machine},
    )
    game = next(
        game
        for seed in range(200)
        if (clock := next(iter(only((game := at(loaded, 120.0, seed)).running).clocks.values()))).state == 0
    )
    lasts, hazard = left_after(lognormal(180, 60), 120.0), 0.6 / 60

    def left(world):
        return next(entry[0] for entry in world.agenda if type(entry[3]).__name__ in ("Clock", "HealthClock")) - 120

    law = lambda x: 1 - exp(-hazard * x) * (1 - lasts(x))  # noqa: E731
    assert clock.left and differs(redraws(game, left), law) < CRITICAL
