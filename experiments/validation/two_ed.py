"""Two emergency departments with ambulance diversion, against the figures of the model they are rebuilt from.

The model is dlon450/ambulance-diversion-sim (MIT licence); its figures are from 100 runs of its code with each
threshold, on the same patients. Ours differs from it in this:

* A threshold here is a number of patients who wait. Theirs counts those who have left, died or been diverted until a
  doctor would call them; and whenever a doctor begins with a patient, it counts all who come until that work is over.
  So ours is reached less often, and one of 100 hardly ever: in the crisis, where theirs diverts 40% of the ambulances
  at 100 and loses 0.48 points of mortality by it, ours diverts 1% and loses nothing. Their code, changed to count
  nobody before they come, diverts 24% and loses 0.32; changed to count those who wait, 2% and 0.05 (40 runs each).
  ``tests/validation/counted_ahead.py`` counts as theirs does in our world; the table has every figure both ways.
* Managers decide every ten minutes; theirs at every arrival.
* On the first night a doctor who began on the evening before is on duty until four.
* Within an hour of the day patients come at one rate; theirs rises and falls along straight lines.

``python -m experiments.validation.two_ed`` prints the table of death times that the scenario cites, worked out from the
mortality curves of that model.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from math import inf

import numpy as np
from numpy.typing import NDArray

import marl_health
from experiments.validation.table import Row, Told, judged
from orchestration.evaluation.compare import Comparison, compare
from orchestration.workers import in_order

REPLICATIONS = 40
"""Of each scenario with each policy."""
SEEDS = range(REPLICATIONS)
POLICIES = {
    "0": "threshold:0",
    "25": "threshold:25",
    "100": "threshold:100",
    "175": "threshold:175",
    "never": "wait",
}
"""Our policies, by what the first department's threshold is; the second one never diverts."""
PUBLISHED = {
    "two_ed_diversion": {"0": 6.59, "25": 6.05, "100": 6.00, "175": 6.00, "never": 6.00},
    "two_ed_diversion_crisis": {"0": 25.29, "25": 25.14, "100": 24.74, "175": 24.29, "never": 24.26},
}
"""Mortality in per cent, by scenario and threshold."""
HALF_WIDTHS = {"two_ed_diversion": 0.12, "two_ed_diversion_crisis": 0.18}
"""Of the 95% intervals of these figures; it was published for ``never``, and is taken to hold for the others."""
NEVER_LESS_25 = {"two_ed_diversion": (-0.044, 0.031), "two_ed_diversion_crisis": (-0.88, 0.08)}
"""Paired difference of mortality in points, and half of its 95% interval. In the crisis the first 100 seeds of theirs
are high: 200 runs of its code give -0.80 ± 0.06."""
Z95 = 1.96
DIVERTED = {
    "two_ed_diversion": {"0": (87.20, 0.22), "25": (14.79, 0.49)},
    "two_ed_diversion_crisis": {"0": (96.91, 0.08), "25": (72.10, 0.27), "100": (40.01, 0.45), "175": (4.77, 0.31)},
}
"""Share of the first department's ambulances that theirs diverts, in per cent, with its standard error: 100 runs of its
code with the seeds 0 to 99, without the imports for its plots and forecasts, which its simulation does not use."""
PAIRED = "never less threshold 25"
UNLIKE = {"two_ed_diversion": {PAIRED}, "two_ed_diversion_crisis": {"100", PAIRED}}
"""What comes out otherwise because those who wait are counted."""
COUNTED = "theirs counts others than those who wait"
AS_THEIRS = "counted as theirs"

ACUITIES = (1, 2, 3, 4, 5)
EVENTUALLY = {1: 1.0, 2: 0.9, 3: 0.05, 4: 0.02, 5: 0.01}
"""Share who die if no doctor ever sees them: the curve's upper bound."""
AT_LEAST = {1: 0.6, 2: 0.1, 3: 0.0, 4: 0.0, 5: 0.0}
"""The curve's lower bound."""
RATES = (2.5, 3.5)
"""A patient's growth rate is uniform between these; less urgent ones get worse more slowly."""
SHAPES = (1.5, 2.5)
"""And so is the shape of the curve."""
DRAWS = 200
"""Points for each of the two uniform draws, and rows of the table."""


def share_dead(hours: NDArray[np.float64], acuity: int) -> NDArray[np.float64]:
    """Share of patients who are dead after waiting so long: a generalised logistic curve, averaged over the patients.

    Args:
        hours: shape (n,). Nobody gets better by looking: at 0 it is the share whom no doctor can help.
        acuity: 1 (most urgent) to 5.

    Returns:
        Shares, shape (n,).
    """
    middle = (np.arange(DRAWS) + 0.5) / DRAWS
    rate = (RATES[0] + (RATES[1] - RATES[0]) * middle)[None, :, None] + 5 - acuity
    power = 1 / ((SHAPES[0] + (SHAPES[1] - SHAPES[0]) * middle)[None, None, :] + 0.25 * acuity)
    grown = (1 + 3 * acuity * np.exp(0.5 * acuity - rate * np.asarray(hours)[:, None, None])) ** -power
    low, high = AT_LEAST[acuity], EVENTUALLY[acuity]
    return np.asarray(low + (high - low) * grown.mean(axis=(1, 2)))


