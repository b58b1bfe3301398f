"""Whose turn it is: decisions at events, and episodes that end when nobody is left.

A mark that asks for a decision opens a window of ``together_within``; at its end the world halts, before what else
happens at that time, and whoever was asked meanwhile decides. The window lies in the world's own heap, so that it is
copied with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from marl_health.kernel.world import FIRST, Halted
from marl_health.worlds.flow.sources import Missing, Source

if TYPE_CHECKING:
    from marl_health.kernel.entity import Entity
    from marl_health.worlds.flow.world import FlowWorld

AFTER = 2
"""Heap priority of what looks at the outcome of everything that happens at a time."""


@dataclass(frozen=True)
class TurnsSpec:
    """How requests become steps: minutes from the first of them to the step, and the longest time between turns."""

    agents: int
    within: float
    every: float


class Asks:
    """What a mark does that asks agents for a decision; it stands where measures and clocks hang on marks.

    Args:
        agents: their numbers.
    """

    def __init__(self, agents: tuple[int, ...]) -> None:
        self.agents = agents

    def __call__(self, world: FlowWorld, entity: Entity) -> None:
        """Somebody set the mark."""
        if world.turns is not None:
            world.turns.ask(world, self.agents)


class Turns:
    """Who is asked in one world, and who decides now.

    Args:
        spec: how requests become steps.
        first: when everybody decides for the first time.

    Attributes:
        due: by agent, whether it decides now. asked: whether it was asked since. decided: when it did last.
        open: whether a window is open, at whose end the world halts.
    """

    __slots__ = ("asked", "decided", "due", "epoch", "open", "spec")

    def __init__(self, spec: TurnsSpec, first: float) -> None:
        self.spec = spec
        self.epoch = 0
        self.due = [True] * spec.agents
        self.asked = [False] * spec.agents
        self.decided = [first] * spec.agents
        self.open = False

    def ask(self, world: FlowWorld, agents: tuple[int, ...]) -> None:
        """These agents are to decide at the end of the window, which opens now if there is none."""
        now = world._now
        if world.closed or now < world.program.warm_up:
            return
        for agent in agents:
            self.asked[agent] = True
        if not self.open:
            self.open = True
            world.at(now + self.spec.within, self, FIRST)

    def fire(self, world: Any) -> None:
        """The window closes."""
        raise Halted

    def until(self, horizon: float) -> float:
        """The latest time of the next step: somebody's time is up, or the episode over."""
        return min(horizon, min(self.decided) + self.spec.every)

    def take(self, now: float) -> None:
        """The world came to a step: those who were asked are due, and those who were not for the longest time."""
        every = self.spec.every
        self.due = [asked or now >= last + every for asked, last in zip(self.asked, self.decided, strict=True)]
        self.decided = [now if due else last for due, last in zip(self.due, self.decided, strict=True)]
        self.asked = [False] * len(self.asked)
        self.shut()

    def shut(self) -> None:
        """Close the window without a step of its own."""
        self.open = False
        self.epoch += 1

    def close(self) -> None:
        """No decision follows."""
        self.due = [False] * len(self.due)
        self.shut()


class Gone:
    """Ends a world when nobody of some kinds is inside any more, and nobody is still to come.

    Args:
        kinds: their numbers.

    Attributes:
        left: how many of them ever left.
    """

    __slots__ = ("epoch", "kinds", "left")

    def __init__(self, kinds: frozenset[int]) -> None:
        self.kinds = kinds
        self.epoch = 0
        self.left = 0

    def leaves(self, world: FlowWorld) -> None:
        """One of them is about to leave."""
        self.left += 1
        if not self.inside(world) and world._now >= world.program.warm_up:
            self.look_at(world, world._now)

    def inside(self, world: FlowWorld) -> int:
        """How many are inside."""
        return sum(world.arrived[kind] + world.arrived_uncounted[kind] for kind in self.kinds) - self.left

    def look_at(self, world: FlowWorld, time: float) -> None:
        """See at this time, after all that happens then, whether that was the last."""
        self.epoch += 1
        world.at(time, self, AFTER)

    def fire(self, world: Any) -> None:
        """If nobody is inside and somebody is to come, look again when they should have come."""
        if world.closed or self.inside(world):
            return
        following = self.following(world)
        if following < inf:
            self.look_at(world, following)
        else:
            world.ended = True
            raise Halted

    def following(self, world: FlowWorld) -> float:
        """When the next of them comes before the horizon, or should; infinity if nobody does."""
        horizon = world.program.horizon
        times = [
            entry[0]
            for entry in world.agenda
            if len(entry) == 5 and entry[3].epoch == entry[4] and entry[0] < horizon and self._brings(entry[3])
        ]
        return min(times, default=inf)

    def _brings(self, thing: Any) -> bool:
        if isinstance(thing, Source):
            return thing.kind in self.kinds
        return isinstance(thing, Missing) and thing.entity is not None and thing.entity.kind in self.kinds

    def redraw(self, world: FlowWorld) -> None:
        """In another future others are to come: look when the next of them should have come."""
        self.epoch += 1
        if not self.inside(world):
            following = self.following(world)
            if following < inf:
                self.look_at(world, following)


def leaves(world: FlowWorld, entity: Entity) -> None:
    """What the mark of leaving does where the episode ends with those who leave."""
    if world.gone is not None:
        world.gone.leaves(world)
