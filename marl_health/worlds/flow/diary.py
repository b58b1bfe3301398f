"""What is due on the days to come: a sight of those in a step whose planned duration is written down."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from typing_extensions import override

from marl_health.kernel.formula import value_of
from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.program import RosterSpec
from marl_health.worlds.flow.sights import Sight
from marl_health.worlds.flow.sources import DAY
from marl_health.worlds.flow.steps import Delay

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.world import FlowWorld

SLACK = 1e-6
"""Minutes by which sums of times may be rounded: whoever is due at midnight belongs to the day that begins."""


class Due(Sight):
    """What is due in a step on each day from today on: how many leave it then, or the sum of what they carry.

    Only those due on these days are looked at: the diary of the step is kept in the order of time. What they carry is
    told by the slot of an attribute, for a function could not travel in a pickled game.
    """

    def __init__(self, step: str, roster: int, days: int, slot: int | None, of: str, scale: float) -> None:
        what = f"sum of {of} of those" if of else "entities"
        super().__init__(
            tuple(f"{step}.due[{day}]" for day in range(days)),
            tuple(f"{step}: {what} due {'today' if not day else f'{day} days from now'}" for day in range(days)),
            (scale,) * days,
        )
        self.roster = roster
        self.days = days
        self.slot = slot

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        entries = world.rosters[self.roster].entries
        midnight = world.now - (world.now + world.program.start + SLACK) % DAY
        first = 0
        for day in range(1, self.days + 1):
            last = bisect_left(entries, midnight + day * DAY, first, key=_due_at)
            if self.slot is None:
                out.append(float(last - first))
            else:
                out.append(float(sum(entry[2].values[self.slot] for entry in entries[first:last])))
            first = last


def _due_at(entry: tuple[float, int, object]) -> float:
    return entry[0] + SLACK


def make_due(compiler: Compiler, sight: model.Sight, name: str, path: Where) -> Sight | None:
    """The sight of what is due in a wait or stay whose duration is an attribute; ``None`` after a problem."""
    program, names = compiler.program, compiler.names
    step = program.steps[program.step_index[name]]
    spec = compiler.scenario.pathway[name]
    duration = spec.stay if isinstance(spec, model.Stay) else spec.wait if isinstance(spec, model.Wait) else None
    if not isinstance(step, Delay) or not isinstance(duration, str) or duration not in names.slots:
        names.problem(
            (*path, "see"), f"'{name}' does not last as long as an attribute says, so nobody knows who is due"
        )
        return None
    kinds = compiler.graph.kinds_of[name]
    wanted = [duration] if sight.of is None else [duration, sight.of]
    slots = [names.attribute(attribute, (*path, "of"), kinds) for attribute in wanted]
    if any(slot is None for slot in slots):
        return None
    for attribute in wanted:
        for kind in kinds:
            if getattr(compiler.scenario.entities[names.kinds[kind]].has.get(attribute), "hidden", False):
                names.problem((*path, "see"), f"'{attribute}' is hidden, so agents may not see who is due by it")
                return None
    roster = len(program.rosters)
    program.rosters.append(RosterSpec((), step.index, value_of("entity.until")))
    step.rosters = (*step.rosters, roster)
    last = slots[-1]
    slot = None if sight.of is None or last is None else last[0]
    scale = sight.scale.value if sight.scale is not None else 5.0 if slot is None else 240.0
    return Due(name, roster, sight.days or 1, slot, sight.of or "", scale)
