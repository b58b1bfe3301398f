"""Finds the free parameters that bring the fitted targets nearest to the middle of their ranges.

Least squares. A residual is a figure's distance from the middle of its range in units of half the range's width, so 1
is the edge. Each parameter is the logarithm of a factor; a weak pull (ridge) to its value before keeps those in place
that the targets do not tell about. All points meet the same patients under the same policy (common random numbers), so
the figures are nearly smooth in the parameters, and central differences over a step of 10% give the derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.calibration.changed import Changes
from experiments.calibration.goals import Parameter
from experiments.calibration.runs import Runs

Array = NDArray[np.float64]

RIDGE = 0.3
"""Residual that a parameter adds when it has gone half the way to its bound, in logarithms."""

STEP = math.log(1.1)
"""Of the differences, on either side."""

POINTS = 12
"""At most so many points are tried; each but the last needs two further ones per parameter."""

ENOUGH = 0.02
"""Smallest step of the parameters' logarithms that is still taken, in the norm."""


@dataclass(frozen=True)
class Fit:
    """What was found.

    Attributes:
        factors, values: by parameter its factor; by path what stands there with it.
        figures: by fitted target, before and after. told: by parameter, how much the targets tell about it: 0 if
            nothing but the pull to its value before holds it, 1 if nothing but the targets does.
        errors: by parameter, its standard error in per cent if half the width of a range is one standard deviation.
        singular: singular values of the derivatives (targets by parameters), greatest first.
        effects: by parameter and target, by how many half widths a 10% higher value moves it.
        points: points that were tried. cost: half the sum of squared residuals, before and after.
    """

    factors: dict[str, float]
    values: dict[str, Any]
    figures: dict[str, tuple[float, float]]
    told: dict[str, float]
    errors: dict[str, float]
    singular: list[float]
    effects: dict[str, dict[str, float]]
    points: int
    cost: tuple[float, float]


def values_of(parameters: dict[str, Parameter], logs: Array) -> dict[str, Any]:
    """What stands at each path for logarithms of the factors, shape (parameters,)."""
    found: dict[str, Any] = {}
    for parameter, log in zip(parameters.values(), logs, strict=True):
        found |= parameter.values(math.exp(log))
    return found


class _Problem:
    """Residuals and their derivatives."""

    def __init__(self, runs: Runs, told: Callable[[], None]) -> None:
        self.runs = runs
        self.told = told
        self.free = runs.goals.free
        self.targets = runs.goals.of("fitted")
        self.known: dict[bytes, Array] = {}
        self.points = 0
        spreads = [(math.log(p.between[1]) - math.log(p.between[0])) / 2 for p in self.free.values()]
        self.pull = np.diag([2 * RIDGE / spread for spread in spreads])
        self.bounds = tuple(np.log([parameter.between[side] for parameter in self.free.values()]) for side in (0, 1))

    def figures(self, points: list[Array]) -> list[Array]:
        """Figures of the fitted targets at each point, shape (targets,)."""
        new = [point for point in points if point.tobytes() not in self.known]
        changes: list[Changes] = [values_of(self.free, point) for point in new]
        samples = self.runs.samples(changes, self.targets, self.runs.goals.seeds.fit, self.replications, self.told)
        for point, found in zip(new, samples, strict=True):
            measured = [target.measure.figure(found[name]) for name, target in self.targets.items()]
            self.known[point.tobytes()] = np.array(measured)
        return [self.known[point.tobytes()] for point in points]

    def replications(self, run: str) -> int:
        """Replications of a run while fitting."""
        return self.runs.goals.runs[run].while_fitting or self.runs.goals.runs[run].replications

    def distances(self, figures: Array) -> Array:
        """Residuals of the targets."""
        ranges = [target.range for target in self.targets.values()]
        return np.array([(f - r.centre) / r.half for f, r in zip(figures, ranges, strict=True)])

    def residuals(self, logs: Array) -> Array:
        """Residuals of the targets and of the pull."""
        self.points += 1
        return np.concatenate([self.distances(self.figures([logs])[0]), self.pull @ logs])

    def derivatives(self, logs: Array) -> Array:
        """Of the residuals, shape (targets + parameters, parameters)."""
        return np.vstack([self.of_targets(logs), self.pull])

    def of_targets(self, logs: Array) -> Array:
        """Of the targets' residuals, by central differences within the bounds."""
        pairs = []
        for number in range(len(logs)):
            for sign in (1.0, -1.0):
                point = logs.copy()
                point[number] = np.clip(point[number] + sign * STEP, self.bounds[0][number], self.bounds[1][number])
                pairs.append(point)
        found = [self.distances(figures) for figures in self.figures(pairs)]
        columns = [
            (found[2 * n] - found[2 * n + 1]) / (pairs[2 * n][n] - pairs[2 * n + 1][n]) for n in range(len(logs))
        ]
        return np.column_stack(columns)


def fit(runs: Runs, told: Callable[[], None]) -> Fit:
    """Fit the free parameters.

    Args:
        runs: the goals, with at least one free parameter and one fitted target.
        told: called after each episode.

    Raises:
        ValueError: there is nothing to fit, or nothing is recorded of a target.
    """
    from scipy.optimize import least_squares

    problem = _Problem(runs, told)
    if not problem.free or not problem.targets:
        raise ValueError("there is nothing to fit; name free parameters and targets of the column 'fitted'")
    start = np.zeros(len(problem.free))
    before = problem.figures([start])[0]
    missing = [name for name, figure in zip(problem.targets, before, strict=True) if math.isnan(figure)]
    if missing:
        raise ValueError(f"nothing is recorded of {', '.join(missing)}; look at what these targets measure")
    found = least_squares(
        problem.residuals, start, problem.derivatives, bounds=problem.bounds, xtol=ENOUGH, ftol=0.01, max_nfev=POINTS
    )
    logs = np.array(found.x)
    rounded = problem.figures([logs])[0]
    jacobian = problem.of_targets(logs)
    informed = jacobian.T @ jacobian
    covariance = np.linalg.inv(informed + problem.pull.T @ problem.pull)
    names, targets = list(problem.free), list(problem.targets)
    resolution = np.diag(covariance @ informed)
    return Fit(
        factors={name: math.exp(log) for name, log in zip(names, logs, strict=True)},
        values=values_of(problem.free, logs),
        figures={name: (float(a), float(b)) for name, a, b in zip(targets, before, rounded, strict=True)},
        told=dict(zip(names, (float(value) for value in resolution), strict=True)),
        errors={name: 100 * math.sqrt(float(v)) for name, v in zip(names, np.diag(covariance), strict=True)},
        singular=[float(value) for value in np.linalg.svd(jacobian, compute_uv=False)],
        effects={
            name: {target: float(jacobian[row, column] * STEP) for row, target in enumerate(targets)}
            for column, name in enumerate(names)
        },
        points=problem.points,
        cost=(_cost(problem, before, start), _cost(problem, rounded, logs)),
    )


def _cost(problem: _Problem, figures: Array, logs: Array) -> float:
    return float(np.sum(problem.distances(figures) ** 2) + np.sum((problem.pull @ logs) ** 2)) / 2
