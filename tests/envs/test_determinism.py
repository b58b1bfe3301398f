"""The same seed and actions give the same episode, bit for bit, in every process."""

import os
import subprocess
import sys

EPISODE = """
import sys
from hashlib import sha256
import numpy as np
import marl_health

env = marl_health.parallel_env(sys.argv[1], events=True)
chance = np.random.default_rng(11)
digest = sha256()
observations, infos = env.reset(seed=8)
while env.agents:
    actions = {agent: int(chance.choice(np.flatnonzero(infos[agent]["action_mask"]))) for agent in env.agents}
    observations, rewards, _, _, infos = env.step(actions)
    for agent, observation in observations.items():
        digest.update(observation.tobytes() + np.float64(rewards[agent]).tobytes())
    digest.update(env.state().tobytes())
digest.update(repr(env.event_log()).encode())
digest.update(repr(env.kpis()).encode())
print(digest.hexdigest())
"""


def test_whole_episodes_in_processes_that_hash_differently(everywhere):
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", EPISODE, everywhere],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "4242")
    ]
    first, second = (run.communicate()[0] for run in runs)
    assert [run.returncode for run in runs] == [0, 0]
    assert first == second
