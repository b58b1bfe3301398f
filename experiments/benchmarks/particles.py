"""What a step costs beside one of a light environment: ``python -m experiments.benchmarks.particles NAME``.

Episodes of a scenario and of PettingZoo's ``simple_spread`` (three agents, from the package mpe2) are played by turns
in one process, with moves that were chosen beforehand, and CPU time is measured: of all steps of an episode, the last
with its run-out included, and of reset and steps together. A ratio is that of two episodes next to each other.
"""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median
from time import process_time
from typing import Any

import marl_health
from experiments.benchmarks.step import FLAGSHIP, moves_of

OURS, THEIRS = "marl_health", "simple_spread"
STEPS, WHOLE = "step", "step and reset"
LEAST = 400
"""Steps of theirs in a turn: an episode of 25 of them is too short for the clock."""

Episode = Callable[[int], tuple[float, float, int]]
"""A function of the seed: CPU seconds of its steps, of resets and steps, and how many steps there were."""


class Missing(RuntimeError):
    """The package that is needed is not installed."""


def spread() -> Episode:
    """Plays episodes of simple_spread.

    Raises:
        Missing: mpe2 is not installed.
    """
    try:
        from mpe2 import simple_spread_v3
    except ImportError as error:
        raise Missing("mpe2 is not installed; install it with: pip install -e '.[particles]'") from error
    env: Any = simple_spread_v3.parallel_env()
    env.reset(seed=0)
    for number, agent in enumerate(env.possible_agents):
        env.action_space(agent).seed(number)
    length = 0
    while env.agents:
        env.step(dict.fromkeys(env.agents, 0))
        length += 1

    def play(seed: int) -> tuple[float, float, int]:
        episodes = -(-LEAST // length)
        moves = [
            [{agent: int(env.action_space(agent).sample()) for agent in env.possible_agents} for _ in range(length)]
            for _ in range(episodes)
        ]
        inside = 0.0
        begun = process_time()
        for number, chosen in enumerate(moves):
            env.reset(seed=seed * episodes + number)
            start = process_time()
            for actions in chosen:
                env.step(actions)
            inside += process_time() - start
        return inside, process_time() - begun, episodes * length

    return play


def scenario_episodes(scenario: str | Path, policy: str) -> Episode:
    """Plays episodes of a scenario, by what a policy does in them."""
    env = marl_health.parallel_env(scenario)

    def play(seed: int) -> tuple[float, float, int]:
        moves = moves_of(env, policy, seed)
        begun = process_time()
        env.reset(seed=seed)
        start = process_time()
        for actions in moves:
            env.step(actions)
        end = process_time()
        return end - start, end - begun, len(moves)

    return play


def measure(ours: Episode, theirs: Episode, turns: int) -> dict[str, dict[str, list[float]]]:
    """Microseconds of a step of both, by turn; the first turn, for caches and specialised bytecode, is left out."""
    found: dict[str, dict[str, list[float]]] = {name: {STEPS: [], WHOLE: []} for name in (OURS, THEIRS)}
    for turn in range(turns + 1):
        for name, play in ((OURS, ours), (THEIRS, theirs)) if turn % 2 else ((THEIRS, theirs), (OURS, ours)):
            gc.collect()
            inside, whole, steps = play(turn)
            if turn:
                found[name][STEPS].append(inside / steps * 1e6)
                found[name][WHOLE].append(whole / steps * 1e6)
    return found


def ratios(found: dict[str, dict[str, list[float]]], part: str) -> list[float]:
    """How many of their steps one of ours costs, by turn."""
    return [mine / other for mine, other in zip(found[OURS][part], found[THEIRS][part], strict=True)]


def report(name: str, policy: str, found: dict[str, dict[str, list[float]]]) -> str:
    """The figures as a table."""
    turns = len(found[OURS][STEPS])
    lines = [
        f"CPU of a step of {name} (moves of {policy}) and of {THEIRS} of mpe2, by turns, {turns} each; microseconds",
        f"{'':40}{'median':>9}{'mean':>9}",
    ]
    for part in (STEPS, WHOLE):
        for who, label in ((OURS, name), (THEIRS, THEIRS)):
            values = found[who][part]
            lines.append(f"{label + ': ' + part:40}" + f"{median(values):>9.1f}{fmean(values):>9.1f}")
        each = ratios(found, part)
        lines.append(f"{'  ratio':40}{median(each):>9.2f}{fmean(each):>9.2f}")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the figures where ``--json`` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", default=FLAGSHIP, help=f"name or file (default {FLAGSHIP})")
    parser.add_argument("--policy", default="random", help="who chooses the moves beforehand (default random)")
    parser.add_argument("--turns", type=int, default=11, help="episodes, with seeds from 1 (default 11)")
    parser.add_argument("--json", type=Path, help="write the figures of every turn to this file")
    options = parser.parse_args()
    try:
        theirs = spread()
    except Missing as error:
        parser.error(str(error))
    found = measure(scenario_episodes(options.scenario, options.policy), theirs, options.turns)
    print(report(Path(options.scenario).stem, options.policy, found))
    if options.json is not None:
        options.json.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
