"""Point 6: the same seed and actions give the same episode, bit for bit, in other processes with other hash seeds."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import Any

from marl_health import HealthParallelEnv, Scenario
from orchestration.check.finding import Finding
from orchestration.check.search import TRAINED
from orchestration.episodes import ScenarioRef
from policies.simple import RandomPolicy

HASH_SEEDS = ("1", "2024")
AGAIN = "from orchestration.check.replay import main; main()"


def replay(scenario: Scenario) -> Finding:
    """Record a random episode here, and play it again in fresh processes."""
    env = HealthParallelEnv(scenario, events=True)
    policy = RandomPolicy()
    observations, infos = env.reset(seed=TRAINED)
    policy.reset(env, TRAINED)
    actions = []
    while env.agents:
        actions.append(policy.act(env, observations, infos))
        observations, _, _, _, infos = env.step(actions[-1])
    here = digest(scenario, TRAINED, actions)
    ref = ScenarioRef.of(scenario)
    task = json.dumps({"scenario": [ref.file, ref.chosen, ref.hash], "seed": TRAINED, "actions": actions})
    there = [_elsewhere(task, seed) for seed in HASH_SEEDS]
    same = sum(found == here for found in there)
    figure = f"{same} of {len(there)} processes, {len(env.event_log()):,} events each"
    data = {"seed": TRAINED, "digest": here, "hash_seeds": list(HASH_SEEDS)}
    return Finding(6, "episodes played again elsewhere that are the same", figure, same == len(there), data)


def digest(scenario: Scenario, seed: int, actions: list[dict[str, int]]) -> str:
    """Sixteen hexadecimal digits of everything that comes out: observations, masks, rewards, events, KPIs."""
    env = HealthParallelEnv(scenario, events=True)
    found = hashlib.sha256()
    observations, infos = env.reset(seed=seed)
    for joint in actions:
        for agent, seen in observations.items():
            found.update(seen.tobytes() + infos[agent]["action_mask"].tobytes())
        observations, rewards, _, _, infos = env.step(joint)
        found.update(repr(rewards).encode())
    found.update(repr((env.event_log(), env.kpis(), env.conservation())).encode())
    return found.hexdigest()[:16]


def _elsewhere(task: str, hash_seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", AGAIN], input=task, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else f"failed: {done.stderr[-500:]}"


def main() -> None:
    """Play the episode that stands on stdin, and print its digest."""
    task: dict[str, Any] = json.load(sys.stdin)
    file, chosen, hashed = task["scenario"]
    scenario = ScenarioRef(file, tuple(map(tuple, chosen)), hashed).load()
    print(digest(scenario, task["seed"], task["actions"]))
