"""Compiles fleets, and the steps in which their units carry entities."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.carrying import Carry
from marl_health.worlds.flow.compile_sites import destination
from marl_health.worlds.flow.conditions import compile_test
from marl_health.worlds.flow.fleets import FleetLine, FleetSpec
from marl_health.worlds.flow.program import PoolSpec
from marl_health.worlds.flow.travelling import HEADING, SITE
from marl_health.worlds.flow.values import fixed, of_slot

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.compile_lines import LineTable


MOST_UNITS = 2_000


def rides(step: Any) -> list[str]:
    """The fleets that a step names."""
    return [] if not isinstance(step, model.Carry) else [*step.carry.by, *step.carry.race]


def compile_fleet(compiler: Compiler, pool: PoolSpec, fleet: model.Fleet, path: Where) -> PoolSpec:
    """Complete the pool of a fleet; after a problem it stays as it is."""
    names, program = compiler.names, compiler.program
    network = program.travel
    if network is None:
        if compiler.scenario.travel is None:
            names.problem(path, "a fleet drives from site to site; list them under sites, and say under travel how far")
        return pool
    bases: list[str] = []
    for number, name in enumerate(fleet.based):
        alike = [site.name for site in program.sites.values() if site.template == name]
        if name not in program.sites and not alike:
            names.unknown((*path, "based", number), "site or template", name, program.sites)
        bases += [name] if name in program.sites else alike
    if fleet.returns is not None and fleet.returns not in program.sites:
        names.unknown((*path, "returns"), "site", fleet.returns, program.sites)
    pace = 1.0
    if fleet.speed is not None:
        if network.speed:
            pace = network.pace(fleet.speed)
        else:
            names.problem((*path, "speed"), "the roads of travel are in minutes, so no speed of its own can be told")
    if fleet.flies:
        if not network.speed:
            names.problem((*path, "flies"), "the roads of travel are in minutes, so nobody knows the straight line")
        pace, network = pace / network.detour, replace(network, hours=())
    test = None
    if fleet.at_most_one is not None:
        steps = [name for name, step in compiler.scenario.pathway.items() if path[1] in rides(step)]
        kinds = sorted({kind for step in steps for kind in compiler.graph.kinds_of[step]})
        test = compile_test(names, fleet.at_most_one, (*path, "at_most_one"), kinds)
    most = max(units for _, units in pool.shifts)
    if most > MOST_UNITS:
        names.problem(path, f"{most:,} units are too many to be followed one by one; at most {MOST_UNITS:,} can be")
    if not bases or most > MOST_UNITS:
        return pool
    site, heading = names.slots[SITE], names.slots[HEADING]
    arrival = ((site, of_slot(heading)), (heading, fixed(None)))
    spec = FleetSpec(tuple(bases), fleet.returns, fleet.carries, test, pace, network, site, heading, arrival)
    return replace(pool, identified=True, fleet=spec)


def fleet_needs(compiler: Compiler, step: model.Carry, path: Where) -> tuple[tuple[int, int], ...]:
    """How many units of which fleets are sent at most."""
    word = "by" if step.carry.by else "race"
    needs = []
    for number, name in enumerate(rides(step)):
        if name not in compiler.scenario.fleets:
            compiler.names.unknown((*path, "carry", word, number), "fleet", name, compiler.scenario.fleets)
    for name, units in Counter(rides(step)).items():
        if word == "by" and units > 1:
            compiler.names.problem((*path, "carry", "by"), f"one unit carries; to send several {name}s write race")
        if name in compiler.scenario.fleets and name in compiler.program.pool_index:
            needs.append((compiler.program.pool_index[name], units))
    return tuple(needs)


def fleet_line(step: model.Carry) -> Any:
    """What makes the line of those who wait for a ride."""
    rises = step.rises
    more = {} if rises is None else {"after": rises.after, "to": rises.to}
    return partial(FleetLine, race=bool(step.carry.race), **more)


def make_carry(compiler: Compiler, lines: LineTable, name: str, spec: model.Carry, index: int) -> Carry:
    """Make the step."""
    path: Where = ("pathway", name)
    ride, program = spec.carry, compiler.program
    kinds, repeats = compiler.graph.kinds_of[name], name in compiler.graph.repeats
    known = program.travel is not None
    to = destination(compiler, ride.to, (*path, "carry", "to"), kinds) if known else fixed(None)
    step = Carry(program, name, index, to)
    step.line = lines.line_for(name, spec, path)
    times = []
    for word in ("load", "unload"):
        value = getattr(ride, word)
        times.append(
            compiler.numbers.compile(value, (*path, "carry", word), "time", kinds=kinds, repeats=repeats).value
        )
    step.duration, step.unload = times
    if known:
        step.heads = ((compiler.names.slots[HEADING], to),)
    return step
