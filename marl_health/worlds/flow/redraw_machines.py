"""The future of machines drawn anew: when they fail, and how long they are out, given what has been seen of them."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from marl_health.worlds.flow.machines import NOTHING, SET_UP, Machine, MachinePool, WearSpec
from marl_health.worlds.flow.redraw_coming import picked

if TYPE_CHECKING:
    from marl_health.worlds.flow.remaining import Luck, Remaining
    from marl_health.worlds.flow.world import FlowWorld

LIVES = 64
"""Lives drawn for a unit with a hidden defect, of which one is taken by how well it explains the checks."""
TRIES = 4000
"""Draws after which no more such lives are sought."""


def redraw_machines(world: FlowWorld, remaining: Remaining, luck: Luck) -> None:
    """New random numbers for every unit, and another end of what is under way."""
    for pool, spec in zip(world.pools, world.program.pools, strict=True):
        if not isinstance(pool, MachinePool):
            continue
        for number in sorted(pool.machines):
            machine = pool.machines[number]
            if pool.wear is not None:
                machine.read(world, pool.wear)  # what has been seen stays
            machine.somebody = world.stand_in(f"unit:{spec.name}:{number}")
            if machine.out == NOTHING:
                if pool.wear is not None and machine.fails_at < inf:
                    _life(world, machine, pool.wear, remaining, luck)
                    world.at(machine.fails_at, machine)
                continue
            if machine.out != SET_UP:  # how long a change takes is known
                assert pool.wear is not None
                duration, _ = pool.wear.outages[machine.out]
                machine.until = world.now + remaining.left(0, (), duration, world.now - machine.began)
            elif pool.wear is not None:
                _life(world, machine, pool.wear, remaining, luck)
            world.at(machine.until, machine)


def _life(world: FlowWorld, machine: Machine, wear: WearSpec, remaining: Remaining, luck: Luck) -> None:
    """A life that has lasted so long; with a defect, one of several by the chance of what the checks told."""
    age = (machine.began if machine.out == SET_UP else world.now) - machine.since
    if wear.defect is None:
        machine.fails_at = machine.since + remaining.whole(0, (), wear.fails, age)
        return
    lives: list[tuple[float, float]] = []
    for _ in range(TRIES):
        defect = float(remaining.draw(0, (), wear.defect))
        whole = defect + float(remaining.draw(0, (), wear.fails))
        if whole > age:
            lives.append((defect, whole))
            if len(lives) == (LIVES if wear.sign is not None else 1):
                break
    if not lives:  # older than a unit gets: it may fail at any moment
        lives.append((age, age + float(remaining.draw(0, (), wear.fails))))
    weights = [_chance(machine, wear, machine.since + defect) for defect, _ in lives]
    defect, whole = lives[picked(weights, luck.next()) if sum(weights) > 0.0 else 0]
    machine.defect_at, machine.fails_at = machine.since + defect, machine.since + whole


def _chance(machine: Machine, wear: WearSpec, defect_at: float) -> float:
    """Chance of what the checks told, if the defect arose at a time."""
    if wear.sign is None:
        return 1.0
    every, sound, defective, _ = wear.sign
    first = machine.checked - len(machine.signs) + 1
    chance = 1.0
    for check, warned in enumerate(machine.signs, first):
        warns = defective if check * every >= defect_at else sound
        chance *= warns if warned else 1.0 - warns
    return chance
