"""Who is who in an event log: names that are the same under every policy."""

from __future__ import annotations

from typing import Any, NamedTuple

from marl_health.kernel.entity import Entity
from marl_health.worlds.flow.program import Program


class Person(NamedTuple):
    """An entity of an event log.

    Attributes:
        name: the same under every policy: ``emergency-17`` is the 17th of its kind who came by itself in the episode,
            ``emergency-17/2`` the same patient's second stay.
        kind: the entity type.
        attributes: what it was like when it came.
        changes: (minute, attribute, value from then on), in order.
    """

    name: str
    kind: str
    attributes: dict[str, Any]
    changes: list[tuple[float, str, Any]]


class Cast:
    """Everybody who came, by the number that the event log gives them.

    These numbers count everybody, so they shift when a policy brings somebody back earlier or spares them the return.
    Names do not: an entity that comes by itself is counted among its kind only, and one who comes again is named
    after the one who left.
    """

    def __init__(self) -> None:
        self.people: dict[int, Person] = {}
        self.names: dict[int, str] = {}  # by the entity's key, which its uniforms fix
        self._came: dict[int, int] = {}
        self._back: str | None = None

    def comes_back(self, key: int) -> None:
        """The next to enter is the one whose key was this."""
        name, _, stay = self.names[key].partition("/")
        self._back = f"{name}/{int(stay or 1) + 1}"

    def becomes_job(self, key: int, place: str, number: int) -> None:
        """The next to enter is a job that makes a place ready, the ``number``-th after the one whose key this is."""
        self._back = f"{self.names[key]}@{place}" + (f"#{number}" if number > 1 else "")

    def enter(self, program: Program, entity: Entity) -> None:
        """Somebody is inside."""
        kind, name = program.kinds[entity.kind], self._back
        if name is None:
            self._came[entity.kind] = self._came.get(entity.kind, 0) + 1
            name = f"{kind}-{self._came[entity.kind]}"
        self._back = None
        self.names[entity.key] = name
        self.people[entity.id] = Person(name, kind, _attributes(program, entity), [])

    def change(self, program: Program, entity: Entity, now: float) -> None:
        """Attributes of somebody may have changed."""
        person = self.people[entity.id]
        known = person.attributes | {word: value for _, word, value in person.changes}
        for word, value in _attributes(program, entity).items():
            if word not in known or known[word] != value:
                person.changes.append((now, word, value))


def _attributes(program: Program, entity: Entity) -> dict[str, Any]:
    own = [(word, slot) for word, slot in program.slots_of_values.items() if word != "kind" and "site." not in word]
    values = {word: entity.values[slot] for word, slot in own}
    return {word: value for word, value in values.items() if value is not None}
