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
    at_sites: dict[str, list[int]] = {}  # marks of one site, at which the agent of this site alone is asked
    heard: set[str] = set()
    for number, (name, agent) in enumerate(scenario.agents.items()):
        for place, mark in enumerate(decide.when if agent.decides is None else agent.decides):
            common = mark.removeprefix(f"{agent.site}_") if mark not in asked else mark
            if common in asked:
                heard.add(common)
                (asked if mark == common else at_sites).setdefault(mark, []).append(number)
            else:
                names.unknown(("agents", name, "decides", place), "mark in clock.decide.when", mark, asked)
    for place, mark in enumerate(decide.when):
        compiler.known_mark(mark, (*path, place))
        if mark not in heard:
            names.problem((*path, place), f"nobody decides at '{mark}'; add it to an agent's decides, or remove it")
    for mark, agents in (*asked.items(), *at_sites.items()):
        if mark in program.marks and agents:
            act = Asks(tuple(agents))
            for kind in range(len(program.kinds)):
                add_sequel(compiler, program.marks[mark], kind, clocks=(act,))


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
