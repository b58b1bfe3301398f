"""How fast the kernel is: our world, an idiomatic SimPy model and a bare heap on the same pathway, side by side.

``python -m experiments.benchmarks.kernel`` runs the three by turns in one process, measures CPU time, and prints
patients per second without agents, env-steps per second with four agents (resets included), and the ratios to SimPy of
runs that stood next to each other. The SimPy model lies with the tests, which only a checkout has.

The longer the way of a patient, the better an engine looks whose events are cheap. So the report begins with how many
resources an arrival uses on this pathway and in hospital_throughput, the hospital that the speed is wanted for.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np
from ruamel.yaml import YAML

import marl_health
from experiments.benchmarks import parameters as p
from experiments.benchmarks.heap_env import HeapEnv
from experiments.benchmarks.heap_hospital import HeapHospital
from marl_health.worlds.flow.world import FlowWorld

SCENARIO = Path(__file__).with_name("hospital_flow.yaml")
FLAGSHIP = "hospital_throughput"
PATIENTS, EVERYBODY = "emergency patients", "everybody"
OURS, SIMPY, HEAP = "marl_health", "idiomatic SimPy", "plain heapq"
REQUIRED = {"patients": 5.0, "env_steps": 3.0}
"""Least median ratio of our speed to that of SimPy."""

Work = Callable[[int], int]
"""Does one replication with a seed and tells how many patients or steps that were."""


def _simpy_models() -> tuple[Any, Any]:
    """The SimPy model and its env, which only a checkout has."""
    try:
        from tests.oracle.simpy_env import SimpyHospitalEnv
        from tests.oracle.simpy_hospital import simulate
    except ImportError as error:
        raise SystemExit(
            "The comparison needs the SimPy model in tests/oracle, which is not installed: "
            "run `python -m experiments.benchmarks.kernel` in the root of a checkout of marl-health."
        ) from error
    return simulate, SimpyHospitalEnv


def uses_of_resources(scenario: str | Path) -> dict[str, float]:
    """Resource uses per arrival in the event log of an episode (seed 0) in which all agents wait.

    Emergency patients are those who come through the door of the emergency department. Everybody is all who count as
    patients of the speed: also who is in a bed at the start, and in hospital_throughput those who are booked.
    """
    loaded = marl_health.load(scenario)
    game = loaded.kind.make_game(loaded.program)
    game.reset(0, events=True)
    while not game.finished:
        game.advance()
    people = game.people()
    users = [row[1] for row in game.events() if row[2] == "resource_use"]
    patients = {number for number, person in people.items() if person.kind == "emergency"}
    return {
        PATIENTS: sum(user in patients for user in users) / len(patients),
        EVERYBODY: len(users) / len(people),
    }


def _without_agents() -> Any:
    """The compiled scenario when nobody decides: no agents, and none of the lists that they would see."""
    reader = YAML(typ="safe")
    scenario = reader.load(SCENARIO.read_text())
    for word in ("agents", "slots", "score"):
        del scenario[word]
    with TemporaryDirectory() as folder:
        file = Path(folder) / SCENARIO.name
        with file.open("w") as stream:
            reader.dump(scenario, stream)
        return marl_health.load(file).program


def kernels() -> dict[str, Work]:
    """One replication without agents: warm-up and seven days; patients."""
    simulate, _ = _simpy_models()
    program = _without_agents()

    def ours(seed: int) -> int:
        world = FlowWorld(program, seed)
        world.open()
        world.advance(program.horizon)
        world.close()
        return sum(world.arrived_all)

    def simpy(seed: int) -> int:
        return int(simulate(seed).arrived)

    def heap(seed: int) -> int:
        hospital = HeapHospital(seed)
        hospital.advance(p.HORIZON)
        return hospital.arrived

    return {OURS: ours, SIMPY: simpy, HEAP: heap}


def env_loops() -> dict[str, Work]:
    """One episode with four agents, its reset included; steps."""
    _, simpy_env = _simpy_models()
    ours = marl_health.parallel_env(SCENARIO)
    return {OURS: _episodes(ours), SIMPY: _episodes(simpy_env()), HEAP: _episodes(HeapEnv())}


def _episodes(env: Any) -> Work:
    moves = {agent: env.action_space(agent).n for agent in env.possible_agents} if hasattr(env, "action_space") else {}

    def play(seed: int) -> int:
        # Moves drawn beforehand, so that choosing them takes no part in the time; impossible ones count as waits.
        drawn = np.random.default_rng(seed).random((1000, max(1, len(moves))))
        env.reset(seed=seed)
        steps = 0
        while env.agents:
            env.step({agent: int(u * n) for u, (agent, n) in zip(drawn[steps], moves.items(), strict=False)})
            steps += 1
        return steps

    return play


def measure(contestants: dict[str, Work], repeats: int) -> dict[str, list[float]]:
    """Units per CPU second of each contestant, one figure for each repeat; they take turns, in changing order."""
    names = list(contestants)
    rates: dict[str, list[float]] = {name: [] for name in names}
    for name in names:  # imports, caches and specialised bytecode come before the clock starts
        contestants[name](10_000)
    for repeat in range(repeats):
        for place in range(len(names)):
            name = names[(place + repeat) % len(names)]
            gc.collect()
            start = process_time()
            done = contestants[name](repeat)
            rates[name].append(done / (process_time() - start))
    return rates


def ratios(rates: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Ratio of each contestant to SimPy, over the pairs of runs of the same repeat: least, median, greatest."""
    found = {}
    for name, own in rates.items():
        pairs = [rate / base for rate, base in zip(own, rates[SIMPY], strict=True)]
        found[name] = {"min": min(pairs), "median": median(pairs), "max": max(pairs)}
    return found


