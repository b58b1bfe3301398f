"""Two emergency departments with ambulance diversion, against the figures of the model they are rebuilt from.

The model is dlon450/ambulance-diversion-sim (MIT licence); its figures are from 100 runs of its code with each
threshold, on the same patients. Ours differs from it in this:

* A threshold here is a number of patients who wait. Theirs counts all whom no doctor has called yet, also those who
  have left or died meanwhile, and those who were diverted. So ours is reached less often, and one of 100 hardly ever:
  in the crisis, where theirs diverts 40% of the ambulances at 100 and loses 0.48 points of mortality by it, ours
  diverts 1% and loses nothing. Their code, changed to count those who wait, diverts 2% and loses 0.05 (40 runs).
* Managers decide every ten minutes; theirs at every arrival.
* On the first night a doctor who began on the evening before is on duty until four.
* Within an hour of the day patients come at one rate; theirs rises and falls along straight lines.

``python -m experiments.validation.two_ed`` prints the table of death times that the scenario cites, worked out from the
mortality curves of that model.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

import marl_health
from experiments.validation.table import Row, Told, judged
from orchestration.evaluation.compare import Comparison, compare

REPLICATIONS = 40
"""Of each scenario with each policy, with the seeds 0, 1, 2, ..."""
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
"""Paired difference of mortality in points, and half of its 95% interval."""
Z95 = 1.96
COUNTED = "theirs counts those who have left, too"

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


def mortality(found: Comparison) -> dict[str, NDArray[np.float64]]:
    """By threshold: mortality in per cent, one value for each replication."""
    return {
        label: 100 * np.array(simulation.values("mortality_share")) for label, simulation in found.simulations.items()
    }


def compared(found: Mapping[str, Comparison]) -> Iterator[Row]:
    """Rows of the mortality with each threshold, and of the paired difference that was published."""
    for name, published in PUBLISHED.items():
        ours = mortality(found[name])
        for label, target in published.items():
            unlike = COUNTED if (name, label) == ("two_ed_diversion_crisis", "100") else ""
            quantity = f"mortality, {'never diverting' if label == 'never' else f'threshold {label}'} (%)"
            yield _row(name, quantity, target, HALF_WIDTHS[name], ours[label], unlike)
        target, half = NEVER_LESS_25[name]
        yield _row(name, "never less threshold 25, paired (points)", target, half, ours["never"] - ours["25"], COUNTED)


def _row(name: str, quantity: str, target: float, half: float, values: NDArray[np.float64], unlike: str = "") -> Row:
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    return judged(
        name,
        quantity,
        target,
        float(values.mean()),
        error,
        len(values) - 1,
        basis="published",
        target_error=half / Z95,
        unlike=unlike,
    )


def rows(jobs: int, told: Told) -> list[Row]:
    """Every published figure beside ours."""
    return list(compared(simulated(jobs, told)))


if __name__ == "__main__":
    csv.writer(sys.stdout, lineterminator="\n").writerows(table_rows())
