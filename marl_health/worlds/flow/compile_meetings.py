"""Compiles meetings: what there is for those to wait for who wait for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marl_health.kernel.meeting import Meeting
from marl_health.kernel.pool import Pool
from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.meeting_steps import Meet
from marl_health.worlds.flow.program import PoolSpec, Program

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.compile_lines import LineTable


def _meeting(name: str, index: int, capacity: int) -> Pool:
    return Meeting(name, index)


def compile_meetings(compiler: Compiler) -> None:
    """Make a pool without units for each meeting, and note those with one party only."""
    program = compiler.program
    parties: dict[str, set[str]] = {}
    first: dict[str, Where] = {}
    for name, step in compiler.scenario.pathway.items():
        if isinstance(step, model.Meet):
            parties.setdefault(step.meet, set()).add(step.queue or name)
            first.setdefault(step.meet, ("pathway", name, "meet"))
    for name, who in parties.items():
        if name in program.pool_index:
            compiler.names.problem(first[name], f"'{name}' is also a resource; every name stands for one thing")
            continue
        if len(who) == 1:
            remedy = f"write meet: {name} in another step, with a queue of its own if it has one"
            compiler.names.problem(first[name], f"nobody comes to meet those who wait here; {remedy}")
        program.pool_index[name] = len(program.pools)
        program.pools.append(
            PoolSpec(name, False, ((0.0, 0),), None, None, False, False, None, unlimited=True, make=_meeting)
        )


def meeting_of(compiler: Compiler, name: str) -> tuple[tuple[int, int], ...]:
    """What those need who wait for a meeting."""
    return ((compiler.program.pool_index[name], 1),)


def make_meet(program: Program, lines: LineTable, name: str, spec: model.Meet, index: int) -> Meet:
    """Make the step."""
    step = Meet(program, name, index)
    step.line = lines.line_for(name, spec, ("pathway", name))
    return step
