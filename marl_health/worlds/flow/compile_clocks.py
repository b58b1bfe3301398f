"""Compiles what hangs on marks: measures between two marks, timers, health machines."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Value
from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.clocks import HealthSpec, TimerSpec, TransitionSpec
from marl_health.worlds.flow.program import Sequel, SpanSpec
from marl_health.worlds.flow.values import uniform
from marl_health.worlds.flow.ways import CertainDeath

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler

MOST_HAZARD = 60.0
"""Per minute."""


def compile_measures(compiler: Compiler) -> None:
    """Compile measures. Marks of health transitions are made known first, so that measures may name them."""
    for machine in compiler.scenario.health.values():
        for transitions in machine.states.values():
            for transition in transitions.values():
                for mark in transition.mark:
                    compiler.mark(mark)
    program = compiler.program
    program.sequels = [[None for _ in program.kinds] for _ in program.marks]
    program.spans_of = [() for _ in program.kinds]
    for name, measure in compiler.scenario.measures.items():
        path: Where = ("measures", name)
        index = len(program.spans)
        kinds = compiler.kinds_named(measure.applies_to, (*path, "for"))
        holding = None
        if measure.while_holding is not None:
            if measure.while_holding in compiler.scenario.places:
                holding = program.pool_index[measure.while_holding]
            else:
                where = (*path, "while_holding")
                compiler.names.unknown(where, "place", measure.while_holding, compiler.scenario.places)
        target: Value | float = inf
        if measure.target is not None:
            kinds = [kind for kind in kinds if _has_target(compiler, measure.target, kind)] or kinds
            number = compiler.numbers.compile(
                measure.target, (*path, "target"), "time", kinds=kinds, repeats=True, never=True
            )
            target = number.value
            if number.possible is not None and len(number.possible) == 1:
                target = float(next(iter(number.possible)))
        begins = compiler.known_mark(measure.from_, (*path, "from"))
        ends = compiler.known_mark(measure.to, (*path, "to"))
        spec = SpanSpec(name, begins, ends, frozenset(kinds), holding, target)
        program.spans.append(spec)
        for kind in kinds:
            program.spans_of[kind] = (*program.spans_of[kind], index)
            add_sequel(compiler, ends, kind, ends=(index,))
            add_sequel(compiler, begins, kind, begins=((index, target, holding),))
        if holding is not None:
            program.holding[holding] = (*program.holding.get(holding, ()), index)


def _has_target(compiler: Compiler, target: Any, kind: int) -> bool:
    """Whether a kind has the attribute that a target depends on; a measure takes no notice of the others."""
    by = getattr(target, "by", None)
    return by is None or by in compiler.names.attributes[kind]


def add_sequel(compiler: Compiler, mark: int, kind: int, **more: Any) -> None:
    """Add to what happens when a mark is set on an entity of a kind."""
    sequels = compiler.program.sequels[mark]
    before = sequels[kind] or Sequel()
    sequels[kind] = before._replace(**{part: getattr(before, part) + added for part, added in more.items()})


def compile_clocks(compiler: Compiler) -> None:
    """Compile timers and health machines."""
    for name, timer in compiler.scenario.timers.items():
        path: Where = ("timers", name)
        kinds = compiler.kinds_named(timer.applies_to, (*path, "for"))
        repeats = not _set_once(compiler, timer.from_)
        after = compiler.numbers.compile(
            timer.after, (*path, "after"), "time", kinds=kinds, repeats=repeats, never=True
        )
        if after.may_be_zero:
            compiler.names.problem((*path, "after"), "must be longer than 0 for everybody; write a duration, or never")
        spec = TimerSpec(len(compiler.program.clocks), after.value, _target(compiler, timer.go, certain=True))
        compiler.program.clocks.append(spec)
        _start_and_stop(compiler, spec, timer, kinds, path)
    for name, machine in compiler.scenario.health.items():
        path = ("health", name)
        kinds = compiler.kinds_named(machine.applies_to, (*path, "for"))
        health = HealthSpec(len(compiler.program.clocks), _states(compiler, machine, kinds, path))
        compiler.program.clocks.append(health)
        _start_and_stop(compiler, health, machine, kinds, path)


def _start_and_stop(compiler: Compiler, spec: Any, clock: Any, kinds: list[int], path: Where) -> None:
    begins = compiler.known_mark(clock.from_, (*path, "from"))
    ends = compiler.known_mark(clock.until, (*path, "until"))
    for kind in kinds:
        add_sequel(compiler, ends, kind, clocks=(spec.stop,))
        add_sequel(compiler, begins, kind, clocks=(spec.start,))


def _states(compiler: Compiler, machine: Any, kinds: list[int], path: Where) -> list[list[TransitionSpec]]:
    order = list(machine.states)
    repeats = _has_cycle(machine) or not _set_once(compiler, machine.from_)
    states = []
    for state, transitions in machine.states.items():
        compiled = []
        for to, transition in transitions.items():
            where: Where = (*path, "states", state, to)
            if to not in machine.states and transition.go is None:
                compiler.names.problem(
                    where,
                    f"'{to}' is no state of {path[1]}; declare it under states, or add go: a step that it leads to",
                )
                continue
            compiled.append(_transition(compiler, transition, to, order, kinds, where, repeats))
        states.append(compiled)
    return states


def _transition(
    compiler: Compiler,
    transition: model.Transition,
    to: str,
    order: list[str],
    kinds: list[int],
    path: Where,
    repeats: bool,
) -> TransitionSpec:
    fixed = transition.hazard is None
    word, want = ("after", "time") if fixed else ("hazard", "rate")
    value = transition.after if fixed else transition.hazard
    # A hazard is looked up anew whenever an attribute changes, a duration once on entry to the state.
    number = compiler.numbers.compile(
        value, (*path, word), want, kinds=kinds, repeats=repeats or not fixed, never=fixed
    )
    if fixed and number.may_be_zero:
        compiler.names.problem((*path, word), "must be longer than 0 for everybody; write a duration, or never")
    if number.may_be_negative:
        compiler.names.problem((*path, word), "a hazard may not be negative")
    if not fixed and max(number.possible or (0.0,)) > MOST_HAZARD:
        compiler.names.problem((*path, word), "more than one a second; write after: and a duration instead")
    spec = TransitionSpec(uniform(compiler.numbers.column(), repeats), number.value, fixed)
    spec.target = order.index(to) if to in order else None
    if transition.go is not None:
        spec.way = _target(compiler, transition.go, certain=fixed)
        step = compiler.scenario.pathway.get(transition.go)
        spec.mortal = isinstance(step, model.Leave) and step.leave == "died"
    spec.sets = compiler.sets.get((*path, "set"), ())
    spec.marks = tuple(compiler.mark(mark) for mark in transition.mark)
    return spec


def _set_once(compiler: Compiler, mark: str) -> bool:
    """Whether a mark can be set but once for an entity, so that what starts with it starts but once."""
    if mark == "arrival":
        return True
    setters = []
    for name, step in compiler.scenario.pathway.items():
        shorten = getattr(step, "shorten", None)
        marks = [*getattr(step, "mark", ()), *getattr(step, "mark_end", ()), *(shorten.mark if shorten else ())]
        setters += [name] * marks.count(mark)
    for machine in compiler.scenario.health.values():
        for transitions in machine.states.values():
            setters += [to for to, transition in transitions.items() if mark in transition.mark]
    return len(setters) == 1 and setters[0] in compiler.scenario.pathway and setters[0] not in compiler.graph.repeats


def _has_cycle(machine: model.HealthMachine) -> bool:
    """Whether a state of health may come again."""
    left = {state: set(transitions) & set(machine.states) for state, transitions in machine.states.items()}
    while True:
        ends = [state for state, following in left.items() if not following & set(left)]
        if not ends:
            return bool(left)
        for state in ends:
            del left[state]


def _target(compiler: Compiler, name: str, *, certain: bool) -> Any:
    """The step a clock leads to; ``certain``: if that is death, it counts as one expected death."""
    index = compiler.program.step_index.get(name)
    if index is None:
        return None
    step = compiler.scenario.pathway[name]
    way = compiler.program.steps[index]
    return CertainDeath(way) if certain and isinstance(step, model.Leave) and step.leave == "died" else way
