"""The scenarios on which every invariant is tested, and how an episode of them is played at random."""

from pathlib import Path

import numpy as np

import marl_health

SMALL = Path(__file__).parent / "small_hospital.yaml"
EVERY = [str(SMALL), *marl_health.scenarios()]


def short(scenario):
    """Name of a scenario for the list of tests."""
    return Path(scenario).stem


class Player:
    """Random legal actions, a function of seed and decision alone; some of them waits."""

    def __init__(self, seed, eager=0.7):
        self.generator = np.random.default_rng([seed, 99])
        self.eager = eager

    def act(self, env, infos):
        actions = {}
        for agent in env.agents:
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
