"""What is where in a flow world, as numbers for pictures and plots."""

from __future__ import annotations

from typing import Any

from marl_health.worlds.flow.decisions import ExtraLever
from marl_health.worlds.flow.fleet_views import units_now
from marl_health.worlds.flow.lending import LendLever
from marl_health.worlds.flow.program import Program
from marl_health.worlds.flow.travelling import SITE, Travel
from marl_health.worlds.flow.world import FlowWorld


class Classes:
    """How a scenario's entities are coloured: by the attribute that most of its queues use, else by their kind.

    Attributes:
        attribute: the attribute, or ``None`` for the kind. names: of the classes, the most urgent first where they
            are numbers; ``other`` comes last, for entities without the attribute.
    """

    def __init__(self, program: Program) -> None:
        lines = [line for line in program.lines if line.slot is not None]
        slots = [line.slot for line in lines]
        self.slot = max(slots, key=slots.count) if slots else None
        self.attribute: str | None = None
        self.index: dict[Any, int] = {}
        if self.slot is None:
            self.names = [*program.kinds]
            return
        self.attribute = next(name for name, slot in program.slots_of_values.items() if slot == self.slot)
        values = {value for line in lines if line.slot == self.slot for value in line.classes}
        ordered = sorted(values, key=lambda value: (str(type(value)), value))
        self.index = {value: number for number, value in enumerate(ordered)}
        self.names = [*(str(value) for value in ordered), "other"]

    def of(self, kind: int, values: list[Any]) -> int:
        """Index of an entity's class in ``names``."""
        return kind if self.slot is None else self.index.get(values[self.slot], len(self.index))


def take_snapshot(world: FlowWorld) -> dict[str, Any]:
    """What is where now.

    Returns:
        ``minute_of_week``; ``minutes`` since the first decision and ``horizon``, when decisions end;
        ``inside``: how many entities there are;
        ``classes``: {``attribute``, ``names``}, the order of every ``by_class`` below;
        ``resources``: by name {``department``, ``place``, ``unlimited``, ``taken`` (of stock, what is on hand),
        ``cleaning`` (or out), ``capacity``, ``most`` (the largest capacity it can have), ``waiting``, ``by_class``
        (units in use by whose class),
        ``boarding`` (those in a place who only wait for their next one, by class)};
        ``queues``: by name how many wait; ``lines``: one {``name``, ``at`` (the resource it stands in front of),
        ``waiting``, ``by_class``, ``elsewhere`` (those of them who meanwhile occupy a place, by class)} for each line;
        ``units``: where every unit of a fleet is, by fleet, see :func:`marl_health.worlds.flow.fleet_views.units_now`;
        ``measures``: by name how many are between its two marks;
        ``sites``: by name {``at`` (latitude and longitude, or ``None``), ``template``, ``inside`` (by class)};
        ``journeys``: who is on the way, or is being fetched: {``entity``, ``class``, ``from``, ``to``, ``since``,
        ``until`` (in minutes since the first decision; of those who travel by themselves, else ``None``)};
        ``roads``: by site and site, minutes from the one to the other without the factor of the hour;
        ``flying``: fleets that are not bound to roads.
    """
    program = world.program
    classes = Classes(program)
    size = len(classes.names)
    inside = [[0] * size for _ in program.pools]
    boarding = [[0] * size for _ in program.pools]
    queued = [[0] * size for _ in program.lines]
    elsewhere = [[0] * size for _ in program.lines]
    for entity in world.entities.values():
        cls = classes.of(entity.kind, entity.values)
        for token in entity.tokens():
            line = token.line
            if token.place is not None and token.kind != token.place.job_kind:
                inside[token.place.index][cls] += 1
                if line is not None and line.kept is not None:
                    boarding[token.place.index][cls] += 1
            for pool, units in token.held.returned if token.held is not None else ():
                inside[pool.index][cls] += units
            if line is not None:
                number = (line.base or line).index
                queued[number][cls] += 1
                # Whose scan waits, as one branch of parallel work, is where the patient is.
                elsewhere[number][cls] += token.place is not None or entity.place is not None
    resources = {
        place.name: {
            "department": place.department,
            "place": place.place,
            "unlimited": place.unlimited,
            "taken": pool.busy if place.stock is None else pool.free,
            "cleaning": pool.cleaning + pool.out,
            "capacity": pool.capacity,
            "most": _most(program, number),
            "waiting": pool.waiting,
            "by_class": inside[number],
            "boarding": boarding[number],
        }
        for number, (place, pool) in enumerate(zip(program.pools, world.pools, strict=True))
    }
    lines = [
        {
            "name": spec.name,
            "at": program.pools[_stands_at(program, number)].name,
            "waiting": sum(queued[number]),
            "by_class": queued[number],
            "elsewhere": elsewhere[number],
        }
        for number, spec in enumerate(program.lines)
    ]
    queues: dict[str, int] = {}
    for number, spec in enumerate(program.lines):
        queues[spec.name] = queues.get(spec.name, 0) + sum(queued[number])
    return {
        "minute_of_week": world.minute_of_week(),
        "minutes": world.now - program.warm_up,
        "horizon": program.horizon - program.warm_up,
        "inside": len(world.entities),
        "classes": {"attribute": classes.attribute, "names": classes.names},
        "resources": resources,
        "queues": queues,
        "lines": lines,
        **_where_things_are(world, classes),
        "units": units_now(world),
        "measures": {span.name: world.spans[number].inside for number, span in enumerate(program.spans)},
    }


def _where_things_are(world: FlowWorld, classes: Classes) -> dict[str, Any]:
    """Sites with those who are there, and those who are on the way."""
    program = world.program
    slot = program.slots_of_values.get(SITE, 0)
    sites: dict[str, dict[str, Any]] = {
        site.name: {"at": site.at, "template": site.template, "inside": [0] * len(classes.names)}
        for site in program.sites.values()
    }
    for entity in world.entities.values() if sites else ():
        if entity not in world.underway:
            sites[entity.values[slot]]["inside"][classes.of(entity.kind, entity.values)] += 1
    journeys = []
    for entity in world.underway:
        alone = isinstance(entity.step, Travel)
        times = (entity.since - program.warm_up, entity.until - program.warm_up) if alone else (None, None)
        journeys.append(
            {
                "entity": entity.id,
                "class": classes.of(entity.kind, entity.values),
                "from": entity.values[slot],
                "to": entity.values[program.heading],
                "since": times[0],
                "until": times[1],
            }
        )
    flying = [name for name, fleet in program.scenario.fleets.items() if fleet.flies]
    roads = {} if program.travel is None else program.travel.base
    return {"sites": sites, "journeys": journeys, "roads": roads, "flying": flying}


def _most(program: Program, pool: int) -> int:
    """The largest capacity a resource can have: its largest shift and all that levers can open."""
    opened = [
        max(move.units)
        for agent in program.agents
        for move in agent.moves
        if isinstance(move, ExtraLever) and move.pool == pool
    ]
    lent = sum(
        move.count
        for agent in program.agents
        for move in agent.moves
        if isinstance(move, LendLever) and pool in move.pools[1:]
    )
    return max(units for _, units in program.pools[pool].shifts) + max([0, *opened]) + lent


def _stands_at(program: Program, line: int) -> int:
    """The resource in front of which a line stands: the place it leads to, else the first thing it needs."""
    spec = program.lines[line]
    if spec.kept is not None:
        return spec.kept
    return next((pool for pool, _ in spec.needs if program.pools[pool].place), spec.needs[0][0])
