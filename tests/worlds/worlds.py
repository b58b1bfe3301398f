"""The scenarios on which every invariant is tested, and how an episode of them is played at random or watched."""

from pathlib import Path

import numpy as np
from gymnasium.spaces import Box

import marl_health

SMALL = Path(__file__).parent / "small_hospital.yaml"
BLOOD = Path(__file__).parent / "blood_bank.yaml"
INCIDENT = Path(__file__).parent / "incident.yaml"
TWO_HOSPITALS = Path(__file__).parent / "two_hospitals.yaml"
AMBULANCES = Path(__file__).parent / "ambulances.yaml"
VARIANTS = ("mci_surge", "mci_large", "mci_two_sites", "mci_rural", "mci_las_vegas")
"""They have the words of ``mci_small``, and up to a hundred times as many casualties."""
EVERY = [str(SMALL), str(BLOOD), str(INCIDENT), str(TWO_HOSPITALS), str(AMBULANCES)]
EVERY += [name for name in marl_health.scenarios() if name not in VARIANTS]


def short(scenario):
    """Name of a scenario for the list of tests."""
    return Path(scenario).stem


class Watched:
    """A scenario in which nobody decides, with as much of an env's interface as the invariants need."""

    def __init__(self, scenario, events=False):
        self.scenario = scenario
        self.game = scenario.kind.make_game(scenario.program)
        self.possible_agents = []
        self.events = events
        self.kpis, self.conservation, self.event_log = self.game.kpis, self.game.conservation, self.game.events
        self.state_space = Box(-1.0, 1.0, (len(self.game.state_names()),), np.float32)

    @property
    def agents(self):
        """Something to go on for, until the episode is over."""
        return [] if self.game.finished else ["nobody"]

    def reset(self, seed):
        self.game.reset(seed, events=self.events)
        return {}, {}

    def step(self, actions):
        self.game.advance()
        return {}, {}, {}, {}, {}

    def state(self):
        return np.array(self.game.state(), np.float32)


def env_of(scenario, events=False):
    """The env of a scenario, or its stand-in where nobody decides."""
    loaded = marl_health.load(scenario)
    return marl_health.parallel_env(loaded, events=events) if loaded.roles else Watched(loaded, events)


class Player:
    """Random legal actions, a function of seed and decision alone; some of them waits."""

    def __init__(self, seed, eager=0.7):
        self.generator = np.random.default_rng([seed, 99])
        self.eager = eager

    def act(self, env, infos):
        actions = {}
        for agent in env.agents if infos else ():
            pick, active = self.generator.random(2)
            possible = np.flatnonzero(infos[agent]["action_mask"])
            actions[agent] = int(possible[int(pick * len(possible))]) if active < self.eager else 0
        return actions


def steps_of(env, seed, player=None):
    """Play an episode; yields (observations, rewards, infos) of the reset, with no rewards, and of every step."""
    observations, infos = env.reset(seed=seed)
    yield observations, {}, infos
    while env.agents:
        actions = player.act(env, infos) if player else {}
        observations, rewards, _, _, infos = env.step(actions)
        yield observations, rewards, infos


def record(env, seed, player=None):
    """Everything that an episode tells, as text that is equal only if all of it is bit for bit the same."""
    told = []
    for observations, rewards, infos in steps_of(env, seed, player):
        for agent in env.possible_agents:
            if agent in observations:
                told.append((agent, observations[agent].tobytes().hex(), infos[agent]["action_mask"].tobytes().hex()))
        told.append(sorted((agent, reward.hex()) for agent, reward in rewards.items()))
        told.append(env.state().tobytes().hex())
    told.append(sorted((name, repr(value)) for name, value in env.kpis().items()))
    told.append(env.conservation())
    return told, env.event_log()
