"""Pictures of a world as it runs: a text for the terminal and a floor plan as an array of pixels.

A picture of a packaged scenario, or of a file, can be made from the command line::

    python -m marl_health.envs.render hospital_throughput --hours 30 --out hospital.png

It shows an episode in which the agents now and then make a random move.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from marl_health.envs.render_scene import Scene, read_scene
from marl_health.envs.render_text import scene_as_text

if TYPE_CHECKING:
    from marl_health.envs.parallel import HealthParallelEnv


def scene_of(env: HealthParallelEnv) -> Scene:
    """What there is to show of an environment now."""
    moves = {agent: (minutes, env.action_names(agent)[action]) for agent, (minutes, action) in env.last_moves.items()}
    return read_scene(env.snapshot(), env.scenario.name, env.possible_agents, moves)


def write(env: HealthParallelEnv) -> str:
    """The world now as a text of a few lines."""
    return scene_as_text(scene_of(env))


def draw(env: HealthParallelEnv) -> NDArray[np.uint8]:
    """The world now as a floor plan: pixels of shape (height, width, 3), the same shape all episode."""
    from marl_health.envs.render_picture import scene_as_picture

    return np.array(scene_as_picture(scene_of(env)))


def run(env: HealthParallelEnv, hours: float, seed: int, often: float = 0.05) -> None:
    """Begin an episode and run it for so many hours; agents make a random move with probability ``often``."""
    chance = np.random.default_rng(seed)
    _, infos = env.reset(seed=seed)
    while env.agents and env.snapshot()["minutes"] < hours * 60:
        actions: dict[str, int] = {}
        for agent in env.agents:
            if chance.random() < often:
                actions[agent] = int(chance.choice(np.flatnonzero(infos[agent]["action_mask"])))
        infos = env.step(actions)[4]


def main(arguments: list[str] | None = None) -> None:
    """Write a picture of a scenario to a file."""
    parser = argparse.ArgumentParser(prog="python -m marl_health.envs.render", description=main.__doc__)
    parser.add_argument("scenario", help="name of a packaged scenario, or path of a YAML file")
    parser.add_argument("--hours", type=float, default=30.0, help="after the first decision (default: 30)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, help="PNG file to write")
    given: Any = parser.parse_args(arguments)

    from PIL import Image

    from marl_health.envs.parallel import HealthParallelEnv
    from marl_health.spec.errors import ScenarioError

    try:
        env = HealthParallelEnv(given.scenario, render_mode="rgb_array")
    except (ScenarioError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    run(env, given.hours, given.seed)
    Image.fromarray(draw(env)).quantize(128).save(given.out, optimize=True)


if __name__ == "__main__":
    main()
