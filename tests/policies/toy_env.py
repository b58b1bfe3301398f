"""A cooperative toy with a known optimum that keeps the contract of the library's own environments.

Two `router` agents each hold a parcel of one of three colours and see which of three gates are open.
Sending the parcel through its own gate earns 1, through another one costs 0.5; a closed gate is an illegal
action. The `loader` sees whether the parcel of `router_0` will find its gate open in the *next* step;
priming that gate costs 0.2 now and earns 1 then, if `router_0` delivers. It may prime in even steps only.
All share the sum.
"""

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv

STEPS = 20
GATES = 3
OPEN_CHANCE = 0.7
PRIME_COST = 0.2
WRONG_GATE = -0.5
COMPONENTS = ("clinical", "efficiency", "financial", "risk", "compliance")


class ToyEnv(ParallelEnv):
    """Episodes of 20 steps that end in a truncation; two roles of different shape."""

    metadata: ClassVar = {"name": "toy_v0", "render_modes": []}
    render_mode = None

    def __init__(self):
        self.possible_agents = ["router_0", "router_1", "loader_0"]
        self.agents = []
        self.scenario = SimpleNamespace(name="toy", version=1, hash="0" * 12)
        self._observation_spaces = {
            "router_0": Box(-1, 1, (2 * GATES,), np.float32),
            "router_1": Box(-1, 1, (2 * GATES,), np.float32),
            "loader_0": Box(-1, 1, (2,), np.float32),
        }
        self._action_spaces = {
            "router_0": Discrete(1 + GATES),
            "router_1": Discrete(1 + GATES),
            "loader_0": Discrete(2),
        }

    def observation_space(self, agent):
        return self._observation_spaces[agent]

    def action_space(self, agent):
        return self._action_spaces[agent]

    def reset(self, seed=None, options=None):
        rng = np.random.default_rng(seed)
        self.seed = seed
        self.agents = self.possible_agents[:]
        self.t = 0
        self.colours = rng.integers(GATES, size=(STEPS + 1, 2))
        self.open = rng.random((STEPS + 1, 2, GATES)) < OPEN_CHANCE
        self.primed = False
        self.illegal = dict.fromkeys(self.agents, 0)
        return self._observations(), self._infos(dict.fromkeys(COMPONENTS, 0.0))

    def step(self, actions):
        masks = self._masks()
        self.illegal = {a: int(not masks[a][actions[a]]) for a in self.agents}
        chosen = {a: 0 if self.illegal[a] else int(actions[a]) for a in self.agents}
        gains = dict.fromkeys(COMPONENTS, 0.0)
        for i in range(2):
            gate = chosen[f"router_{i}"]
            if gate:
                right = gate - 1 == self.colours[self.t, i]
                gains["efficiency"] += 1.0 if right else WRONG_GATE
                gains["clinical"] += float(right and i == 0 and self.primed)
        self.primed = bool(chosen["loader_0"])
        gains["financial"] -= PRIME_COST * self.primed
        self.t += 1
        over = self.t == STEPS
        agents = self.agents
        observations, infos = self._observations(), self._infos(gains)
        rewards = dict.fromkeys(agents, sum(gains.values()))
        if over:
            self.agents = []
        return observations, rewards, dict.fromkeys(agents, False), dict.fromkeys(agents, over), infos

    def optimal_return(self):
        """The best return that any policy can have on the episode drawn by the last `reset`."""
        fits = np.array([[self.open[t, i, self.colours[t, i]] for i in range(2)] for t in range(STEPS)])
        primes = sum(1 - PRIME_COST for t in range(0, STEPS - 1, 2) if fits[t + 1, 0])
        return float(fits.sum() + primes)

    def _fits_next(self):
        return self.t + 1 < STEPS and self.open[self.t + 1, 0, self.colours[self.t + 1, 0]]

    def _observations(self):
        out = {}
        for i in range(2):
            colour = np.eye(GATES)[self.colours[self.t, i]]
            out[f"router_{i}"] = np.concatenate([colour, self.open[self.t, i]]).astype(np.float32)
        out["loader_0"] = np.array([float(self._fits_next()), self.t / STEPS], np.float32)
        return out

    def _masks(self):
        masks = {f"router_{i}": np.array([1, *self.open[self.t, i]], np.int8) for i in range(2)}
        masks["loader_0"] = np.array([1, self.t % 2 == 0], np.int8)
        return masks

    def _infos(self, gains):
        masks = self._masks()
        return {
            a: {
                "action_mask": masks[a],
                "elapsed_minutes": 1.0 if self.t else 0.0,
                "illegal_actions": float(self.illegal[a]),
                "active": 1.0,
                **{f"reward_{c}": gains[c] for c in COMPONENTS},
            }
            for a in self.possible_agents
        }


def best_actions(env):
    """The action of every agent in an optimal policy, for the state `env` is in."""
    actions = {}
    for i in range(2):
        colour = env.colours[env.t, i]
        actions[f"router_{i}"] = 1 + int(colour) if env.open[env.t, i, colour] else 0
    actions["loader_0"] = int(env.t % 2 == 0 and env._fits_next())
    return actions
