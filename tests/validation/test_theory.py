"""Scenarios in the public language against queueing theory: where the two must agree, they do.

Each scenario is replicated with the seeds 0, 1, 2, ...; the estimates are adjusted by control variates whose means are
known beforehand (arrivals, and the load that work conservation implies), which narrows the intervals and biases
nothing. An estimate is accepted if its 95% interval is narrow (2% of the exact value for means, 5% for tails and for
the lowest class) and the exact value lies within 3.66 standard errors, which allows for some forty comparisons.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import marl_health
from tests.validation import exact

HERE = Path(__file__).parent
HOUR = 60.0
MOST_ERRORS = 3.66


@dataclass
class Case:
    """A scenario, what is known of it beforehand, and what theory says.

    Attributes:
        replications: how many. known: mean of each control, by KPI (arrivals are per hour).
        exact: (KPI, exact value in the KPI's unit, half-width allowed as a share of it).
        derived: KPIs that are computed from others.
    """

    name: str
    replications: int
    known: dict
    exact: list
    derived: dict = field(default_factory=dict)


M_M_3 = exact.m_m_c(2.5, 1, 3)
CLASSES = ([0.2, 0.3, 0.3], [1, 1, 1], [2, 2, 2])
IN_ORDER = exact.cobham(*CLASSES)
INTERRUPTING = exact.preemptive_resume(*CLASSES)
ABANDONED, LEFT_WAITING, BUSY = exact.erlang_a(10, 2.5, 4, 0.5)
STAY, STATIONS = exact.jackson([10, 0, 0], [[0, 1, 0], [0, 0, 0.3], [0, 1, 0]], [20, 3, 6], [1, 5, 2])
BY_CLASS = {"arrived_1": 0.2, "arrived_2": 0.3, "arrived_3": 0.3, "occupancy": 0.8}

CASES = [
    Case(
        "m_m_3",
        30,
        {"arrived": 2.5, "occupancy": 2.5 / 3},
        [
            ("waited", M_M_3[0], 0.02),
            ("mean_wait", M_M_3[1] * HOUR, 0.02),
            ("mean_length", M_M_3[2], 0.02),
            ("p90", M_M_3[3] * HOUR, 0.05),
        ],
        {"waited": lambda kpis: 1 - kpis["served_at_once"]},
    ),
    Case(
        "m_ln_1",
        30,
        {"arrived": 0.7, "occupancy": 0.7},
        [
            ("mean_wait", exact.pollaczek_khinchine(0.7, 1, 1.5) * HOUR, 0.02),
            ("mean_length", exact.pollaczek_khinchine(0.7, 1, 1.5) * 0.7, 0.02),
        ],
    ),
    Case(
        "non_preemptive",
        30,
        BY_CLASS,
        [
            ("wait_1", IN_ORDER[0] * HOUR, 0.02),
            ("wait_2", IN_ORDER[1] * HOUR, 0.02),
            ("wait_3", IN_ORDER[2] * HOUR, 0.05),
        ],
    ),
    Case(
        "preemptive_resume",
        30,
        BY_CLASS,
        [
            ("stay_1", INTERRUPTING[0] * HOUR, 0.02),
            ("stay_2", INTERRUPTING[1] * HOUR, 0.02),
            ("stay_3", INTERRUPTING[2] * HOUR, 0.05),
        ],
    ),
    Case(
        "erlang_a",
        30,
        {"arrived": 10},
        [("abandoned", ABANDONED, 0.02), ("mean_length", LEFT_WAITING, 0.02), ("occupancy", BUSY, 0.02)],
    ),
    Case(
        "jackson",
        40,
        {"arrived": 10, "triage_occupancy": 0.5, "doctor_occupancy": 1 / 1.05, "laboratory_occupancy": 5 / 14},
        [
            ("mean_stay", STAY * HOUR, 0.02),
            ("triage_length", STATIONS[0], 0.02),
            ("doctor_length", STATIONS[1], 0.05),
            ("laboratory_length", STATIONS[2], 0.02),
        ],
    ),
]


def replicate(case):
    """KPIs of each replication, by name: arrays of length ``replications``; arrivals per hour."""
    scenario = marl_health.load(HERE / f"{case.name}.yaml")
    game = scenario.kind.make_game(scenario.program)
    rows = []
    for seed in range(case.replications):
        game.reset(seed, events=False)
        while not game.finished:
            game.advance()
        kpis = game.kpis()
        for name, formula in case.derived.items():
            kpis[name] = formula(kpis)
        for name in kpis:
            if name.startswith("arrived"):
                kpis[name] /= scenario.clock.episode / HOUR
        found = game.conservation()
        assert found["arrived"] == found["discharged"] + found["died"] + found["left"] + found["inside"]
        rows.append(kpis)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def controlled(values, controls):
    """(estimate, standard error, degrees of freedom) after regression on controls of mean zero."""
    count = len(values)
    design = np.column_stack([np.ones(count), controls]) if controls.size else np.ones((count, 1))
    solution = np.linalg.lstsq(design, values, rcond=None)[0]
    freedom = count - design.shape[1]
    variance = ((values - design @ solution) ** 2).sum() / freedom
    spread = np.linalg.inv(design.T @ design)[0, 0]
    return solution[0], float(np.sqrt(variance * spread)), freedom


SLOW = ("m_m_3", "m_ln_1", "jackson")


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name, marks=pytest.mark.slow if case.name in SLOW else ()) for case in CASES]
)
def test_scenario_agrees_with_theory(case):
    found = replicate(case)
    known = np.column_stack([found[name] - mean for name, mean in case.known.items()])
    for name, mean in case.known.items():
        estimate, error, _ = controlled(found[name], np.empty(0))
        assert abs(estimate - mean) <= MOST_ERRORS * error, f"{name}: {estimate:g} +- {error:g}, known to be {mean:g}"
    told = []
    for name, value, allowed in case.exact:
        estimate, error, freedom = controlled(found[name], known)
        half_width = float(stats.t.ppf(0.975, freedom)) * error
        told.append(
            f"{case.name} {name}: {estimate:.6g} +- {100 * half_width / value:.2f}%, exact {value:.6g}, "
            f"{(estimate - value) / error:+.2f} standard errors"
        )
        assert half_width <= allowed * value, told[-1]
        assert abs(estimate - value) <= MOST_ERRORS * error, told[-1]
    print("\n".join(told))
