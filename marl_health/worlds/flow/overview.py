"""The global state: how full every resource is, who waits, who is on the way where, every lever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from marl_health.worlds.flow.local import local
from marl_health.worlds.flow.stock_views import shares_of

if TYPE_CHECKING:
    from marl_health.kernel.pool import Pool
    from marl_health.worlds.flow.program import AgentSpec, Program
    from marl_health.worlds.flow.world import FlowWorld

STATE_SIZE = 1024
"""Upper bound on the size of the global state."""


class Overview:
    """The global state of a scenario.

    With so many sites that it would be too long, it tells of each site how full its places and its staff are together,
    and of measures, arrivals and levers what all sites of a template have in common.

    Attributes:
        names: of its numbers.
    """

    def __init__(self, program: Program, specs: Sequence[AgentSpec]) -> None:
        self.program = program
        self.specs = specs
        self.names: list[str] = []
        self.site_of = {
            name: site.name
            for name in (*program.pool_index, *program.kinds, *(span.name for span in program.spans))
            for site in program.sites.values()
            if site.template is not None and name.startswith(f"{site.name}_")
        }
        self._settle(together=False)
        if len(self.names) > STATE_SIZE and program.sites:
            self._settle(together=True)
        self.names = self.names[:STATE_SIZE]

    def _settle(self, *, together: bool) -> None:
        """Decide what is told, of each resource, measure, kind and lever, or of those of a site together."""
        program = self.program
        pools: dict[str, list[int]] = {}
        for number, pool in enumerate(program.pools):
            if not pool.unlimited:
                site = self.site_of.get(pool.name) if together else None
                title = pool.name if site is None else f"{site}.{'places' if pool.place else 'staff'}"
                pools.setdefault(title, []).append(number)
        spans = self._alike([span.name for span in program.spans], together)
        kinds = self._alike(program.kinds, together)
        levers: dict[str, list[AgentSpec]] = {}
        for spec in self.specs:
            levers.setdefault(spec.role if together and spec.site is not None else spec.name, []).append(spec)
        self.pools, self.spans, self.kinds, self.levers = (
            [*pools.values()],
            [*spans.values()],
            [*kinds.values()],
            [*levers.values()],
        )
        self.travels = [*program.sites] if program.travel is not None else []
        names = ["time_left", "hour.sin", "hour.cos"]
        names += [f"{title}.{what}" for title in pools for what in ("taken", "over", "waiting")]
        for number in program.stocks:
            names += [f"{program.pools[number].name}.{what}" for what in ("on_hand", "on_order", "waiting")]
        names += [f"{title}.now" for title in spans]
        names += [f"{title}.arriving" for title in kinds]
        names += [f"{site}.coming" for site in self.travels]
        for title, specs in levers.items():
            names += [f"{title}.{local(name, specs[0].site)}" for move in specs[0].moves for name, _ in move.sights]
        self.names = names

    def _alike(self, names: Sequence[str], together: bool) -> dict[str, list[int]]:
        """Indices of things by name, or those that are the same at every site of a template by their name there."""
        found: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            site = self.site_of.get(name) if together else None
            title = name
            if site is not None:
                title = f"{self.program.sites[site].template}.{name.removeprefix(f'{site}_')}"
            found.setdefault(title, []).append(number)
        return found

    def read(self, world: FlowWorld) -> list[float]:
        """The numbers, each in [-1, 1]."""
        program = self.program
        out: list[float] = []
        program.state_sights[0].look(world, out)
        program.state_sights[1].look(world, out)
        for numbers in self.pools:
            out.extend(_fullness([world.pools[number] for number in numbers]))
        for number in program.stocks:
            out.extend(shares_of(world.pools[number]))
        for spans in self.spans:
            inside = sum(world.spans[number].inside for number in spans)
            out.append(inside / (inside + 10.0 * len(spans)))
        for kinds in self.kinds:
            rate = sum(world.recent_rate(kind) for kind in kinds)
            out.append(rate / (rate + 5.0 * len(kinds)))
        if self.travels:
            coming = dict.fromkeys(self.travels, 0)
            for entity in world.underway:
                coming[entity.values[world.program.heading]] += 1
            out.extend([count / (count + 5.0) for count in coming.values()])
        for specs in self.levers:
            seen: list[list[float]] = []
            for spec in specs:
                numbers_seen: list[float] = []
                for move in spec.moves:
                    move.look(world, numbers_seen)
                seen.append(numbers_seen)
            out.extend(seen[0] if len(seen) == 1 else [sum(each) / len(each) for each in zip(*seen, strict=True)])
        return out[:STATE_SIZE]


def _fullness(pools: Sequence[Pool]) -> tuple[float, float, float]:
    """(share taken, overfull, waiting against capacity) of some resources together, each in [0, 1]."""
    capacity = taken = over = waiting = 0
    for pool in pools:
        capacity += pool.capacity
        taken += pool.busy + pool.cleaning + pool.out
        over += max(0, -pool.free)
        waiting += pool.waiting
    capacity = max(1, capacity)
    return min(1.0, taken / capacity), over / (over + 1.0), waiting / (waiting + 0.25 * capacity + 1.0)
