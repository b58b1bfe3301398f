"""Compiles machines and rooms as things with a state: wear, set-up, the jobs that make vacated places ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.formula import constant, formula_of, value_of
from marl_health.spec.errors import Where
from marl_health.spec.numbers import By, read_key
from marl_health.worlds.flow import model
from marl_health.worlds.flow.graph import resources_of
from marl_health.worlds.flow.machine_moves import MachineMove, MaintainMove, SwitchMove
from marl_health.worlds.flow.machines import MAINTENANCE, REPAIR, MachinePool, SetUpSpec, WearSpec
from marl_health.worlds.flow.names import shown_value
from marl_health.worlds.flow.program import LineSpec
from marl_health.worlds.flow.turnover import SHOWN_OF_WAITING, TurnoverSpec

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.steps import Activity

MOST_SET_UPS = 20


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


def shown_of_waiting(
    compiler: Compiler, what: str, kinds: tuple[int, ...], path: Where
) -> list[tuple[str, Value, float]]:
    """What is shown of those who wait: whether they were called, and of a job who waits for the place."""
    jobs = job_kinds(compiler)
    if what != "called" and not set(kinds) <= jobs:
        others = " and ".join(compiler.names.kinds[kind] for kind in kinds if kind not in jobs)
        compiler.names.problem(path, f"'{what}' is shown of turnover jobs only, and {others} may be here too")
        return []
    value, scale = SHOWN_OF_WAITING[what]
    return [(what, value, scale)]


# ---------------------------------------------------------------- wear
def compile_wear(compiler: Compiler, wear: model.Wear, path: Where) -> WearSpec:
    """Compile how units of a place fail."""
    outages = {REPAIR: _outage(compiler, wear.repair, (*path, "repair"))}
    if wear.maintenance is not None:
        outages[MAINTENANCE] = _outage(compiler, wear.maintenance, (*path, "maintenance"))
    sign = None
    if wear.sign is not None:
        sign = (wear.sign.every, wear.sign.sound, wear.sign.defective, compiler.numbers.column())
    return WearSpec(
        _of_nobody(compiler, wear.fails, (*path, "fails")),
        None if wear.defect is None else _of_nobody(compiler, wear.defect, (*path, "defect")),
        None if wear.age is None else _of_nobody(compiler, wear.age, (*path, "age")),
        outages,
        wear.work == "resume",
        sign,
    )


def _outage(compiler: Compiler, outage: Any, path: Where) -> tuple[Value, float]:
    if outage.costs.dimension not in ("money", "number"):
        compiler.names.problem((*path, "costs"), "needs an amount of money, such as 2400 usd")
    return _of_nobody(compiler, outage.duration, (*path, "for")), outage.costs.value


def _of_nobody(compiler: Compiler, value: Any, path: Where) -> Value:
    """A time that is about a unit, so no attribute of an entity may stand in it."""
    from marl_health.worlds.flow.compile_entities import mentioned

    for name in sorted(mentioned(value) & compiler.names.slots.keys()):
        compiler.names.problem(path, f"'{name}' belongs to an entity, and this is about a unit; write a number instead")
        return lambda world, entity: 1.0
    return compiler.numbers.compile(value, path, "time", repeats=True).value


# ---------------------------------------------------------------- set-up
def compile_set_up(
    compiler: Compiler, place: str, set_up: model.SetUp, who: Sequence[int], path: Where
) -> SetUpSpec | None:
    """Compile what units of a place are set up for, which entities of the kinds ``who`` use."""
    names = compiler.names
    found = names.attribute(set_up.by, (*path, "by"), who)
    if found is None:
        return None
    slot, possible = found
    if possible is None or not 2 <= len(possible) <= MOST_SET_UPS:
        names.problem((*path, "by"), f"'{set_up.by}' must take 2 to {MOST_SET_UPS} values, which are the set-ups")
        return None
    columns = compiler.numbers.columns
    takes = _takes(compiler, set_up, possible, (*path, "takes"))
    if compiler.numbers.columns != columns:
        names.problem((*path, "takes"), "a change over takes a known time; leave chance out of it")
    paid = names.slots.setdefault(f"set_up:{place}", len(names.slots))
    ordered = sorted(possible, key=lambda value: (isinstance(value, str), value))
    return SetUpSpec(slot, {value: takes[value] for value in ordered}, set_up.only, paid)


def _takes(compiler: Compiler, set_up: model.SetUp, possible: frozenset[Any], path: Where) -> dict[Any, Value]:
    """How long a change to each set-up takes."""
    value = set_up.takes
    if not isinstance(value, By) or value.by != set_up.by or value.table is not None:
        return dict.fromkeys(possible, _of_nobody(compiler, value, path))
    compiler.names.covers(value.cases, value.otherwise is not None, possible, value.by, path)
    otherwise = None if value.otherwise is None else _of_nobody(compiler, value.otherwise, (*path, "else"))
    cases = {read_key(key): _of_nobody(compiler, case, (*path, key)) for key, case in value.cases.items()}
    return {key: cases.get(key) or otherwise or by_job for key in possible}


def prepare(compiler: Compiler, step: Activity, spec: Any, path: Where) -> None:
    """Lengthen the work of a step by the change over of the unit, if there is one."""
    name = getattr(spec, "move_to", None) or getattr(spec, "visit", None)
    place = compiler.scenario.places.get(name or "")
    if place is None or place.set_up is None or name not in compiler.program.pool_index:
        return
    pool = compiler.program.pool_index[name]
    set_up = compiler.program.pools[pool].set_up
    if step.duration is None:
        compiler.names.problem(path, f"units of '{name}' are set up first; say how long the work takes under for")
        return
    if place.set_up.only and spec.queue is None:
        remedy = f"give it a queue with classes: {place.set_up.by}"
        compiler.names.problem(path, f"units of '{name}' serve only their own set-up; {remedy}")
    if set_up is not None:
        step.duration = value_of(
            "({0} + (entity.values[{1}] or 0.0))", formula_of(step.duration), constant(set_up.paid)
        )
        step.sets = ((set_up.paid, _changed(pool)),)


def _changed(pool: int) -> Value:
    def minutes(world: Any, entity: Entity) -> float:
        place: MachinePool = world.pools[pool]
        return place.changed_for(world, entity)

    return minutes


def _set_up_of(compiler: Compiler, line: LineSpec) -> model.SetUp | None:
    """The set-up of the place that those in a line wait for."""
    for pool, _ in line.needs:
        place = compiler.scenario.places.get(compiler.program.pools[pool].name)
        if place is not None and place.set_up is not None:
            return place.set_up
    return None


def check_classes(compiler: Compiler, line: LineSpec, classes: str | None, path: Where) -> None:
    """Note a line of a place that serves only its own set-ups, if it is not divided by them."""
    set_up = _set_up_of(compiler, line)
    if set_up is not None and set_up.only and classes != set_up.by:
        remedy = f"write classes: {set_up.by}"
        compiler.names.problem(path, f"units serve only their own set-up, so the queue is divided by it; {remedy}")


def check_order(compiler: Compiler, line: LineSpec, classes: str | None, path: Where) -> None:
    """Note an order by set-up where there is none."""
    set_up = _set_up_of(compiler, line)
    if set_up is None or classes != set_up.by:
        remedy = "a place with a set_up" if set_up is None else f"the queue's classes to be {set_up.by}"
        compiler.names.problem(path, f"the order set_up needs {remedy}")


# ---------------------------------------------------------------- moves
def compile_machine_move(
    compiler: Compiler, move: model.Maintain | model.Switch, path: Where, lever: int
) -> MachineMove | None:
    """Compile a move on machines; ``None`` after a problem."""
    program = compiler.program
    word = "maintain" if isinstance(move, model.Maintain) else "switch"
    name: str = getattr(move, word)
    if name not in compiler.scenario.places or name not in program.pool_index:
        compiler.names.unknown((*path, word), "place", name, compiler.scenario.places)
        return None
    place, pool = compiler.scenario.places[name], program.pool_index[name]
    units = program.pools[pool].shifts[0][1]
    if isinstance(move, model.Maintain):
        if place.wear is None or place.wear.maintenance is None:
            compiler.names.problem((*path, word), f"say under wear of '{name}' how long maintenance takes")
            return None
        return MaintainMove(name, pool, units, lever, move.at_most, move.lead)
    set_up = program.pools[pool].set_up
    if set_up is None:
        if place.set_up is None:
            compiler.names.problem((*path, word), f"units of '{name}' are not set up for anything; give it set_up")
        return None
    classes = list(set_up.takes)
    return SwitchMove(name, pool, units, classes, [shown_value(value) for value in classes], lever, move.at_most)
