"""What one step of an env costs, and on what: ``python -m experiments.benchmarks.step [NAME]``.

Moves are chosen beforehand, by a policy, and then the same episodes are played again and again: with a clock around
the step and around the kernel's part of it, and with a clock around one part of what the env does by itself. So all
parts are measured on the same steps, and none while something in it is. It is CPU time, less what reading the clock
costs. The events that the kernel runs are counted in an episode without a clock. The last step of an episode, which
plays the run-out as well, is left out.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from statistics import fmean, median, quantiles
from time import process_time_ns
from typing import Any, Self

import marl_health
import policies
from marl_health.kernel.world import Halted
from marl_health.worlds.flow.world import FlowWorld
from orchestration.episodes import own_seed

FLAGSHIP = "hospital_throughput"
WHOLE, KERNEL, OWN = "the whole step", "kernel", "the env itself"
PARTS: dict[str, Callable[[Any], tuple[Any, str]]] = {
    "observations": lambda env: (env, "_observations"),
    "masks": lambda env: (env.game, "mask_all"),
    "infos, masks included": lambda env: (env, "_infos"),
    "reward": lambda env: (env.game, "gains"),
    "moves": lambda env: (env.game, "act"),
}
"""What the env itself does, and where a clock is put for it: an object and the name of its method."""

Moves = list[dict[str, int]]


class Stopwatch:
    """Adds up the CPU time of the calls of a method, in microseconds, and tells how many there were."""

    def __init__(self, owner: Any, name: str) -> None:
        self.owner, self.name = owner, name
        self.function: Callable[..., Any] = getattr(owner, name)
        self.clear()

    def clear(self) -> None:
        """Start again at 0."""
        self.spent, self.calls = 0.0, 0

    def timed(self, *args: Any, **named: Any) -> Any:
        """What stands in the place of the method."""
        start = process_time_ns()
        found = self.function(*args, **named)
        self.spent += (process_time_ns() - start) / 1000.0
        self.calls += 1
        return found

    def __enter__(self) -> Self:
        setattr(self.owner, self.name, self.timed)
        return self

    def __exit__(self, *_: object) -> None:
        delattr(self.owner, self.name)


class Nothing:
    """Costs nothing: what a clock shows for it is the cost of clocks."""

    def inner(self) -> None:
        """Nothing at all."""

    def outer(self) -> None:
        """Nothing but the other."""
        self.inner()


def cost_of_clocks() -> tuple[float, float]:
    """What a clock shows too much, in microseconds: by itself, and for another one inside."""
    nothing = Nothing()
    alone, both = [], []
    for costs, inside in ((alone, False), (both, True)):
        with Stopwatch(nothing, "outer") as outer, Stopwatch(nothing, "inner") if inside else nullcontext():
            for _ in range(1000):
                outer.clear()
                nothing.outer()
                costs.append(outer.spent)
    return median(alone), median(both) - median(alone)


def moves_of(env: Any, policy: str, seed: int) -> Moves:
    """What a policy does in an episode."""
    player = policies.make(policy)
    observations, infos = env.reset(seed=seed)
    player.reset(env, own_seed(policy, seed))
    moves = []
    while env.agents:
        moves.append({agent: int(action) for agent, action in player.act(env, observations, infos).items()})
        observations, _, _, _, infos = env.step(moves[-1])
    return moves


def times_of(env: Any, part: str, seed: int, moves: Moves) -> dict[str, list[float]]:
    """Microseconds that a part takes in each step of an episode but the last; for the whole step, also the kernel's."""
    env.reset(seed=seed)
    alone, inside = cost_of_clocks()
    times: dict[str, list[float]] = {name: [] for name in ((WHOLE, KERNEL, OWN) if part == WHOLE else (part,))}
    if part == WHOLE:
        with Stopwatch(env, "step") as whole, Stopwatch(env.game, "advance") as kernel:
            for actions in moves[:-1]:
                whole.clear()
                kernel.clear()
                env.step(actions)
                spent, run = whole.spent - alone - inside, kernel.spent - alone
                for name, value in ((WHOLE, spent), (KERNEL, run), (OWN, spent - run)):
                    times[name].append(value)
        return times
    with Stopwatch(*PARTS[part](env)) as watch:
        for actions in moves[:-1]:
            watch.clear()
            env.step(actions)
            times[part].append(watch.spent - watch.calls * alone)
    return times


