"""Units of one resource lent to another: a nurse who floats from her ward to one that is short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.decisions import Levels, Move

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile_roles import MoveTable
    from marl_health.worlds.flow.world import FlowWorld

HOME = "home"
"""Name of the position in which nobody is lent."""


class LendLever(Levels):
    """Move units from a resource to one of others, and back: what one gets, another lacks.

    Args:
        pools: by position, where the units are; the first is their home. count: how many they are.
    """

    def __init__(self, pools: tuple[int, ...], count: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.pools = pools
        self.count = count

    @override
    def switch(self, world: FlowWorld, before: int, after: int) -> None:
        for position, change in ((before, -self.count), (after, self.count)):
            pool = self.pools[position]
            world.extra[pool] += change
            world.refresh_capacity(pool)


def make_lend(table: MoveTable, move: model.Lend, path: Where, lever: int) -> Move | None:
    """The move that lends, or ``None`` after a problem; ``table`` knows the resources."""
    names = table.compiler.names
    places = [table._pool(move.lend, (*path, "lend"))]
    places += [table._pool(name, (*path, "to", number)) for number, name in enumerate(move.to)]
    pools = tuple(pool for pool in places if pool is not None)
    if len(pools) < len(places):
        return None
    if len(set(pools)) < len(pools):
        names.problem((*path, "to"), f"names '{move.lend}' itself, or another resource twice")
    least = min(units for _, units in table.compiler.program.pools[pools[0]].shifts)
    if move.count > least:
        names.problem((*path, "count"), f"lends {move.count}, but at times there are only {least} of '{move.lend}'")
    return LendLever(pools, move.count, **table._settings(f"{move.lend}.lent", [HOME, *move.to], move, lever))
