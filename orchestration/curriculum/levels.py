"""A level that somebody wrote, in the unit of the KPI that it is for."""

from __future__ import annotations

from marl_health.spec.scalars import Quantity

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
