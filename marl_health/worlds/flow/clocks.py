"""Clocks beside the pathway: patience, deadlines, deterioration. They run while the entity waits, works or boards."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log1p
from typing import TYPE_CHECKING, Any, Protocol

from marl_health.kernel.entity import Entity, Value

if TYPE_CHECKING:
    from marl_health.worlds.flow.program import Way
    from marl_health.worlds.flow.world import FlowWorld


class ClockSpec(Protocol):
    """A kind of clock; ``index`` identifies it among an entity's clocks."""

    index: int

    def start(self, world: FlowWorld, entity: Entity) -> None:
        """Start it for this entity."""

    def stop(self, world: FlowWorld, entity: Entity) -> None:
        """Stop it, if it runs."""

    def fire(self, world: FlowWorld, clock: Any) -> None:
        """The time of one of its clocks has come."""


class Clock:
    """A clock under way for one entity.

    Attributes:
        began: when it, or the current state of a health machine, began.
        known: the attributes that it was set by, of a timer; they may have changed since.
    """

    __slots__ = ("began", "entity", "epoch", "known", "spec")

    def __init__(self, spec: ClockSpec, entity: Entity, now: float, known: Sequence[Any] = ()) -> None:
        self.epoch = 0
        self.spec: ClockSpec | None = spec
        self.entity = entity
        self.began = now
        self.known = known

    def __reduce__(self) -> Any:
        step: Any = self.entity.step
        assert self.spec is not None
        return _clock, (type(self), step.program, self.spec.index), (None, self._state())

    def _state(self) -> dict[str, Any]:
        slots = {name for kind in type(self).__mro__ for name in getattr(kind, "__slots__", ())}
        return {name: getattr(self, name) for name in slots - {"spec"}}

    def fire(self, world: FlowWorld) -> None:
        """Its time has come."""
        assert self.spec is not None
        self.spec.fire(world, self)


class HealthClock(Clock):
    """A health machine under way for one entity.

    Attributes:
        state: the current one. since: when its hazards were last looked at.
        left, rates: the unit-rate time left of each transition, and their rates.
        deadly: the rate of death posted as expected.
    """

    __slots__ = ("deadly", "left", "rates", "since", "state")

    def __init__(self, spec: ClockSpec, entity: Entity, now: float) -> None:
        super().__init__(spec, entity, now)
        self.state = 0
        self.since = now
        self.left: Sequence[float] = ()
        self.rates: Sequence[float] = ()
        self.deadly = 0.0


def _clock(kind: type[Clock], program: Any, index: int) -> Clock:
    clock = kind.__new__(kind)
    clock.spec = program.clocks[index]
    return clock


class TimerSpec:
    """After a while, go to a step, whatever was going on.

    Args:
        after: minutes, infinity for never. way: where to go.
    """

    def __init__(self, index: int, after: Value, way: Way) -> None:
        self.index = index
        self.after = after
        self.way = way

    def start(self, world: FlowWorld, entity: Entity) -> None:
        """Start to run, unless it never runs out for this entity; start again if it runs already."""
        if entity.clocks is None:
            entity.clocks = {}
        elif self.index in entity.clocks:
            self.stop(world, entity)
        after = self.after
        minutes = after(world, entity)
        if minutes < inf:
            entity.clocks[self.index] = clock = Clock(self, entity, world._now, entity.values[:])
            world.at(world._now + minutes, clock)

    def stop(self, world: FlowWorld, entity: Entity) -> None:
        """Stop it, if it runs."""
        if entity.clocks and self.index in entity.clocks:
            entity.clocks.pop(self.index).epoch += 1

    def fire(self, world: FlowWorld, clock: Clock) -> None:
        """Time is up."""
        entity = clock.entity
        if entity.clocks is not None:
            entity.clocks.pop(self.index, None)
        world.divert(entity, self.way)


class TransitionSpec:
    """A change of health.

    Attributes:
        uniform: the draw for the time of the change; value: hazard per minute, or minutes if ``fixed``.
        target: index of the next state, or ``None`` if ``way`` leads out. mortal: whether ``way`` is death.
    """

    def __init__(self, uniform: Value, value: Value, fixed: bool) -> None:
        self.uniform = uniform
        self.value = value
        self.fixed = fixed
        self.target: int | None = None
        self.way: Way | None = None
        self.mortal = False
        self.sets: tuple[tuple[int, Value], ...] = ()
        self.marks: tuple[int, ...] = ()


