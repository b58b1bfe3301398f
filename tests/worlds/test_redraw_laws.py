"""What nobody can know is drawn from the right law: the one that holds given what has been observed so far."""

from math import erf, exp, lgamma, log, sqrt

import numpy as np
import pytest

from tests.worlds.build import comes, game_of, scenario

DRAWS = 1500
CRITICAL = 1.95
"""Of the Kolmogorov-Smirnov statistic times the root of the sample's size; exceeded once in a thousand."""


def redraws(game, read, draws=DRAWS):
    """What is read in each of many redrawn worlds."""
    return [read(game.fork(redraw=key).running) for key in range(draws)]


def differs(sample, cdf):
    """Kolmogorov-Smirnov statistic of a sample against a continuous law, times the root of its size."""
    values = np.sort(sample)
    expected = np.array([cdf(value) for value in values])
    steps = np.arange(len(values) + 1) / len(values)
    return max(np.max(steps[1:] - expected), np.max(expected - steps[:-1])) * sqrt(len(values))


def lognormal(mean, sd):
    """CDF of a lognormal with this mean and standard deviation."""
    variance = log(1 + (sd / mean) ** 2)
    mu = log(mean) - variance / 2
    return lambda x: 0.5 * (1 + erf((log(x) - mu) / sqrt(2 * variance))) if x > 0 else 0.0


def weibull(shape, mean):
    scale = mean / exp(lgamma(1 + 1 / shape))
    return lambda x: 1 - exp(-((x / scale) ** shape)) if x > 0 else 0.0


def left_after(cdf, passed):
    """CDF of what is left of something that has lasted for ``passed`` minutes."""
    return lambda x: (cdf(passed + x) - cdf(passed)) / (1 - cdf(passed))


def at(loaded, minutes, seed=0):
    """A world at a minute of its first day."""
    game = game_of(loaded, seed, events=False)
    game.running.advance(minutes)
    return game


def clinic(tmp_path, pathway, *, times=("00:00",), **parts):
    entities = {"patient": {"arrive": comes(*times), "begins": next(iter(pathway)), **parts.pop("patient", {})}}
    home = {"home": {"leave": "discharged"}}
    return scenario(tmp_path, entities=parts.pop("entities", entities), pathway={**pathway, **home}, **parts)


def only(world):
    (entity,) = world.entities.values()
    return entity


def still_there(loaded, minutes, step):
    """A world in which the only patient is in a step at a minute, found among seeds."""
    for seed in range(3000):
        game = at(loaded, minutes, seed)
        if [entity.step.name for entity in game.running.entities.values()] == [step]:
            return game
    raise AssertionError("nobody lasts that long")


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


# ---------------------------------------------------------------- who comes
def test_who_is_late_may_still_come_or_never(tmp_path):
    no_show, mean, passed = 0.3, 20.0, 30.0
    loaded = scenario(
        tmp_path,
        entities={
            "patient": {
                "arrive": {
                    **comes("00:00"),
                    "no_show": no_show,
                    "late": {"exponential": {"mean": f"{mean} min"}},
                },
                "begins": "rest",
            }
        },
        pathway={"rest": {"stay": "1 day", "next": "home"}, "home": {"leave": "discharged"}},
    )
    there = (1 - no_show) * exp(-passed / mean)
    expected = there / (there + no_show)

    def coming(world):
        return [entry[0] - passed for entry in world.agenda if type(entry[3]).__name__ == "Missing"]

    games = [game for seed in range(40) if not (game := at(loaded, passed, seed)).running.entities]
    truth = {bool(coming(game.running)) for game in games}
    assert truth == {True, False}, "some of them come, some never do"
    for game in (next(game for game in games if bool(coming(game.running)) is comes_) for comes_ in truth):
        found = redraws(game, coming)
        share = np.mean([bool(times) for times in found])
        assert abs(share - expected) < 3.3 * sqrt(expected * (1 - expected) / DRAWS)
        late = [time for times in found for time in times]
        assert differs(late, lambda x: 1 - exp(-x / mean)) < CRITICAL
        assert {world.population for world in (game.fork(redraw=key).running for key in range(30))} <= {
            game.running.population,
            game.running.population + 1,
        }


def test_who_left_may_come_again_or_never(tmp_path):
    chance, mean, sd, passed = 0.6, 300.0, 100.0, 350.0
    again = {
        "chance": {"by": "old", "yes": chance, "no": 0},
        "after": {"lognormal": {"mean": f"{mean} min", "sd": f"{sd} min"}},
        "as": "returner",
        "keeps": ["old"],
    }
    loaded = scenario(
        tmp_path,
        entities={
            "patient": {"arrive": comes("00:00"), "has": {"old": {"chance": "90%"}}, "begins": "rest"},
            "returner": {"has": {"old": False}, "begins": "back"},
        },
        pathway={
            "rest": {"stay": "10 min", "next": "away"},
            "away": {"leave": "discharged", "again": again},
            "back": {"stay": "1 day", "next": "home"},
            "home": {"leave": "discharged"},
        },
    )
    cdf = lognormal(mean, sd)
    there = chance * (1 - cdf(passed))
    expected = there / (there + 1 - chance)

    def coming(world):
        return [entry[0] - 10 - passed for entry in world.agenda if type(entry[3]).__name__ == "Leaver"]

    games = [game for seed in range(60) if not (game := at(loaded, 10 + passed, seed)).running.entities]
    games = [game for game in games if next(iter(game.running.leavers)).values[1]]
    assert {bool(coming(game.running)) for game in games} == {True, False}
    for game in games[:2]:
        found = redraws(game, coming)
        share = np.mean([bool(times) for times in found])
        assert abs(share - expected) < 3.3 * sqrt(expected * (1 - expected) / DRAWS)
        assert differs([time for times in found for time in times], left_after(cdf, passed)) < CRITICAL


