"""What a step does when an entity enters it, is granted what it waited for, and is done.

Steps are immutable and shared by all worlds of a scenario; whatever changes lives in the world and the entity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Entity, Step, Value
from marl_health.kernel.preemption import interrupt_for
from marl_health.worlds.flow.clocks import ClockSpec
from marl_health.worlds.flow.program import Program, Way, step_of
from marl_health.worlds.flow.sources import let_go

if TYPE_CHECKING:
    from marl_health.worlds.flow.world import FlowWorld


class FlowStep:
    """What all steps share: a name, marks, attribute changes, a way on.

    Attributes:
        way: where to go next; ``None`` ends a branch of parallel work.
        marks, marks_end: mark indices set when the step begins in earnest and when it ends.
        sets: (slot, value) pairs assigned when it begins. adds: (index of a total, amount) pairs added then.
        rosters: rosters that list who is in this step.
        give_up: the clock that runs while an entity waits in this step.
    """

    def __init__(self, program: Program, name: str, index: int) -> None:
        self.program = program
        self.name = name
        self.index = index
        self.way: Way | None = None
        self.marks: tuple[int, ...] = ()
        self.marks_end: tuple[int, ...] = ()
        self.sets: tuple[tuple[int, Value], ...] = ()
        self.adds: tuple[tuple[int, Value], ...] = ()
        self.rosters: tuple[int, ...] = ()
        self.give_up: ClockSpec | None = None

    def __reduce__(self) -> Any:
        return step_of, (self.program, self.index)

    def __deepcopy__(self, memo: dict[int, Any]) -> FlowStep:
        return self

    def begin(self, world: FlowWorld, entity: Entity) -> None:
        """The step begins in earnest: attributes, marks, log."""
        if self.sets:
            world.assign(entity, self.sets)
        for mark in self.marks:
            world.mark(entity, mark)
        if self.adds:
            world.add(entity, self.adds)

    def go_on(self, world: FlowWorld, entity: Entity) -> None:
        """The step is over: marks, then the way on (or the end of a branch)."""
        for mark in self.marks_end:
            world.mark(entity, mark)
        way = self.way
        if way is not None:
            way.enter(world, entity)
        else:
            world.finish_branch(entity)

    def enter(self, world: FlowWorld, entity: Entity) -> None:
        """The entity arrives at this step."""
        entity.step = self
        if self.sets:
            world.assign(entity, self.sets)
        for mark in self.marks:
            world.mark(entity, mark)
        if self.adds:
            world.add(entity, self.adds)
        way = self.way
        if way is not None and not self.marks_end:
            way.enter(world, entity)
        else:
            self.go_on(world, entity)

    def granted(self, world: FlowWorld, entity: Entity) -> None:
        """The entity was given what it waited for."""

    def done(self, world: FlowWorld, entity: Entity) -> None:
        """The entity's time in this step is over."""
        self.go_on(world, entity)


class Activity(FlowStep):
    """Take resources, keep one of them as one's place if it is a move, work for a while, give the rest back.

    Attributes:
        line: index of the line to wait in.
        place: index of the pool that becomes the entity's place, or ``None``.
        duration: minutes of work, or ``None`` when there is none and the way on opens at once.
        preempt: whether it interrupts less urgent work; ``resume``, ``first``: how that goes on.
        same: pool index whose unit must be the one that served the entity before, or ``None``.
    """

    def __init__(self, program: Program, name: str, index: int) -> None:
        super().__init__(program, name, index)
        self.line = 0
        self.place: int | None = None
        self.duration: Value | None = None
        self.preempt = False
        self.resume = True
        self.first = False
        self.same: int | None = None

    def enter(self, world: FlowWorld, entity: Entity) -> None:
        """Take what is needed if it is free, else wait for it."""
        entity.step = self
        line = world.lines[self.line]
        if self.same is not None:
            units = entity.root.units
            unit = None if units is None else units.get(self.same)
            if unit is not None and unit in world.pools[self.same].on_duty:
                line = line.for_unit(world, unit)
        granted = line.request(world, entity)
        if granted or (self.preempt and interrupt_for(line, world, entity, self.resume, self.first)):
            self.granted(world, entity)
            return
        line.join(world, entity, world._now)
        if world.log is not None:
            world.write(entity, "queue", self.name, "")
        if self.give_up is not None:
            self.give_up.start(world, entity)

    def granted(self, world: FlowWorld, entity: Entity) -> None:
        """Begin to work; those who move free their old place now that they have the new one."""
        now = world._now
        if self.give_up is not None and entity.clocks:
            self.give_up.stop(world, entity)
        if world.log is not None:
            world.write(entity, "resource_use", self.name, world.lines[self.line].needs[0][0].name)
        if entity.remaining is None:
            if self.sets:
                world.assign(entity, self.sets)
            for mark in self.marks:
                world.mark(entity, mark)
            if self.adds:
                world.add(entity, self.adds)
            duration = self.duration
            minutes = None if duration is None else duration(world, entity)
        else:
            minutes, entity.remaining = entity.remaining, None
        vacated = None
        if self.place is not None:
            vacated = entity.place
            entity.place = world.pools[self.place]
            if vacated is not None:
                vacated.give_back(world, 1, entity)
                if world.program.holding:
                    world.vacated(entity, vacated)
        if minutes is not None:
            entity.until = until = now + minutes
            world.at(until, entity)
        if vacated is not None and vacated.free > 0 and vacated.waiting:
            vacated.dispatch(world)
        if minutes is None:
            held = entity.held
            if held is not None:
                if held.returned:
                    held.release(world, entity)
                else:
                    entity.held = None
            self.go_on(world, entity)

    def done(self, world: FlowWorld, entity: Entity) -> None:
        """Give back what was only needed for the work, then go on."""
        line = entity.held
        if line is not None:
            if world.log is not None:
                world.write(entity, "resource_use_end", self.name, line.needs[0][0].name)
            line.release(world, entity)
        self.go_on(world, entity)


