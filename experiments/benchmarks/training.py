"""How fast agents sample and learn: ``python -m experiments.benchmarks.training [NAME]``.

RLlib's own env runner and the batched one take turns in masked PPO with equal weights, on the same episodes' seeds, and
there are clocks around the environment alone (its steps and resets, as PettingZoo sees them) and around the modules'
forward pass. So the environment is measured on just those steps that the runners take, in the same process at the same
time. What remains is the runner's own: the adapter to RLlib, observations put together and actions handed out, the
draw from what the modules say, episodes cut and metrics logged. Its cost is told per agent-step, with the forward pass
beside it. Whatever it costs, a runner cannot be faster than the environment: ``at best`` tells how many times
as fast as RLlib's one would be that costs nothing at all.

Everything is CPU time, medians over the turns, less what reading the clock costs; ``wall`` is beside it, and means
little where other work runs. With env runners in processes of their own, CPU time is that of all processes together.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from experiments.benchmarks.step import FLAGSHIP, Stopwatch, cost_of_clocks
from orchestration.local_ray import local_ray, quiet, quiet_loggers

ENVS, RUNNERS = (1, 8, 16, 32), (0, 2)
STOCK, BATCHED = "stock", "batched"


@dataclass(frozen=True)
class Turn:
    """What one turn took: microseconds of CPU time per agent-step, and wall-clock time beside it.

    Attributes:
        cpu, wall: of sampling.
        raw: of the environment in it; nan where it runs in other processes.
        forward: of the modules' forward pass in it; nan where it runs in other processes.
    """

    cpu: float
    wall: float
    raw: float = nan
    forward: float = nan

    @property
    def over(self) -> float:
        """What is added to the environment."""
        return self.cpu - self.raw

    @property
    def own(self) -> float:
        """What is the runner's own: neither the environment nor the forward pass."""
        return self.over - self.forward


@dataclass(frozen=True)
class Pace:
    """One setting: medians over the turns, and training.

    Attributes:
        runners, envs, agents: env runners (0: in process), environments in each, agents in each.
        turns: by runner, of sampling.
        learning: by runner microseconds per agent-step of an iteration, learning included: of CPU time and wall clock.
    """

    runners: int
    envs: int
    agents: int
    turns: dict[str, list[Turn]]
    learning: dict[str, tuple[float, float]]

    def median(self, kind: str, name: str) -> float:
        """Median of a part of the turns, in microseconds per agent-step."""
        return median(getattr(turn, name) for turn in self.turns[kind])

    def gain(self, name: str) -> float:
        """How many times as fast the batched runner samples; the median of turns side by side."""
        pairs = zip(self.turns[STOCK], self.turns[BATCHED], strict=True)
        return median(getattr(stock, name) / getattr(batched, name) for stock, batched in pairs)

    def per_second(self, microseconds: float) -> float:
        """Steps of the environment per second."""
        return 1e6 / (microseconds * self.agents)

    def figures(self) -> dict[str, Any]:
        """What is written to a file."""
        parts = ("cpu", "wall", "raw", "forward", "over", "own")
        return {
            **{name: getattr(self, name) for name in ("runners", "envs", "agents", "learning")},
            "us": {kind: {name: self.median(kind, name) for name in parts} for kind in self.turns},
            "gain": {name: self.gain(name) for name in ("cpu", "wall")},
        }


def kinds() -> dict[str, type]:
    """The runners by name."""
    from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner

    from policies.rllib.runner import BatchedEnvRunner

    return {STOCK: MultiAgentEnvRunner, BATCHED: BatchedEnvRunner}


def settings(make_env: Callable[[], Any], kind: type, runners: int, envs: int, steps: int) -> Any:
    """Masked PPO with this kind of env runner, which learns from so many steps at a time."""
    from policies.rllib.ppo import masked_ppo_config

    config = masked_ppo_config("benchmark", make_env=make_env)
    config.env_runners(env_runner_cls=kind, num_env_runners=runners, num_envs_per_env_runner=envs)
    return config.training(train_batch_size_per_learner=steps, minibatch_size=min(steps, 512))


