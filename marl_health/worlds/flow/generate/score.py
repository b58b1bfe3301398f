"""Text of the score: functions that read everything that rewards are paid for, and that pay for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marl_health.spec.components import COMPONENTS
from marl_health.worlds.flow import readings

if TYPE_CHECKING:
    from marl_health.worlds.flow.generate.writer import Writer
    from marl_health.worlds.flow.program import Program


def write_score(program: Program, writer: Writer) -> None:
    """Write ``read_score(world)`` and ``pay(values, before)``.

    The first returns the running value of the reading of each line of the score; the second, from such values now and
    before, the reward by component: the team's, and what agents get beside it, by agent.
    """
    with writer.block("def read_score(world):"):
        writer.line("now = world._now")
        writer.line(f"return [{', '.join(_value(line.reading, writer) for line in program.score)}]")
    writer.line("")
    agents = dict.fromkeys(agent for line in program.score for agent in line.to or ())
    with writer.block("def pay(values, before):"):
        own = ", ".join(f"{agent!r}: {_gains(program, agent)}" for agent in agents)
        writer.line(f"return {_gains(program, None)}, {{{own}}}")
    writer.line("")


def _gains(program: Program, agent: str | None) -> str:
    """The gains of the lines that pay an agent, or all, summed by component."""
    sums = ["0.0"] * len(COMPONENTS)
    for number, line in enumerate(program.score):
        if line.to is None if agent is None else agent in (line.to or ()):
            sums[line.component] += f" + (values[{number}] - before[{number}]) * {line.worth!r}"
    return f"[{', '.join(sums)}]"


def _value(reading: readings.Reading, writer: Writer) -> str:
    if isinstance(reading, readings.Marks):
        return f"float(world.marked[{reading.mark}])"
    if isinstance(reading, readings.Outcomes):
        return f"float(world.left[{reading.outcome}])"
    if isinstance(reading, readings.Total):
        return f"world.totals[{reading.number}]"
    if isinstance(reading, readings.Spent):
        return "world.spent.read(now)"
    if isinstance(reading, readings.ExpectedDeaths):
        return "world.expected_deaths.read(now)"
    if isinstance(reading, readings.SpanHours):
        span = f"world.spans[{reading.span}]"
        return f"{span}.over(now, {reading.alike}) / 60.0" if reading.over else f"{span}.minutes(now) / 60.0"
    return f"{writer.name(reading)}.read(world)"
