"""What stands beside a map: a card for each site with how full it is, in two columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

from marl_health.envs.render_layout import GAP, MARGIN, WIDTH
from marl_health.envs.render_region import Region
from marl_health.envs.render_scene import Resource, Scene
from marl_health.envs.render_words import words

CARD = 250
"""Width of a card."""
ROW = 18
"""Height of a line with a bar."""
BAR_START, BAR_END = 98, 164
"""From where to where in a line its bar goes."""
VEHICLES = 20
"""Height of the line of vehicles."""


@dataclass(frozen=True)
class Row:
    """A line of a card: a resource, and its name without that of the site."""

    title: str
    resource: Resource = field(compare=False)


@dataclass(frozen=True)
class Card:
    """What is told of a site. Cards are equal if what never changes of them is.

    Attributes:
        site, title, letter: its name, as people write it, and its mark on the map.
        rows: what belongs to it. places: whether there are places with a limit among that. height: in pixels.
        waiting: those who wait for what belongs to it, by class.
    """

    site: str
    title: str
    letter: str
    rows: tuple[Row, ...]
    places: bool
    height: int
    waiting: tuple[int, ...] = field(compare=False)


def cards_of(scene: Scene, region: Region) -> list[Card]:
    """A card for each site, in their order."""
    owned: dict[str, list[Row]] = {site: [] for site, _ in region.layout.points}
    longest = sorted(owned, key=len, reverse=True)
    for resource in _resources(scene):
        site = next((site for site in longest if resource.name.startswith(f"{site}_")), None)
        if site is not None:
            owned[site].append(Row(words(resource.name.removeprefix(f"{site}_")), resource))
    cards = []
    for number, (site, rows) in enumerate(owned.items()):
        waiting = [0] * len(scene.classes)
        for queue in (queue for row in rows for queue in row.resource.queues):
            waiting = [sum(both) for both in zip(waiting, queue.by_class, strict=True)]
        places = any(row.resource.place and not row.resource.unlimited for row in rows)
        height = 32 + ROW * len(rows) + VEHICLES + (VEHICLES if region.fleets else 0) + 6
        letter = ascii_uppercase[number] if number < len(ascii_uppercase) else str(number + 1)
        cards.append(Card(site, words(site), letter, tuple(rows), places, height, tuple(waiting)))
    return cards


def rest_of(scene: Scene, cards: Sequence[Card]) -> list[Resource]:
    """What belongs to no site."""
    told = {row.resource.name for card in cards for row in card.rows}
    fleets = {name for name, _ in scene.region.fleets} if scene.region is not None else set()
    return [resource for resource in _resources(scene) if resource.name not in told | fleets]


def _resources(scene: Scene) -> list[Resource]:
    """Places first, then staff."""
    return [*(place for room in scene.rooms for place in room.places), *scene.staff]


def columns_of(cards: Sequence[Card], least: int) -> tuple[list[tuple[int, int]], int]:
    """The corner of each card, in the lower of two columns each, and the height of the higher one or the least."""
    lefts = (MARGIN, WIDTH - MARGIN - CARD)
    heights = [0, 0]
    corners = []
    for card in cards:
        column = heights.index(min(heights))
        corners.append((lefts[column], heights[column]))
        heights[column] += card.height + GAP
    return corners, max(least, *(height - GAP for height in heights))
