"""Lines: entities that wait for the same things, by class, under a discipline that picks among the class heads."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from marl_health.kernel.tickets import stand

if TYPE_CHECKING:
    from marl_health.kernel.disciplines import Discipline
    from marl_health.kernel.entity import Entity, Ticket
    from marl_health.kernel.pool import Pool
    from marl_health.kernel.roster import Roster
    from marl_health.kernel.world import World


class Line:
    """A queue of entities with the same needs. Nobody is granted a part: all needs are met at once, or none.

    Attributes:
        needs: (pool, units) pairs.
        kept: the pool that becomes the entity's place when granted, or ``None``; it is not given back with the rest.
        classes: index of each class value, in the order of the class counters; ``slot`` is the attribute that holds it.
        waiting: entities waiting; ``counts`` splits that by class, where there are several.
        tickets: by class, in order, void ones included.
        discipline: how the next class is picked. priority: compared before rank with other lines of a pool.
        single: the pool, where the need is one unit of it; plain: the same, where that unit is only counted.
        privileged: by class, those waiting who qualify for units that a pool keeps back.
        unit: the one unit this line waits for, in a line of those who want the same nurse as before.
        grants: entities served. in_vain: minutes waited by those who left without.
    """

    __slots__ = (
        "base", "best_class", "best_ticket", "called", "classes", "counts", "discipline", "grants", "in_vain", "index",
        "kept", "name", "needs", "personal", "plain", "priority", "privileged", "returned", "rosters", "single",
        "slot", "stood", "tickets", "unit", "waiting",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        index: int,
        needs: tuple[tuple[Pool, int], ...],
        *,
        kept: Pool | None,
        slot: int | None,
        classes: Mapping[object, int],
        discipline: Discipline,
        priority: float,
    ) -> None:
        self.name = name
        self.index = index
        self.needs = needs
        self.kept = kept
        self.returned = tuple((pool, units) for pool, units in needs if pool is not kept and not pool.consumed)
        self.single = needs[0][0] if len(needs) == 1 and needs[0][1] == 1 else None
        self.slot = slot
        self.classes = dict(classes)
        self.discipline = discipline
        self.priority = priority
        self.plain = self.single if self.single is not None and self.single.plain else None
        self.unit: int | None = None
        self.base: Line | None = None
        self.personal: dict[int, Line] | None = None
        self.tickets: list[deque[Ticket]] = [deque() for _ in range(max(1, len(self.classes)))]
        self.called: deque[Ticket] = deque()
        self.rosters: list[Roster] = []
        self.waiting = 0
        self.counts = [0] * len(self.tickets)
        self.privileged: list[dict[Entity, None]] = [{} for _ in self.tickets]
        self.grants = 0
        self.in_vain = 0.0
        self.stood = 0.0  # the sum of the times at which entities left, minus that of those at which they joined
        self.best_ticket: Ticket | None = None
        self.best_class: int | None = None
        for pool, _ in needs:
            pool.lines.append(self)

    @property
    def count(self) -> list[int]:
        """Entities waiting, by class."""
        return self.counts if len(self.counts) > 1 else [self.waiting]

    def class_of(self, entity: Entity) -> int:
        """Index of the entity's class."""
        return 0 if self.slot is None else self.classes[entity.values[self.slot]]

    def feasible(self) -> bool:
        """Whether every need could be met now, reserves aside."""
        if self.single is not None and self.unit is None:
            return self.single.free > 0
        for pool, units in self.needs:
            if pool.free < units:
                return False
        return self.unit is None or self.unit in (self.needs[0][0].idle or ())

    def admits(self, entity: Entity) -> bool:
        """Whether the reserves of all pools leave room for this entity."""
        for pool, units in self.needs:  # noqa: SIM110 - a loop costs half of a generator, and every request comes here
            if pool.reserves and pool.free < units + pool.kept_from(entity):
                return False
        return True

    def request(self, world: World, entity: Entity) -> bool:
        """Take all needs at once if they can be had and nobody here has a better claim. True if granted."""
        now = world._now
        pool = self.plain
        if pool is not None and not pool.reserves:  # the common case, spelt out
            if self.waiting or pool.free <= 0:
                return False
            pool.free -= 1
            pool.used -= now
            entity.held = self
            entity.began = now
        elif self.feasible() and (self.waiting == 0 or not self.head(now)) and self.admits(entity):
            self.take(now, entity)
        else:
            return False
        self.grants += 1
        entity.since = now
        return True

    def join(self, world: World, entity: Entity, since: float) -> None:
        """Start waiting, with ``since`` as the time of joining (earlier than now after an interruption)."""
        now = world._now
        self.stood -= now
        entity.line = self
        entity.since = entity.joined = since
        cls = 0 if self.slot is None else self.classes[entity.values[self.slot]]
        entity.ticket = number = next(world.numbers)
        stand(self.tickets[cls], (since, number, entity))
        self.counts[cls] += 1
        self.waiting += 1
        for pool, _ in self.needs:
            if pool.reserves:
                self.sort_out(entity)
        for roster in self.rosters:
            roster.add(world, entity)

    def leave(self, now: float, entity: Entity) -> None:
        """Stop waiting; the ticket becomes void."""
        self.stood += now
        cls = 0 if self.slot is None else self.classes[entity.values[self.slot]]
        entity.ticket = None
        entity.line = None
        self.waiting -= 1
        self.counts[cls] -= 1
        for pool, _ in self.needs:
            if pool.reserves:
                self.privileged[cls].pop(entity, None)
        for roster in self.rosters:
            roster.remove(entity)

    def reclass(self, world: World, entity: Entity, before: int) -> None:
        """The entity's class changed while it waits: it keeps its time of joining. ``before``: its class until now."""
        self.counts[before] -= 1
        self.privileged[before].pop(entity, None)
        old = entity.ticket
        cls = self.class_of(entity)
        entity.ticket = number = next(world.numbers)
        ticket = (entity.since, number, entity)
        stand(self.tickets[cls], ticket)
        self.counts[cls] += 1
        for place, called in enumerate(self.called):
            if called[1] == old:
                self.called[place] = ticket

    def sort_out(self, entity: Entity) -> None:
        """Note whether somebody who waits here qualifies for units that are kept back, by what they have now."""
        privileged = self.privileged[self.class_of(entity)]
        privileged.pop(entity, None)
        values = entity.values
        for pool, _ in self.needs:
            for reserve in pool.reserves:
                if reserve.qualifies is not None and reserve.qualifies(values):
                    privileged[entity] = None
                    return

    def minutes(self, now: float) -> float:
        """Entity-minutes of waiting so far, of those who wait and those who have left."""
        return self.stood + self.waiting * now

    def waited(self, now: float) -> float:
        """Minutes that those served so far had waited: all but those in vain and of those who still wait."""
        still = sum(
            now - ticket[2].joined for queue in self.tickets for ticket in queue if ticket[2].ticket == ticket[1]
        )
        return self.minutes(now) - self.in_vain - still

    def oldest(self, cls: int, now: float) -> float:
        """Minutes that the first of a class has waited; 0 if nobody does."""
        queue = self.tickets[cls]
        while queue and queue[0][2].ticket != queue[0][1]:
            queue.popleft()
        return now - queue[0][0] if queue else 0.0

    def call(self, entity: Entity) -> None:
        """Move a waiting entity to the very front (an agent's choice)."""
        if entity.ticket is not None:
            self.called.append((entity.since, entity.ticket, entity))

    def head(self, now: float) -> bool:
        """Find who is next: sets ``best_ticket`` and ``best_class``. False if nobody here may be served now."""
        if self.called and self._called_head():
            return True
        count = self.count
        sequence = self.discipline.sequence if len(count) > 1 else (0,)
        if sequence is not None:
            unguarded = self.single is not None and not self.single.reserves
            for cls in sequence:
                if count[cls]:
                    queue = self.tickets[cls]
                    found: Ticket | None = queue[0] if unguarded else self._first(cls)
                    if found is not None and found[2].ticket != found[1]:  # void
                        found = self._first(cls)
                    if found is not None:
                        self.best_ticket = found
                        self.best_class = cls
                        return True
            return False
        best: Ticket | None = None
        best_rank = inf
        for cls, waiting in enumerate(count):
            ticket = self._first(cls) if waiting else None
            if ticket is not None:
                rank = self.discipline.rank(cls, now - ticket[0])
                if best is None or rank < best_rank or (rank == best_rank and ticket[:2] < best[:2]):
                    best, best_rank = ticket, rank
                    self.best_class = cls
        self.best_ticket = best
        return best is not None

    def claim(self, now: float) -> tuple[float, float, float]:
        """Claim of the one that :meth:`head` found against those of other lines; the lowest is served first."""
        assert self.best_ticket is not None
        joined = self.best_ticket[0]
        cls = self.best_class
        return (self.priority, -inf if cls is None else self.discipline.rank(cls, now - joined), joined)

    def serve(self, world: World) -> None:
        """Grant its needs to the entity that :meth:`head` found."""
        assert self.best_ticket is not None
        entity = self.best_ticket[2]
        now = world._now
        self.grants += 1
        self.leave(now, entity)
        self.take(now, entity)
        entity.step.granted(world, entity)

    def serve_next(self, world: World) -> bool:
        """Grant its needs to whoever is next. False if nobody here may be served now."""
        now = world._now
        pool = self.plain
        sequence = self.discipline.sequence if len(self.counts) > 1 else (0,)
        if pool is None or sequence is None or self.called or pool.reserves:
            if not (self.feasible() and self.head(now)):
                return False
            self.serve(world)
            return True
        pool.free -= 1
        pool.used -= now
        if self.pass_on(world):
            return True
        pool.free += 1
        pool.used += now
        return False

    def pass_on(self, world: World) -> bool:
        """Grant a unit in hand to whoever is next. False if nobody is, or if this is not for a plain line to decide.

        Plain are lines for one unit of a pool that only counts its units, with a fixed order of classes. For these this
        does what :meth:`head` and :meth:`leave` do, whose calls would cost more than their work.
        """
        count = self.count
        pool = self.plain
        sequence = self.discipline.sequence if len(count) > 1 else (0,)
        if pool is None or sequence is None or self.called or pool.reserves:
            return False
        for cls in sequence:
            if count[cls]:
                break
        else:
            return False
        queue = self.tickets[cls]
        _, number, entity = queue.popleft()
        while entity.ticket != number:
            _, number, entity = queue.popleft()
        now = world._now
        entity.ticket = entity.line = None
        count[cls] -= 1
        self.waiting -= 1
        self.stood += now
        self.grants += 1
        for roster in self.rosters:
            roster.remove(entity)
        entity.held = self
        entity.began = now
        entity.step.granted(world, entity)
        return True

    def release(self, world: World, entity: Entity) -> None:
        """Give back what the current step used (not the place kept) and offer it to those who wait."""
        entity.held = None
        for pool, units in self.returned:
            pool.give_back(world, units, entity)
        for pool, _ in self.returned:
            if pool.free > 0 and pool.wanted:
                pool.dispatch(world)

    def for_unit(self, world: World, unit: int) -> Line:
        """The line of those who want this very unit of the first need; made when first asked for."""
        if self.personal is None:
            self.personal = {}
        line = self.personal.get(unit)
        if line is None:
            line = self._twin(len(world.lines))
            line.unit = unit
            line.base = self
            line.rosters = self.rosters
            world.lines.append(line)
            self.personal[unit] = line
        return line

    def _twin(self, index: int, **more: Any) -> Line:
        """Another line with the same needs and order; ``more`` is what lines of its class need beside that."""
        return type(self)(
            self.name,
            index,
            self.needs,
            kept=self.kept,
            slot=self.slot,
            classes=self.classes,
            discipline=self.discipline,
            priority=self.priority,
            **more,
        )

    def close(self) -> None:
        """Nobody will ever stand here again: the unit of this line went home. What was counted is kept."""
        for pool, _ in self.needs:
            pool.lines.remove(self)
        if self.base is not None and self.base.personal is not None and self.unit is not None:
            del self.base.personal[self.unit]

    def hand_over(self, world: World, other: Line) -> None:
        """Move everybody to another line with the same needs, times of joining kept."""
        for queue in self.tickets:
            for ticket in tuple(queue):
                entity = ticket[2]
                if entity.ticket == ticket[1]:
                    joined = entity.joined
                    self.leave(world.now, entity)
                    other.join(world, entity, entity.since)
                    entity.joined = joined

    def _called_head(self) -> bool:
        """Whether one whom an agent called to the front may be served now; then that one is the head."""
        called = self.called
        while called:
            ticket = called[0]
            if ticket[2].ticket == ticket[1]:
                if not self.admits(ticket[2]):
                    return False
                self.best_ticket = ticket
                self.best_class = None
                return True
            called.popleft()
        return False

    def _first(self, cls: int) -> Ticket | None:
        """The first of a class in which somebody waits, of those that the reserves leave room for."""
        queue = self.tickets[cls]
        while (ticket := queue[0])[2].ticket != ticket[1]:
            queue.popleft()
        if (self.single is not None and not self.single.reserves) or self.admits(ticket[2]):
            return ticket
        # Those who do not qualify for what is kept back are all alike, so none of them is admitted if the head is not.
        others = [
            (entity.since, entity.ticket, entity)
            for entity in self.privileged[cls]
            if entity.ticket is not None and self.admits(entity)
        ]
        return min(others, default=None)

    def take(self, now: float, entity: Entity) -> None:
        """Give the entity all that is needed here; the caller has seen that it can be had."""
        entity.held = self
        entity.began = now
        if self.single is not None:
            self.single.take(now, 1, entity, self.unit)
            return
        for position, (pool, units) in enumerate(self.needs):
            pool.take(now, units, entity, self.unit if position == 0 else None)
