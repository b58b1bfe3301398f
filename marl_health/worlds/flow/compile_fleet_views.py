"""Compiles what is seen and read of fleets and of sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.compile_fleets import rides
from marl_health.worlds.flow.compile_hidden import is_hidden
from marl_health.worlds.flow.compile_lines import MOST_CLASSES
from marl_health.worlds.flow.fleet_views import READINGS, SIGHTS, MinutesAway, OnTheWay, UnitStates
from marl_health.worlds.flow.sights import Sight

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler


def fleet_sights(compiler: Compiler) -> list[str]:
    """Every reference to fleets and sites that can be seen."""
    program = compiler.program
    found = [f"{name}.states" for name in compiler.scenario.fleets]
    places = [*program.sites, *_templates(compiler)] if program.travel is not None else []
    return found + [f"{site}.{what}" for site in places for what in SIGHTS]


def fleet_readings(compiler: Compiler) -> list[str]:
    """Every reference to fleets that can be read."""
    return [f"{name}.{what}" for name in compiler.scenario.fleets for what in READINGS]


def fleet_sight(compiler: Compiler, sight: model.Sight, path: Where) -> Sight | None:
    """What is seen of a fleet or a site; ``None`` if there is no such thing, or after a problem."""
    name, _, what = sight.see.rpartition(".")
    scale = None if sight.scale is None else sight.scale.value
    program = compiler.program
    if what == "states":
        if name not in program.pool_index:
            return None  # the fleet itself has a problem, which was told
        pool = program.pool_index[name]
        most = max(units for _, units in program.pools[pool].shifts)
        return UnitStates(name, pool, scale or max(1.0, most / 2))
    sites = [name] if name in program.sites else _templates(compiler)[name]
    if what == "on_the_way":
        return _on_the_way(compiler, name, sites, sight.by, scale, path)
    assert program.travel is not None
    if sight.from_ not in program.sites:
        if sight.from_ is None:
            compiler.names.problem(path, f"says not from where; write {{see: {sight.see}, from: SITE}}")
        else:
            compiler.names.unknown((*path, "from"), "site", sight.from_, program.sites)
        return None
    return MinutesAway(sites, sight.from_, program.travel, scale or 20.0)


def _templates(compiler: Compiler) -> dict[str, list[str]]:
    """The sites of each template."""
    found: dict[str, list[str]] = {}
    for name, site in compiler.program.sites.items():
        if site.template is not None:
            found.setdefault(site.template, []).append(name)
    return found


def _on_the_way(
    compiler: Compiler, name: str, sites: list[str], by: str | None, scale: float | None, path: Where
) -> Sight | None:
    names, program, scenario = compiler.names, compiler.program, compiler.scenario
    fleets = [program.pool_index[fleet] for fleet in scenario.fleets if fleet in program.pool_index]
    slot: int | None = None
    classes: dict[Any, int] = {}
    if by is not None:
        steps = [step for step, spec in scenario.pathway.items() if rides(spec)]
        kinds = sorted({kind for step in steps for kind in compiler.graph.kinds_of[step]})
        found = names.attribute(by, (*path, "by"), kinds)
        if found is None:
            return None
        slot, possible = found
        if any(is_hidden(scenario, names.kinds[kind], by) for kind in kinds):
            names.problem((*path, "by"), f"'{by}' is hidden, so agents may not see it")
            return None
        if possible is None or len(possible) > MOST_CLASSES:
            names.problem((*path, "by"), f"'{by}' takes too many values to be seen one by one")
            return None
        ordered = sorted(possible, key=lambda value: (isinstance(value, str), value))
        classes = {value: number for number, value in enumerate(ordered)}
    return OnTheWay(name, sites, fleets, slot, classes, scale or 3.0)
