"""Whether memory stays flat over many episodes: ``python -m experiments.benchmarks.memory NAME --episodes 1000``.

One env plays episode after episode. Now and then it is counted how many blocks of memory Python's objects take, and how
much memory the process has in all. Neither may grow from the first looks, when everything is made that is kept for
good, to the last ones.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import marl_health
import policies
from experiments.benchmarks.step import FLAGSHIP
from orchestration.episodes import own_seed

LOOKS = 20
"""How often memory is looked at, if there are so many episodes."""
BLOCKS, MEGABYTES = 0.01, 0.02
"""By how much of itself each may grow and still be called flat: chance, and what the allocator cannot give back."""


class Look(NamedTuple):
    """After how many episodes, blocks that Python's objects take, and MB of the process (0 if not told)."""

    episodes: int
    blocks: int
    megabytes: float


class Growth(NamedTuple):
    """Growth from the second quarter of the looks to the last, as a share: of blocks, and of the process."""

    blocks: float
    megabytes: float

    @property
    def flat(self) -> bool:
        """Whether neither grows."""
        return self.blocks <= BLOCKS and self.megabytes <= MEGABYTES


def play(env: Any, policy: str, seed: int) -> None:
    """One episode."""
    player = policies.make(policy)
    observations, infos = env.reset(seed=seed)
    player.reset(env, own_seed(policy, seed))
    while env.agents:
        observations, _, _, _, infos = env.step(player.act(env, observations, infos))


def watch(scenario: str | Path, policy: str, episodes: int) -> list[Look]:
    """Play the episodes with seeds from 0 on, and look now and then."""
    env = marl_health.parallel_env(scenario)
    every = max(1, episodes // LOOKS)
    looks = []
    for seed in range(episodes):
        play(env, policy, seed)
        if (seed + 1) % every == 0:
            env.reset(seed=0)  # so that the same world stands there at every look
            gc.collect()
            looks.append(Look(seed + 1, sys.getallocatedblocks(), resident()))
    return looks


def resident() -> float:
    """MB of memory that this process has."""
    file = Path("/proc/self/statm")
    return int(file.read_text().split()[1]) * 4096 / 1e6 if file.is_file() else 0.0


def growth(looks: list[Look]) -> Growth:
    """How much of itself memory grew by, after what is made once and kept.

    Raises:
        ValueError: for fewer than four looks.
    """
    quarter = len(looks) // 4
    if not quarter:
        raise ValueError("memory was looked at fewer than four times; play four episodes at least")
    early, late = looks[quarter : 2 * quarter], looks[-quarter:]

    def of(values: list[float], others: list[float]) -> float:
        before = median(values)
        return median(others) / before - 1.0 if before else 0.0

    return Growth(
        of([look.blocks for look in early], [look.blocks for look in late]),
        of([look.megabytes for look in early], [look.megabytes for look in late]),
    )


def report(name: str, policy: str, looks: list[Look]) -> str:
    """The figures as a table."""
    grown = growth(looks)
    lines = [f"Memory over {looks[-1].episodes:,} episodes of {name} by {policy}"]
    lines.append(f"{'episodes':>10}{'blocks':>12}{'MB':>9}")
    lines += [f"{look.episodes:>10,}{look.blocks:>12,}{look.megabytes:>9.1f}" for look in looks]
    said = "flat" if grown.flat else "it grows"
    lines.append(f"{said}: {grown.blocks:+.2%} blocks, {grown.megabytes:+.2%} MB from the second quarter to the last")
    return "\n".join(lines)


def main() -> None:
    """Play, print, and write the figures where ``--json`` says; an error if memory grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", default=FLAGSHIP, help=f"name or file (default {FLAGSHIP})")
    parser.add_argument("--policy", default="random", help="who acts (default random)")
    parser.add_argument("--episodes", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    looks = watch(options.scenario, options.policy, options.episodes)
    print(report(Path(options.scenario).stem, options.policy, looks))
    if options.json is not None:
        options.json.write_text(json.dumps([look._asdict() for look in looks]) + "\n")
    if not growth(looks).flat:
        sys.exit(1)


if __name__ == "__main__":
    main()
