"""Compiles machines and rooms as things with a state: the jobs that make vacated places ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Entity, Value
from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.graph import resources_of
from marl_health.worlds.flow.turnover import TurnoverSpec

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler


def by_job(world: Any, entity: Entity) -> Any:
    """Stands for the time of cleaning where a job does it, which nobody knows beforehand."""
    raise AssertionError("a job makes this place ready")


def job_kinds(compiler: Compiler) -> set[int]:
    """Entity types of the jobs that make places ready."""
    kinds = compiler.names.kinds
    named = {place.turnover.as_ for place in compiler.scenario.places.values() if place.turnover is not None}
    return {kinds.index(name) for name in named if name in kinds}


def compile_turnover(
    compiler: Compiler, place: str, turnover: model.Turnover, who: Sequence[int], path: Where
) -> TurnoverSpec | None:
    """Compile the jobs of one place, which entities of the kinds ``who`` occupy; ``None`` after a problem."""
    names, scenario = compiler.names, compiler.scenario
    if turnover.as_ not in names.kinds:
        names.unknown((*path, "as"), "entity type", turnover.as_, names.kinds)
        return None
    kind = names.kinds.index(turnover.as_)
    again = {step.again.as_ for step in scenario.pathway.values() if isinstance(step, model.Leave) and step.again}
    if scenario.entities[turnover.as_].arrive is not None or turnover.as_ in again:
        names.problem((*path, "as"), f"'{turnover.as_}' comes by itself too; give the jobs an entity type of their own")
    for name, step in scenario.pathway.items():
        if place in resources_of(step) and kind in compiler.graph.kinds_of[name]:
            names.problem((*path, "as"), f"in '{name}' the job would take the place that it makes ready")
            return None
    known: list[tuple[int, Value]] = []
    for name, value in turnover.has.items():
        before = names.attributes[kind].get(name)
        if before is None:
            remedy = f"declare it under has of {turnover.as_} first"
            names.problem((*path, "has", name), f"{turnover.as_} has no attribute '{name}'; {remedy}")
            continue
        want = None if before.dimension == "any" else before.dimension
        number = compiler.numbers.compile(value, (*path, "has", name), want, kinds=who, repeats=True)
        known.append((names.slots[name], number.value))
        names.attributes[kind][name] = before.or_else(number)
    return TurnoverSpec(kind, tuple(known))