def events_of(env: Any, seed: int, moves: Moves) -> list[int]:
    """Events that the kernel runs in each step of an episode but the last."""
    env.reset(seed=seed)
    world = env.game.running
    counts = []

    def advance(until: float) -> None:
        """:meth:`FlowWorld.advance`, one event at a time."""
        world.candidates.clear()
        while world.peek() < until:
            first = world.near[0]
            counts[-1] += len(first) != 5 or first[3].epoch == first[4]
            try:
                world.step()
            except Halted:  # a decision at an event; that is none by itself
                counts[-1] -= 1
                return
        world._now = until

    assert isinstance(world, FlowWorld)
    world.advance = advance  # type: ignore[method-assign]
    for actions in moves[:-1]:
        counts.append(0)
        env.step(actions)
    return counts


def measure(scenario: str | Path, policy: str, episodes: int, repeats: int) -> dict[str, Any]:
    """Microseconds of every part in every step, and events; each step's is the median over the repeats.

    Parts take turns, in changing order, so that whatever else the machine does meanwhile meets all of them alike.
    """
    env = marl_health.parallel_env(scenario)
    seeds = range(episodes)
    moves, minutes = {}, 0.0
    for seed in seeds:
        moves[seed] = moves_of(env, policy, seed)
        minutes += env.game.now - env.scenario.clock.run_out
    turns = [WHOLE, *PARTS]
    found: dict[str, list[list[list[float]]]] = {name: [[] for _ in seeds] for name in (WHOLE, KERNEL, OWN, *PARTS)}
    for repeat in range(repeats + 1):  # the first is for caches and specialised bytecode
        for seed in seeds:
            for place in range(len(turns)):
                gc.collect()
                times = times_of(env, turns[(place + repeat + seed) % len(turns)], seed, moves[seed])
                for name, values in times.items() if repeat else ():
                    found[name][seed].append(values)
    steps = {
        name: [median(times) for episode in by_seed for times in zip(*episode, strict=True)]
        for name, by_seed in found.items()
    }
    events = [count for seed in seeds for count in events_of(env, seed, moves[seed])]
    return {
        "agents": len(env.possible_agents),
        "minutes": minutes / sum(len(episode) for episode in moves.values()),
        "us": steps,
        "events": events,
    }


def report(name: str, policy: str, episodes: int, repeats: int, found: dict[str, Any]) -> str:
    """The figures as a table."""
    us, events = found["us"], found["events"]
    whole = fmean(us[WHOLE])
    lines = [
        f"One step of {name}: {found['agents']} agents, a step of {found['minutes']:.4g} min, moves of {policy};",
        f"{len(events):,} steps of {episodes} episodes, {repeats} times each; CPU time in microseconds",
        f"{'':24}{'median':>9}{'p90':>9}{'mean':>9}{'share':>8}",
    ]
    for part, indent in [(WHOLE, ""), (KERNEL, "  "), (OWN, "  "), *((part, "    ") for part in PARTS)]:
        lines.append(
            f"{indent + part:24}{median(us[part]):>9.1f}{_p90(us[part]):>9.1f}{fmean(us[part]):>9.1f}"
            f"{fmean(us[part]) / whole:>8.0%}"
        )
    each = sum(us[KERNEL]) / max(1, sum(events))
    lines.append(
        f"The kernel runs {median(events):g} events a step at the median, {_p90(events):g} at p90; {each:.2f} us each."
    )
    return "\n".join(lines)


def _p90(values: list[float]) -> float:
    return quantiles(values, n=10, method="inclusive")[-1]


def main() -> None:
    """Measure, print, and write the figures where ``--json`` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", default=FLAGSHIP, help=f"name or file (default {FLAGSHIP})")
    parser.add_argument("--policy", default="rule", help="who chooses the moves beforehand (default rule)")
    parser.add_argument("--episodes", type=int, default=5, help="episodes, with seeds from 0 (default 5)")
    parser.add_argument("--repeats", type=int, default=7, help="how often each is played per part (default 7)")
    parser.add_argument("--json", type=Path, help="write the figures of every step to this file")
    options = parser.parse_args()
    found = measure(options.scenario, options.policy, options.episodes, options.repeats)
    print(report(Path(options.scenario).stem, options.policy, options.episodes, options.repeats, found))
    if options.json is not None:
        options.json.write_text(json.dumps({"python": sys.version.split()[0], **found}) + "\n")


if __name__ == "__main__":
    main()
