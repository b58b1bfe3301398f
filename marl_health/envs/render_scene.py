"""What a picture shows: a world's snapshot put in words and in the order of rooms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY = 1440.0
SHORT = ("ct", "ed", "gp", "hdu", "icu", "mri", "xray")
"""Words that people write in capitals."""
OTHER = "Other"
"""The class of those who have none."""


@dataclass(frozen=True)
class Queue:
    """Who waits in front of a resource, by class."""

    name: str
    by_class: list[int]

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(self.by_class)


@dataclass(frozen=True)
class Resource:
    """A place or a kind of staff.

    Attributes:
        name, title: as in the scenario, and as people write it.
        taken, cleaning, capacity: units now. most: the largest capacity it can have. unlimited: whether it has none.
        by_class: units taken, by the class of who has them. boarding: those of them who only wait to move on.
        queues: who waits in front of it, empty ones included.
    """

    name: str
    title: str
    taken: int
    cleaning: int
    capacity: int
    most: int
    unlimited: bool
    by_class: list[int]
    boarding: list[int]
    queues: list[Queue] = field(default_factory=list)

    @property
    def waiting(self) -> list[int]:
        """How many wait in all its queues, by class."""
        return [sum(counts) for counts in zip(*(queue.by_class for queue in self.queues), strict=True)]


@dataclass(frozen=True)
class Room:
    """Places that stand together. ``title`` is empty where a place stands alone."""

    title: str
    places: list[Resource]


@dataclass(frozen=True)
class Scene:
    """All that a picture shows.

    Attributes:
        title, clock, day: of the scenario, the weekday and hour, the day of the episode. share: of the episode, 0 to 1.
        inside: how many are in the world. attribute, classes: what colours stand for.
        rooms, staff: what there is. moves: (agent, its last move, when), the last two empty if it only waited so far.
    """

    title: str
    clock: str
    day: str
    share: float
    inside: int
    attribute: str
    classes: list[str]
    rooms: list[Room]
    staff: list[Resource]
    moves: list[tuple[str, str, str]]

    @property
    def present(self) -> list[int]:
        """How many of each class are to be seen, inside places and waiting."""
        everything = [resource for room in self.rooms for resource in room.places] + self.staff
        counts = [0] * len(self.classes)
        for resource in everything:
            for by_class in (resource.by_class, *(queue.by_class for queue in resource.queues)):
                counts = [total + count for total, count in zip(counts, by_class, strict=True)]
        return counts


def words(name: str, *, begins: bool = True) -> str:
    """A name as people write it: ``ed_bay`` becomes ``ED bay``; with a capital where it ``begins`` a line."""
    text = name.replace("_", " ").replace(".", " ").strip()
    text = " ".join(word.upper() if word in SHORT else word for word in text.split(" "))
    return text[:1].upper() + text[1:] if begins else text


def clock_words(minute_of_week: float) -> str:
    """A weekday and an hour: ``Tuesday 14:30``."""
    day, minute = divmod(round(minute_of_week) % (7 * int(DAY)), int(DAY))
    return f"{WEEKDAYS[day]} {minute // 60:02d}:{minute % 60:02d}"


def read_scene(snapshot: dict[str, Any], name: str, agents: list[str], moves: dict[str, tuple[float, str]]) -> Scene:
    """Arrange a snapshot.

    Args:
        snapshot: what the world says of itself.
        name: of the scenario.
        agents: all of them, in order.
        moves: by agent, when it last did something (minutes since the first decision) and what.
    """
    resources = {name: _resource(name, facts) for name, facts in snapshot["resources"].items()}
    for line in snapshot["lines"]:
        resources[line["at"]].queues.append(Queue(line["name"], line["by_class"]))
    rooms: dict[str, Room] = {}
    staff = []
    for key, facts in snapshot["resources"].items():
        if not facts["place"]:
            staff.append(resources[key])
            continue
        department = facts["department"]
        room = rooms.setdefault(department or f" {key}", Room(words(department or ""), []))
        room.places.append(resources[key])
    now, horizon = snapshot["minutes"], snapshot["horizon"]
    days = max(1, -int(-horizon // DAY))
    begun = snapshot["minute_of_week"] - now
    told = []
    for agent in agents:
        minutes, move = moves.get(agent, (0.0, ""))
        when = clock_words(begun + minutes) if move else ""
        told.append((words(_role(agent, agents)), words(move, begins=False), when))
    return Scene(
        title=words(name),
        clock=clock_words(snapshot["minute_of_week"]),
        day=f"day {min(days, int(now // DAY) + 1)} of {days}" if now < horizon else "after the last decision",
        share=min(1.0, now / horizon) if horizon else 1.0,
        inside=snapshot["inside"],
        attribute=words(snapshot["classes"]["attribute"] or "kind"),
        classes=[words(name) for name in snapshot["classes"]["names"]],
        rooms=list(rooms.values()),
        staff=staff,
        moves=told,
    )


def _resource(name: str, facts: dict[str, Any]) -> Resource:
    plain = ("taken", "cleaning", "capacity", "most", "unlimited", "by_class", "boarding")
    return Resource(name=name, title=words(name), **{key: facts[key] for key in plain})


def _role(agent: str, agents: list[str]) -> str:
    """An agent's role, with its number only where there are several of them."""
    role = agent.rsplit("_", 1)[0]
    alone = sum(other.rsplit("_", 1)[0] == role for other in agents) == 1
    return role if alone else agent