@contextmanager
def algorithm(config: Any) -> Iterator[Any]:
    """The algorithm, until it is no longer needed."""
    made = config.build_algo()
    try:
        yield made
    finally:
        made.stop()


def cpu_time(made: Any) -> float:
    """Seconds of CPU time of an algorithm's process and of its runners."""
    elsewhere = made.env_runner_group.foreach_env_runner(lambda _: process_time(), local_env_runner=False)
    return process_time() + sum(elsewhere)


@contextmanager
def clocks(runner: Any) -> Iterator[tuple[list[Stopwatch], list[Stopwatch]]]:
    """Clocks around the environments of a runner in this process, and around its modules."""
    with ExitStack() as stack:
        inner = [env.unwrapped.env for env in runner.env.envs]
        worlds = [stack.enter_context(Stopwatch(env, name)) for env in inner for name in ("step", "reset")]
        modules = [stack.enter_context(Stopwatch(m, "_forward_exploration")) for m in runner.module.values()]
        yield worlds, modules


def in_process(runner: Any, steps: int) -> Turn:
    """One turn of a runner in this process, with clocks inside."""
    alone, inside = cost_of_clocks()
    with clocks(runner) as (worlds, modules):
        cpu, wall = process_time(), perf_counter()
        episodes = runner.sample(num_timesteps=steps)
        cpu, wall = process_time() - cpu, perf_counter() - wall
        told = inside * sum(watch.calls for watch in (*worlds, *modules))
        raw, forward = (sum(watch.spent - watch.calls * alone for watch in part) for part in (worlds, modules))
    n = sum(episode.agent_steps() for episode in episodes)
    return Turn((1e6 * cpu - told) / n, (1e6 * wall - told) / n, raw / n, forward / n)


def elsewhere(made: Any, steps: int) -> Turn:
    """One turn of an algorithm whose runners are processes of their own."""
    from ray.rllib.execution.rollout_ops import synchronous_parallel_sample

    cpu, wall = cpu_time(made), perf_counter()
    episodes = synchronous_parallel_sample(
        worker_set=made.env_runner_group, max_env_steps=steps, concat=True, _uses_new_env_runners=True
    )
    cpu, wall = cpu_time(made) - cpu, perf_counter() - wall
    n = sum(episode.agent_steps() for episode in episodes)
    return Turn(1e6 * cpu / n, 1e6 * wall / n)


def measure(
    make_env: Callable[[], Any], *, runners: int, envs: int, steps: int, turns: int, learn: bool = True
) -> Pace:
    """One setting. Both kinds of runner are there all the time and take turns, the first of which is not counted."""
    found: dict[str, list[Turn]] = {STOCK: [], BATCHED: []}
    learning = dict.fromkeys(found, (nan, nan))
    with ExitStack() as stack:
        made: dict[str, Any] = {}
        for name, kind in kinds().items():
            config = settings(make_env, kind, runners, envs, steps)
            if runners or learn:
                made[name] = stack.enter_context(algorithm(config))
            else:
                made[name] = kind(config=config, worker_index=0)
        for number in range(turns + 1):
            for name in (STOCK, BATCHED) if number % 2 else (BATCHED, STOCK):
                if runners:
                    found[name].append(elsewhere(made[name], steps))
                else:
                    found[name].append(in_process(getattr(made[name], "env_runner", made[name]), steps))
        if learn:
            learning = {name: trained(each) for name, each in made.items()}
    agents = len(make_env().possible_agents)
    return Pace(runners, envs, agents, {name: each[1:] for name, each in found.items()}, learning)


def trained(made: Any) -> tuple[float, float]:
    """Microseconds per agent-step of an iteration: CPU time and wall clock."""
    made.train()
    cpu, wall = cpu_time(made), perf_counter()
    result = made.train()
    spent = cpu_time(made) - cpu, perf_counter() - wall
    n = sum(result["env_runners"]["num_agent_steps_sampled"].values())
    return 1e6 * spent[0] / n, 1e6 * spent[1] / n


