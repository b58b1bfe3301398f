"""A PettingZoo environment whose agents leave at different times and in different ways."""

from typing import ClassVar

import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv

# Per agent: how it ends, and at which step. The last one ends at step 4.
ENDS = [
    [("terminated", 4), ("terminated", 4)],
    [("truncated", 4), ("truncated", 4)],
    [("terminated", 4), ("truncated", 4)],
    [("terminated", 2), ("truncated", 4)],
    [("truncated", 2), ("terminated", 4)],
    [("truncated", 2), ("truncated", 4), ("terminated", 4)],
    [("terminated", 1), ("terminated", 2), ("terminated", 4)],
    [("truncated", 1), ("terminated", 3), ("truncated", 4)],
]


class LeavingEnv(ParallelEnv):
    """Each agent leaves at its own step, terminated or truncated; `shape` is that of what it sees."""

    metadata: ClassVar = {"name": "leaving_v0"}

    def __init__(self, ends, shape=(3,)):
        self.ends = ends
        self.shape = shape
        self.possible_agents = [f"walker_{i}" for i in range(len(ends))]
        self.agents = []

    def observation_space(self, agent):
        return Box(-1, 1, self.shape, np.float32)

    def action_space(self, agent):
        return Discrete(2)

    def reset(self, seed=None, options=None):
        self.agents, self.t = self.possible_agents[:], 0
        return {a: np.zeros(self.shape, np.float32) for a in self.agents}, {a: {} for a in self.agents}

    def step(self, actions):
        assert set(actions) == set(self.agents)
        self.t += 1
        due = {a: self.ends[i] for i, a in enumerate(self.possible_agents) if a in self.agents}
        terminations = {a: kind == "terminated" and at == self.t for a, (kind, at) in due.items()}
        truncations = {a: kind == "truncated" and at == self.t for a, (kind, at) in due.items()}
        observations = {a: np.full(self.shape, self.t / 10, np.float32) for a in self.agents}
        rewards, infos = dict.fromkeys(self.agents, 1.0), {a: {} for a in self.agents}
        self.agents = [a for a in self.agents if not terminations[a] and not truncations[a]]
        return observations, rewards, terminations, truncations, infos
