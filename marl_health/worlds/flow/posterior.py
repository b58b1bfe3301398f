"""Hidden attributes drawn anew, given the signals of them that were seen.

A candidate is drawn as the entity was: hidden attributes from their distributions, in order of dependence, then
through every change of them that the entity remembers. It is taken with the likelihood of the signals that were seen
on the way, which is exact. Where none of ``MOST_TRIES`` candidates is taken, one is picked by its likelihood. What a
step has revealed is known and stays.

Only signals count. What else tells of hidden attributes (visible ones that depend on them, how long something took,
where an entity was sent) does not: without a signal they are drawn from their prior. Nor do signals tell of what varies
by episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Entity, Value

if TYPE_CHECKING:
    from marl_health.worlds.flow.remaining import Luck
    from marl_health.worlds.flow.world import FlowWorld

MOST_TRIES = 200

Trail = tuple[tuple[int, tuple[Any, ...]], ...]
"""What an entity remembers: (-1, values before the first change), then (number of the change, values after it).

Of hidden attributes it remembers nothing."""


def remember(world: FlowWorld, entity: Entity, change: int) -> None:
    """Attributes are about to change (-1), or have changed in a way that a redrawn future has to repeat."""
    values, program = entity.values, world.program
    trail, hidden = program.trail, program.hidden[entity.kind]
    if change >= 0 or values[trail] is None:
        seen = tuple(None if slot in hidden else value for slot, value in enumerate(values[:trail]))
        values[trail] = (*(values[trail] or ()), (change, seen))


class Posterior:
    """Draws hidden attributes in one world.

    Args:
        world: whose draws of what varies are taken as true.
        luck: where uniforms come from.
    """

    def __init__(self, world: FlowWorld, luck: Luck) -> None:
        self.world = world
        self.luck = luck
        self.program = world.program
        self._probe = Entity(0, -1, [0.5], world.program.steps[0])

    def draw(self, kind: int, values: Sequence[Any]) -> list[tuple[int, Any]]:
        """(slot, value) of what nobody knows of an entity with these values, drawn given what they show."""
        known = self.program.known
        unknown = [slot for slot in self.program.hidden[kind] if not (slot in known and values[known[slot]])]
        if not unknown:
            return []
        found = self._taken(kind, values, frozenset(unknown))
        return [(slot, found[slot]) for slot in sorted(unknown)]

    def _taken(self, kind: int, values: Sequence[Any], unknown: frozenset[int]) -> list[Any]:
        """A candidate, taken with its likelihood."""
        passed: list[tuple[list[Any], float]] = []
        for _ in range(MOST_TRIES):
            candidate, weight = self._candidate(kind, values, unknown)
            if self.luck.next() < weight:
                return candidate
            passed.append((candidate, weight))
        level = self.luck.next() * sum(weight for _, weight in passed)
        for candidate, weight in passed:
            level -= weight
            if level < 0:
                return candidate
        return passed[-1][0]

    def _candidate(self, kind: int, values: Sequence[Any], unknown: frozenset[int]) -> tuple[list[Any], float]:
        """Values that an entity may have had all along, and the likelihood of what was seen of them."""
        program, probe = self.program, self._probe
        trail: Trail = values[program.trail] if program.trail else ()
        probe.kind, probe.row = kind, self.luck  # type: ignore[assignment]
        probe.values = current = list(trail[0][1] if trail else values)
        for slot in program.hidden[kind]:
            current[slot] = values[slot]
        weight = self._through(program.attributes[kind], unknown)
        for number, after in (trail or ())[1:]:
            probe.values = [current[slot] if slot in program.hidden[kind] else seen for slot, seen in enumerate(after)]
            weight *= self._through(program.changes[number], unknown)
            current = probe.values
        return current, weight

    def _through(self, changes: Sequence[tuple[int, Value]], unknown: frozenset[int]) -> float:
        """Draw what is unknown of some attributes; the likelihood of the signals among the others."""
        probe, world, signals = self._probe, self.world, self.program.signals
        weight = 1.0
        for slot, value in changes:
            if slot in unknown:
                probe.visits = {}
                probe.values[slot] = value(world, probe)
            elif value in signals:
                weight *= signals[value](world, probe, probe.values[slot])
        return weight
