"""How long something still lasts, given how long it has lasted so far.

Whatever can be drawn as a function of uniforms can be drawn again under the condition that it has not ended yet: draw
until it is long enough, which is exact for every form of number. Where that takes too many draws, the tail is drawn by
inversion: the uniform is taken from above the level at which the quantile function passes what has passed already.
That is exact where one uniform decides, and where several do, all of them are taken at the same level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.randomness import uniforms

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld

MOST_TRIES = 40
HALVINGS = 52
SLACK = 1e-7
"""Minutes by which what must be later may be earlier: sums of times are rounded."""
_BLOCK = 1024
_LOWEST = 2.0**-54


class Luck:
    """Stands in for a row of uniforms: a new one at every look."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._left = self._stream(generator)

    @staticmethod
    def _stream(generator: np.random.Generator) -> Iterator[float]:
        while True:
            yield from uniforms(generator, _BLOCK)

    def next(self) -> float:
        """A uniform in (0, 1)."""
        return next(self._left)

    def __getitem__(self, column: int) -> float:
        return next(self._left)


class _Level:
    """Stands in for a row of uniforms that are all at one level."""

    def __init__(self) -> None:
        self.level = 0.5

    def __getitem__(self, column: int) -> float:
        return self.level


class Remaining:
    """Draws durations under conditions.

    Args:
        world: for which they are drawn.
        luck: where the uniforms come from.
    """

    def __init__(self, world: FlowWorld, luck: Luck) -> None:
        self.world = world
        self.luck = luck
        self._level = _Level()
        self._probe = Entity(0, -1, [0.5], world.program.steps[0])

    def whole(self, kind: int, values: Sequence[Any], duration: Value, least: float, most: float = inf) -> float:
        """A duration, given that it is at least ``least`` and at most ``most`` minutes.

        Whoever has been at something for longer than it can last begins it anew: attributes may have changed since it
        was first drawn.

        Args:
            kind: of the entity whose duration it is.
            values: its attributes.
            duration: how it is drawn.
            least: minutes, included.
            most: minutes, included.
        """
        probe, world = self._probe, self.world
        probe.kind = kind
        probe.values = values  # type: ignore[assignment]
        probe.row = self.luck  # type: ignore[assignment]
        low, high = least - SLACK, most + SLACK
        for _ in range(MOST_TRIES):
            probe.visits = {}
            minutes = duration(world, probe)
            if low <= minutes <= high and minutes < inf:
                return float(minutes)
        probe.row = self._level  # type: ignore[assignment]
        bottom = self._reaches(duration, least)
        if bottom is None:
            probe.row = self.luck  # type: ignore[assignment]
            probe.visits = {}
            fresh = duration(world, probe)
            return min(most, least + fresh) if fresh < inf else least
        top = self._reaches(duration, most) if most < inf else None
        level = bottom + ((1.0 if top is None else top) - bottom) * self.luck.next()
        return min(most, max(least, self._at(duration, level)))

    def draw(self, kind: int, values: Sequence[Any], value: Value) -> Any:
        """Anything for an entity of a kind with these attributes, without a condition."""
        probe = self._probe
        probe.kind = kind
        probe.values = values  # type: ignore[assignment]
        probe.row = self.luck  # type: ignore[assignment]
        probe.visits = {}
        return value(self.world, probe)

    def left(self, kind: int, values: Sequence[Any], duration: Value, passed: float) -> float:
        """Minutes that something still lasts that has lasted for ``passed`` minutes."""
        return max(0.0, self.whole(kind, values, duration, passed) - passed)

    def _at(self, duration: Value, level: float) -> float:
        self._level.level = min(1.0 - _LOWEST * 2, max(_LOWEST, level))
        self._probe.visits = {}
        return float(duration(self.world, self._probe))

    def _reaches(self, duration: Value, minutes: float) -> float | None:
        """The level from which a duration is at least so many minutes; ``None`` if it never is."""
        if not minutes <= self._at(duration, 1.0) < inf:
            return None
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if self._at(duration, middle) >= minutes:
                high = middle
            else:
                low = middle
        return high
