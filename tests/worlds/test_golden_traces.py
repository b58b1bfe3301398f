"""What happens in a scenario moves only when its version is raised: a digest of one episode's event log is pinned.

After a change that is meant to move it, raise the scenario's version and run
``python -m tests.worlds.test_golden_traces`` to write the new digests.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import marl_health
from tests.worlds.worlds import env_of

PINNED = Path(__file__).with_name("golden_traces.json")


def trace(name: str) -> dict[str, object]:
    """Version and digest of the events of the first episode, in which every agent always tries its last move."""
    env = env_of(name, events=True)
    env.reset(seed=0)
    while env.agents:
        env.step({agent: env.action_space(agent).n - 1 for agent in env.possible_agents})
    digest = hashlib.sha256()
    for minute, *what in env.event_log():
        digest.update(
            f"{minute:.6f} {what}\n".encode()
        )  # rounded, since libraries of mathematics differ in the last bit
    return {"version": env.scenario.version, "events": len(env.event_log()), "digest": digest.hexdigest()}


@pytest.mark.parametrize("name", marl_health.scenarios())
def test_the_trace_moves_only_with_the_version(name: str) -> None:
    pinned = json.loads(PINNED.read_text())
    assert name in pinned, "run python -m tests.worlds.test_golden_traces"
    assert trace(name) == pinned[name]


if __name__ == "__main__":
    PINNED.write_text(json.dumps({name: trace(name) for name in marl_health.scenarios()}, indent=2) + "\n")
