"""Sites on the map, and how long it takes from one to another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from typing import Any

DAY = 1440.0
EARTH = 6371.0088
"""Mean radius of the earth in kilometres (IUGG, 1980)."""


@dataclass(frozen=True)
class SiteSpec:
    """A site: its name, (latitude, longitude) in degrees, the template it is made from, its parameters by name."""

    name: str
    at: tuple[float, float] | None = None
    template: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """How long it takes from each site to each other one; the same for every episode.

    Attributes:
        base: by site and site, minutes without any factor. detour: of roads against the distance as the crow flies.
        speed: kilometres per minute of whoever travels as ``travel`` says; 0 where roads are given in minutes.
        hours: (minute of the day, factor), ascending: what all minutes are multiplied by from then on.
        start: minute of the week at which the world's clock is 0.
    """

    base: Mapping[str, Mapping[str, float]]
    speed: float = 0.0
    detour: float = 1.0
    hours: tuple[tuple[float, float], ...] = ()
    start: float = 0.0

    def minutes(self, origin: str, to: str, now: float, pace: float = 1.0) -> float:
        """Travel time for whoever leaves at ``now``, in minutes.

        Args:
            origin: name of a site.
            to: name of a site.
            now: the world's clock at departure.
            pace: minutes of this traveller for each minute of ``travel``: 2 for half the speed.
        """
        return self.base[origin][to] * pace * self.factor(now)

    def factor(self, now: float) -> float:
        """What all travel times are multiplied by at a time of the world's clock."""
        if not self.hours:
            return 1.0
        minute = (now + self.start) % DAY
        return self.hours[bisect_right(self.hours, (minute, float("inf"))) - 1][1]  # before the first: the last's

    def pace(self, speed: float) -> float:
        """The ``pace`` of somebody whose speed is so many kilometres per minute."""
        return self.speed / speed

    def nearest(self, origin: str, among: Iterable[str]) -> str:
        """The site that is nearest by travel time; of equals the first."""
        row = self.base[origin]
        return min(among, key=row.__getitem__)


def kilometres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance between two (latitude, longitude) in degrees: the haversine formula."""
    (north_a, east_a), (north_b, east_b) = (tuple(map(radians, point)) for point in (a, b))
    half = sin((north_b - north_a) / 2) ** 2 + cos(north_a) * cos(north_b) * sin((east_b - east_a) / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))
