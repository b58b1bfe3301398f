"""Small cooperative games whose optima are known, to hold learning algorithms to."""

from typing import ClassVar

import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv


class Game(ParallelEnv):
    """What the games share: spaces by agent, one reward for all, an end after `steps`: by time, or a real one."""

    metadata: ClassVar = {"name": "game_v0"}
    render_mode = None
    steps = 1
    terminates = False
    shapes: ClassVar[dict[str, tuple[int, int]]] = {}
    """By agent: numbers observed, and actions."""

    def __init__(self):
        self.possible_agents = list(self.shapes)
        self.agents = []
        self._seen = {a: Box(-100, 100, (m,), np.float32) for a, (m, _) in self.shapes.items()}
        self._can = {a: Discrete(n) for a, (_, n) in self.shapes.items()}

    def observation_space(self, agent):
        return self._seen[agent]

    def action_space(self, agent):
        return self._can[agent]

    def reset(self, seed=None, options=None):
        self.rng = np.random.default_rng(seed)
        self.agents, self.t = self.possible_agents[:], 0
        self.begin()
        return self.seen(), {a: {"action_mask": self.mask(a)} for a in self.agents}

    def step(self, actions):
        agents = self.agents
        reward = self.play(actions)
        self.t += 1
        over = self.t == self.steps
        seen, infos = self.seen(), {a: {"action_mask": self.mask(a)} for a in agents}
        self.agents = [] if over else agents
        ended, cut = over and self.terminates, over and not self.terminates
        return seen, dict.fromkeys(agents, reward), dict.fromkeys(agents, ended), dict.fromkeys(agents, cut), infos

    def mask(self, agent):
        return np.ones(self._can[agent].n, np.int8)


class LuckyTeam(Game):
    """Each of two roles sees which of its actions is right; the team earns 1 a step if both take theirs.

    To that comes the luck of the episode, the same at every step, whatever is done. Only the state tells it: a critic
    that sees no more than its actor takes luck for skill.
    """

    steps = 8
    luck = 6.0
    shapes: ClassVar = {"left_0": (3, 3), "right_0": (2, 2)}

    def begin(self):
        self.fortune = float(self.rng.uniform(-1, 1))
        self.right = {a: self.rng.integers(n, size=self.steps + 1) for a, (_, n) in self.shapes.items()}

    def play(self, actions):
        hit = all(actions[a] == self.right[a][self.t] for a in self.agents)
        return hit + self.luck * self.fortune

    def seen(self):
        return {a: np.eye(n, dtype=np.float32)[self.right[a][self.t]] for a, (_, n) in self.shapes.items()}

    def state(self):
        return np.array([self.fortune, self.t / self.steps], np.float32)


class NoLuck(LuckyTeam):
    """Only skill pays: 8 at best, 1.3 at random."""

    luck = 0.0


class Later(Game):
    """What the buyer orders, at a cost of 0.2, pays 1 in the next step; nobody sees that it is under way.

    Always to order earns 3.8, never to order 0.
    """

    steps = 6
    shapes: ClassVar = {"buyer_0": (3, 2), "porter_0": (3, 2)}

    def begin(self):
        self.under_way = 0.0

    def play(self, actions):
        paid, self.under_way = self.under_way, float(actions["buyer_0"])
        return paid - 0.2 * self.under_way

    def seen(self):
        return {a: np.array([1, 0, 0], np.float32) for a in self.possible_agents}


class TwoSteps(Game):
    """The two-step game of Rashid et al. 2018 (arXiv 1803.11485, figure 3).

    The first agent's first move picks the matrix of the second step: all pay 7, or [[0, 1], [1, 8]]. The best return is
    8; whoever takes the team's value for a sum of the agents' values settles for 7.
    """

    steps = 2
    terminates = True
    shapes: ClassVar = {"first_0": (3, 2), "second_0": (3, 2)}
    payoffs: ClassVar = {1: [[7, 7], [7, 7]], 2: [[0, 1], [1, 8]]}

    def begin(self):
        self.place = 0

    def play(self, actions):
        if self.place:
            return float(self.payoffs[self.place][actions["first_0"]][actions["second_0"]])
        self.place = 1 + int(actions["first_0"])
        return 0.0

    def seen(self):
        return dict.fromkeys(self.possible_agents, self.state())

    def state(self):
        return np.eye(3, dtype=np.float32)[self.place]
