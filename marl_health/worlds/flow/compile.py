"""The compiler: from a scenario as read to a program, with every problem found on the way."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from marl_health.kernel.formula import constant, value_of
from marl_health.spec.document import Document
from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.compile_clocks import compile_clocks, compile_measures
from marl_health.worlds.flow.compile_entities import compile_attributes, compile_sources
from marl_health.worlds.flow.compile_fleets import compile_fleet
from marl_health.worlds.flow.compile_hidden import follow_changes
from marl_health.worlds.flow.compile_lines import LineTable
from marl_health.worlds.flow.compile_machines import by_job, compile_set_up, compile_turnover, compile_wear
from marl_health.worlds.flow.compile_meetings import compile_meetings
from marl_health.worlds.flow.compile_roles import compile_roles
from marl_health.worlds.flow.compile_sites import compile_sites
from marl_health.worlds.flow.compile_steps import StepCompiler
from marl_health.worlds.flow.compile_stock import compile_stocks
from marl_health.worlds.flow.compile_turns import compile_turns
from marl_health.worlds.flow.generate import generate
from marl_health.worlds.flow.graph import Graph, resources_of
from marl_health.worlds.flow.names import AUTOMATIC_MARKS, Names
from marl_health.worlds.flow.numbers import Number, NumberCompiler
from marl_health.worlds.flow.program import PoolSpec, Program, on_duty
from marl_health.worlds.flow.sights import Cycle, TimeLeft
from marl_health.worlds.flow.sources import DAY
from marl_health.worlds.flow.steps import Delay
from marl_health.worlds.flow.values import fixed
from marl_health.worlds.flow.volume import check_volume

UNLIMITED = 10**9


class Compiler:
    """What the parts of the compiler share while a scenario is compiled.

    Attributes:
        names: what names stand for, and the problems. numbers: compiles numbers. graph: the pathway as a graph.
        program: what is being filled. sets: compiled attribute changes, by the place they stand at.
    """

    def __init__(self, document: Document, scenario: model.FlowScenario, folders: list[Path]) -> None:
        self.document = document
        self.scenario = scenario
        self.names = Names(document, scenario, folders)
        self.numbers = NumberCompiler(self.names)
        self.program = Program(scenario)
        self.graph = Graph(self.names)
        self.sets: dict[Where, tuple[tuple[int, Any], ...]] = {}

    def mark(self, name: str) -> int:
        """Index of a mark, made when first asked for."""
        return self.program.marks.setdefault(name, len(self.program.marks))

    def known_mark(self, name: str, path: Where) -> int:
        """Index of a mark that some step sets, noting a problem if none does."""
        if name not in self.program.marks:
            self.names.unknown(path, "mark", name, self.program.marks)
            return 0
        return self.program.marks[name]

    def kinds_named(self, wanted: list[str] | None, path: Where) -> list[int]:
        """Indices of entity types by name; all of them if none are named."""
        if wanted is None:
            return list(range(len(self.names.kinds)))
        for number, name in enumerate(wanted):
            if name not in self.names.kinds:
                self.names.unknown((*path, number), "entity type", name, self.names.kinds)
        return [self.names.kinds.index(name) for name in wanted if name in self.names.kinds]


def compile_scenario(
    document: Document, scenario: model.FlowScenario, folders: list[Path], chosen: dict[str, str]
) -> Program:
    """Compile a scenario of the flow world.

    Args:
        document: the file, for the places of problems.
        scenario: the validated models.
        folders: where its tables may lie.
        chosen: alternatives picked for ``choose`` names.

    Raises:
        ScenarioError: with every problem found.
    """
    compiler = Compiler(document, scenario, folders)
    program = compiler.program
    clock = scenario.clock
    program.start = clock.starts - clock.warm_up
    program.warm_up = clock.warm_up
    program.horizon = clock.warm_up + clock.episode
    program.length = program.horizon + clock.run_out
    program.decide_every = clock.step
    program.state_sights = (TimeLeft(), Cycle("hour", 1440.0))
    program.kinds = compiler.names.kinds
    for name in AUTOMATIC_MARKS:
        compiler.mark(name)
    _compile_globals(compiler, chosen)
    compile_sites(compiler)
    compile_attributes(compiler)
    _compile_pools(compiler)
    compile_stocks(compiler)
    compile_meetings(compiler)
    lines = LineTable(compiler)
    StepCompiler(compiler, lines).compile()
    program.slots_of_values = compiler.names.slots
    compile_measures(compiler)
    compile_clocks(compiler)
    compiler.numbers.derived.settle(compiler.known_mark)
    compile_sources(compiler)
    compile_roles(compiler, lines)
    compile_turns(compiler)
    follow_changes(compiler)
    program.columns = compiler.numbers.columns
    program.no_values = [None] * (len(program.slots_of_values) + (program.groups is not None) + bool(program.followed))
    program.no_marks = [None] * len(program.marks)
    program.tables = tuple(compiler.names.tables.files)
    if not compiler.names.problems:
        check_volume(compiler)
    if compiler.names.problems:
        compiler.names.stop()
    # Without clocks, which are mostly stopped in time, and long stays, little lies far off: a heap of it all is short.
    program.sliced = bool(program.clocks) or any(isinstance(step, Delay) for step in program.steps)
    generate(program, compiler.graph.kinds_of)
    return program


def _compile_globals(compiler: Compiler, chosen: dict[str, str]) -> None:
    names, scenario = compiler.names, compiler.scenario
    for name, alternatives in scenario.choose.items():
        pick = chosen.get(name, alternatives.default)
        if pick not in alternatives.among:
            names.unknown(("choose", name, "among"), f"alternative of {name}", pick, alternatives.among)
            pick = alternatives.default
        path: Where = ("choose", name, "among", pick)
        if alternatives.words:
            names.words[name] = pick
            names.globals[name] = Number(fixed(pick), "text", frozenset(alternatives.among))
            continue
        names.globals[name] = compiler.numbers.compile(alternatives.among[pick], path, None, repeats=True)
    for name in chosen:
        if name not in scenario.choose:
            names.unknown(("choose",), "choice", name, scenario.choose)
    for name, value in scenario.vary.items():
        number = compiler.numbers.compile(value, ("vary", name), None)
        index = len(compiler.program.varied)
        compiler.program.varied.append((name, number.value))
        names.globals[name] = type(number)(
            _varied(index), number.dimension, number.possible, number.may_be_zero, number.may_be_negative
        )


def _varied(index: int) -> Any:
    return value_of("world.varied[{0}]", constant(index))


def _compile_pools(compiler: Compiler) -> None:
    scenario, program = compiler.scenario, compiler.program
    identified: set[str] = set()
    preempting: set[str] = set()
    used: Counter[str] = Counter()
    for step in scenario.pathway.values():
        needs = resources_of(step)
        used.update(needs)
        if isinstance(step, model.Use) and step.same:
            identified.add(needs[0])
        if isinstance(step, model.Waiting) and step.preempt is not None:
            preempting.update(needs)
    called = {
        move.call_in for agent in scenario.agents.values() for move in agent.can if isinstance(move, model.CallIn)
    }
    misspelt = any(not _is_right(scenario, step) for step in scenario.pathway.values())
    sections = (("staff", scenario.staff), ("places", scenario.places), ("fleets", scenario.fleets))
    for section, resources in sections:
        for name, resource in resources.items():
            path: Where = (section, name)
            if name in program.pool_index:
                other = "staff" if name in scenario.staff else "places"
                compiler.names.problem(path, f"'{name}' is also under {other}; every name stands for one thing")
                continue
            filled = any(
                kind.arrive is not None and kind.arrive.at_start is not None and kind.arrive.at_start.fill == name
                for kind in scenario.entities.values()
            )
            if not used[name] and not filled and name not in called and not misspelt:
                compiler.names.problem(path, f"no step uses '{name}'; name it in a step or remove it")
            program.pool_index[name] = len(program.pools)
            program.pools.append(_pool(compiler, name, resource, path, name in identified, name in preempting))
            if isinstance(resource, model.Fleet):
                program.pools[-1] = compile_fleet(compiler, program.pools[-1], resource, path)


def _is_right(scenario: model.FlowScenario, step: Any) -> bool:
    """Whether the resources that a step names are there, staff and places each in their place."""
    staff = step.use if isinstance(step, model.Use) else getattr(step, "staff", [])
    place = getattr(step, "move_to", None) or getattr(step, "visit", None)
    return all(name in scenario.staff for name in staff) and (place is None or place in scenario.places)


def _who_comes(compiler: Compiler, place: str) -> list[int]:
    """Kinds of entities that occupy a place at some time; cleaning may depend on what all of them have."""
    scenario = compiler.scenario
    found: set[int] = set()
    for name, step in scenario.pathway.items():
        if place in resources_of(step):
            found.update(compiler.graph.kinds_of[name])
    for number, kind in enumerate(scenario.entities.values()):
        if kind.arrive is not None and kind.arrive.at_start is not None and kind.arrive.at_start.fill == place:
            found.add(number)
    return sorted(found)


def _pool(
    compiler: Compiler, name: str, resource: model.Resource, path: Where, identified: bool, preempting: bool
) -> PoolSpec:
    numbers = compiler.numbers
    crews: tuple[tuple[float, float, int], ...] = ()
    if isinstance(resource, model.Staff) and resource.rota is not None:
        crews = tuple((crew.at, (crew.at + crew.duration) % DAY, crew.count) for crew in resource.rota)
        shifts = _levels(crews)
    elif resource.shifts is not None:
        shifts = tuple(sorted(resource.shifts.items()))
    else:
        shifts = ((0.0, UNLIMITED if resource.count == "unlimited" else int(resource.count or 0)),)
    absent = None
    if resource.absent is not None:
        absent = numbers.compile(resource.absent, (*path, "absent"), "number").value
    clean = None
    if isinstance(resource, model.Place) and resource.clean is not None:
        kinds = _who_comes(compiler, name)
        clean = numbers.compile(resource.clean, (*path, "clean"), "time", kinds=kinds, repeats=True).value
    turnover = None
    if isinstance(resource, model.Place) and resource.turnover is not None:
        clean = by_job
        turnover = compile_turnover(compiler, name, resource.turnover, _who_comes(compiler, name), (*path, "turnover"))
        if identified:
            compiler.names.problem(path, "units that jobs make ready cannot be told apart, as same: yes needs")
    wear = set_up = None
    if isinstance(resource, model.Place):
        if resource.wear is not None:
            wear = compile_wear(compiler, resource.wear, (*path, "wear"))
        if resource.set_up is not None:
            set_up = compile_set_up(compiler, name, resource.set_up, _who_comes(compiler, name), (*path, "set_up"))
    if identified and isinstance(resource.count, str):
        compiler.names.problem(path, "units of an unlimited resource cannot be told apart, as same: yes needs")
    return PoolSpec(
        name,
        isinstance(resource, model.Place),
        shifts,
        absent,
        clean,
        identified or wear is not None or set_up is not None,
        preempting or wear is not None,
        resource.department if isinstance(resource, model.Place) else None,
        resource.count == "unlimited",
        crews,
        turnover,
        wear,
        set_up,
    )


def _levels(crews: tuple[tuple[float, float, int], ...]) -> tuple[tuple[float, int], ...]:
    """Units on duty from each time of the day at which a crew comes or goes."""
    times = sorted({time for begin, end, _ in crews for time in (begin, end)})
    return tuple((time, sum(count for begin, end, count in crews if on_duty(begin, end, time))) for time in times)
