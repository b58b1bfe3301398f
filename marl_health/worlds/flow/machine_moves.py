"""What agents can do with machines: take one out for maintenance, change its set-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.worlds.flow.decisions import Effect, Move
from marl_health.worlds.flow.machines import MAINTENANCE, NOTHING, SET_UP, Machine, MachinePool

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld


class MachineMove(Move):
    """A move for each unit of a place, or for each unit and set-up.

    Args:
        what: is done where. pool: index of the place. names, meanings: of the actions.
        lever: index of its state. at_most: times allowed, or ``None``.
    """

    def __init__(
        self, what: str, pool: int, names: list[str], meanings: list[str], lever: int, at_most: int | None
    ) -> None:
        sights = [] if at_most is None else [(f"{what} left", "share of the allowed times that is left")]
        super().__init__(names, meanings, sights)
        self.pool = pool
        self.lever = lever
        self.at_most = at_most

    @override
    def mask(self, world: FlowWorld, out: list[int]) -> None:
        left = self.at_most is None or world.levers[self.lever].used < self.at_most
        machines = self.machines(world)
        out.extend([int(left and self.possible(machines, number)) for number in range(len(self.names))])

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        if self.at_most is not None:
            out.append(1.0 - world.levers[self.lever].used / self.at_most)

    def machines(self, world: FlowWorld) -> dict[int, Machine]:
        """Those of the place, by number."""
        pool = world.pools[self.pool]
        assert isinstance(pool, MachinePool)
        return pool.machines

    def possible(self, machines: dict[int, Machine], action: int) -> bool:
        """Whether an action is possible now."""
        raise NotImplementedError


class MaintainMove(MachineMove):
    """Take a unit out; the engineer comes after ``lead`` minutes, and the unit goes out when it is free then."""

    def __init__(self, name: str, pool: int, units: int, lever: int, at_most: int | None, lead: float) -> None:
        when = f"{lead:g} min from now, and " if lead else ""
        names = [f"maintain {name}[{unit}]" for unit in range(units)]
        meanings = [f"take unit {unit} of {name} out, {when}once it is free" for unit in range(units)]
        super().__init__(f"maintain {name}", pool, names, meanings, lever, at_most)
        self.lead = lead

    @override
    def possible(self, machines: dict[int, Machine], action: int) -> bool:
        machine = machines.get(action)
        return machine is not None and machine.out == NOTHING == machine.due and not machine.called

    @override
    def act(self, world: FlowWorld, action: int) -> None:
        world.levers[self.lever].used += 1
        self.machines(world)[action].called = True
        if self.lead:
            world.at(world.now + self.lead, Effect(self.agent, self.number, action))
        else:
            self.take_effect(world, action)

    @override
    def take_effect(self, world: FlowWorld, amount: int) -> None:
        machine = self.machines(world)[amount]
        machine.called = False
        if machine.out == NOTHING == machine.due:  # else it has failed, and the engineer repairs it
            machine.pool.order(world, machine, MAINTENANCE)


class SwitchMove(MachineMove):
    """Change the set-up of a unit."""

    def __init__(
        self, name: str, pool: int, units: int, classes: list[Any], shown: list[str], lever: int, at_most: int | None
    ) -> None:
        pairs = [(unit, value) for unit in range(units) for value in shown]
        super().__init__(
            f"switch {name}",
            pool,
            [f"switch {name}[{unit}] to {value}" for unit, value in pairs],
            [f"change unit {unit} of {name} over to {value}, once it is free" for unit, value in pairs],
            lever,
            at_most,
        )
        self.classes = classes

    @override
    def possible(self, machines: dict[int, Machine], action: int) -> bool:
        unit, wanted = divmod(action, len(self.classes))
        machine = machines.get(unit)
        return machine is not None and machine.out == NOTHING == machine.due and machine.set_up != self.classes[wanted]

    @override
    def act(self, world: FlowWorld, action: int) -> None:
        world.levers[self.lever].used += 1
        unit, wanted = divmod(action, len(self.classes))
        machine = self.machines(world)[unit]
        machine.wanted = self.classes[wanted]
        machine.pool.order(world, machine, SET_UP)
