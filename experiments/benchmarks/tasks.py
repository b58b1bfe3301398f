"""What a step and an event cost in every task of one agent: ``python -m experiments.benchmarks.tasks``.

The rule's moves are chosen beforehand; then the same episodes are played again and again, with a clock around the whole
step and around the kernel's part of it (see ``experiments.benchmarks.step``, which takes one scenario apart). An
event's cost is that of the whole step, shared by the events that the kernel runs in it. CPU time, at the mean over
steps, each step's the median over the repeats; what a reset takes, with the warm-up, stands apart and in the last
column, which is what somebody who plays whole episodes gets.
"""

from __future__ import annotations

import argparse
import gc
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from time import process_time_ns
from typing import Any

import marl_health
from experiments.benchmarks.step import KERNEL, WHOLE, events_of, moves_of, times_of
from experiments.catalogue.columns import one_agent_tasks

WANTED = 10_000
"""Steps a second on one core that the median task should reach."""


@dataclass(frozen=True)
class Cost:
    """What a task costs, in microseconds of CPU.

    Attributes:
        step: a step. kernel: the kernel's part of it. events: events that are run in a step. reset: a reset.
        steps: in an episode.
    """

    task: str
    step: float
    kernel: float
    events: float
    reset: float
    steps: int

    @property
    def event(self) -> float:
        """Of the whole step, for each event."""
        return self.step / self.events

    @property
    def per_second(self) -> float:
        """Steps in a second of CPU, resets left out."""
        return 1e6 / self.step

    @property
    def played(self) -> float:
        """The same, resets included."""
        return 1e6 * self.steps / (self.step * self.steps + self.reset)


def measure(scenario: str | Path, episodes: int, repeats: int) -> Cost:
    """Play episodes of the rule, with seeds from 0, so many times after one that warms up."""
    env = marl_health.parallel_env(scenario)
    moves = {seed: moves_of(env, "rule", seed) for seed in range(episodes)}
    found: dict[str, list[float]] = {WHOLE: [], KERNEL: []}
    resets = []
    for seed, chosen in moves.items():
        plays = []
        for _ in range(repeats + 1):
            gc.collect()
            start = process_time_ns()
            env.reset(seed=seed)
            resets.append((process_time_ns() - start) / 1000.0)
            plays.append(times_of(env, WHOLE, seed, chosen))
        for part, values in found.items():
            values += [median(times) for times in zip(*(each[part] for each in plays[1:]), strict=True)]
    events = [count for seed, chosen in moves.items() for count in events_of(env, seed, chosen)]
    return Cost(
        env.scenario.name,
        fmean(found[WHOLE]),
        fmean(found[KERNEL]),
        fmean(events),
        median(resets),
        round(fmean(len(chosen) for chosen in moves.values())),
    )


def table(costs: Sequence[Cost]) -> str:
    """The figures, one task a line, and the medians over tasks."""
    head = (
        f"{'task':30}{'us/step':>9}{'kernel':>8}{'events/step':>13}{'us/event':>10}{'steps/s':>9}"
        f"{'reset, ms':>11}{'with resets':>13}"
    )
    lines = [head, *(_line(cost.task, _figures(cost)) for cost in costs)]
    lines.append(_line("median", [median(column) for column in zip(*map(_figures, costs), strict=True)]))
    reached = median(cost.per_second for cost in costs)
    word = "reached" if reached >= WANTED else "missed"
    lines.append(f"The median task makes {reached:,.0f} steps a second on one core; wanted are {WANTED:,}: {word}.")
    return "\n".join(lines)


def _figures(cost: Cost) -> list[float]:
    return [cost.step, cost.kernel, cost.events, cost.event, cost.per_second, cost.reset / 1000.0, cost.played]


def _line(name: str, figures: Sequence[float]) -> str:
    step, kernel, events, event, rate, reset, played = figures
    return (
        f"{name:30}{step:>9.1f}{kernel:>8.1f}{events:>13.2f}{event:>10.1f}{rate:>9,.0f}{reset:>11.1f}{played:>13,.0f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the figures where ``--json`` says."""
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmarks.tasks", description=__doc__)
    parser.add_argument("scenarios", nargs="*", help="names or files (default: all tasks of one agent)")
    parser.add_argument("--episodes", type=int, default=3, help="episodes of each, with seeds from 0 (default 3)")
    parser.add_argument("--repeats", type=int, default=5, help="how often each is played (default 5)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    costs = [measure(name, options.episodes, options.repeats) for name in options.scenarios or one_agent_tasks()]
    print(table(costs))
    if options.json is not None:
        told: list[dict[str, Any]] = [asdict(cost) for cost in costs]
        options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