def report_of_uses(uses: dict[str, dict[str, float]]) -> str:
    """A table of how long the ways of patients are."""
    lines = ["Resource uses per arrival (event log of seed 0, all agents wait)"]
    lines.append(f"{'':20}{PATIENTS:>20}{EVERYBODY:>12}")
    lines += [f"{name:20}{found[PATIENTS]:>20.2f}{found[EVERYBODY]:>12.2f}" for name, found in uses.items()]
    lines.append("Everybody: also those in a bed at the start and those who are booked, whose ways are shorter.")
    return "\n".join(lines)


def report(title: str, rates: dict[str, list[float]], required: float) -> str:
    """A table of speeds and ratios."""
    lines = [title, f"{'':18}{'median':>10}{'min':>10}{'max':>10}   ratio to SimPy: median (min to max)"]
    for name, ratio in ratios(rates).items():
        own = rates[name]
        lines.append(
            f"{name:18}{median(own):>10,.0f}{min(own):>10,.0f}{max(own):>10,.0f}"
            f"   {ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})"
        )
    reached = ratios(rates)[OURS]["median"]
    verdict = "met" if reached >= required else "NOT met"
    lines.append(f"Required of {OURS}: {required:g} times SimPy; {verdict} with {reached:.2f}.")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write the figures where ``--json`` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15, help="interleaved runs of each model (default 15)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    found: dict[str, Any] = {"python": sys.version.split()[0], "repeats": options.repeats}
    uses = {SCENARIO.stem: uses_of_resources(SCENARIO), FLAGSHIP: uses_of_resources(FLAGSHIP)}
    print(report_of_uses(uses), end="\n\n")
    found["resource_uses"] = uses
    passed = True
    for key, title, contestants in (
        ("patients", "Patients per CPU second (no agents)", kernels()),
        ("env_steps", "Env-steps per CPU second (4 agents, every 15 min, resets included)", env_loops()),
    ):
        rates = measure(contestants, options.repeats)
        print(report(f"{title}; {options.repeats} interleaved runs of each", rates, REQUIRED[key]), end="\n\n")
        found[key] = {"rates": rates, "ratios": ratios(rates), "required": REQUIRED[key]}
        passed &= ratios(rates)[OURS]["median"] >= REQUIRED[key]
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
