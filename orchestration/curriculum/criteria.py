"""When performance is good enough: a level that somebody wrote, in the unit of the KPI that it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marl_health import Scenario
from marl_health.spec.errors import Where
from marl_health.spec.scalars import Quantity
from marl_health.spec.suggest import did_you_mean
from orchestration.curriculum.model import Success

_TAKES = {
    "min": ("time", 1.0, "30 min"),
    "h": ("time", 60.0, "12 h"),
    "usd": ("money", 1.0, "2400 usd"),
}
"""Of a KPI's unit: the dimension of what is written, how much of its base unit makes one, and an example."""


def level_of(quantity: Quantity, metric: str, unit: str) -> float:
    """The level as a number in the unit of the KPI.

    Raises:
        ValueError: it has another dimension, or none where one is needed.
    """
    if unit in _TAKES:
        dimension, size, example = _TAKES[unit]
        if quantity.dimension != dimension:
            raise ValueError(f"{metric} is in {unit}; write a level with a unit, such as {example}")
        return quantity.value / size
    if quantity.dimension not in ("number", "share"):
        said = f"is in {unit}" if unit else "has no unit"
        raise ValueError(f"{metric} {said}; write a plain number")
    return quantity.value


@dataclass(frozen=True)
class Criterion:
    """A level of a KPI, or of the return, that as many evaluations in a row have to reach.

    `level` is in the KPI's `unit`.
    """

    metric: str
    unit: str
    higher_is_better: bool
    level: float
    in_a_row: int

    def reached(self, value: float) -> bool:
        """Whether a value is good enough."""
        return value >= self.level if self.higher_is_better else value <= self.level


def read_criterion(success: Success, scenario: Scenario, problem: Callable[[Where, str], None]) -> Criterion | None:
    """What a success means in a scenario.

    Args:
        success: as it was written.
        scenario: whose KPI it is about.
        problem: told what is wrong, and where in `success`.

    Returns:
        None if it cannot be judged; then `problem` was told why.
    """
    units = {"return": "", **scenario.kind.make_game(scenario.program).kpi_units()}
    metric = success.of
    if metric not in units:
        problem(("of",), f"'{scenario.name}' has no KPI '{metric}'{did_you_mean(metric, units)}")
        return None
    key, wanted = ("at_least", success.at_least) if success.at_most is None else ("at_most", success.at_most)
    assert wanted is not None
    higher = key == "at_least"
    kpi = scenario.spec.kpis.get(metric)
    if higher != (kpi is None or kpi.better == "higher"):
        better, other = ("lower", "at_most") if higher else ("higher", "at_least")
        problem((key,), f"{metric} is better {better}; write {other}")
    try:
        return Criterion(metric, units[metric], higher, level_of(wanted, metric, units[metric]), success.in_a_row)
    except ValueError as error:
        problem((key,), str(error))
        return None
