"""Compiles when agents decide, where that is at events, and with whom an episode ends."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from marl_health.spec.errors import Where
from marl_health.worlds.flow.compile_clocks import add_sequel
from marl_health.worlds.flow.turns import Asks, TurnsSpec, leaves

if TYPE_CHECKING:
    from marl_health.spec.common import Decide
    from marl_health.worlds.flow.compile import Compiler


def compile_turns(compiler: Compiler) -> None:
    """Let marks ask agents, and let those who leave end the episode."""
    scenario = compiler.scenario
    if scenario.clock.decide is not None:
        _compile_decide(compiler, scenario.clock.decide)
    else:
        for role, agent in scenario.agents.items():
            if agent.decides is not None:
                compiler.names.problem(
                    ("agents", role, "decides"),
                    "decisions come every so often here, for everybody; write clock: {decide: {when: [...]}} instead "
                    "of decide_every",
                )
    if scenario.clock.until_gone:
        _compile_gone(compiler)


def _compile_decide(compiler: Compiler, decide: Decide) -> None:
    program, names, scenario = compiler.program, compiler.names, compiler.scenario
    every = decide.at_least_every
    program.turns = TurnsSpec(len(program.agents), decide.together_within, inf if every is None else every)
    path: Where = ("clock", "decide", "when")
    asked: dict[str, list[int]] = {mark: [] for mark in decide.when}
    for number, agent in enumerate(program.agents):
        marks = scenario.agents[agent.role].decides
        for place, mark in enumerate(marks or ()):
            if mark not in asked:
                names.unknown(("agents", agent.role, "decides", place), "mark in clock.decide.when", mark, asked)
        for mark in asked if marks is None else marks:
            if mark in asked:
                asked[mark].append(number)
    for place, (mark, agents) in enumerate(asked.items()):
        index = compiler.known_mark(mark, (*path, place))
        if not agents:
            names.problem((*path, place), f"nobody decides at '{mark}'; add it to an agent's decides, or remove it")
        act = Asks(tuple(agents))
        for kind in range(len(program.kinds)):
            add_sequel(compiler, index, kind, clocks=(act,))


def _compile_gone(compiler: Compiler) -> None:
    program = compiler.program
    kinds = compiler.kinds_named(list(compiler.scenario.clock.until_gone), ("clock", "until_gone"))
    program.gone = frozenset(kinds)
    for number, name in enumerate(program.outcome_names):
        mark = program.outcome_marks[number]
        if mark is None:
            mark = program.outcome_marks[number] = compiler.mark(f"leave {name}")
            program.sequels.append([None for _ in program.kinds])
        for kind in kinds:
            add_sequel(compiler, mark, kind, clocks=(leaves,))
