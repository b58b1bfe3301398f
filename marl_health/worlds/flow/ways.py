"""Ways on from a step: by chance, by condition, by an attribute, to certain death."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Entity, Value
from marl_health.worlds.flow.program import Test, Way

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld


class ByChance:
    """A way on by chance, with one column of the entity's row.

    Attributes:
        uniform: the draw. tops: cumulative shares for each value of the attribute in ``slot`` (``None``: one case).
        deaths: for each case, the share of ways that lead to death, counted as expected deaths.
    """

    def __init__(
        self,
        uniform: Value,
        slot: int | None,
        cases: dict[Any, tuple[list[float], list[Way], float]],
        otherwise: tuple[list[float], list[Way], float] | None,
    ) -> None:
        self.uniform = uniform
        self.slot = slot
        self.cases = cases
        self.otherwise = otherwise

    def ways(self) -> list[Way]:
        """Where it may lead."""
        cases = [*self.cases.values()] + ([] if self.otherwise is None else [self.otherwise])
        return [way for _, ways, _ in cases for way in ways]

    def enter(self, world: FlowWorld, entity: Entity) -> None:
        """Draw the way and take it."""
        case = self.otherwise
        if self.slot is not None:
            case = self.cases.get(entity.values[self.slot], case)
        assert case is not None, "the checks make sure that every value has a case"
        tops, ways, deaths = case
        if deaths:
            world.expect(entity, deaths)
        uniform = self.uniform
        ways[bisect_right(tops, uniform(world, entity))].enter(world, entity)


class ByCondition:
    """The first way whose condition holds."""

    def __init__(self, branches: Sequence[tuple[Test | None, Way]]) -> None:
        self.branches = tuple(branches)

    def ways(self) -> list[Way]:
        """Where it may lead."""
        return [way for _, way in self.branches]

    def enter(self, world: FlowWorld, entity: Entity) -> None:
        """Test and go."""
        values = entity.values
        for test, way in self.branches:
            if test is None or test(values):
                way.enter(world, entity)
                return


class ByAttribute:
    """A way for each value of an attribute."""

    def __init__(self, slot: int, cases: dict[Any, Way], otherwise: Way | None) -> None:
        self.slot = slot
        self.cases = cases
        self.otherwise = otherwise

    def ways(self) -> list[Way]:
        """Where it may lead."""
        return [*self.cases.values()] + ([] if self.otherwise is None else [self.otherwise])

    def enter(self, world: FlowWorld, entity: Entity) -> None:
        """Look up and go."""
        way = self.cases.get(entity.values[self.slot], self.otherwise)
        assert way is not None, "the checks make sure that every value has a way"
        way.enter(world, entity)


class CertainDeath:
    """A way to death that involves no chance, so it counts as one expected death when it is taken."""

    def __init__(self, way: Way) -> None:
        self.way = way

    def ways(self) -> list[Way]:
        """Where it leads."""
        return [self.way]

    def enter(self, world: FlowWorld, entity: Entity) -> None:
        """Count and go."""
        world.expect(entity, 1.0)
        self.way.enter(world, entity)
