"""Who goes first from the scene of an incident, and to which hospital: rules of the field and of the literature.

All of them share what the incident commander and the hospitals do, so that they differ only in the order in which
casualties are sent and in where they are sent.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from typing_extensions import override

from marl_health import HealthParallelEnv
from marl_health.spec.scenario import PACKAGED
from policies.base import Policy, PolicyError
from policies.rules.base import Can, RuleBook, Seen, slots

COLOURS = ("black", "green", "grey", "red", "yellow")
"""In the order in which slots number them."""
START = ("red", "yellow", "green", "grey", "black")
DELAYED_FIRST = ("yellow", "red", "green", "grey", "black")
SWITCH = 45.0
"""Minutes after which ``restart`` sends delayed casualties first, if nothing else is said."""

TRIAGE_BACKLOG = 4
"""Casualties who wait for triage from which medics help there."""
STABILISING_BACKLOG = 6
"""Casualties who wait for a medic from which more medics are called."""
FEW_BEDS = 3
"""Free beds on the wards below which in-patients who can go are sent home."""
LOOK = 22.0
OPERATION = 110.0
"""Mean minutes of the resuscitation room's work and of an operation."""
AHEAD = 4
"""How many may wait for an ambulance that is still to come free: those who wait for the same hospital ride together."""
OPERATED = 0.65
"""Share of those tagged red who need a theatre."""

Slot = Mapping[str, float]


@dataclass
class Region:
    """What everybody knows beforehand, and what the transport officer remembers.

    Attributes:
        sites: all of them, in the order in which slots number them. hospitals: those one can be sent to.
        minutes: of the way from site to site, at ordinary times. capacity: units of each place.
        episode: minutes of it. sent: (minute, hospital, colour) of those sent so far.
    """

    sites: list[str]
    hospitals: list[str]
    minutes: Mapping[str, Mapping[str, float]]
    capacity: Mapping[str, int]
    episode: float
    sent: list[tuple[float, str, str]] = field(default_factory=list)

    def now(self, seen: Seen) -> float:
        """Minutes since the incident."""
        return (1.0 - seen["time_left"]) * self.episode

    def on_the_way(self, hospital: str, now: float, colours: Sequence[str]) -> int:
        """How many of these colours were sent to a hospital and are not likely to be there yet."""
        return sum(
            1
            for minute, to, colour in self.sent
            if to == hospital and colour in colours and now - minute < 30.0 + max(self.minutes[to].values()) / 2.0
        )


Order = Callable[[Region, Seen, list[Slot]], Slot]
"""Whom to send next."""
Where = Callable[[Region, Seen, Slot], str]
"""Which hospital."""


# ---------------------------------------------------------------- who goes first
def by_colour(colours: Callable[[float], Sequence[str]]) -> Order:
    """By tag, in an order that may depend on the minutes since the incident; of equals whoever waits longest."""

    def first(region: Region, seen: Seen, waiting: list[Slot]) -> Slot:
        order = colours(region.now(seen))
        return min(waiting, key=lambda slot: (order.index(COLOURS[int(slot["colour"])]), -slot["waited"]))

    return first


