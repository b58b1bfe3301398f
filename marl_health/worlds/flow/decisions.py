"""Moves: what agents can do. Each lever keeps its state in the world and shows it to its agent.

A real lever has a lead time, a minimum duration, a budget or a price, or it is a choice between patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from marl_health.worlds.flow.set_up_order import of_line

if TYPE_CHECKING:
    from marl_health.kernel.disciplines import Discipline
    from marl_health.kernel.entity import Entity
    from marl_health.worlds.flow.program import Way
    from marl_health.worlds.flow.world import FlowWorld


class LeverState:
    """The state of one lever in one world.

    Attributes:
        position: level chosen last. in_force: level in effect. used: changes so far.
        locked_until: before this time it cannot be moved. active: extra units called in and not gone yet.
    """

    __slots__ = ("active", "in_force", "locked_until", "position", "used")

    def __init__(self) -> None:
        self.position = 0
        self.in_force = 0
        self.used = 0
        self.locked_until = -inf
        self.active = 0


class Effect:
    """A decision that takes effect later: when its entry comes up, the move is told."""

    __slots__ = ("agent", "amount", "epoch", "move")

    def __init__(self, agent: int, move: int, amount: int) -> None:
        self.epoch = 0
        self.agent = agent
        self.move = move
        self.amount = amount

    def fire(self, world: Any) -> None:
        """The lead time is over."""
        world.program.agents[self.agent].moves[self.move].take_effect(world, self.amount)


class Move:
    """One entry of an agent's ``can``: one or several discrete actions and what is seen of its state.

    Attributes:
        names, meanings: of its actions. sights: (name, meaning) of what is seen of it, in [0, 1].
        agent, number: where the compiled scenario keeps it.
    """

    def __init__(self, names: list[str], meanings: list[str], sights: list[tuple[str, str]]) -> None:
        self.names = names
        self.meanings = meanings
        self.sights = sights
        self.agent = 0
        self.number = 0

    def mask(self, world: FlowWorld, out: list[int]) -> None:
        """Append 1 for each action that is possible now, else 0."""
        raise NotImplementedError

    def act(self, world: FlowWorld, action: int) -> None:
        """Do the action (an index into ``names``), which the mask allows."""
        raise NotImplementedError

    def look(self, world: FlowWorld, out: list[float]) -> None:
        """Append what is seen of the lever's state."""

    def take_effect(self, world: FlowWorld, amount: int) -> None:
        """A change made earlier takes effect."""

    def reset(self, world: FlowWorld) -> None:
        """Decisions are over: return to the first position."""


class Levels(Move):
    """A lever with positions; subclasses say what a position does.

    Args:
        what: name of the lever. levels: names of its positions; the first is in force at the start.
        lever: index of its state. lead, at_least: minutes. at_most: changes in an episode, or ``None``.
    """

    def __init__(
        self, what: str, levels: list[str], lever: int, lead: float, at_least: float, at_most: int | None
    ) -> None:
        when = f", in effect after {lead:g} min" if lead else ""
        kept = f", kept for at least {at_least:g} min" if at_least else ""
        sights = [(f"{what} position", "position chosen last, from 0 (first) to 1 (last)")]
        if lead:
            sights.append((f"{what} in force", "position in effect, from 0 to 1"))
        if at_least:
            sights.append((f"{what} locked", "share of the minimum duration that is left"))
        if at_most is not None:
            sights.append((f"{what} left", "share of the allowed changes that is left"))
        super().__init__(
            [f"set {what} {level}" for level in levels],
            [f"{what}: {level}{when}{kept}" for level in levels],
            sights,
        )
        self.lever = lever
        self.lead = lead
        self.at_least = at_least
        self.at_most = at_most
        self.last = max(1, len(levels) - 1)
        self.none = (0,) * len(levels)  # masks: no position, and by position all others
        self.others = [tuple(int(level != position) for level in range(len(levels))) for position in range(len(levels))]

    @override
    def mask(self, world: FlowWorld, out: list[int]) -> None:
        state = world.levers[self.lever]
        free = world._now >= state.locked_until and (self.at_most is None or state.used < self.at_most)
        out.extend(self.others[state.position] if free else self.none)

    @override
    def act(self, world: FlowWorld, action: int) -> None:
        state = world.levers[self.lever]
        state.position = action
        state.used += 1
        state.locked_until = world.now + self.lead + self.at_least
        if self.lead:
            world.at(world.now + self.lead, Effect(self.agent, self.number, action))
        else:
            self.take_effect(world, action)

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        state = world.levers[self.lever]
        out.append(state.position / self.last)
        if self.lead:
            out.append(state.in_force / self.last)
        if self.at_least:
            out.append(min(1.0, max(0.0, state.locked_until - world.now) / (self.lead + self.at_least)))
        if self.at_most is not None:
            out.append(1.0 - state.used / self.at_most)

    @override
    def take_effect(self, world: FlowWorld, amount: int) -> None:
        state = world.levers[self.lever]
        if world.counting or amount == 0:  # what was ordered before the end of the episode no longer comes
            before, state.in_force = state.in_force, amount
            if before != amount:
                self.switch(world, before, amount)

    @override
    def reset(self, world: FlowWorld) -> None:
        world.levers[self.lever].position = 0
        self.take_effect(world, 0)

    def switch(self, world: FlowWorld, before: int, after: int) -> None:
        """Make the change real."""
        raise NotImplementedError


