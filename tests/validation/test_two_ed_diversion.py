"""The two departments with diversion: the published mortality comes out, and so does what the model is made of."""

import csv
from pathlib import Path

import numpy as np
import pytest

import marl_health
from experiments.validation import two_ed
from experiments.validation.table import MOST_ERRORS
from policies import make

SCENARIOS = list(two_ed.PUBLISHED)


@pytest.fixture(scope="module")
def found():
    return two_ed.simulated()


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
