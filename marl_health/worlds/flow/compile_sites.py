"""Compiles sites, the network between them, where entities come into being, and journeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Value
from marl_health.kernel.formula import constant, formula_of, value_of
from marl_health.spec.errors import Where
from marl_health.spec.numbers import Nearest
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow import model
from marl_health.worlds.flow.network import Network, SiteSpec, kilometres
from marl_health.worlds.flow.numbers import Number
from marl_health.worlds.flow.travelling import HEADING, MINUTES, SITE, Travel
from marl_health.worlds.flow.values import fixed, of_slot

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.names import Names


def compile_sites(compiler: Compiler) -> None:
    """Compile sites and the network between them; everybody gets the attribute ``site``."""
    names, program, scenario = compiler.names, compiler.program, compiler.scenario
    travel = scenario.travel
    if not scenario.sites:
        if travel is not None:
            names.problem(("travel",), "there are no sites to travel between; list them under sites")
        for name, kind in scenario.entities.items():
            if kind.at is not None:
                names.problem(("entities", name, "at"), "the scenario has no sites; list them under sites")
        return
    for name, site in scenario.sites.items():
        program.sites[name] = SiteSpec(name, site.at, site.like, site.parameters)
    names.slots[SITE] = len(names.slots)
    if travel is None:
        return
    names.slots[HEADING] = program.heading = len(names.slots)
    names.slots[MINUTES] = len(names.slots)
    base = _by_distance(compiler, travel) if travel.roads is None else _by_road(compiler, travel.roads)
    if base is not None:
        hours = tuple(sorted(travel.times.items()))
        program.travel = names.network = Network(base, travel.speed or 0.0, travel.detour, hours, program.start)


def _by_distance(compiler: Compiler, travel: model.Travel) -> dict[str, dict[str, float]] | None:
    sites = compiler.program.sites
    for name, site in sites.items():
        if site.at is None:
            compiler.names.problem(("sites", name), "needs at: [latitude, longitude], as travel goes by distance")
    if any(site.at is None for site in sites.values()):
        return None
    assert travel.speed is not None
    return {
        a: {b: kilometres(start.at, end.at) * travel.detour / travel.speed for b, end in sites.items()}  # type: ignore[arg-type]
        for a, start in sites.items()
    }


def _by_road(compiler: Compiler, roads: dict[str, dict[str, float]]) -> dict[str, dict[str, float]] | None:
    from networkx import Graph, single_source_dijkstra_path_length  # not needed where there are no roads

    names, sites = compiler.names, compiler.program.sites
    graph = Graph()
    for a, others in roads.items():
        for b, minutes in others.items():
            if graph.has_edge(a, b) and graph[a][b]["weight"] != minutes:
                known = graph[a][b]["weight"]
                names.problem(("travel", "roads", a, b), f"is {known:g} min from '{b}' to '{a}'; roads go both ways")
            graph.add_edge(a, b, weight=minutes)
    base: dict[str, dict[str, float]] = {}
    for a in sites:
        if a not in graph:
            names.problem(("travel", "roads"), f"no road leads to the site '{a}'{did_you_mean(a, graph)}")
    if any(a not in graph for a in sites):
        return None
    for a in sites:
        found = single_source_dijkstra_path_length(graph, a)
        lost = [b for b in sites if b not in found]
        if lost:
            names.problem(("travel", "roads"), f"no road leads from '{a}' to '{lost[0]}'; add one")
            return None
        base[a] = {b: float(found[b]) for b in sites}
    return base


# ---------------------------------------------------------------- where entities are
def born(compiler: Compiler, number: int) -> None:
    """Give a kind of entity its attribute ``site``, the place where it comes into being."""
    names, kind = compiler.names, compiler.names.kinds[number]
    at = compiler.scenario.entities[kind].at
    path: Where = ("entities", kind, "at")
    sites = frozenset(compiler.program.sites)
    value: Value = fixed(next(iter(compiler.program.sites)))
    if SITE in compiler.scenario.entities[kind].has:
        names.problem(("entities", kind, "has", SITE), "where somebody is changes by travel; write at: SITE instead")
    if at is None:
        names.problem(path[:2], f"needs at: the site where it comes into being, such as at: {min(sites)}")
    elif isinstance(at, str):
        if at not in sites:
            names.unknown(path, "site", at, compiler.program.sites)
        value = fixed(at)
    else:
        for key in at.choice:
            if key not in sites:
                names.unknown((*path, "choice", key), "site", key, compiler.program.sites)
        value = compiler.numbers.compile(at, path, None, kinds=[number]).value
    names.attributes[number][SITE] = Number(value, "text", sites)


def site_attribute(names: Names, name: str, path: Where, kinds: tuple[int, ...]) -> int | None:
    """Slot of an attribute that always holds a site, or ``None`` after a problem."""
    found = names.attribute(name, path, kinds)
    if found is None:
        return None
    slot, possible = found
    others = sorted(str(value) for value in possible or ("anything",) if value not in names.scenario.sites)
    if others:
        names.problem(path, f"'{name}' may be {others[0]}, which is no site; declare it as {name}: {SITE} under has")
        return None
    return slot


# ---------------------------------------------------------------- journeys
def compile_journey(compiler: Compiler, name: str, step: model.TravelTo, index: int) -> Travel:
    """The step for a journey."""
    names, program = compiler.names, compiler.program
    path: Where = ("pathway", name, "travel")
    kinds, repeats = compiler.graph.kinds_of[name], name in compiler.graph.repeats
    made = Travel(program, name, index, fixed(0.0))
    network = program.travel
    if compiler.scenario.travel is None:
        names.problem(path, "how long does it take? add travel: {distance: great_circle, speed: 50 km/h}, or its roads")
    if network is None:
        return made
    to = destination(compiler, step.travel.to, (*path, "to"), kinds)
    pace = 1.0
    if step.travel.speed is not None:
        if network.speed:
            pace = network.pace(step.travel.speed)
        else:
            names.problem(
                (*path, "speed"), "the roads of travel are in minutes; write times: 4 for a quarter of the speed"
            )
    duration = value_of("({0} or 0.0)", formula_of(of_slot(names.slots[MINUTES])))  # nobody is on the way yet: 0
    if step.travel.times is not None:
        where: Where = (*path, "times")
        factor = compiler.numbers.compile(step.travel.times, where, "factor", kinds=kinds, repeats=repeats)
        duration = value_of("({0} * {1})", formula_of(duration), formula_of(factor.value))
    site, heading = names.slots[SITE], names.slots[HEADING]
    made.duration = duration
    made.sets = ((heading, to), (names.slots[MINUTES], _minutes(network, site, heading, pace)))
    made.arrival = ((site, of_slot(heading)), (heading, fixed(None)))
    return made


def _minutes(network: Network, site: int, heading: int, pace: float) -> Value:
    where = [formula_of(of_slot(slot)) for slot in (site, heading)]
    if not network.hours:
        return value_of("({0}[{1}][{2}] * {3})", constant(network.base), *where, constant(pace))
    return value_of("{0}({1}, {2}, world._now, {3})", constant(network.minutes), *where, constant(pace))


def destination(compiler: Compiler, to: Any, path: Where, kinds: tuple[int, ...]) -> Value:
    """The site that a journey leads to."""
    names, sites = compiler.names, compiler.program.sites
    if isinstance(to, Nearest):
        return compiler.numbers.compile(to, path, "text", kinds=kinds).value
    if to in sites:
        return fixed(to)
    if to not in names.slots:
        names.unknown(path, "site, or attribute that holds one,", to, [*sites, *names.slots])
        return fixed(None)
    slot = site_attribute(names, to, path, kinds)
    return fixed(None) if slot is None else of_slot(slot)