class OrderLever(Levels):
    """Switch a queue's order; nobody moves, only who is picked next changes."""

    def __init__(self, disciplines: list[Discipline], lines: tuple[int, ...], **settings: Any) -> None:
        super().__init__(**settings)
        self.disciplines = disciplines
        self.lines = lines

    @override
    def switch(self, world: FlowWorld, before: int, after: int) -> None:
        for line in world.lines:
            if line.index in self.lines or (line.base is not None and line.base.index in self.lines):
                line.discipline = of_line(self.disciplines[after], line)


class ExtraLever(Levels):
    """Open extra units of a resource at a price per unit and minute."""

    def __init__(self, pool: int, units: list[int], cost: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.pool = pool
        self.units = units
        self.cost = cost

    @override
    def switch(self, world: FlowWorld, before: int, after: int) -> None:
        change = self.units[after] - self.units[before]
        world.extra[self.pool] += change
        world.spent.change(world.now, self.cost * change)
        world.refresh_capacity(self.pool)


class ReserveLever(Levels):
    """Keep units of a resource back for those who qualify."""

    def __init__(self, reserve: int, pool: int, units: list[int], **settings: Any) -> None:
        super().__init__(**settings)
        self.reserve = reserve
        self.pool = pool
        self.units = units

    @override
    def switch(self, world: FlowWorld, before: int, after: int) -> None:
        world.reserves[self.reserve].level = self.units[after]
        pool = world.pools[self.pool]
        if pool.free > 0 and pool.waiting:
            pool.dispatch(world)


class CallInMove(Move):
    """Call extra units in: they come after the lead time and go when their shift is over."""

    def __init__(
        self,
        name: str,
        pool: int,
        lever: int,
        count: int,
        lead: float,
        duration: float,
        at_most: int | None,
        cost: float,
    ) -> None:
        sights = [(f"{name} called in", "called in and not gone yet, from 0 to 1")]
        if at_most is not None:
            sights.append((f"{name} calls left", "share of the allowed calls that is left"))
        meaning = f"call in {count} {name}: they come after {lead:g} min, stay {duration:g} min, cost {cost:g} usd"
        super().__init__([f"call in {count} {name}"], [meaning], sights)
        self.pool = pool
        self.lever = lever
        self.count = count
        self.lead = lead
        self.duration = duration
        self.at_most = at_most
        self.cost = cost

    @override
    def mask(self, world: FlowWorld, out: list[int]) -> None:
        out.append(1 if self.at_most is None or world.levers[self.lever].used < self.at_most else 0)

    @override
    def act(self, world: FlowWorld, action: int) -> None:
        state = world.levers[self.lever]
        state.used += 1
        state.active += 1
        world.spent.add(self.cost)
        world.at(world.now + self.lead, Effect(self.agent, self.number, self.count))
        world.at(world.now + self.lead + self.duration, Effect(self.agent, self.number, -self.count))

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        state = world.levers[self.lever]
        out.append(state.active / (state.active + 1.0))
        if self.at_most is not None:
            out.append(1.0 - state.used / self.at_most)

    @override
    def take_effect(self, world: FlowWorld, amount: int) -> None:
        world.extra[self.pool] += amount
        if amount < 0:
            world.levers[self.lever].active -= 1
        world.refresh_capacity(self.pool)


class ChooseMove(Move):
    """Point at one of a slot list; subclasses say what happens to the chosen one."""

    def __init__(
        self, verb: str, slots_name: str, slots: int, top: int, lever: int, at_most: int | None, cost: float
    ) -> None:
        price = f" ({cost:g} usd)" if cost else ""
        sights = [] if at_most is None else [(f"{verb} {slots_name} left", "share of the allowed choices that is left")]
        super().__init__(
            [f"{verb} {slots_name}[{slot}]" for slot in range(top)],
            [f"{verb} the one in slot {slot} of {slots_name}{price}" for slot in range(top)],
            sights,
        )
        self.slots = slots
        self.top = top
        self.filled = [(1,) * count + (0,) * (top - count) for count in range(top + 1)]  # masks, by how many are there
        self.lever = lever
        self.at_most = at_most
        self.cost = cost

    @override
    def mask(self, world: FlowWorld, out: list[int]) -> None:
        if self.at_most is not None and world.levers[self.lever].used >= self.at_most:
            out.extend(self.filled[0])
            return
        out.extend(self.open(world, world.candidates.get(self.slots) or world.slot_list(self.slots)))

    @override
    def act(self, world: FlowWorld, action: int) -> None:
        entity = world.slot_list(self.slots)[action]
        if world.still_there(self.slots, entity):  # another agent may have moved the same patient a moment ago
            world.levers[self.lever].used += 1
            world.spent.add(self.cost)
            self.do(world, entity)

    @override
    def look(self, world: FlowWorld, out: list[float]) -> None:
        if self.at_most is not None:
            out.append(1.0 - world.levers[self.lever].used / self.at_most)

    def open(self, world: FlowWorld, found: list[Entity]) -> Sequence[int]:
        """1 for each slot with somebody for whom it can be done now, else 0."""
        return self.filled[len(found)]

    def do(self, world: FlowWorld, entity: Entity) -> None:
        """Do it."""
        raise NotImplementedError


class GoFirst(ChooseMove):
    """The chosen one is next."""

    @override
    def do(self, world: FlowWorld, entity: Entity) -> None:
        line = entity.line
        if line is not None:
            line.call(entity)
            pool = line.needs[0][0]
            if pool.free > 0 and pool.waiting:
                pool.dispatch(world)


class ShortenStay(ChooseMove):
    """The chosen one's stay ends early, after a lead time.

    It is possible once the share ``at_least`` is over, of what was ``planned`` (an attribute's slot) or, without a
    plan, of the stay as it will turn out: then the mask tells who is ready.
    """

    def __init__(
        self, at_least: float, planned: int | None, lead: float, mark: int, others: Sequence[int], **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.at_least = at_least
        self.planned = planned
        self.lead = lead
        self.mark_index = mark
        self.marks = (mark, *others)

    @override
    def open(self, world: FlowWorld, found: list[Entity]) -> Sequence[int]:
        return [int(self.possible(world, entity)) for entity in found] + [0] * (self.top - len(found))

    def possible(self, world: FlowWorld, entity: Entity) -> bool:
        """Whether this one's stay can end early."""
        whole = entity.until - entity.since if self.planned is None else entity.values[self.planned]
        return entity.marks[self.mark_index] is None and world.now - entity.since >= self.at_least * whole

    @override
    def do(self, world: FlowWorld, entity: Entity) -> None:
        step: Any = entity.step
        for mark in self.marks:
            world.mark(entity, mark)
        step.shorten(world, entity, self.lead)


class SendTo(ChooseMove):
    """The chosen one goes to another step, with some attributes changed before that."""

    def __init__(self, way: Way, choice: int | None, **settings: Any) -> None:
        super().__init__(**settings)
        self.way = way
        self.choice = choice

    @override
    def do(self, world: FlowWorld, entity: Entity) -> None:
        patient = entity.root  # one branch of work cannot go elsewhere alone
        if self.choice is None:
            world.divert(patient, self.way)
            return
        world.withdraw(patient)  # first, lest the change has them begin what they will not do
        world.assign(patient, world.program.choices[self.choice])
        self.way.enter(world, patient)


class Change(ChooseMove):
    """Attributes of the chosen one change, wherever it is."""

    def __init__(self, choice: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.choice = choice

    @override
    def do(self, world: FlowWorld, entity: Entity) -> None:
        world.assign(entity, world.program.choices[self.choice])