class Delay(FlowStep):
    """Time that passes in one's place, or anywhere; agents may shorten it where the scenario says so.

    Attributes:
        duration: minutes. length_biased: the same for those who are in it when the world begins.
        sets_if_shortened: (slot, value) pairs assigned to those whose stay is shortened.
    """

    def __init__(self, program: Program, name: str, index: int, duration: Value) -> None:
        super().__init__(program, name, index)
        self.duration = duration
        self.length_biased: Value | None = None
        self.sets_if_shortened: tuple[tuple[int, Value], ...] = ()

    def enter(self, world: FlowWorld, entity: Entity) -> None:
        """Begin to wait."""
        entity.step = self
        if self.sets:
            world.assign(entity, self.sets)
        for mark in self.marks:
            world.mark(entity, mark)
        if self.adds:
            world.add(entity, self.adds)
        duration = self.duration
        minutes = duration(world, entity)
        if world.log is not None or self.rosters:
            self.spend(world, entity, minutes)
            return
        entity.since = now = world._now  # the rest is what spend() does when nobody looks
        entity.until = until = now + minutes
        world.at(until, entity)

    def spend(self, world: FlowWorld, entity: Entity, minutes: float, passed: float = 0.0) -> None:
        """Stay for so many minutes from now; ``passed`` of the stay already lie in the past."""
        if world.log is not None:
            world.write(entity, "queue", self.name, "")
        now = world._now
        entity.since = now - passed
        entity.until = until = now + minutes
        world.at(until, entity)
        for roster in self.rosters:
            world.rosters[roster].add(world, entity)

    def shorten(self, world: FlowWorld, entity: Entity, lead: float) -> None:
        """End the stay ``lead`` minutes from now, unless it ends before that anyway."""
        if self.sets_if_shortened:
            world.assign(entity, self.sets_if_shortened)
        until = min(entity.until, world._now + lead)
        entity.epoch += 1
        entity.until = until
        world.at(until, entity)

    def done(self, world: FlowWorld, entity: Entity) -> None:
        """The time is over."""
        for roster in self.rosters:
            world.rosters[roster].remove(entity)
        for mark in self.marks_end:
            world.mark(entity, mark)
        way = self.way
        if way is not None:
            way.enter(world, entity)
        else:
            world.finish_branch(entity)


class Parallel(FlowStep):
    """Work side by side by tokens of the entity; it goes on when all are finished.

    Attributes:
        branches: (steps in order, chance that the branch is done or ``None`` for always).
    """

    def __init__(self, program: Program, name: str, index: int) -> None:
        super().__init__(program, name, index)
        self.branches: tuple[tuple[tuple[Step, ...], Value | None], ...] = ()

    def enter(self, world: FlowWorld, entity: Entity) -> None:
        """Send out the tokens of the branches that are done for this entity."""
        entity.step = self
        if self.sets or self.marks or self.adds:
            self.begin(world, entity)
        tokens = []
        for steps, chance in self.branches:
            if chance is None or chance(world, entity):
                token = entity.child(steps[0])
                token.route = steps[1:]
                tokens.append(token)
        if not tokens:
            self.go_on(world, entity)
            return
        entity.children = list(tokens)
        for token in tokens:
            token.step.enter(world, token)


class Leave(FlowStep):
    """The end: everything is given back and every clock stops. Some come back later.

    Attributes:
        outcome: index of the outcome. auto_mark: ``discharge``, ``death`` or ``None``.
        again: (chance, delay in minutes, kind, slots of the attributes that are kept).
    """

    def __init__(self, program: Program, name: str, index: int, outcome: int) -> None:
        super().__init__(program, name, index)
        self.outcome = outcome
        self.again: tuple[Value, Value, int, tuple[int, ...]] | None = None

    def enter(self, world: FlowWorld, entity: Entity) -> None:
        """Leave the world."""
        entity.step = self
        for mark in self.marks:
            world.mark(entity, mark)
        world.depart(entity, self.outcome)
        if self.again is not None:
            let_go(world, entity, self)