@lru_cache(maxsize=1)
def _sacco() -> tuple[list[float], list[list[int]]]:
    """Chance to survive by score, and the score after each half hour by score at the start."""
    with (PACKAGED / "data" / "mci_sacco.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    falls = [[int(row["rpm"]), *(int(row[f"after_{m}_min"]) for m in range(30, 361, 30))] for row in rows]
    return [float(row["survival"]) for row in rows], falls


def survival(score: float, minutes: float) -> float:
    """Chance to survive of somebody with this score at the start who is treated after so many minutes (Sacco)."""
    chances, falls = _sacco()
    row = falls[min(12, max(0, round(score)))]
    left = row[min(len(row) - 1, int(minutes // 30))]
    return chances[left] if left else 0.0


def by_survival_drop(region: Region, seen: Seen, waiting: list[Slot]) -> Slot:
    """Whoever gets the first place when casualties are assigned to places in ambulances for most expected survivors."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    now = region.now(seen)
    way = min(min(row[hospital] for hospital in region.hospitals) for row in region.minutes.values())
    cycle = 2.0 * max(way, 5.0) + 10.0
    at_once = max(1, region.capacity["ambulance"])
    leaves = [now + cycle * place / at_once + 15.0 + LOOK for place in range(len(waiting))]
    chances = np.array([[survival(slot["score"], minute) for minute in leaves] for slot in waiting])
    people, places = linear_sum_assignment(chances, maximize=True)
    return waiting[int(people[list(places).index(0)])]


# ---------------------------------------------------------------- where to
def nearest(region: Region, seen: Seen, slot: Slot) -> str:
    """The hospital that is nearest by road."""
    row = region.minutes[region.sites[int(slot["site"])]]
    return min(region.hospitals, key=row.__getitem__)


def shortest_queue(region: Region, seen: Seen, slot: Slot) -> str:
    """The hospital where fewest wait beyond what is free, for the room that somebody of this colour goes to."""
    return min(region.hospitals, key=lambda hospital: (_excess(region, seen, slot, hospital), hospital))


def _excess(region: Region, seen: Seen, slot: Slot, hospital: str) -> float:
    red = COLOURS[int(slot["colour"])] == "red"
    coming = region.on_the_way(hospital, region.now(seen), ("red",) if red else ("yellow", "green", "grey"))
    if red:
        line, free = seen[f"{hospital}_resus_line.waiting"], seen[f"{hospital}_resus.free"]
        return (line + coming - free) / region.capacity[f"{hospital}_resus"]
    return (coming - seen[f"{hospital}_ed_bay.free"]) / region.capacity[f"{hospital}_ed_bay"]


def least_time(region: Region, seen: Seen, slot: Slot) -> str:
    """The hospital where care is expected to begin soonest: the way, and the waits there."""

    def minutes(hospital: str) -> float:
        way = region.minutes[region.sites[int(slot["site"])]][hospital]
        now = region.now(seen)
        red = COLOURS[int(slot["colour"])] == "red"
        capacity = region.capacity
        if not red:
            coming = region.on_the_way(hospital, now, ("yellow", "green", "grey"))
            short = coming + 1 - seen[f"{hospital}_ed_bay.free"]
            return way + max(0.0, short) * OPERATION / capacity[f"{hospital}_ed_bay"]
        coming = region.on_the_way(hospital, now, ("red",))
        short = seen[f"{hospital}_resus_line.waiting"] + coming + 1 - seen[f"{hospital}_resus.free"]
        wait = max(0.0, short) * LOOK / max(1, capacity[f"{hospital}_trauma_team"])
        ahead = seen[f"{hospital}_theatre_line.waiting"] + OPERATED * coming + 1 - seen[f"{hospital}_theatre.free"]
        theatre = OPERATED * max(0.0, ahead) * OPERATION / capacity[f"{hospital}_theatre"]
        return way + wait + theatre

    return min(region.hospitals, key=lambda hospital: (minutes(hospital), hospital))


# ---------------------------------------------------------------- the roles
class Incident(RuleBook):
    """A rule for the transport officer, beside what the others do in all of them.

    Args:
        order: whom to send next. where: which hospital.
        name: what tables call it.
    """

    def __init__(self, order: Order, where: Where, name: str = "rule") -> None:
        super().__init__(
            {"incident_commander": command, "transport_officer": self.send, "surge_coordinator": surge}, name
        )
        self.order = order
        self.where = where
        self.region: Region | None = None

    @override
    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        super().reset(env, seed)
        program: Any = env.scenario.program
        sites = sorted(program.sites)
        hospitals = [name for name in program.sites if program.sites[name].template == "hospital"]
        minutes = {a: {b: program.travel.minutes(a, b, program.warm_up) for b in sites} for a in sites}
        capacity = {pool.name: max(units for _, units in pool.shifts) for pool in program.pools}
        self.region = Region(sites, hospitals, minutes, capacity, program.horizon - program.warm_up)

    def send(self, seen: Seen, can: Can) -> str:
        """Send somebody off if an ambulance is free."""
        region = self.region
        assert region is not None
        waiting: list[Slot] = [*slots(seen, "to_send")]
        if not waiting or seen["ambulance.free"] + AHEAD <= seen["ride_line.waiting"]:
            return "wait"
        slot = self.order(region, seen, waiting)
        to = self.where(region, seen, slot)
        colour = COLOURS[int(slot["colour"])]
        number = int(slot["slot"])
        by_air = f"send to send_by_air with destination level_one to_send[{number}]"
        if colour == "red" and self.where is not nearest and seen["helicopter.free"] and can(by_air):
            to = "level_one"
            region.sent.append((region.now(seen), to, colour))
            return by_air
        region.sent.append((region.now(seen), to, colour))
        return f"send to send with destination {to} to_send[{number}]"


def command(seen: Seen, can: Can) -> str:
    """The incident commander: medics help with triage while it lags; the worst tagged red is stabilised first."""
    backlog = sum(value for name, value in seen.items() if name.startswith("medic_line.waiting"))
    if backlog > STABILISING_BACKLOG and can("call in 4 medic"):
        return "call in 4 medic"
    if seen["triage_officer.waiting"] > TRIAGE_BACKLOG and can("set medic.lent triage_officer"):
        return "set medic.lent triage_officer"
    if not seen["triage_officer.waiting"] and can("set medic.lent home"):
        return "set medic.lent home"
    red = [slot for slot in slots(seen, "to_stabilise") if COLOURS[int(slot["colour"])] == "red"]
    if red:
        worst = min(red, key=lambda slot: slot["score"])
        action = f"first to_stabilise[{int(worst['slot'])}]"
        return action if can(action) else "wait"
    return "wait"


def surge(seen: Seen, can: Can) -> str:
    """A hospital: call teams in once casualties queue, keep theatres for them, make room on the wards."""
    waiting = sum(value for name, value in seen.items() if name.startswith("theatre_line.waiting"))
    teams = sum(value for name, value in seen.items() if name.startswith("team_line.waiting"))
    doctors = sum(value for name, value in seen.items() if name.startswith("doctor_line.waiting"))
    if (seen["resus_line.waiting"] or teams) and can("call in 1 trauma_team"):
        return "call in 1 trauma_team"
    if waiting and can("set theatre.reserve 2"):
        return "set theatre.reserve 2"
    if doctors > 2 and can("call in 2 ed_doctor"):
        return "call in 2 ed_doctor"
    if (seen["ward_line.waiting"] or seen["ward_bed.free"] < FEW_BEDS) and slots(seen, "in_patients"):
        return "shorten in_patients[0]"
    return "wait"


def make() -> Incident:
    """The reference rule: the best of those below on training seeds (``select``, return, seeds from 20000)."""
    return Incident(by_survival_drop, least_time)


def _plain(name: str, order: Order, where: Where) -> Callable[[str], Policy]:
    def made(argument: str) -> Policy:
        if argument:
            raise PolicyError(f"policy '{name}:{argument}': nothing may stand after '{name}'")
        return Incident(order, where, name)

    return made


def restart(argument: str) -> Policy:
    """The policy ``restart``, or ``restart:MINUTES``: immediate casualties first until then, delayed ones after it.

    Raises:
        PolicyError: if no time stands behind its name.
    """
    try:
        switch = float(argument) if argument else SWITCH
    except ValueError:
        raise PolicyError(f"policy 'restart:{argument}': write minutes, as in restart:60") from None
    order = by_colour(lambda minute: START if minute < switch else DELAYED_FIRST)
    return Incident(order, nearest, f"restart:{argument}" if argument else "restart")


VARIANTS: dict[str, Callable[[str], Policy]] = {
    "start_nearest": _plain("start_nearest", by_colour(lambda minute: START), nearest),
    "restart": restart,
    "sacco": _plain("sacco", by_survival_drop, least_time),
    "sacco_nearest": _plain("sacco_nearest", by_survival_drop, nearest),
    "jsq": _plain("jsq", by_colour(lambda minute: START), shortest_queue),
    "min_expected_time": _plain("min_expected_time", by_colour(lambda minute: START), least_time),
}
"""Policies of this scenario besides its rule: see the module."""
