"""The numbers of ``hospital_flow.yaml`` as plain Python, for the two models that know nothing of the language.

Times are minutes, rates are per minute. Dictionaries are keyed by acuity (1 most urgent, 5 least).
"""

from __future__ import annotations

from math import gamma, log, log1p, sqrt
from typing import NamedTuple

DAY = 1440.0
WARM_UP = 1 * DAY
HORIZON = 8 * DAY
DECIDE_EVERY = 15.0


class Lognormal(NamedTuple):
    """Mean and standard deviation of the logarithm."""

    mu: float
    sigma: float


def lognormal(mean: float, sd: float) -> Lognormal:
    """From mean and standard deviation of the variable itself."""
    variance = log1p((sd / mean) ** 2)
    return Lognormal(log(mean) - variance / 2, sqrt(variance))


ACUITIES = (1, 2, 3, 4, 5)
ACUITY_SHARES = (0.015, 0.12, 0.45, 0.32, 0.095)

ARRIVALS_PER_DAY = 250.0
# fmt: off
BY_HOUR = (
    5.8, 4.7, 4.0, 3.6, 3.4, 3.7, 5.0, 7.6, 10.8, 13.6, 15.4, 15.9,
    15.5, 15.1, 14.7, 14.6, 14.7, 14.9, 14.6, 13.8, 12.6, 11.0, 9.0, 7.2,
)
# fmt: on
RATES = tuple(ARRIVALS_PER_DAY * weight / sum(BY_HOUR) / 60 for weight in BY_HOUR)

TRIAGE_NURSES = 2
ED_NURSES = 2
PHYSICIANS = ((0.0, 4), (7 * 60.0, 6), (10 * 60.0, 7), (23 * 60.0, 5))  # from minute of the day: units
BAYS = 32
SCANNERS = 2
ANALYSERS = 7
WARD_BEDS = 112
ICU_BEDS = 9
IN_WARD_AT_START = round(0.93 * WARD_BEDS)
IN_ICU_AT_START = round(0.60 * ICU_BEDS)

TRIAGE = lognormal(6, 3)
FIRST_LOOK = {1: lognormal(34, 16), 2: lognormal(28, 14), 3: lognormal(21, 11), 4: lognormal(13, 6)}
FIRST_LOOK[5] = FIRST_LOOK[4]
DRAW = lognormal(6, 3)
ANALYSIS = lognormal(40, 15)
SCAN = lognormal(20, 7)
EFFECT = {1: lognormal(80, 50), 2: lognormal(80, 50), 3: lognormal(55, 40), 4: lognormal(25, 20)}
EFFECT[5] = EFFECT[4]
REVIEW = lognormal(8, 4)
WARD_STAY = lognormal(3 * DAY, 0.8 * 3 * DAY)
ICU_STAY = lognormal(2 * DAY, 0.9 * 2 * DAY)

BLOODS = {1: 0.95, 2: 0.85, 3: 0.65, 4: 0.40, 5: 0.15}
IMAGING = {1: 0.70, 2: 0.50, 3: 0.38, 4: 0.22, 5: 0.10}
TO_ICU = {1: 0.25, 2: 0.04, 3: 0.005, 4: 0.0, 5: 0.0}
TO_WARD = {1: 0.45, 2: 0.32, 3: 0.15, 4: 0.04, 5: 0.01}

DETERIORATION = {1: 0.0, 2: 0.10 / 60, 3: 0.06 / 60, 4: 0.03 / 60, 5: 0.02 / 60}
PATIENCE_SHAPE = 1.5
PATIENCE_SCALE = {acuity: mean / gamma(1 + 1 / PATIENCE_SHAPE) for acuity, mean in ((3, 300.0), (4, 240.0), (5, 180.0))}

ED_STAY_TARGET = 240.0
BOARDING_TARGET = 240.0
PROVIDER_TARGET = {1: 10.0, 2: 20.0, 3: 60.0, 4: 120.0, 5: 240.0}
