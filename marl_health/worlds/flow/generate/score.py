"""Text of the score: one function that reads everything that rewards are paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marl_health.worlds.flow import readings

if TYPE_CHECKING:
    from marl_health.worlds.flow.generate.writer import Writer
    from marl_health.worlds.flow.program import Program


def write_score(program: Program, writer: Writer) -> None:
    """Write ``read_score(world)``: the running value of the reading of each line of the score."""
    with writer.block("def read_score(world):"):
        writer.line("now = world._now")
        writer.line(f"return [{', '.join(_value(line.reading, writer) for line in program.score)}]")
    writer.line("")


def _value(reading: readings.Reading, writer: Writer) -> str:
    if isinstance(reading, readings.Marks):
        return f"float(world.marked[{reading.mark}])"
    if isinstance(reading, readings.Outcomes):
        return f"float(world.left[{reading.outcome}])"
    if isinstance(reading, readings.Spent):
        return "world.spent.read(now)"
    if isinstance(reading, readings.ExpectedDeaths):
        return "world.expected_deaths.read(now)"
    if isinstance(reading, readings.SpanHours):
        span = f"world.spans[{reading.span}]"
        return f"{span}.over(now, {reading.alike}) / 60.0" if reading.over else f"{span}.minutes(now) / 60.0"
    return f"{writer.name(reading)}.read(world)"
