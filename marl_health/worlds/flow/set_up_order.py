"""The order of a line in which those go first who need no change of a free unit (exhaustive polling)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from marl_health.worlds.flow.machines import MachinePool

if TYPE_CHECKING:
    from marl_health.kernel.disciplines import Discipline
    from marl_health.kernel.line import Line


class SetUpFirst:
    """Classes for which a free unit is set up, then the others; among equals whoever came first.

    Args:
        classes: number of each class value, which is a set-up.
        pool: the place, once there is a world.
    """

    sequence: tuple[int, ...] | None = None

    def __init__(self, classes: Mapping[Any, int], pool: MachinePool | None = None) -> None:
        self.classes = classes
        self.values = list(classes)
        self.pool = pool

    def rank(self, cls: int, waited: float) -> float:
        """0 if a free unit is set up for the class, else 1."""
        return 0.0 if self.pool is not None and self.pool.ready_for(self.values[cls]) else 1.0


def of_line(discipline: Discipline, line: Line) -> Discipline:
    """A discipline as it is in a line of a world: this one looks at the units there."""
    if not isinstance(discipline, SetUpFirst):
        return discipline
    pool = next(pool for pool, _ in line.needs if isinstance(pool, MachinePool) and pool.set_ups is not None)
    return SetUpFirst(discipline.classes, pool)
