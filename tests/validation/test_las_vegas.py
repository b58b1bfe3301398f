"""The back-test on Las Vegas, 1 October 2017: where the casualties went, with most of them on their own.

Sunrise (Level II, the nearest trauma centre) received 214, UMC (Level I) 104 (press, the first week). How many
go by themselves, and how many of these think of a trauma centre, was chosen; which hospital that is and how the two
compare follows from the map and the ambulances.
"""

import csv

import numpy as np
import pytest

import marl_health
from marl_health.spec.scenario import PACKAGED

SEEDS = range(3)


@pytest.fixture(scope="module")
def received():
    """Casualties by hospital, one row for each seed; nobody decides anything."""
    env = marl_health.parallel_env("mci_las_vegas")
    rows = []
    for seed in SEEDS:
        env.reset(seed=seed)
        while env.agents:
            env.step(dict.fromkeys(env.agents, 0))
        kpis = env.kpis()
        rows.append({name.removesuffix("_received"): count for name, count in kpis.items() if "_received" in name})
    return {name: np.mean([row[name] for row in rows]) for name in rows[0]}


def counted(hospital):
    with (PACKAGED / "data" / "las_vegas_2017.csv").open(encoding="utf-8") as file:
        rows = {row["hospital"].split()[0]: int(row["received"]) for row in csv.DictReader(file)}
    return rows[hospital]


@pytest.mark.slow
def test_the_nearest_level_two_receives_about_twice_what_the_level_one_does(received):
    assert 1.6 < received["level_two"] / received["level_one"] < 2.5
    assert received["level_two"] == max(received.values())
    assert received["siena"] < received["level_one"] / 4, "a trauma centre too, but further away"


@pytest.mark.slow
def test_the_counts_are_about_those_of_the_press(received):
    assert received["level_two"] == pytest.approx(counted("Sunrise"), rel=0.15)
    assert received["level_one"] == pytest.approx(counted("University"), rel=0.25)
