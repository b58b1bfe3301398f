"""How fast our treatment centre is beside the model that the package treat-sim publishes: 1,000 replications of each.

``python -m experiments.benchmarks.treatment_centre`` runs the two by turns in one process, on one core where the system
lets it choose, in blocks of 50 replications, each with its KPIs. It measures CPU time and prints the median ratio of
blocks that ran next to each other. It needs the package: ``pip install -c constraints.txt -e '.[reference]'``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import marl_health
from experiments.benchmarks.kernel import OURS, Work, measure

THEIRS = "treat-sim"
VERSION = "3.0.0"
MINUTES = 1140.0
"""Length of a run of theirs; our scenario says the same."""
BLOCK = 50
"""Replications in a block."""
REPLICATIONS = 1000
REQUIRED = 10.0
"""Least median ratio of our speed to theirs."""


def _package() -> Any:
    """The package's module.

    Raises:
        SystemExit: if it is not installed, or not in the version whose figures ours are checked against.
    """
    remedy = "run `pip install -c constraints.txt -e '.[reference]'` in the root of a checkout of marl-health."
    try:
        found = metadata.version("treat-sim")
    except metadata.PackageNotFoundError as error:
        raise SystemExit(
            f"The comparison needs the package treat-sim {VERSION}, which is not installed: {remedy}"
        ) from error
    if found != VERSION:
        raise SystemExit(f"The comparison needs treat-sim {VERSION}, but {found} is installed: {remedy}")
    from treat_sim import model

    return model


def models() -> dict[str, Callable[[int], Any]]:
    """One replication of each model, by its seed: KPIs by name of ours, a data frame of one row of theirs."""
    package = _package()
    scenario = marl_health.load("treatment_centre")
    game = scenario.kind.make_game(scenario.program)
    settings = package.Scenario()

    def ours(seed: int) -> dict[str, float]:
        game.reset(seed, events=False)
        game.finish()
        kpis: dict[str, float] = game.kpis()
        return kpis

    def theirs(seed: int) -> Any:
        return package.single_run(settings, MINUTES, seed)

    return {OURS: ours, THEIRS: theirs}


def in_blocks(run: Callable[[int], Any]) -> Work:
    """A block of replications, by its number; how many that were."""

    def block(number: int) -> int:
        for seed in range(number * BLOCK, (number + 1) * BLOCK):
            run(seed)
        return BLOCK

    return block


def report(rates: dict[str, list[float]]) -> str:
    """Milliseconds of each model, the ratio, and whether it is enough."""
    blocks = len(rates[OURS])
    lines = [
        f"Treatment centre, {blocks * BLOCK:,} replications of each model with their KPIs, {blocks} blocks by turns",
        f"{'':14}{'CPU ms per replication: median':>32}{'min':>8}{'max':>8}",
    ]
    for name, found in rates.items():
        lines.append(f"{name:14}{1000 / median(found):>32.2f}{1000 / max(found):>8.2f}{1000 / min(found):>8.2f}")
    pairs = ratios(rates)
    reached = median(pairs)
    verdict = "met" if reached >= REQUIRED else "NOT met"
    lines += [
        f"{OURS} is {reached:.2f} times as fast (median of the ratios; {min(pairs):.2f} to {max(pairs):.2f}).",
        f"Required: {REQUIRED:g} times; {verdict}.",
    ]
    return "\n".join(lines)


def ratios(rates: dict[str, list[float]]) -> list[float]:
    """Ours to theirs, block by block."""
    return [own / other for own, other in zip(rates[OURS], rates[THEIRS], strict=True)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the figures where ``--json`` says; 1 if the requirement is not met."""
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmarks.treatment_centre", description=__doc__)
    parser.add_argument("--replications", type=int, default=REPLICATIONS, help=f"of each model, in blocks of {BLOCK}")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures to this file")
    options = parser.parse_args(arguments)
    if options.replications < BLOCK:
        parser.error(f"--replications must be at least {BLOCK}")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rates = measure({name: in_blocks(run) for name, run in models().items()}, options.replications // BLOCK)
    print(report(rates))
    reached = median(ratios(rates))
    if options.json is not None:
        facts = {"python": platform.python_version(), "treat_sim": VERSION, "required": REQUIRED, "ratio": reached}
        options.json.write_text(json.dumps({**facts, "replications_per_second": rates}, indent=2) + "\n")
    return 0 if reached >= REQUIRED else 1


if __name__ == "__main__":
    sys.exit(main())