class HealthSpec:
    """Competing clocks: each state has transitions, the first to come up is taken.

    A transition at a hazard fires when its cumulative hazard reaches a unit exponential drawn on entry to the state.
    When an attribute changes, the rates change and what is left of the exponential stays, so that a patient's luck
    does not depend on how often anyone looked. The hazard of death is integrated over time as *expected deaths*: the
    same mean as the deaths that are drawn and, where death is rare, far less noise.
    """

    def __init__(self, index: int, states: list[list[TransitionSpec]]) -> None:
        self.index = index
        self.states = states

    def start(self, world: FlowWorld, entity: Entity) -> None:
        """Enter the first state, also if it runs already."""
        if entity.clocks is None:
            entity.clocks = {}
        elif self.index in entity.clocks:
            self.stop(world, entity)
        entity.clocks[self.index] = clock = HealthClock(self, entity, world._now)
        self._enter(world, clock, 0)

    def stop(self, world: FlowWorld, entity: Entity) -> None:
        """Leave it."""
        if entity.clocks and self.index in entity.clocks:
            clock = entity.clocks.pop(self.index)
            clock.epoch += 1
            if clock.deadly:
                self._post(world, clock, 0.0)

    def refresh(self, world: FlowWorld, clock: HealthClock) -> None:
        """An attribute of the entity changed: the hazards may have changed too."""
        self._consume(world, clock)
        self._schedule(world, clock)

    def redraw(self, world: FlowWorld, clock: HealthClock, left: Sequence[float]) -> None:
        """Put what is left of each transition of the current state at something else.

        Args:
            world: where it runs.
            clock: the clock under way.
            left: for each transition, the unit-rate time to come, or minutes where the time is fixed.
        """
        clock.since = world._now
        clock.left = left
        self._schedule(world, clock)

    def fire(self, world: FlowWorld, clock: HealthClock) -> None:
        """The transition whose time has come is taken."""
        self._consume(world, clock)
        transitions = self.states[clock.state]
        taken = min(range(len(transitions)), key=lambda i: self._minutes(clock, i))
        transition = transitions[taken]
        entity = clock.entity
        if transition.way is not None:
            self.stop(world, entity)
        for mark in transition.marks:
            world.mark(entity, mark)
        if transition.target is not None and entity.clocks and entity.clocks.get(self.index) is clock:
            self._enter(world, clock, transition.target)  # unless the mark has just ended it
        if transition.sets:
            world.assign(entity, transition.sets)
        if transition.way is not None:
            world.divert(entity, transition.way)

    def _enter(self, world: FlowWorld, clock: HealthClock, state: int) -> None:
        """Draw when each transition out of a state would come, and wait for the first."""
        clock.state = state
        clock.since = clock.began = world._now
        entity = clock.entity
        left = []
        for transition in self.states[state]:
            draw = transition.value if transition.fixed else transition.uniform
            left.append(draw(world, entity) if transition.fixed else -log1p(-draw(world, entity)))
        clock.left = left
        self._schedule(world, clock)

    def _consume(self, world: FlowWorld, clock: HealthClock) -> None:
        passed = world._now - clock.since
        clock.since = world._now
        clock.left = [left - rate * passed for left, rate in zip(clock.left, clock.rates, strict=True)]

    def _minutes(self, clock: HealthClock, index: int) -> float:
        rate = clock.rates[index]
        return max(0.0, clock.left[index]) / rate if rate > 0 else inf

    def _schedule(self, world: FlowWorld, clock: HealthClock) -> None:
        clock.epoch += 1
        entity = clock.entity
        rates: list[float] = []
        deadly, soonest = 0.0, inf
        for transition, left in zip(self.states[clock.state], clock.left, strict=True):
            if transition.fixed:
                rate = 1.0
            else:
                value = transition.value
                rate = value(world, entity)
                if transition.mortal:
                    deadly += rate
            rates.append(rate)
            if rate > 0:
                minutes = left / rate if left > 0.0 else 0.0
                if minutes < soonest:
                    soonest = minutes
        clock.rates = rates
        if deadly != clock.deadly:
            self._post(world, clock, deadly)
        if soonest < inf:
            world.at(world._now + soonest, clock)

    def _post(self, world: FlowWorld, clock: HealthClock, deadly: float) -> None:
        """Change the rate at which this entity adds to the expected deaths."""
        if clock.entity.counted:
            world.expected_deaths.change(world._now, deadly - clock.deadly)
            if world.tally is not None:
                world.tally.expect_rate(clock, world.cell(clock.entity), world._now, deadly)
        clock.deadly = deadly

    def regroup(self, world: FlowWorld, clock: HealthClock) -> None:
        """An attribute of the entity changed: from now on its hazard of death counts where it belongs now."""
        self._post(world, clock, clock.deadly)