def test_what_varies_is_weighed_by_how_many_came(tmp_path):
    """The posterior of a rate's factor, uniform at first, given a Poisson count."""
    loaded = scenario(
        tmp_path,
        clock={"episode": "2 days", "decide_every": "1 h"},
        vary={"demand": {"uniform": [0.5, 1.5]}, "other": {"uniform": [0, 1]}},
        entities={"patient": {"arrive": {"rate": {"per_day": 60, "times": "demand"}}, "begins": "rest"}},
        pathway={"rest": {"stay": "1 h", "next": "home"}, "home": {"leave": "discharged"}},
    )
    game = next(game for seed in range(50) if (game := at(loaded, 1440.0, seed)).running.varied[0] > 1.35)
    count = sum(game.running.arrived_all)
    grid = np.linspace(0.5, 1.5, 4001)
    weights = np.exp(count * np.log(60 * grid) - 60 * grid - lgamma(count + 1))
    mean = np.average(grid, weights=weights)
    spread = sqrt(np.average((grid - mean) ** 2, weights=weights))
    drawn = np.array(redraws(game, lambda world: world.varied))
    # Of two dozen draws from the prior one is taken, so a little of the prior is left: about a twentieth of the way.
    assert abs(drawn[:, 0].mean() - mean) < 0.1 * abs(1 - mean) + 3.3 * spread / sqrt(DRAWS)
    assert drawn[:, 0].std() < 1.35 * spread
    assert abs(drawn[:, 1].mean() - 0.5) < 3.3 * sqrt(1 / 12 / DRAWS)


def test_who_is_absent_is_seen_on_duty_and_stays_so(tmp_path):
    loaded = scenario(
        tmp_path,
        vary={"sick": {"choice": {"0": "50%", "1": "50%"}}, "other": {"uniform": [0, 1]}},
        staff={"nurse": {"shifts": {"00:00": 3, "08:00": 5}, "absent": "sick"}},
        entities={"patient": {"arrive": {"rate": {"per_day": 60}}, "begins": "work"}},
        pathway={"work": {"use": "nurse", "for": "30 min", "next": "home"}, "home": {"leave": "discharged"}},
    )
    for seed in range(4):
        game = at(loaded, 60.0, seed)
        on_duty = game.running.pools[0].capacity
        for key in range(5):
            world = game.fork(redraw=key).running
            assert world.varied[0] == 3 - on_duty and world.varied[1] != game.running.varied[1]
            world.advance(600.0)
            assert world.pools[0].capacity == on_duty + 2


# ---------------------------------------------------------------- the whole of it
def transient(start, servers, arrival, service, minutes, most=80):
    """Probabilities of the number in an M/M/c system after so many minutes, by uniformisation."""
    rates = [service * min(n, servers) for n in range(most + 1)]
    top = arrival + service * servers
    step = np.zeros((most + 1, most + 1))
    for n in range(most + 1):
        up = arrival if n < most else 0.0
        step[n, min(n + 1, most)] += up / top
        step[n, max(n - 1, 0)] += rates[n] / top
        step[n, n] += 1 - (up + rates[n]) / top
    state, total, events = np.eye(most + 1)[start], np.zeros(most + 1), top * minutes
    for n in range(int(events + 12 * sqrt(events) + 30)):
        total += state * exp(n * log(events) - events - lgamma(n + 1))
        state = state @ step
    return total


@pytest.mark.parametrize("minutes", [10.0, 60.0])
def test_the_number_in_an_m_m_c_system_follows_its_exact_transient_law(tmp_path, minutes):
    loaded = scenario(
        tmp_path,
        clock={"episode": "2 days", "decide_every": "1 h"},
        staff={"nurse": {"count": 3}},
        entities={"patient": {"arrive": {"rate": {"per_hour": 10}}, "begins": "work"}},
        pathway={
            "work": {"use": "nurse", "for": {"exponential": {"mean": "15 min"}}, "next": "home"},
            "home": {"leave": "discharged"},
        },
    )
    game = at(loaded, 700.0, 2)
    start = len(game.running.entities)
    law = transient(start, 3, 10 / 60, 1 / 15, minutes)
    mean = float(np.arange(len(law)) @ law)
    variance = float((np.arange(len(law)) - mean) ** 2 @ law)

    def number(world):
        world.advance(700.0 + minutes)
        return len(world.entities)

    found = redraws(game, number, 2000)
    assert start > 0 and abs(np.mean(found) - mean) < 3.3 * sqrt(variance / 2000)
    assert abs(np.var(found) / variance - 1) < 0.15
