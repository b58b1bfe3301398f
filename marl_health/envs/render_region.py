"""Where things are: the sites of a world on a plane, the roads between them, and what moves on these."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from math import cos, hypot, radians
from typing import Any

import numpy as np

Point = tuple[float, float]
"""To the right and down."""
KILOMETRES_A_DEGREE = 111.2
STRAIGHT = 1.08
"""No road is drawn where the way over a third site takes less than so many times as long."""
ABOARD = ("driving_in", "unloading", "blocked")
"""States of a vehicle in which its riders are with it; while it is loading, they are where it stands."""
DRIVING = ("driving_out", "driving_in", "returning")


@dataclass(frozen=True)
class Layout:
    """What does not change: sites by name, and the pairs of them with a road between.

    ``scale``: kilometres per unit of the plane, ``None`` where the plane is of minutes only.
    """

    points: tuple[tuple[str, Point], ...]
    roads: tuple[tuple[str, str], ...]
    scale: float | None


@dataclass(frozen=True)
class Vehicle:
    """A unit of a fleet: where it is between two sites, what it does, and the class of who is with it, if known."""

    fleet: str
    state: str
    start: str
    end: str
    share: float
    riders: int
    cls: int | None
    flies: bool

    @property
    def moving(self) -> bool:
        """Whether it is on the road."""
        return self.state in DRIVING and self.start != self.end

    @property
    def loaded(self) -> bool:
        """Whether somebody is with it."""
        return self.state in ABOARD or self.state == "loading"


@dataclass(frozen=True)
class Walker:
    """Somebody who travels without a vehicle."""

    cls: int
    start: str
    end: str
    share: float


@dataclass(frozen=True)
class Region:
    """The sites, who is at each (by class), and all who are under way. ``fleets``: names, and whether each flies."""

    layout: Layout
    inside: dict[str, list[int]]
    vehicles: list[Vehicle]
    walkers: list[Walker]
    fleets: tuple[tuple[str, bool], ...]


def read_region(snapshot: dict[str, Any]) -> Region:
    """Arrange the part of a snapshot that says where things are."""
    flying = snapshot["flying"]
    inside = {site: list(facts["inside"]) for site, facts in snapshot["sites"].items()}
    classes = {journey["entity"]: journey["class"] for journey in snapshot["journeys"]}
    vehicles: list[Vehicle] = []
    aboard: set[int] = set()
    for fleet, units in snapshot["units"].items():
        for unit in units:
            if unit["state"] == "off_duty":
                continue
            with_it = unit["riders"] if unit["state"] in ABOARD else []
            aboard.update(with_it)
            known = [classes[rider] for rider in unit["riders"] if rider in classes]
            vehicles.append(
                Vehicle(
                    fleet,
                    unit["state"],
                    unit["from"],
                    unit["to"],
                    unit["share"],
                    len(with_it),
                    known[0] if known else None,
                    fleet in flying,
                )
            )
    walkers = []
    for journey in snapshot["journeys"]:
        if journey["since"] is not None:
            share = (snapshot["minutes"] - journey["since"]) / max(1e-9, journey["until"] - journey["since"])
            walkers.append(Walker(journey["class"], journey["from"], journey["to"], min(1.0, max(0.0, share))))
        elif journey["entity"] not in aboard:  # waits to be fetched
            inside[journey["from"]][journey["class"]] += 1
    fleets = tuple((fleet, fleet in flying) for fleet in snapshot["units"])
    return Region(_layout(snapshot), inside, vehicles, walkers, fleets)


def _layout(snapshot: dict[str, Any]) -> Layout:
    names, minutes = list(snapshot["sites"]), snapshot["roads"]
    at = [facts["at"] for facts in snapshot["sites"].values()]
    if all(place is not None for place in at):
        flat = cos(radians(sum(north for north, _ in at) / len(at)))
        points = [(east * flat, -north) for north, east in at]
        scale: float | None = KILOMETRES_A_DEGREE
    else:
        points, scale = _by_minutes(names, minutes), None
    roads = tuple(
        (a, b)
        for number, a in enumerate(names)
        for b in names[number + 1 :]
        if minutes
        and not any(
            minutes[a][c] + minutes[c][b] < STRAIGHT * min(minutes[a][b], minutes[b][a])
            for c in names
            if c not in (a, b) and min(minutes[a][c], minutes[c][b]) > 0
        )
    )
    return Layout(tuple(zip(names, points, strict=True)), roads, scale)


def _by_minutes(names: list[str], minutes: dict[str, dict[str, float]]) -> list[Point]:
    """Points whose distances are about the travel times: classical multidimensional scaling."""
    if len(names) < 3 or not minutes:
        return [(float(number), 0.0) for number in range(len(names))]
    times = np.array([[minutes[a][b] for b in names] for a in names])
    squares = ((times + times.T) / 2) ** 2
    middle = np.eye(len(names)) - 1 / len(names)
    values, vectors = np.linalg.eigh(-middle @ squares @ middle / 2)
    axes = vectors[:, [-1, -2]] * np.sqrt(np.maximum(values[[-1, -2]], 0.0))
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])  # which way round does not depend on the library
    return [(float(x), float(y)) for x, y in axes * np.where(signs == 0, 1, signs)]


def ways(layout: Layout) -> dict[tuple[str, str], list[str]]:
    """The sites on the shortest way over the roads that are drawn, from each site to each other one."""
    points = dict(layout.points)
    ends: dict[str, list[tuple[str, float]]] = {name: [] for name in points}
    for a, b in layout.roads:
        length = hypot(points[a][0] - points[b][0], points[a][1] - points[b][1])
        ends[a].append((b, length))
        ends[b].append((a, length))
    found: dict[tuple[str, str], list[str]] = {}
    for start in points:
        heap: list[tuple[float, list[str]]] = [(0.0, [start])]
        while heap:
            length, way = heappop(heap)
            if (start, way[-1]) not in found:
                found[start, way[-1]] = way
                for site, more in ends[way[-1]]:
                    heappush(heap, (length + more, [*way, site]))
    return found
