"""Who is still to come, and how many are there, follow the right law in redrawn futures."""

from math import exp, lgamma, log, sqrt

import numpy as np
import pytest

from tests.worlds.build import comes, scenario
from tests.worlds.redrawn import CRITICAL, DRAWS, at, differs, left_after, lognormal, redraws


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
