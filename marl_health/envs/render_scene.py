"""What a picture shows: a world's snapshot put in words and in the order of rooms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marl_health.envs.render_region import Region, read_region
from marl_health.envs.render_words import DAY, clock_words, move_words, words

OTHER = "Other"
"""The class of those who have none."""
FRESH = 30.0
"""Minutes for which a move is news."""


@dataclass(frozen=True)
class Queue:
    """Who waits in front of a resource, by class. ``elsewhere``: those of them who meanwhile occupy another place."""

    name: str
    by_class: list[int]
    elsewhere: list[int]

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(self.by_class)


@dataclass(frozen=True)
class Resource:
    """A place or a kind of staff.

    Attributes:
        name, title: as in the scenario, and as people write it. place: whether it is a place.
        taken, cleaning, capacity: units now. most: the largest capacity it can have. unlimited: whether it has none.
        by_class: units taken, by the class of who has them. boarding: those of them who only wait to move on.
        queues: who waits in front of it, empty ones included.
    """

    name: str
    title: str
    place: bool
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

    @property
    def elsewhere(self) -> list[int]:
        """Those of them who meanwhile occupy another place, by class."""
        return [sum(counts) for counts in zip(*(queue.elsewhere for queue in self.queues), strict=True)]

    @property
    def in_use(self) -> int:
        """Units that nobody else can have now."""
        return self.taken + self.cleaning

    @property
    def full(self) -> bool:
        """Whether no unit is free."""
        return not self.unlimited and self.in_use >= max(1, self.capacity)

    @property
    def numbers(self) -> str:
        """How full it is, in short."""
        return str(self.taken) if self.unlimited else f"{self.in_use}/{self.capacity}"


@dataclass(frozen=True)
class Room:
    """Places that stand together. ``title`` is empty where a place stands alone."""

    title: str
    places: list[Resource]


@dataclass(frozen=True)
class Told:
    """What an agent did last, and when; both empty if it only waited so far. ``fresh``: whether it was just now."""

    agent: str
    move: str
    when: str
    fresh: bool


@dataclass(frozen=True)
class Scene:
    """All that a picture shows.

    Attributes:
        title, clock, day: of the scenario, the weekday and hour, the day of the episode.
        share: of the episode, 0 to 1. midnights: shares at which a day ends.
        inside: how many are in the world. attribute, classes: what colours stand for.
        rooms, staff: what there is; staff stand in rooms of their own where there are no places.
        moves: of each agent.
        region: where things are, if the world has sites: then the picture is a map.
    """

    title: str
    clock: str
    day: str
    share: float
    midnights: tuple[float, ...]
    inside: int
    attribute: str
    classes: list[str]
    rooms: list[Room]
    staff: list[Resource]
    moves: list[Told]
    region: Region | None = None

    @property
    def present(self) -> list[int]:
        """How many of each class are to be seen, inside places and waiting."""
        everything = [resource for room in self.rooms for resource in room.places] + self.staff
        counts = [0] * len(self.classes)
        for resource in everything:
            for by_class in (resource.by_class, *(queue.by_class for queue in resource.queues)):
                counts = [total + count for total, count in zip(counts, by_class, strict=True)]
        return counts


def read_scene(snapshot: dict[str, Any], name: str, agents: list[str], moves: dict[str, tuple[float, str]]) -> Scene:
    """Arrange a snapshot.

    Args:
        snapshot: what the world says of itself.
        name: of the scenario.
        agents: all of them, in order.
        moves: by agent, when it last did something (minutes since the first decision) and the name of that action.
    """
    resources = {name: _resource(name, facts) for name, facts in snapshot["resources"].items()}
    for line in snapshot["lines"]:
        resources[line["at"]].queues.append(Queue(line["name"], line["by_class"], line["elsewhere"]))
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
    first = DAY - begun % DAY
    return Scene(
        title=words(name),
        clock=clock_words(snapshot["minute_of_week"]),
        day=f"day {min(days, int(now // DAY) + 1)} of {days}" if now < horizon else "after the last decision",
        share=min(1.0, now / horizon) if horizon else 1.0,
        midnights=tuple((first + day * DAY) / horizon for day in range(days) if first + day * DAY < horizon),
        inside=snapshot["inside"],
        attribute=words(snapshot["classes"]["attribute"] or "kind"),
        classes=[words(name) for name in snapshot["classes"]["names"]],
        rooms=list(rooms.values()) or [Room("", [group]) for group in staff],
        staff=staff if rooms else [],
        moves=[_told(agent, agents, moves.get(agent), begun, now) for agent in agents],
        region=read_region(snapshot) if snapshot.get("sites") else None,
    )


def _told(agent: str, agents: list[str], move: tuple[float, str] | None, begun: float, now: float) -> Told:
    name = words(_role(agent, agents))
    if move is None:
        return Told(name, "", "", False)
    minutes, action = move
    return Told(name, move_words(action), clock_words(begun + minutes), now - minutes <= FRESH)


def _resource(name: str, facts: dict[str, Any]) -> Resource:
    plain = ("place", "taken", "cleaning", "capacity", "most", "unlimited", "by_class", "boarding")
    return Resource(name=name, title=words(name), **{key: facts[key] for key in plain})


def _role(agent: str, agents: list[str]) -> str:
    """An agent's role, with its number only where there are several of them."""
    role = agent.rsplit("_", 1)[0]
    alone = sum(other.rsplit("_", 1)[0] == role for other in agents) == 1
    return role if alone else agent
