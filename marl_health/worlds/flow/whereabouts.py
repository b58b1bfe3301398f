"""At which sites somebody may be who takes a way on: what tells whether a way by site has a step for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from marl_health.spec.conditions import And, Compare, Condition, In, Not, Or
from marl_health.spec.errors import Where
from marl_health.spec.numbers import Nearest
from marl_health.worlds.flow import model
from marl_health.worlds.flow.conditions import settled
from marl_health.worlds.flow.graph import targets
from marl_health.worlds.flow.travelling import SITE

if TYPE_CHECKING:
    from marl_health.worlds.flow.graph import Graph

Here = tuple[str, str]
"""A step and a site."""


def whereabouts(graph: Graph) -> dict[int, set[str]]:
    """The sites at which somebody may be who takes a way on by site, by the identity of that way's model."""
    scenario = graph.scenario
    asked: dict[int, set[str]] = {}
    found: dict[Here, None] = {}
    todo: list[Here] = []

    def reach(step: str, sites: Iterable[str]) -> None:
        for site in sites:
            if step in scenario.pathway and (step, site) not in found:
                found[step, site] = None
                todo.append((step, site))

    for kind in scenario.entities.values():
        born = [kind.at] if isinstance(kind.at, str) else [] if kind.at is None else [*kind.at.choice]
        reach(kind.begins, [site for site in born if site in scenario.sites])
    while todo:
        while todo:
            _go_on(graph, *todo.pop(), reach, asked)
        for number in range(len(graph.names.kinds)):  # timers and health take people from wherever they are
            sites = {site for step, site in found if number in graph.kinds_of[step]}
            for target in graph.detours[number]:
                reach(target, sorted(sites))
    return asked


def _go_on(graph: Graph, step: str, site: str, reach: Any, asked: dict[int, set[str]]) -> None:
    spec: Any = graph.scenario.pathway[step]
    path: Where = ("pathway", step, "next")
    ways = [getattr(spec, "next", None)]
    if step in graph.settings:
        ways += graph.settings[step].move.to.values()
    for end in _ends(graph, step, spec, site):
        for way in ways:
            for target in _taken(graph, way, end, path, asked):
                reach(target, [end])
    foreseen = {name for way in ways for name, _ in targets(way, path)}
    for target in {*graph.edges[step], *graph.branches[step]} - foreseen:  # giving up, branches, what agents choose
        reach(target, [site])


def _ends(graph: Graph, step: str, spec: Any, site: str) -> Iterable[str]:
    """Where somebody is when a step is over that began at a site."""
    journey = getattr(spec, "travel", None) or getattr(spec, "carry", None)
    if journey is None:
        return [site]
    names, to = graph.names, journey.to
    if isinstance(to, Nearest):
        nearest = names.nearest(to, ("pathway", step))
        return [nearest[site]] if nearest else []
    if to in names.scenario.sites:
        return [to]
    possible: set[Any] = set()
    for kind in graph.kinds_of[step]:
        number = names.attributes[kind].get(to)
        possible |= set(names.scenario.sites if number is None or number.possible is None else number.possible)
    return sorted(place for place in possible if place in names.scenario.sites)


def _taken(graph: Graph, way: Any, site: str, path: Where, asked: dict[int, set[str]]) -> list[str]:
    """Steps that a way may lead to for somebody at a site; ways that ask for it are noted."""
    if isinstance(way, model.When):
        found: list[str] = []
        for branch in way.when:
            holds = None if branch.condition is None else _holds(settled(graph.names, branch.condition, path), site)
            if holds is not False:
                found += _taken(graph, branch.otherwise if branch.condition is None else branch.go, site, path, asked)
            if holds:
                break
        return found
    if isinstance(way, model.ByValue):
        cases = way.cases
        if way.by == SITE:
            asked.setdefault(id(way), set()).add(site)
            return _taken(graph, cases.get(site, way.otherwise), site, path, asked)
        return [name for case in (*cases.values(), way.otherwise) for name in _taken(graph, case, site, path, asked)]
    return [name for name, _ in targets(way, path)]


def _holds(condition: Condition, site: str) -> bool | None:
    """Whether a condition holds for whoever is at a site; ``None`` if it depends on more."""
    if isinstance(condition, Compare) and condition.name == SITE:
        return (condition.value == site) == (condition.op == "==")
    if isinstance(condition, In) and condition.name == SITE:
        return site in condition.values
    if isinstance(condition, Not):
        inner = _holds(condition.part, site)
        return None if inner is None else not inner
    if isinstance(condition, And | Or):
        parts = [_holds(part, site) for part in condition.parts]
        settles = isinstance(condition, Or)
        return settles if settles in parts else None if None in parts else not settles
    return None