def report(scenario: str, steps: int, turns: int, paces: list[Pace]) -> str:
    """The figures as tables."""
    lines = [f"{scenario}: {paces[0].agents} agents; medians of {turns} turns of {steps:,} steps each, CPU time"]
    inside = [pace for pace in paces if not pace.runners]
    if inside:
        lines += [
            "",
            f"us per agent-step{'stock runner':>29}{'batched runner':>38}",
            f"{'envs':>8}" + 2 * f"{'raw env':>12}{'forward':>9}{'own':>8}{'added':>9}",
        ]
    for pace in inside:
        parts = [[pace.median(kind, name) for name in ("raw", "forward", "own", "over")] for kind in (STOCK, BATCHED)]
        lines.append(f"{pace.envs:>8}" + "".join(f"{a:>12.1f}{b:>9.1f}{c:>8.1f}{d:>9.1f}" for a, b, c, d in parts))
    lines += [
        "",
        "steps per second                        sampling                             learning",
        f"{'runners':>7}{'envs':>5}{'raw env':>9}{'stock':>8}{'batched':>9}{'times':>7}{'at best':>9}{'wall':>7}"
        f"{'stock':>9}{'batched':>9}{'times':>7}{'wall':>7}",
    ]
    for pace in paces:
        stock, batched, raw = pace.median(STOCK, "cpu"), pace.median(BATCHED, "cpu"), pace.median(BATCHED, "raw")
        slow, fast = pace.learning[STOCK], pace.learning[BATCHED]
        rates = [_rate(pace.per_second(us)) for us in (raw, stock, batched, slow[0], fast[0])]
        lines.append(
            f"{pace.runners:>7}{pace.envs:>5}{rates[0]:>9}{rates[1]:>8}{rates[2]:>9}{pace.gain('cpu'):>7.2f}"
            f"{_times(stock / raw):>9}{pace.gain('wall'):>7.2f}{rates[3]:>9}{rates[4]:>9}"
            f"{_times(slow[0] / fast[0]):>7}{_times(slow[1] / fast[1]):>7}"
        )
    return "\n".join(lines)


def _rate(value: float) -> str:
    return "-" if isnan(value) else f"{value:,.0f}"


def _times(value: float) -> str:
    return "-" if isnan(value) else f"{value:.2f}"


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.benchmarks.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", nargs="?", default=FLAGSHIP, help=f"a name or a YAML file (default {FLAGSHIP})")
    parser.add_argument("--envs", type=int, nargs="+", default=list(ENVS), help="environments in a runner")
    parser.add_argument("--runners", type=int, nargs="+", default=list(RUNNERS), help="env runners; 0: in process")
    parser.add_argument("--steps", type=int, default=640, help="that are sampled in a turn (default 640)")
    parser.add_argument("--turns", type=int, default=5, help="that each runner takes (default 5)")
    parser.add_argument("--sampling", action="store_true", help="measure no learning")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    said = parser.parse_args(arguments)
    quiet()
    import torch

    import marl_health
    from marl_health.adapters.rllib import env_maker

    quiet_loggers()
    torch.set_num_threads(1)  # as in runners of their own
    try:
        marl_health.load(said.scenario)
    except marl_health.ScenarioError as error:
        raise SystemExit(str(error)) from None
    make_env, found = env_maker(said.scenario), []
    with ExitStack() as stack:
        if any(said.runners) or not said.sampling:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            # Both algorithms are there at the same time.
            stack.enter_context(local_ray(2 * max(said.runners) + 1, Path(folder)))
        for runners in said.runners:
            for envs in said.envs:
                options = {"steps": said.steps, "turns": said.turns, "learn": not said.sampling}
                found.append(measure(make_env, runners=runners, envs=envs, **options))
    print(report(Path(said.scenario).stem, said.steps, said.turns, found))
    if said.json is not None:
        said.json.write_text(json.dumps([pace.figures() for pace in found], indent=1) + "\n")


if __name__ == "__main__":
    main()
