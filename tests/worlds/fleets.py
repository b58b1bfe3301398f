"""What the tests of fleets share: a base, a scene and two hospitals, and a look at every unit."""

import pytest

from marl_health.worlds.flow.units import BACK, BLOCKED, IDLE, IN, LOADING, OFF, OUT, STATES, UNLOADING
from tests.worlds.build import comes, scenario

SITES = {"base": {}, "scene": {}, "near": {}, "far": {}}
ROADS = {"roads": {"base": {"scene": "10 min", "near": "15 min"}, "scene": {"near": "20 min", "far": "40 min"},
                   "near": {"far": "30 min"}}}  # fmt: skip
RIDE = {"by": "ambulance", "to": "near", "load": "5 min", "unload": "3 min"}
HOME = {"leave": "discharged"}


def region(tmp_path, times=("01:00",), *, ride=RIDE, fleet=None, step=None, pathway=None, has=None, **parts):
    """Patients at the scene who are fetched by an ambulance and leave when they are handed over."""
    patient = {"at": "scene", "arrive": comes(*times), "begins": "ride", **({"has": has} if has else {})}
    return scenario(
        tmp_path,
        **{
            "sites": SITES,
            "travel": ROADS,
            "fleets": {"ambulance": {"count": 1, "based": "base", **(fleet or {})}, **parts.pop("fleets", {})},
            "entities": {"patient": patient, **parts.pop("entities", {})},
            "pathway": {"ride": {"carry": ride, "next": "home", **(step or {})}, "home": HOME, **(pathway or {})},
            **parts,
        },
    )


def units_in_log(game):
    """{name: [(minute, state, site)]} of every unit."""
    found = {}
    for time, entity, kind, event, where in game.events():
        if kind == "unit":
            found.setdefault(game.people()[entity].name, []).append((round(time, 6), event, where))
    return found


def audit_fleet(pool, world):
    """What units say of themselves, what the pool counts, and whom they have, agree."""
    ahead = {entry[3] for entry in world.agenda if entry[3].epoch == entry[4]}
    states = [unit.state for unit in pool.units.values()]
    assert pool.counts == [states.count(state) for state in range(len(STATES))]
    minutes = sum(pool.unit_minutes(state, world.now) for state in range(len(STATES)))
    assert minutes == pytest.approx(sum(world.now - unit.made for unit in pool.units.values()))
    working = [number for number, unit in pool.units.items() if unit.riders]
    assert sorted([*working, *pool.idle]) == sorted(pool.on_duty), "on duty are those at work and those free"
    assert pool.busy == len(working) and pool.free == pool.capacity - pool.busy
    assert len(pool.idle) == max(0, pool.free)
    given = {}
    for entity, numbers in pool.given.items():
        assert numbers, "whoever has units has some"
        for number in numbers:
            given.setdefault(number, set()).add(entity)
    assert given == {number: set(pool.units[number].riders) for number in working}
    for number, unit in pool.units.items():
        assert len(unit.riders) <= pool.fleet.carries
        assert (unit.state in (IDLE, BACK, OFF)) == (not unit.riders)
        assert (unit in ahead) == (unit.state in (OUT, LOADING, IN, UNLOADING, BACK))
        assert unit.state != OFF or number not in pool.on_duty
        for entity in unit.riders:
            assert (entity.place is pool) == (unit.state in (IN, UNLOADING, BLOCKED)) or unit.state == LOADING
            assert entity.id in world.entities
        a, b, share = unit.where(world.now)
        assert a in world.program.sites and b in world.program.sites and 0.0 <= share <= 1.0
    for entity in world.entities.values():
        if entity.place is pool:
            assert entity in pool.given
