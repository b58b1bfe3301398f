"""Who is on the way to which site: seen by those who wait for them there, in the global state, and in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.compile_hidden import is_hidden
from marl_health.worlds.flow.sights import Sight
from marl_health.worlds.flow.travelling import HEADING

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.world import FlowWorld

COMING = "coming"
MOST_VALUES = 50


class Coming(Sight):
    """How many are on the way to some sites (or are being fetched to go there), in all or by an attribute.

    Args:
        name: how it is referred to. sites: where they go. heading: slot of where somebody goes.
        slot, values: of the attribute and what it can be; no values if all are counted together.
        scale: at which half of the range is reached.
    """

    def __init__(
        self, name: str, sites: Sequence[str], heading: int, slot: int, values: Sequence[Any], scale: float
    ) -> None:
        suffixes = [f"[{value}]" for value in values] or [""]
        names = tuple(f"{name}{suffix}" for suffix in suffixes)
        meanings = tuple(f"{name}{suffix}: entities on the way there" for suffix in suffixes)
        super().__init__(names, meanings, (scale,) * len(names))
        self.sites = frozenset(sites)
        self.heading = heading
        self.slot = slot
        self.place = {value: number for number, value in enumerate(values)}

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        found = [0.0] * len(self.names)
        for entity in world.underway:
            if entity.values[self.heading] in self.sites:
                found[self.place[entity.values[self.slot]] if self.place else 0] += 1.0
        out.extend(found)


def make_coming(compiler: Compiler, reference: str, by: str | None, scale: float | None, path: Where) -> Coming | None:
    """The sight for ``SITE.coming`` or ``TEMPLATE.coming``; ``None`` if it is no such reference, or after a problem."""
    program, names = compiler.program, compiler.names
    name, _, what = reference.rpartition(".")
    sites = [site.name for site in program.sites.values() if name in (site.name, site.template)]
    if what != COMING or not sites or HEADING not in names.slots:
        return None
    slot, values = 0, []
    if by is not None:
        steps = [
            step for step, spec in compiler.scenario.pathway.items() if isinstance(spec, model.TravelTo | model.Carry)
        ]
        kinds = sorted({kind for step in steps for kind in compiler.graph.kinds_of[step]})
        found = names.attribute(by, (*path, "by"), kinds)
        if found is None:
            return None
        if any(is_hidden(compiler.scenario, program.kinds[kind], by) for kind in kinds):
            names.problem((*path, "by"), f"'{by}' is hidden, so agents may not see who comes by it")
        if found[1] is None or len(found[1]) > MOST_VALUES:
            names.problem((*path, "by"), f"'{by}' takes too many values to be seen by")
            return None
        slot, values = found[0], sorted(found[1], key=lambda value: (isinstance(value, str), value))
    return Coming(reference, sites, names.slots[HEADING], slot, values, scale or 5.0)
