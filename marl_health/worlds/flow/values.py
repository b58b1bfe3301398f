"""The plain functions of (world, entity) that numbers are put together from."""

from __future__ import annotations

from typing import Any

from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.formula import constant, formula_of, value_of
from marl_health.kernel.randomness import hashed


def fixed(value: Any) -> Value:
    """Always the same."""
    return value_of("{0}", constant(value))


def of_slot(slot: int) -> Value:
    """What the entity has in a slot of its values."""
    return value_of("entity.values[{0}]", constant(slot))


def uniform(column: int, repeats: bool) -> Value:
    """The draw of a column; where a step may come again, later visits hash further ones."""
    if not repeats:
        return value_of("entity.row[{0}]", constant(column))

    def draw(world: Any, entity: Entity) -> float:
        visits = entity.visits
        if visits is None:
            patient = entity.root  # tokens count together with their patient
            if patient.visits is None:
                patient.visits = {}
            visits = entity.visits = patient.visits
        visit = visits.get(column, 0)
        visits[column] = visit + 1
        return entity.row[column] if visit == 0 else hashed(entity.key, column, visit)

    return draw


def happens(draw: Value, chance: Value) -> Value:
    """Whether something of a certain chance happens."""
    return value_of("({0} < {1})", formula_of(draw), formula_of(chance))
