"""Rosters: who is in a step or waits in a line, kept in order as they come and go, so that nobody scans for them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marl_health.kernel.entity import Entity, Value
    from marl_health.kernel.world import World


class Roster:
    """Entities in the order of a key that is fixed when they join; ties go to those who came first.

    Attributes:
        key: computes the sort key of an entity; it belongs to the compiled scenario, so copies get it put back.
        entries: (key, tie-breaker, entity) of everybody here, in order.
    """

    __slots__ = ("_keys", "entries", "key")

    def __init__(self, key: Value) -> None:
        self.key: Value | None = key
        self.entries: list[tuple[float, int, Entity]] = []
        self._keys: dict[Entity, tuple[float, int, Entity]] = {}

    def __getstate__(self) -> Any:
        return None, {"entries": self.entries, "_keys": self._keys}

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, world: World, entity: Entity) -> None:
        """The entity joins."""
        assert self.key is not None
        entry = (self.key(world, entity), world.next_number(), entity)
        self._keys[entity] = entry
        insort(self.entries, entry)

    def remove(self, entity: Entity) -> None:
        """The entity goes; nothing happens if it is not here."""
        entry = self._keys.pop(entity, None)
        if entry is not None:
            del self.entries[bisect_left(self.entries, entry)]

    def rekey(self, world: World, entity: Entity) -> None:
        """An attribute of the entity changed; put it where it belongs now."""
        entry = self._keys.get(entity)
        if entry is not None and self.key is not None:
            del self.entries[bisect_left(self.entries, entry)]
            entry = (self.key(world, entity), entry[1], entity)
            self._keys[entity] = entry
            insort(self.entries, entry)

    def __contains__(self, entity: Entity) -> bool:
        return entity in self._keys

    def first(self, most: int, accepts: Callable[[Entity], bool] | None = None) -> list[Entity]:
        """The first ``most`` entities, of those that are accepted."""
        if accepts is None:
            return [entry[2] for entry in self.entries[:most]]
        found: list[Entity] = []
        for entry in self.entries:
            if accepts(entry[2]):
                found.append(entry[2])
                if len(found) == most:
                    break
        return found
