"""What is seen and counted of fleets, and of the ways between sites."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.worlds.flow.fleets import FleetPool
from marl_health.worlds.flow.readings import RESOURCE, Reading
from marl_health.worlds.flow.sights import Sight
from marl_health.worlds.flow.units import BACK, BLOCKED, IN, OUT, STATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from marl_health.worlds.flow.network import Network
    from marl_health.worlds.flow.world import FlowWorld

SIGHTS = ("on_the_way", "minutes_away")
"""What is seen of a site."""
RIDES = "rides"
HOURS = {"blocked_hours": (BLOCKED,), "driving_hours": (OUT, IN, BACK)}
READINGS = (RIDES, *HOURS)
"""What is read of a fleet beside what is read of every resource."""


def _fleet(world: FlowWorld, number: int) -> FleetPool:
    pool = world.pools[number]
    assert isinstance(pool, FleetPool)
    return pool


class UnitStates(Sight):
    """How many units of a fleet are in each state."""

    def __init__(self, name: str, pool: int, scale: float) -> None:
        super().__init__(
            tuple(f"{name}.states[{state}]" for state in STATES),
            tuple(f"{name}: units that are {state.replace('_', ' ')}" for state in STATES),
            (scale,) * len(STATES),
        )
        self.pool = pool

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        out.extend(_fleet(world, self.pool).counts)


class OnTheWay(Sight):
    """Who is being brought to some sites: for whom a unit was sent, and who is aboard; in all or by an attribute.

    Whoever goes there by themselves announces it to nobody.
    """

    def __init__(
        self,
        name: str,
        sites: Sequence[str],
        fleets: Sequence[int],
        slot: int | None,
        classes: Mapping[Any, int],
        scale: float,
    ) -> None:
        suffixes = [f"[{value}]" for value in classes] or [""]
        super().__init__(
            tuple(f"{name}.on_the_way{suffix}" for suffix in suffixes),
            tuple(f"{name}{suffix}: entities for whom a unit was sent to bring them there" for suffix in suffixes),
            (scale,) * len(suffixes),
        )
        self.sites = frozenset(sites)
        self.fleets = tuple(fleets)
        self.slot = slot
        self.classes = dict(classes)

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        found = [0.0] * len(self.names)
        seen = set()
        for number in self.fleets:
            pool = _fleet(world, number)
            heading = pool.fleet.heading
            for entity in pool.given:
                if entity.values[heading] in self.sites and entity not in seen:
                    seen.add(entity)
                    found[0 if self.slot is None else self.classes[entity.values[self.slot]]] += 1.0
        out.extend(found)


class MinutesAway(Sight):
    """How long it takes now from one site to others."""

    def __init__(self, sites: Sequence[str], origin: str, network: Network, scale: float) -> None:
        super().__init__(
            tuple(f"{site}.minutes_away" for site in sites),
            tuple(f"{site}: minutes to it from {origin}, for whoever leaves now" for site in sites),
            (scale,) * len(sites),
        )
        self.sites = tuple(sites)
        self.origin = origin
        self.network = network

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        out.extend([self.network.minutes(self.origin, site, world.now) for site in self.sites])


class Rides(Reading):
    """How often somebody was handed over at a destination."""

    whole = RESOURCE

    def __init__(self, name: str, pool: int) -> None:
        super().__init__("", f"entities that '{name}' brought to where they were to go")
        self.pool = pool

    @override
    def read(self, world: FlowWorld) -> float:
        return float(_fleet(world, self.pool).rides)


class FleetHours(Reading):
    """Unit-hours in some states."""

    whole = RESOURCE
    until_horizon = True

    def __init__(self, name: str, pool: int, what: str) -> None:
        words = "at a door with somebody for whom there is no place" if what == "blocked_hours" else "on the road"
        super().__init__("h", f"unit-hours of '{name}' {words}")
        self.pool = pool
        self.states = HOURS[what]

    @override
    def read(self, world: FlowWorld) -> float:
        pool = _fleet(world, self.pool)
        return sum(pool.unit_minutes(state, world.now) for state in self.states) / 60.0


def fleet_reading(name: str, pool: int, what: str) -> Reading:
    """The reading for ``FLEET.WORD``."""
    return Rides(name, pool) if what == RIDES else FleetHours(name, pool, what)


def units_now(world: FlowWorld) -> dict[str, list[dict[str, Any]]]:
    """Where every unit is and what it does, for a map.

    Returns:
        By fleet, one mapping for each unit: ``unit``: its number; ``state``; ``site``: where it is, or drives to;
        ``from``, ``to``, ``share``: the sites between which it is, and how much of the way from the first to the second
        is behind it; ``since``, ``until``: minutes since the world began, of what it does, infinity if nobody knows;
        ``riders``: ids of those for whom it was sent or who are aboard.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for pool in world.pools:
        if not isinstance(pool, FleetPool):
            continue
        found[pool.name] = []
        for number, unit in sorted(pool.units.items()):
            a, b, share = unit.where(world.now)
            found[pool.name].append(
                {
                    "unit": number,
                    "state": STATES[unit.state],
                    "site": unit.target,
                    "from": a,
                    "to": b,
                    "share": share,
                    "since": unit.began,
                    "until": unit.until if unit.current is None else inf,
                    "riders": [entity.id for entity in unit.riders],
                }
            )
    return found
