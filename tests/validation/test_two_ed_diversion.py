"""The two departments with diversion: the published mortality comes out, and so does what the model is made of."""

import csv
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import marl_health
from experiments.validation import two_ed
from experiments.validation.table import MOST_ERRORS
from policies import make
from tests.validation.counted_ahead import Counter, ambulances_diverted, play

SCENARIOS = list(two_ed.PUBLISHED)


@pytest.fixture(scope="module")
def found():
    return two_ed.simulated()


@pytest.fixture(scope="module")
def found_as_theirs():
    return two_ed.as_theirs()


def errors(values):
    """How many standard errors the mean is from 0; 0 if nothing ever differs."""
    spread = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() / spread) if spread else 0.0


@pytest.mark.slow
def test_the_published_figures_come_out(found):
    rows = list(two_ed.compared(found))
    print("\n".join(map(str, rows)))
    assert len(rows) == 2 * (5 + 1)
    assert not [str(row) for row in rows if not row.passes]


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_more_is_diverted_the_more_die_and_no_threshold_beats_never(found, name):
    ours = two_ed.mortality(found[name])
    assert errors(ours["0"] - ours["never"]) > MOST_ERRORS
    assert errors(ours["0"] - ours["25"]) > MOST_ERRORS
    for label in ("25", "100", "175"):
        assert errors(ours[label] - ours["never"]) > -MOST_ERRORS
    if name == "two_ed_diversion_crisis":
        assert errors(ours["25"] - ours["100"]) > MOST_ERRORS
        assert errors(ours["25"] - ours["never"]) > MOST_ERRORS, "the threshold that was published as the best"
    assert (ours["175"] == ours["never"]).all(), "so many never wait"


# ------------------------------------------------------------ counted as theirs
@pytest.mark.slow
def test_every_published_figure_comes_out_if_those_are_counted_whom_they_count(found_as_theirs):
    rows = list(two_ed.compared_as_theirs(found_as_theirs))
    print("\n".join(map(str, rows)))
    assert len(rows) == 2 * (5 + 1) + 6
    assert not [str(row) for row in rows if not row.passes or row.unlike]


@pytest.mark.slow
def test_the_published_order_comes_out_if_those_are_counted_whom_they_count(found_as_theirs):
    crisis = {label: figures[:, 0] for label, figures in found_as_theirs["two_ed_diversion_crisis"].items()}
    means = [crisis[label].mean() for label in ("0", "25", "100", "175", "never")]
    assert means == sorted(means, reverse=True)
    assert errors(crisis["25"] - crisis["100"]) > MOST_ERRORS
    assert errors(crisis["100"] - crisis["175"]) > MOST_ERRORS
    usual = {label: figures[:, 0] for label, figures in found_as_theirs["two_ed_diversion"].items()}
    assert errors(usual["0"] - usual["25"]) > MOST_ERRORS
    for label in ("100", "175"):
        assert (usual[label] == usual["never"]).all(), "so many are never counted on usual days"


@pytest.mark.parametrize("name", SCENARIOS)
def test_who_never_diverts_has_the_same_episode_whoever_is_counted(name):
    scenario = marl_health.load(name)
    game = scenario.kind.make_game(scenario.program)
    game.reset(0, events=True)
    game.finish()
    counted = play(scenario, math.inf, 0)
    assert counted.events() == game.events()
    assert ambulances_diverted(counted) == 0


def test_their_counter_by_hand():
    """Two doctors. Each row: minute, who, what the log says, and when the work that begins will be over."""
    queue, use = ("queue", "treatment_1", ""), ("resource_use", "treatment_1", "doctor_1")
    come, go = ("arrival_departure", "arrival", ""), ("arrival_departure", "depart", "died")
    away, over = ("queue", "drive_to_2", ""), ("resource_use_end", "treatment_1", "doctor_1")
    people = {
        who: SimpleNamespace(kind="patient_1", attributes={"acuity": 2 if who == 9 else 3}) for who in range(1, 10)
    }
    doctors = SimpleNamespace(name="doctor_1", free=0)
    world = SimpleNamespace(now=0.0, log=[], cast=SimpleNamespace(people=people), pools=[doctors], entities={})
    counter = Counter(world)

    def at(minute, *rows):
        world.now = minute
        for time, who, what, *until in rows:
            world.log.append((time, who, *what))
            if until:
                world.entities[who] = SimpleNamespace(until=until[0], remaining=None)

    def meets():
        return next(number for number in range(99) if not counter.exceeds(number))

    at(9, (0, 1, come), (0, 1, use, 100), (5, 2, come), (5, 2, use, 15))
    assert meets() == 2, "the next, and 2, who came after the work on 1 had begun"
    at(20, (10, 3, come), (10, 3, queue), (15, 2, over), (15, 3, use, 30), (16, 4, come), (16, 4, queue))
    assert meets() == 4, "only 4 waits, but 1 alone had been called when that work began"
    at(40, (30, 3, over), (30, 4, use, 200), (35, 5, come), (35, 5, queue), (38, 5, go))
    assert meets() == 5
    at(51, (50, 9, come), (50, 9, away))
    assert meets() == 6, "9 is diverted, which was known when the work on 1 began"
    at(101, (100, 1, over))
    assert meets() == 2, "5 died, and is still in the queue; 9 was taken from it before the work on 4 began"
    at(110, (105, 6, come), (105, 6, away))
    assert meets() == 3, "6 was diverted, and is still in the queue"
    at(125, (120, 7, come), (120, 7, use, 130))
    assert meets() == 4, "the work on 4 is still going on"
    at(201, (130, 7, over), (200, 4, over), (200, 8, come), (200, 8, use, 300))
    assert meets() == 1, "all have been called"
    doctors.free = 1
    at(240)
    assert meets() == 0, "one doctor has nothing to do, and takes the next one ahead of time"


