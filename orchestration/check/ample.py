"""Plenty of everything: what a scenario would be without scarcity."""

from __future__ import annotations

from typing import Any

from marl_health import HealthParallelEnv

TIMES = 10


def multiply_resources(env: HealthParallelEnv) -> None:
    """Multiply every limited resource by ``TIMES`` from now on; stock never runs out and costs nothing.

    It is done to the running world and not in the file, where whoever fills the beds at the start would grow with them.
    """
    game: Any = env.game
    world = game.running
    for number, spec in enumerate(world.program.pools):
        if spec.stock is not None:
            world.pools[number].open_up(world)
        elif not spec.unlimited:
            world.extra[number] += (TIMES - 1) * max(units for _, units in spec.shifts)
            world.refresh_capacity(number)
