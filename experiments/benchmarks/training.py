"""How fast agents sample and learn: ``python -m experiments.benchmarks.training [NAME]``.

Three things are put side by side: the environment alone with random legal moves, RLlib's own env runner, and the
batched one; the last two in masked PPO, sampling only and with learning. With no env runners everything happens in
one process and what is measured is its CPU time, so that a busy machine disturbs little; with some it is wall clock,
and tells something on an idle machine only. The overhead is what a step of the batched runner costs more than one of
the environment, by agent.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import marl_health
from orchestration.local_ray import local_ray, quiet, quiet_loggers

ENVS, RUNNERS = (1, 8, 16, 32), (0, 2)


@dataclass(frozen=True)
class Pace:
    """Steps of the environment per second, in one setting.

    Attributes:
        runners, envs: env runners, and environments in each of them.
        agents: that act in a step.
        raw: of the environment alone.
        stock, batched: sampling, with RLlib's runner and with ours.
        stock_training, batched_training: the same, learning included.
    """

    runners: int
    envs: int
    agents: int
    raw: float
    stock: float
    batched: float
    stock_training: float
    batched_training: float

    @property
    def gain(self) -> float:
        """How many times as fast ours samples."""
        return self.batched / self.stock

    @property
    def overhead(self) -> float:
        """Microseconds by which an agent's step in our runner is longer than in the environment alone."""
        return 1e6 * (1 / self.batched - 1 / self.raw) / self.agents


def raw_pace(make_env: Callable[[], Any], steps: int) -> float:
    """Steps per second of the environment alone, each agent drawing one of its legal moves."""
    env, rng = make_env(), np.random.default_rng(0)
    spent, seed = 0.0, 0
    _, infos = env.reset(seed=seed)
    for _ in range(steps):
        if not env.agents:
            seed += 1
            start = process_time()  # runners reset too
            _, infos = env.reset(seed=seed)
            spent += process_time() - start
        moves = {agent: int(rng.choice(np.flatnonzero(infos[agent]["action_mask"]))) for agent in env.agents}
        start = process_time()
        _, _, _, _, infos = env.step(moves)
        spent += process_time() - start
    env.close()
    return steps / spent


@contextmanager
def algorithm(make_env: Callable[[], Any], kind: type, runners: int, envs: int) -> Iterator[Any]:
    """Masked PPO with this kind of env runner."""
    from policies.rllib.ppo import masked_ppo_config

    config = masked_ppo_config("benchmark", make_env=make_env)
    config.env_runners(env_runner_cls=kind, num_env_runners=runners, num_envs_per_env_runner=envs)
    made = config.build_algo()
    try:
        yield made
    finally:
        made.stop()


def paces(made: Any, steps: int) -> tuple[float, float]:
    """Steps per second of an algorithm that samples only, and of one that learns."""
    from ray.rllib.execution.rollout_ops import synchronous_parallel_sample

    clock = perf_counter if made.config.num_env_runners else process_time

    def sampled(wanted: int) -> int:
        episodes = synchronous_parallel_sample(
            worker_set=made.env_runner_group, max_env_steps=wanted, concat=True, _uses_new_env_runners=True
        )
        return sum(len(episode) for episode in episodes)

    sampled(steps // 10)
    start = clock()
    n = sampled(steps)
    sampling = n / (clock() - start)
    made.train()
    start = clock()
    n = made.train()["env_runners"]["num_env_steps_sampled"]
    return sampling, n / (clock() - start)


def measure(make_env: Callable[[], Any], *, runners: int, envs: int, steps: int, raw: float) -> Pace:
    """One setting; `raw` is the pace of the environment alone."""
    from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner

    from policies.rllib.runner import BatchedEnvRunner

    found = []
    for kind in (MultiAgentEnvRunner, BatchedEnvRunner):
        with algorithm(make_env, kind, runners, envs) as made:
            found.append(paces(made, steps))
    (stock, stock_training), (batched, batched_training) = found
    agents = len(make_env().possible_agents)
    return Pace(runners, envs, agents, raw, stock, batched, stock_training, batched_training)


def show(found: list[Pace]) -> Table:
    """The table that people read."""
    table = Table(caption="steps per second; with 0 runners of CPU time, otherwise of wall clock")
    columns = ("runners", "envs", "raw env", "stock", "batched", "gain", "us per agent-step", "stock, learning")
    for column in (*columns, "batched, learning"):
        table.add_column(column, justify="right")
    for pace in found:
        rates = [f"{rate:,.0f}" for rate in (pace.raw, pace.stock, pace.batched)]
        learning = [f"{rate:,.0f}" for rate in (pace.stock_training, pace.batched_training)]
        overhead = f"{pace.overhead:.1f}" if not pace.runners else "–"
        table.add_row(str(pace.runners), str(pace.envs), *rates, f"{pace.gain:.1f}", overhead, *learning)
    return table


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmarks.training", description=__doc__)
    parser.add_argument("scenario", nargs="?", default="hospital_throughput", help="a name or a YAML file")
    parser.add_argument("--envs", type=int, nargs="+", default=list(ENVS), help="environments in a runner")
    parser.add_argument("--runners", type=int, nargs="+", default=list(RUNNERS), help="env runners")
    parser.add_argument("--steps", type=int, default=4_000, help="that are sampled in each setting")
    parser.add_argument("--json", action="store_true", help="print JSON")
    said = parser.parse_args(arguments)
    quiet()
    from marl_health.adapters.rllib import env_maker

    quiet_loggers()
    marl_health.load(said.scenario)  # a slip in the name is told here
    make_env, found = env_maker(said.scenario), []
    raw = raw_pace(make_env, said.steps)
    with tempfile.TemporaryDirectory() as folder, local_ray(max(said.runners), Path(folder)):
        for runners in said.runners:
            for envs in said.envs:
                found.append(measure(make_env, runners=runners, envs=envs, steps=said.steps, raw=raw))
    if said.json:
        rows = [{**asdict(pace), "gain": pace.gain, "overhead": pace.overhead} for pace in found]
        json.dump(rows, sys.stdout, indent=1)
        print()
    else:
        Console().print(show(found))


if __name__ == "__main__":
    main()
