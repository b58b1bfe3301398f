"""Durations until a time of the day, such as the opening of a clinic two mornings ahead."""

from __future__ import annotations

from marl_health.kernel.entity import Value
from marl_health.kernel.formula import constant, formula_of, value_of
from marl_health.spec.errors import Where
from marl_health.worlds.flow.sources import DAY

ONLY = (
    "until stands only in the set of a step, from where the next step takes it: what is written down once is known, "
    "as {set: {to_opening: {until: 08:00}}, next: booked} and booked: {wait: to_opening}"
)


def is_set(path: Where) -> bool:
    """Whether a number stands in the ``set`` of a step."""
    return len(path) >= 4 and path[0] == "pathway" and path[2] == "set"


def minutes_until(at: float, skip: Value) -> Value:
    """Minutes until the next time of the day ``at``, always more than 0, after ``skip`` more such times.

    Args:
        at: minute of the day.
        skip: how many to let pass.
    """
    left = "({0} - world.now - world.program.start) % {1} or {1}"
    return value_of(f"(({left}) + {{1}} * {{2}})", constant(at), constant(DAY), formula_of(skip))