def death_times() -> dict[int, list[float]]:
    """By acuity: the minutes at which those die who are in danger, as ``DRAWS`` equally likely values."""
    hours = np.linspace(0, 8, 8 * 60 + 1)
    found = {}
    for acuity in ACUITIES:
        share = share_dead(hours, acuity)
        levels = share[0] + (EVENTUALLY[acuity] - share[0]) * (np.arange(DRAWS) + 0.5) / DRAWS
        found[acuity] = [round(60 * float(time), 3) for time in np.interp(levels, share, hours)]
    return found


def table_rows() -> Iterator[list[str]]:
    """The rows of the table of death times."""
    times = death_times()
    yield [f"acuity_{acuity}" for acuity in ACUITIES]
    for row in zip(*times.values(), strict=True):
        yield [f"{minutes:g}" for minutes in row]


# ------------------------------------------------------------ the comparison
def simulated(jobs: int = 1, told: Told = lambda share: None) -> dict[str, Comparison]:
    """Each scenario under each policy, on the same patients."""
    total = len(PUBLISHED) * len(POLICIES) * REPLICATIONS
    done = 0

    def progress() -> None:
        nonlocal done
        done += 1
        told(done / total)

    return {
        name: compare(marl_health.load(name), POLICIES, REPLICATIONS, 0, jobs=jobs, progress=progress)
        for name in PUBLISHED
    }


def as_theirs(jobs: int = 1, told: Told = lambda share: None) -> dict[str, dict[str, NDArray[np.float64]]]:
    """By scenario and threshold, counted as theirs: mortality and ambulances diverted, of shape (replications, 2)."""
    kinds = [(name, label) for name in PUBLISHED for label in POLICIES]
    todo = [(name, inf if label == "never" else float(label), seed) for name, label in kinds for seed in SEEDS]
    figures = []
    for figure in in_order(count_as_theirs, todo, jobs):
        figures.append(figure)
        told(len(figures) / len(todo))
    found: dict[str, dict[str, NDArray[np.float64]]] = {name: {} for name in PUBLISHED}
    for (name, label), part in zip(kinds, np.array(figures).reshape(len(kinds), REPLICATIONS, 2), strict=True):
        found[name][label] = part
    return found


def count_as_theirs(task: tuple[str, float, int]) -> tuple[float, float]:
    """Mortality, and the share of ambulances that the first department diverts, in per cent.

    Args:
        task: scenario, threshold and seed.
    """
    from tests.validation.counted_ahead import ambulances_diverted, play

    name, threshold, seed = task
    game = play(_scenario(name), threshold, seed)
    return 100 * game.kpis()["mortality_share"], ambulances_diverted(game)


def _can_count_as_theirs() -> bool:
    try:
        import tests.validation.counted_ahead  # noqa: F401
    except ImportError:
        return False
    return True


_scenario = cache(marl_health.load)


def mortality(found: Comparison) -> dict[str, NDArray[np.float64]]:
    """By threshold: mortality in per cent, one value for each replication."""
    return {
        label: 100 * np.array(simulation.values("mortality_share")) for label, simulation in found.simulations.items()
    }


def compared(found: Mapping[str, Comparison]) -> Iterator[Row]:
    """Rows of the mortality with each threshold, and of the paired difference that was published."""
    for name in PUBLISHED:
        yield from _beside(name, name, mortality(found[name]), UNLIKE[name])


def compared_as_theirs(found: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> Iterator[Row]:
    """The same if the first department counts as theirs does, and how many ambulances it diverts then."""
    for name, by_threshold in found.items():
        title = f"{name}, {AS_THEIRS}"
        yield from _beside(name, title, {label: figures[:, 0] for label, figures in by_threshold.items()})
        for label, (target, error) in DIVERTED[name].items():
            quantity = f"ambulances diverted, threshold {label} (%)"
            yield _row(title, quantity, target, error, by_threshold[label][:, 1])


def _beside(
    name: str, title: str, ours: Mapping[str, NDArray[np.float64]], unlike: Collection[str] = ()
) -> Iterator[Row]:
    for label, target in PUBLISHED[name].items():
        quantity = f"mortality, {'never diverting' if label == 'never' else f'threshold {label}'} (%)"
        reason = COUNTED if label in unlike else ""
        yield _row(title, quantity, target, HALF_WIDTHS[name] / Z95, ours[label], reason)
    target, half = NEVER_LESS_25[name]
    reason = COUNTED if PAIRED in unlike else ""
    yield _row(title, f"{PAIRED}, paired (points)", target, half / Z95, ours["never"] - ours["25"], reason)


def _row(
    title: str, quantity: str, target: float, target_error: float, values: NDArray[np.float64], unlike: str = ""
) -> Row:
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    return judged(
        title,
        quantity,
        target,
        float(values.mean()),
        error,
        len(values) - 1,
        basis="published",
        target_error=target_error,
        unlike=unlike,
    )


def rows(jobs: int, told: Told) -> list[Row]:
    """Every published figure beside ours; in a checkout, which has the tests, also beside ours counted as theirs."""
    if not _can_count_as_theirs():
        return list(compared(simulated(jobs, told)))
    found = list(compared(simulated(jobs, lambda share: told(share / 3))))
    return found + list(compared_as_theirs(as_theirs(jobs, lambda share: told((1 + 2 * share) / 3))))


if __name__ == "__main__":
    csv.writer(sys.stdout, lineterminator="\n").writerows(table_rows())
