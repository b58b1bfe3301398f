"""Compiles entity types: their attributes in order of dependence, and how they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from marl_health.kernel.arrivals import PROCESSES
from marl_health.kernel.entity import Value
from marl_health.spec.conditions import Condition
from marl_health.spec.errors import Where
from marl_health.spec.numbers import Choice, TableColumn
from marl_health.worlds.flow import model
from marl_health.worlds.flow.burst import compile_burst
from marl_health.worlds.flow.compile_sites import born
from marl_health.worlds.flow.compile_steps import compile_sets
from marl_health.worlds.flow.dimensions import DIMENSIONS
from marl_health.worlds.flow.names import KIND
from marl_health.worlds.flow.numbers import BROKEN
from marl_health.worlds.flow.sources import AtStartSpec, RateSpec, SourceSpec, TimetableSpec
from marl_health.worlds.flow.travelling import SITE

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler


NO_NAMES = ("source", "note", "table", "column")
"""Fields of a number whose text is no name of an attribute."""


def mentioned(value: Any) -> set[str]:
    """Every text inside a number that could be a name."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, Condition):
        return value.names()
    if isinstance(value, BaseModel):
        fields = [getattr(value, name) for name in type(value).model_fields if name not in NO_NAMES]
        if isinstance(value, Choice):
            return set()
        return mentioned([*fields, *(value.__pydantic_extra__ or {}).values()])
    if isinstance(value, dict):
        return mentioned(list(value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(mentioned(item) for item in value)) if value else set()
    return set()


def compile_attributes(compiler: Compiler) -> None:
    """Compile the attributes of each kind, those first on which others depend; then what steps and health set."""
    names, program = compiler.names, compiler.program
    for number, (kind_name, kind) in enumerate(compiler.scenario.entities.items()):
        path: Where = ("entities", kind_name, "has")
        if KIND in kind.has:
            names.problem((*path, KIND), f"'{KIND}' is the name of the entity's type and cannot be set")
        order = _in_order(compiler, kind, path)
        compiled: list[tuple[int, Value]] = [(0, names.attributes[number][KIND].value)]
        if program.sites:
            born(compiler, number)
            compiled.append((names.slots[SITE], names.attributes[number][SITE].value))
        for name in order:
            value = compiler.numbers.compile(kind.has[name], (*path, name), None, kinds=[number])
            names.attributes[number][name] = value
            compiled.append((names.slots[name], value.value))
        program.attributes.append(tuple(compiled))
    _check_alike(compiler)
    compile_sets(compiler)


def _check_alike(compiler: Compiler) -> None:
    """Note attributes of one name that are a word for one kind of entity and a number for another."""
    names = compiler.names
    first: dict[str, int] = {}
    unlike: set[str] = set()
    for kind, attributes in enumerate(names.attributes):
        for name, number in attributes.items():
            before = names.attributes[first.setdefault(name, kind)][name].dimension
            if before != number.dimension and "any" not in (before, number.dimension):
                unlike.add(name)
                names.problem(
                    ("entities", names.kinds[kind], "has", name),
                    f"'{name}' of {names.kinds[first[name]]} is {DIMENSIONS[before]}, but here it is "
                    f"{DIMENSIONS[number.dimension]}; choose another name for one of them",
                )
    for attributes in names.attributes:
        attributes.update((name, BROKEN) for name in unlike & attributes.keys())


def _in_order(compiler: Compiler, kind: model.EntityType, path: Where) -> list[str]:
    waiting = {name: mentioned(value) & set(kind.has) for name, value in kind.has.items() if name != KIND}
    order: dict[str, None] = {}
    while waiting:
        ready = [name for name, needs in waiting.items() if needs <= order.keys()]
        if not ready:
            circle = ", ".join([*waiting][:8])
            compiler.names.problem((*path, next(iter(waiting))), f"these attributes depend on each other: {circle}")
            return list(order)
        order.update(dict.fromkeys(ready))
        for name in ready:
            del waiting[name]
    return list(order)


def compile_sources(compiler: Compiler) -> None:
    """Compile how the entities of each kind come."""
    steps = compiler.scenario.pathway.values()
    returning = {step.again.as_ for step in steps if isinstance(step, model.Leave) and step.again is not None}
    returning |= {place.turnover.as_ for place in compiler.scenario.places.values() if place.turnover is not None}
    for number, (name, kind) in enumerate(compiler.scenario.entities.items()):
        compiler.program.begins.append(_begins(compiler, kind))
        if kind.arrive is None:
            if name not in returning:
                remedy = f"give it arrive, or name it in again: {{as: {name}}}"
                compiler.names.problem(("entities", name), f"nobody of this type ever comes: {remedy}")
            continue
        path: Where = ("entities", name, "arrive")
        how: Any
        if kind.arrive.rate is not None:
            how = _rate(compiler, kind.arrive.rate, (*path, "rate"))
        elif kind.arrive.timetable is not None:
            how = _timetable(compiler, number, kind.arrive, path)
        elif kind.arrive.burst is not None:
            how = compile_burst(compiler, kind.arrive.burst, (*path, "burst"))
        else:
            assert kind.arrive.at_start is not None
            how = _at_start(compiler, kind, kind.arrive.at_start, (*path, "at_start"))
        if how is not None:
            compiler.program.sources.append(SourceSpec(len(compiler.program.sources), name, number, how))
    if not compiler.program.sources and not compiler.names.problems:
        first = next(iter(compiler.scenario.entities))
        compiler.names.problem(("entities", first), "nobody ever comes: give an entity type arrive")


def _begins(compiler: Compiler, kind: model.EntityType) -> Any:
    index = compiler.program.step_index.get(kind.begins)
    return None if index is None else compiler.program.steps[index]


def _rate(compiler: Compiler, rate: model.Rate, path: Where) -> RateSpec:
    hours = _weights(compiler, rate.by_hour, 24, (*path, "by_hour"))
    days = _weights(compiler, rate.by_weekday, 7, (*path, "by_weekday"))
    profile = tuple(day * hour for day in days for hour in hours)
    times = None
    if rate.times is not None:
        times = compiler.numbers.compile(rate.times, (*path, "times"), "factor").value
    daily = None if rate.day_to_day is None else rate.day_to_day.gamma.cv
    return RateSpec(rate.per_minute, profile, daily, times, PROCESSES[rate.process])


def _weights(compiler: Compiler, weights: list[float] | TableColumn | None, count: int, path: Where) -> list[float]:
    """Weights scaled to mean 1."""
    if weights is None:
        return [1.0] * count
    if isinstance(weights, TableColumn):
        read = compiler.names.tables.column(weights.table, weights.column, (*path, "table"))
        if read is None:
            return [1.0] * count
        if len(read) != count or min(read) < 0 or sum(read) <= 0:
            compiler.names.problem(
                (*path, "table"),
                f"needs {count} weights, none negative, but {weights.table} has {len(read)} rows",
            )
            return [1.0] * count
        weights = read
    mean = sum(weights) / count
    return [weight / mean for weight in weights]


def _timetable(compiler: Compiler, number: int, arrive: model.Arrive, path: Where) -> TimetableSpec:
    names = compiler.names
    appointments = []
    for place, appointment in enumerate(arrive.timetable or ()):
        where: Where = (*path, "timetable", place)
        known: list[tuple[int, Value]] = []
        for name, value in appointment.has.items():
            before = names.attributes[number].get(name)
            if before is None:
                kind = names.kinds[number]
                names.problem((*where, "has", name), f"{kind} has no attribute '{name}'; declare it under has first")
                continue
            want = None if before.dimension == "any" else before.dimension
            compiled = compiler.numbers.compile(value, (*where, "has", name), want, kinds=[number])
            known.append((names.slots[name], compiled.value))
            names.attributes[number][name] = before.or_else(compiled)
        for day in appointment.on:
            weekday = model.WEEKDAYS.index(day.lower())
            appointments.append((weekday * 1440 + appointment.at, appointment.count, tuple(known)))
    appointments.sort(key=lambda item: item[0])
    late = None
    if arrive.late is not None:
        late = compiler.numbers.compile(arrive.late, (*path, "late"), "time", kinds=[number]).value
    return TimetableSpec(tuple(appointments), arrive.no_show, compiler.numbers.column(), late)


def _at_start(compiler: Compiler, kind: model.EntityType, at_start: model.AtStart, path: Where) -> AtStartSpec | None:
    program = compiler.program
    step = compiler.scenario.pathway.get(kind.begins)
    if not isinstance(step, model.Stay | model.Wait):
        compiler.names.problem(path, "those who are there at the start must begin in a stay or wait step")
        return None
    pool = share = None
    if at_start.fill is not None:
        if at_start.fill not in compiler.scenario.places:
            compiler.names.unknown((*path, "fill"), "place", at_start.fill, compiler.scenario.places)
            return None
        if compiler.scenario.places[at_start.fill].count == "unlimited":
            compiler.names.problem((*path, "fill"), "an unlimited place cannot be filled; use count")
            return None
        pool = program.pool_index[at_start.fill]
        share = compiler.numbers.compile(at_start.to, (*path, "to"), "share").value
    return AtStartSpec(pool, share, at_start.count or 0, program.step_index[kind.begins], compiler.numbers.column())