# ------------------------------------------------------------ what the model is made of
def test_the_table_of_death_times_is_what_the_curves_say():
    file = Path(marl_health.load("two_ed_diversion").file).parents[1] / "data" / "two_ed_death_times.csv"
    with file.open(encoding="utf-8") as lines:
        assert list(csv.reader(lines)) == list(two_ed.table_rows())


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_shares_beyond_help_and_in_danger_are_what_the_curves_say(name):
    for kind in marl_health.load(name).spec.entities.values():
        for acuity in two_ed.ACUITIES:
            at_once = two_ed.share_dead(np.zeros(1), acuity)[0]
            fate = kind.has["fate"].cases[str(acuity)].choice
            danger = 1 - at_once if fate["in_danger"] == "else" else fate["in_danger"]
            assert fate["beyond_help"] == pytest.approx(at_once, abs=1e-5)
            assert danger == pytest.approx(two_ed.EVENTUALLY[acuity] - at_once, abs=2e-5)


def test_the_curve_by_hand():
    # Acuity 3 after half an hour, with the middle of both parameters: rate 3 + 5 - 3, power 1 / (2 + 0.75).
    middle = 0.05 / (1 + 9 * np.exp(1.5 - 5 * 0.5)) ** (1 / 2.75)
    assert two_ed.share_dead(np.array([0.5]), 3)[0] == pytest.approx(middle, rel=0.02)


def test_as_many_come_as_in_their_model():
    hourly = [3.12, 2.54, 2.33, 2.33, 2.63, 3.21, 4.61, 6.73, 9.08, 11.46, 11.76, 10.97]
    hourly += [11.25, 10.27, 11.46, 11.36, 11.08, 10.43, 10.04, 9.57, 8.31, 7.03, 5.12, 5.05]
    weekdays = [1.03, 0.97, 0.92, 0.94, 1, 1.06, 1.08]
    between = [(a + b) / 2 for a, b in zip(hourly, hourly[1:] + hourly[:1], strict=True)]
    for name, factors in (("two_ed_diversion", [1] * 7), ("two_ed_diversion_crisis", [1, 3, 3, 1, 1, 1, 1])):
        for department in (1, 2):
            expected = np.outer(np.array(weekdays) * factors, between)
            found = np.zeros((7, 24))
            for kind, spec in marl_health.load(name).spec.entities.items():
                if kind.endswith(str(department)):
                    rate = spec.arrive.rate
                    profile = np.outer(rate.by_weekday, rate.by_hour)
                    found += profile * rate.per_day * 7 / profile.sum()
            assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("policy", ["wait", "threshold:0", "threshold:0/0"])
def test_only_ambulances_are_diverted_once_and_who_can_be_saved_dies_only_waiting(policy):
    env = marl_health.parallel_env("two_ed_diversion", events=True)
    observations, infos = env.reset(seed=0)
    diverts = make(policy)
    diverts.reset(env, 0)
    program = env.scenario.program
    people, values = {}, program.slots_of_values
    while env.agents:
        observations, _, _, _, infos = env.step(diverts.act(env, observations, infos))
        people |= {entity.id: entity for entity in env.game.running.entities.values()}
    drives, seen, outcome, came = {}, set(), {}, set()
    for _, who, what, where, more in env.event_log():
        if what == "queue" and where.startswith("drive"):
            drives.setdefault(who, []).append(where)
        if what == "resource_use":
            seen.add(who)
        if where == "arrival":
            came.add(who)
        if where == "depart":
            outcome[who] = more
    assert len(people) > 0.7 * len(came), "most are inside at some decision"
    departments = {"wait": set(), "threshold:0": {"drive_to_2"}, "threshold:0/0": {"drive_to_1", "drive_to_2"}}
    assert {step for steps in drives.values() for step in steps} == departments[policy]
    assert all(len(steps) == 1 for steps in drives.values())
    late = 10.0  # of the first ten minutes: the levers move at the first decision
    for who, entity in people.items():
        kind, fate = program.kinds[entity.kind], entity.values[values["fate"]]
        diverted = {"patient_1": "drive_to_2", "patient_2": "drive_to_1"}[kind] in departments[policy]
        if entity.marks[0] > late:
            assert (who in drives) == (diverted and entity.values[values["ambulance"]])
        if outcome.get(who) == "died":
            assert fate == "beyond_help" or (fate == "in_danger" and who not in seen)
        elif who in outcome:
            assert fate != "beyond_help"
