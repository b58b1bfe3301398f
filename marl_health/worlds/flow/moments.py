"""Readings of when things happened, and of how unlike sites are: the first time, the busiest hour, the spread."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import override

from marl_health.kernel.entity import Entity
from marl_health.worlds.flow.readings import NAN, Reading

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld

HOUR = 60.0
MOMENTS = ("first", "peak")


class Noted:
    """What a mark does whose moments are read; it stands where measures and clocks hang on marks."""

    def __init__(self, mark: int) -> None:
        self.mark = mark

    def __call__(self, world: FlowWorld, entity: Entity) -> None:
        """Somebody set the mark."""
        if entity.counted and world._now >= world.program.warm_up:
            world.moments.setdefault(self.mark, []).append(world._now)


class First(Reading):
    """When a mark was first set, from the first decision on."""

    whole = "it is a moment, and nobody's in particular"
    cumulative = False

    def __init__(self, name: str, mark: int) -> None:
        super().__init__("min", f"minutes from the first decision until the mark '{name}' was first set")
        self.mark = mark

    @override
    def read(self, world: FlowWorld) -> float:
        return 0.0

    @override
    def result(self, world: FlowWorld) -> float:
        noted = world.moments.get(self.mark)
        return noted[0] - world.program.warm_up if noted else NAN


class Peak(Reading):
    """How often a mark was set in the hour in which that was most often."""

    whole = "the busiest hour is that of all together"
    cumulative = False

    def __init__(self, name: str, mark: int) -> None:
        super().__init__("", f"most times that the mark '{name}' was set within an hour")
        self.mark = mark

    @override
    def read(self, world: FlowWorld) -> float:
        return 0.0

    @override
    def result(self, world: FlowWorld) -> float:
        noted = world.moments.get(self.mark, [])
        return float(max((bisect_left(noted, time + HOUR) - place for place, time in enumerate(noted)), default=0))


class Plain(Reading):
    """A number by which something is divided."""

    def __init__(self, number: float) -> None:
        super().__init__("", f"{number:g}")
        self.number = number

    @override
    def read(self, world: FlowWorld) -> float:
        return 0.0

    @override
    def result(self, world: FlowWorld) -> float:
        return self.number


class Spread(Reading):
    """The difference between the sites with the most and the least."""

    whole = "it compares sites already"
    cumulative = False

    def __init__(self, parts: Sequence[Reading], reference: str) -> None:
        super().__init__(parts[0].unit, f"largest difference between sites in '{reference}'")
        self.parts = tuple(parts)

    @override
    def read(self, world: FlowWorld) -> float:
        return 0.0

    @override
    def result(self, world: FlowWorld) -> float:
        found = [value for value in (part.result(world) for part in self.parts) if value == value]
        return max(found) - min(found) if found else NAN
