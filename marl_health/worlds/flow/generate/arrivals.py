"""Text of arrivals: a new entity with its attributes, inside the world and on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marl_health.kernel.entity import Entity
from marl_health.worlds.flow.program import ARRIVAL
from marl_health.worlds.flow.steps import FlowStep

if TYPE_CHECKING:
    from marl_health.worlds.flow.generate.steps import StepText
    from marl_health.worlds.flow.program import Program


def _blank() -> list[str]:
    """Assignments of what every new entity has alike, by the value: a call of its class costs twice as much."""
    example = Entity(0, 0, (0.5,), FlowStep.__new__(FlowStep))
    written = ("kind", "id", "row", "step", "counted", "values", "marks")
    alike: dict[str, list[str]] = {}
    for slot in Entity.__slots__:
        if slot not in written:
            alike.setdefault(repr(getattr(example, slot)), []).append(f"entity.{slot}")
    return [f"{' = '.join(slots)} = {value}" for value, slots in alike.items()]


BLANK = _blank()


def write_arrivals(program: Program, steps: StepText) -> None:
    """Write ``come_<kind>(world, row)`` for each kind: what the world does when somebody new arrives."""
    writer = steps.writer
    for kind, attributes in enumerate(program.attributes):
        begins = program.begins[kind]
        if not isinstance(begins, FlowStep):
            continue
        with writer.block(f"def come_{kind}(world, row):"):
            with writer.block("if world.log is not None:"):
                writer.lines(f"world.arrive(world.create({kind}, row, ()))", "return")
            writer.lines(
                "now = world._now",
                "world.population = number = world.population + 1",
                "entity = new(Entity)",
                f"entity.kind = {kind}",
                "entity.id = number",
                "entity.row = row",
                f"entity.step = {writer.name(begins)}",
                f"entity.values = values = {writer.name(program.no_values)}[:]",
                f"entity.marks = {writer.name(program.no_marks)}[:]",
                *BLANK,
                "entity.counted = counted = world.counting",
            )
            for slot, value in attributes:
                writer.line(f"values[{slot}] = {writer.value(value, 'entity')}")
            if program.groups is not None:
                parts = [f"{writer.name(codes)}[values[{slot}]]" for slot, codes in program.groups.codes]
                writer.line(f"values[{program.groups.slot}] = {' + '.join(parts)}")
            writer.line("world.entities[number] = entity")
            with writer.block("if counted:"):
                writer.line(f"world.arrived[{kind}] += 1")
                steps.marks.tally("arrived", kind, "values")
            with writer.block("else:"):
                writer.line(f"world.arrived_uncounted[{kind}] += 1")
            writer.line(f"world.came[{kind}].append(now)")
            steps.marks.set(ARRIVAL, "entity", (kind,), token=False, new=True)
            steps.go(begins, "entity", 0)
        writer.line("")
