"""The flow world: entities move along a pathway, compete for resources, deteriorate, leave; agents decide."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import exp, inf
from typing import Any

from typing_extensions import override

from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.measures import Accrual, GroupedSpan, Span
from marl_health.kernel.pool import Pool
from marl_health.kernel.randomness import derived_row
from marl_health.worlds.flow.cast import Cast
from marl_health.worlds.flow.clocks import HealthSpec
from marl_health.worlds.flow.decisions import LeverState
from marl_health.worlds.flow.groups import Tally
from marl_health.worlds.flow.posterior import remember
from marl_health.worlds.flow.program import ARRIVAL, RECENT, Program, Way
from marl_health.worlds.flow.resources import ResourceWorld
from marl_health.worlds.flow.sources import Leaver, Missing
from marl_health.worlds.flow.stock import begin_stocks
from marl_health.worlds.flow.turns import Gone, Turns
from marl_health.worlds.flow.values import fixed

DEEPEST = 100_000
"""Calls within calls while the world runs; since Python 3.11 they take no room on the machine's stack."""


class FlowWorld(ResourceWorld):
    """One episode of a scenario.

    The clock starts at 0 with the warm-up; ``program.start`` says which minute of the week that is. Construct it, then
    :meth:`open` it; decide and :meth:`advance` until ``now`` is ``program.horizon``; then :meth:`close` it.

    Args:
        program: the compiled scenario.
        seed: the episode's seed; the same seed gives the same patients under every policy.
        events: whether to keep an event log.

    Attributes:
        moments: when marks were set, of those whose moments are read.
        missing: who has an appointment that is over and has not come; leavers: who has left and may come again.
        returned: how many came again, by kind. underway: who is on the way to another site, or is being fetched.
        turns: whose turn it is, where events say so. gone: what may end the world early. ended: whether it did.
    """

    def __init__(self, program: Program, seed: int, *, events: bool = False) -> None:
        super().__init__(0.0)
        if not program.sliced:
            self.edge = inf
        self.program = program
        self.seed = seed
        self.log = [] if events else None
        self.cast = Cast() if events else None
        self.entities: dict[int, Entity] = {}
        self.population = 0
        groups = program.groups
        self.tally = None if groups is None else Tally(groups)
        self.spans = [
            Span() if groups is None or index not in groups.spans else GroupedSpan(groups.cells)
            for index in range(len(program.spans))
        ]
        self.marked = [0] * len(program.marks)
        self.left = [0] * len(program.outcome_names)
        self.left_uncounted = [0] * len(program.outcome_names)
        self.arrived = [0] * len(program.kinds)
        self.arrived_uncounted = [0] * len(program.kinds)
        self.came: list[list[float]] = [[] for _ in program.kinds]  # when, since somebody last looked
        self.recent = [(0.0, 0.0)] * len(program.kinds)
        self.missing: dict[Missing, None] = {}
        self.leavers: dict[Leaver, None] = {}
        self.returned = [0] * len(program.kinds)
        self.underway: dict[Entity, None] = {}
        self.spent = Accrual()
        self.expected_deaths = Accrual()
        self.totals = [0.0] * len(program.totals)
        self.moments: dict[int, list[float]] = {}
        self.counting = True
        self.closed = self.ended = False
        self.turns = None if program.turns is None else Turns(program.turns, program.warm_up)
        self.gone = None if program.gone is None else Gone(program.gone)
        self.levers = [LeverState() for _ in range(program.levers)]
        self.candidates: dict[int, list[Entity]] = {}
        self.opening: list[float] = []
        self.closing: list[float] = []
        self.varied: list[float] = []
        for name, value in program.varied:
            self.varied.append(value(self, self.stand_in("vary:" + name)))
        self.build()
        for source in program.sources:
            source.how.start(self, source)
        self.begin_shifts()
        begin_stocks(self)

    # ------------------------------------------------------------ phases
    def open(self) -> None:
        """Run the warm-up and start to measure."""
        self.advance(self.program.warm_up)
        readings = self.program.readings
        nothing = self.now == 0.0 and not self.population  # then there is nothing to read yet
        self.opening = [0.0] * len(readings) if nothing else [reading.read(self) for reading in readings]
        if self.tally is not None:
            self.tally.open(self)

    def close(self) -> None:
        """Run the run-out: levers return to their first position, those who come now are not counted."""
        self.closing = [reading.read(self) if reading.until_horizon else 0.0 for reading in self.program.readings]
        self.counting = False
        self.closed = True
        if self.turns is not None:
            self.turns.close()
        run_out = self.program.length - self.program.horizon
        for agent in self.program.agents:
            for move in agent.moves:
                move.reset(self)
        for number in self.program.stocks:
            self.pools[number].settle(self)  # type: ignore[attr-defined]
        self.spent.change(self.now, -self.spent.rate)
        self.advance(self.now + run_out)

    # ------------------------------------------------------------ coming and going
    def create(
        self, kind: int, row: Sequence[float], known: tuple[tuple[int, Value], ...], *, present: bool = True
    ) -> Entity:
        """A new entity with its attributes; ``known`` ones replace what would be drawn."""
        program = self.program
        self.population += 1
        values = program.no_values[:]
        entity = Entity(kind, self.population, row, program.steps[0], values, program.no_marks[:])
        entity.counted = self.counting
        for slot, value in known:
            values[slot] = value(self, entity)
        settled = {slot for slot, _ in known} if known else ()
        for slot, value in program.attributes[kind]:
            if slot not in settled:
                values[slot] = value(self, entity)
        if program.groups is not None:
            values[program.groups.slot] = program.groups.cell(values)
        if present:
            self.admit(entity)
        return entity

    def admit(self, entity: Entity) -> None:
        """The entity is inside from now on."""
        self.entities[entity.id] = entity
        kind = entity.kind
        self.came[kind].append(self._now)
        if entity.counted:
            self.arrived[kind] += 1
            if self.tally is not None and kind in self.tally.arrived:
                self.tally.arrived[kind][self.cell(entity)] += 1
        else:
            self.arrived_uncounted[kind] += 1
        if self.cast is not None:
            self.cast.enter(self.program, entity)
            self.write(entity, "arrival_departure", "arrival", "")

    def found(self, entity: Entity) -> None:
        """The entity is there when the world begins: it counts as arrived, but nothing begins with that."""
        entity.marks[ARRIVAL] = self._now
        if entity.counted:
            self.marked[ARRIVAL] += 1
            if self.tally is not None and ARRIVAL in self.tally.marked:
                self.tally.marked[ARRIVAL][self.cell(entity)] += 1

    def arrive(self, entity: Entity) -> None:
        """The entity, already inside, starts on its pathway."""
        self.mark(entity, ARRIVAL)
        self.program.begins[entity.kind].enter(self, entity)

    def depart(self, entity: Entity, outcome: int) -> None:
        """The entity leaves: all it holds and all its clocks go."""
        program = self.program
        if entity.clocks:
            for index in tuple(entity.clocks):
                program.clocks[index].stop(self, entity)
        mark = program.outcome_marks[outcome]
        if mark is not None:
            self.mark(entity, mark)
        number = entity.id
        spans = self.spans
        for index in program.spans_of[entity.kind]:
            if number in spans[index].starts:
                spans[index].end(self._now, number, False)
        del self.entities[number]
        if entity.counted:
            self.left[outcome] += 1
            if self.tally is not None and outcome in self.tally.left:
                self.tally.left[outcome][self.cell(entity)] += 1
        else:
            self.left_uncounted[outcome] += 1
        if self.log is not None:
            self.write(entity, "arrival_departure", "depart", program.outcome_names[outcome])
        place = entity.place
        if place is not None:
            entity.place = None
            place.vacate(self, entity)

    def return_of(self, key: int, kind: int, kept: tuple[tuple[int, Any], ...]) -> None:
        """Somebody is back; their row is derived from the one they had."""
        known = tuple((slot, fixed(value)) for slot, value in kept)
        if self.cast is not None:
            self.cast.comes_back(key)
        self.arrive(self.create(kind, derived_row(key, 1, self.program.columns), known))

    # ------------------------------------------------------------ what steps and clocks ask for
    def mark(self, entity: Entity, mark: int) -> None:
        """Set a time stamp and tell those who wait for it: measures, timers, health."""
        entity.marks[mark] = now = self._now
        sequel = self.program.sequels[mark][entity.kind]
        if sequel is None:
            return
        counted = entity.counted
        if counted:
            self.marked[mark] += 1
            if self.tally is not None and mark in self.tally.marked:
                self.tally.marked[mark][self.cell(entity)] += 1
        if entity.parent is not None:
            entity = entity.root
        number = entity.id
        ends, begins, clocks = sequel
        for index in ends:
            self.spans[index].end(now, number, counted)
        if counted:
            for index, target, holding in begins:
                if holding is None or (entity.place is not None and entity.place.index == holding):
                    minutes = target if isinstance(target, float) else target(self, entity)
                    self.spans[index].begin(now, number, minutes, 0 if self.tally is None else self.cell(entity))
        for act in clocks:
            act(self, entity)

    def cell(self, entity: Entity) -> int:
        """The groups that an entity of a scenario with groups belongs to now, as one number."""
        assert self.program.groups is not None
        number: int = entity.values[self.program.groups.slot]
        return number

    def expect(self, entity: Entity, deaths: float) -> None:
        """The entity dies with this chance."""
        if entity.counted:
            self.expected_deaths.add(deaths)
            if self.tally is not None:
                self.tally.expect(self.cell(entity), deaths)

    def assign(self, entity: Entity, sets: tuple[tuple[int, Value], ...]) -> None:
        """Change attributes; a patient who waits changes class at once, and hazards follow."""
        patient = entity.root
        followed = self.program.followed
        change = followed.get(id(sets), -1) if followed else -1
        if change >= 0:
            remember(self, patient, -1)
        everywhere = patient.tokens()
        waiting = [(token, token.line, token.line.class_of(token)) for token in everywhere if token.line is not None]
        for slot, value in sets:
            patient.values[slot] = value(self, patient)
        if change >= 0:
            remember(self, patient, change)
        if self.program.groups is not None:
            patient.values[self.program.groups.slot] = self.program.groups.cell(patient.values)
        if self.cast is not None:
            self.cast.change(self.program, patient, self._now)
        for token, line, before in waiting:
            if line.class_of(token) != before:
                line.reclass(self, token, before)
            line.sort_out(token)
            for roster in line.rosters:
                roster.rekey(self, token)
        for token in everywhere:
            for number in token.step.rosters:  # type: ignore[attr-defined]
                self.rosters[number].rekey(self, token)
        if patient.clocks:
            for clock in tuple(patient.clocks.values()):
                if isinstance(clock.spec, HealthSpec):
                    clock.spec.refresh(self, clock)
                    if self.tally is not None:
                        clock.spec.regroup(self, clock)
        for _, line, _ in waiting:  # whoever qualifies for reserved units now gets one that is free
            for pool, _ in line.needs:
                if pool.reserves and pool.free > 0 and pool.waiting:
                    pool.dispatch(self)

    def add(self, entity: Entity, adds: tuple[tuple[int, Value], ...]) -> None:
        """Add what a step adds to totals."""
        if entity.counted:
            for total, amount in adds:
                self.totals[total] += amount(self, entity)

    def vacated(self, entity: Entity, pool: Pool) -> None:
        """The entity left a place: measures that need it to hold that place end."""
        for span in self.program.holding.get(pool.index, ()):
            self.spans[span].end(self._now, entity.id, entity.counted)

    def divert(self, entity: Entity, way: Way) -> None:
        """Break off whatever the entity does and send it elsewhere; it keeps its place."""
        self.withdraw(entity)
        way.enter(self, entity)

    def withdraw(self, entity: Entity) -> None:
        """Stop whatever the entity (or its tokens) does or waits for; its place is kept."""
        if self.underway:
            self.underway.pop(entity, None)
        for token in entity.tokens():
            step: Any = token.step
            self.stopped(token)
            for number in step.rosters:
                self.rosters[number].remove(token)
            if step.give_up is not None:
                step.give_up.stop(self, token)
        super().withdraw(entity)

    def stopped(self, entity: Entity) -> None:
        """Write to the log that the entity gives back what it has before its work is done."""
        if self.log is not None and entity.held is not None:
            self.write(entity, "resource_use_end", entity.step.name, entity.held.needs[0][0].name)

    @override
    def interrupted(self, entity: Entity) -> None:
        self.stopped(entity)
        if self.log is not None:
            self.write(entity, "queue", entity.step.name, "")

    def finish_branch(self, token: Entity) -> None:
        """A branch of parallel work made a step: on to its next one, or back to the patient."""
        parent = token.parent
        assert parent is not None and parent.children is not None
        if token.route:
            step, token.route = token.route[0], token.route[1:]
            step.enter(self, token)
            return
        parent.children.remove(token)
        if not parent.children:
            parent.children = None
            parent.step.done(self, parent)

    def advance(self, until: float) -> None:
        """Run every event before ``until``; slot lists are made anew after it.

        One discharge may let a long row of full places move up, each move inside the one before.
        """
        self.candidates.clear()
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, DEEPEST))
        try:
            super().advance(until)
        finally:
            sys.setrecursionlimit(limit)

    def slot_list(self, slots: int) -> list[Entity]:
        """Who is in the slots at this decision: the same list for what is seen and what is chosen."""
        found = self.candidates.get(slots)
        if found is None:
            spec = self.program.slot_lists[slots]
            found = self.rosters[spec.roster].first(spec.top, spec.accepts)
            self.candidates[slots] = found
        return found

    def still_there(self, slots: int, entity: Entity) -> bool:
        """Whether a candidate can still be chosen."""
        spec = self.program.slot_lists[slots]
        return entity in self.rosters[spec.roster] and (spec.accepts is None or spec.accepts(entity))

    @property
    def arrived_all(self) -> list[int]:
        """How many ever came, by kind."""
        return [counted + others for counted, others in zip(self.arrived, self.arrived_uncounted, strict=True)]

    @property
    def left_all(self) -> list[int]:
        """How many ever left, by outcome."""
        return [counted + others for counted, others in zip(self.left, self.left_uncounted, strict=True)]

    def recent_rate(self, kind: int) -> float:
        """Arrivals per hour of a kind lately, an exponentially weighted mean."""
        recent, last = self.recent[kind]
        for time in self.came[kind]:
            recent, last = recent * exp((last - time) / RECENT) + 1.0, time
        self.came[kind].clear()
        self.recent[kind] = (recent, last)
        return recent * exp((last - self._now) / RECENT) * 60.0 / RECENT

    def conservation(self) -> dict[str, int]:
        """Where everybody is who ever came: arrived = discharged + died + left + inside, exactly."""
        names = self.program.outcome_names
        ends = dict(zip(names, self.left_all, strict=True))
        discharged, died = ends.pop("discharged", 0), ends.pop("died", 0)
        return {
            "arrived": sum(self.arrived_all),
            "discharged": discharged,
            "died": died,
            "left": sum(ends.values()),
            "inside": len(self.entities),
        }

    def write(self, entity: Entity, event_type: str, event: str, resource: str) -> None:
        """Write a row of the event log."""
        assert self.log is not None
        self.log.append((self._now, entity.id, event_type, event, resource))
