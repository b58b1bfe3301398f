"""Pre-emption: urgent work interrupts less urgent work that holds what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marl_health.kernel.entity import Entity
    from marl_health.kernel.line import Line
    from marl_health.kernel.pool import Pool
    from marl_health.kernel.world import World


def interrupt_for(line: Line, world: World, entity: Entity, resume: bool, first: bool = False) -> bool:
    """Free what an entity needs by interrupting the least urgent work under way. True if it was done.

    Interrupted entities keep their time of joining, so they are first of their class when units come free, or ``first``
    of their line; then they ``resume`` where they were, or start again. Nobody's place is taken away, no move under way
    is stopped, nobody is interrupted for a unit that must be cleaned first, or for the sake of one certain unit.
    Otherwise the entity would have to wait in ``line``.
    """
    if line.unit is not None:
        return False
    victims: dict[Entity, Line] = {}
    for pool, units in line.needs:
        lacking = units + pool.kept_from(entity) - pool.free
        lacking -= sum(_returns(other, pool) for other in victims.values())
        rivals = _less_urgent(line, pool, entity) if lacking > 0 else []
        while lacking > 0:
            if not rivals:
                return False
            victim, other = rivals.pop()
            if victim not in victims:
                victims[victim] = other
                lacking -= _returns(other, pool)
    now = world.now
    for victim, other in victims.items():
        _break_off(world, victim, other, resume)
    line.grants += 1
    entity.since = now
    line.take(now, entity)
    for victim, other in victims.items():
        _wait_again(world, victim, other, first)
    for other in victims.values():
        for pool, _ in other.returned:
            pool.dispatch(world)
    return True


def interrupt(world: World, victim: Entity, resume: bool) -> None:
    """Stop the work of somebody because what they use is out of order: they wait again, by their old time of joining.

    Later they ``resume`` where they were, or start again; a place that they keep is not taken away.
    """
    line = victim.held
    assert line is not None
    _break_off(world, victim, line, resume)
    _wait_again(world, victim, line, first=False)
    for pool, _ in line.returned:
        if pool.free > 0 and pool.wanted:
            pool.dispatch(world)


def _break_off(world: World, victim: Entity, line: Line, resume: bool) -> None:
    """End work before its time, note what is left of it, and give back what the line it came from had given."""
    now = world.now
    world.interrupted(victim)
    victim.epoch += 1
    victim.remaining = victim.until - (now if resume else victim.began)
    done, least = work_done(victim, now)
    victim.worked = (victim.since, done if resume else 0.0, max(least, done))
    victim.held = None
    for pool, units in line.returned:
        pool.give_back(world, units, victim)


def _wait_again(world: World, victim: Entity, line: Line, first: bool) -> None:
    """Join the line of before by the old time of joining; that of all units, if the one waited for is off duty."""
    line.grants -= 1  # it will be granted once more
    if line.unit is not None and line.base is not None and line.unit not in line.needs[0][0].on_duty:
        line = line.base
    line.join(world, victim, victim.since)
    victim.joined = world.now
    if first:
        line.call(victim)


def work_done(entity: Entity, now: float) -> tuple[float, float]:
    """What can be seen of work that an entity is at, or was interrupted at.

    Returns:
        The minutes of it that are done and need not be done again, and the minutes that it is known to take at least.
    """
    done = least = 0.0
    if entity.worked is not None and entity.worked[0] == entity.since:
        _, done, least = entity.worked
    if entity.line is None:
        done += now - entity.began
    return done, max(least, done)


def _returns(line: Line, pool: Pool) -> int:
    """Units of a pool that come back when the work of somebody from a line ends."""
    return sum(units for returned, units in line.returned if returned is pool)


def _rank(line: Line, entity: Entity) -> tuple[float, float]:
    """(priority, rank) of an entity that has not waited yet: who may interrupt whom."""
    return (line.priority, line.discipline.rank(line.class_of(entity), 0.0))


def _less_urgent(line: Line, pool: Pool, entity: Entity) -> list[tuple[Entity, Line]]:
    """Who would have to make way for an entity if it needs a unit of the pool, the least urgent last."""
    if pool.clean is not None:
        return []
    rank = _rank(line, entity)
    found = [(user, user.held) for user in pool.users if user.held is not None and user.held.kept is None]
    found = [(user, other) for user, other in found if _returns(other, pool) and _rank(other, user) > rank]
    found.sort(key=lambda pair: _rank(pair[1], pair[0]))
    return found
