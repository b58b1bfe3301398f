"""Writes a scenario as Python: functions for what happens to entities, what agents see, and what rewards are paid for.

The classes in ``steps.py`` and the methods of the world say what happens. For the common forms the same is written out
here with everything that the compiled scenario fixes (which line, how many classes, which marks matter, where to go on)
already decided, and handed to the interpreter: on the way of every patient through every step, looking such things up
and calling from one small function to the next costs more than the work itself. What is not of a common form takes the
way through the classes, and so does everybody in a world that keeps an event log; tests hold both to the same events.

    program text:  marl_health.worlds.flow.generate.text_of(program)
"""

from __future__ import annotations

import linecache
from bisect import bisect_right
from heapq import heappush
from math import exp
from typing import TYPE_CHECKING

from marl_health.kernel.entity import Entity
from marl_health.worlds.flow.generate.arrivals import write_arrivals
from marl_health.worlds.flow.generate.moves import write_masks
from marl_health.worlds.flow.generate.score import write_score
from marl_health.worlds.flow.generate.sights import SightText
from marl_health.worlds.flow.generate.steps import StepText

if TYPE_CHECKING:
    from marl_health.worlds.flow.program import Program

KNOWN = {
    "EMPTY": {},
    "Entity": Entity,
    "bisect_right": bisect_right,
    "exp": exp,
    "heappush": heappush,
    "new": object.__new__,
}
"""What generated functions refer to by its own name."""


def generate(program: Program, kinds_of: dict[str, tuple[int, ...]]) -> None:
    """Give a program its generated functions.

    Args:
        program: complete; its steps and its fields for functions are changed.
        kinds_of: the kinds of entities that come to each step, by its name.
    """
    steps = StepText(program, kinds_of)
    for step in program.steps:
        steps.write(step)
    write_arrivals(program, steps)
    SightText(program, steps.writer).write()
    write_masks(program, steps.writer)
    write_score(program, steps.writer)
    text = steps.writer.text
    file = f"<pathway of {program.scenario.name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # tracebacks show its lines
    names = {**steps.writer.names, **KNOWN}
    exec(compile(text, file, "exec"), names)
    for step in program.steps:
        for act in ("enter", "granted", "done"):
            function = names.get(f"{act}_{step.index}")
            if function is not None:
                setattr(step, act, function)
    program.observe.extend(names[f"observe_{number}"] for number in range(len(program.agents)))
    program.mask.extend(names[f"mask_{number}"] for number in range(len(program.agents)))
    program.observe_all, program.mask_all = names["observe_all"], names["mask_all"]
    program.read_score, program.pay = names["read_score"], names["pay"]
    for kind in range(len(program.kinds)):
        program.comes.append(names.get(f"come_{kind}"))


def text_of(program: Program) -> str:
    """The functions as they were written last for a scenario of this name: for people who look for errors."""
    return "".join(linecache.getlines(f"<pathway of {program.scenario.name}>"))
