"""Sampling as plainly as it can be written: lists, a step at a time. What the batched runner does must be the same."""

from collections import defaultdict

import numpy as np
import torch
from ray.rllib.core.columns import Columns


class Told:
    """Lists of what one environment told since its reset, by agent."""

    def __init__(self, observations, infos):
        self.now = dict(observations)
        self.observations = {agent: [o] for agent, o in observations.items()}
        self.infos = {agent: [i] for agent, i in infos.items()}
        self.actions, self.rewards, self.outputs = (defaultdict(list) for _ in range(3))


def plain_sample(modules, envs, module_of, lifetimes):
    """Every environment is stepped once for each of these numbers, which say how much was sampled before.

    Actions are drawn. Gives what was told, by environment and episode.
    """
    told = [[Told(*env.reset())] for env in envs]
    for lifetime in lifetimes:
        rows, owners = defaultdict(list), defaultdict(list)
        for index, episodes in enumerate(told):
            for agent, observation in episodes[-1].now.items():
                rows[module_of(agent)].append(observation)
                owners[module_of(agent)].append((index, agent))
        moves = [{} for _ in envs]
        for name, batch in rows.items():
            module = modules[name]
            out = module.forward_exploration({Columns.OBS: torch.from_numpy(np.stack(batch))}, t=lifetime)
            if Columns.ACTIONS not in out:
                drawn = module.get_exploration_action_dist_cls().from_logits(out[Columns.ACTION_DIST_INPUTS])
                out[Columns.ACTIONS] = drawn.sample()
                out[Columns.ACTION_LOGP] = drawn.logp(out[Columns.ACTIONS])
            for row, (index, agent) in enumerate(owners[name]):
                moves[index][agent] = int(out[Columns.ACTIONS][row])
                said = {key: value[row].numpy() for key, value in out.items() if key != Columns.ACTIONS}
                told[index][-1].outputs[agent].append(said)
        for index, env in enumerate(envs):
            _step(told[index], env, moves[index])
    return told


def _step(episodes, env, actions):
    episode = episodes[-1]
    observations, rewards, terminateds, truncateds, infos = env.step(actions)
    for agent, action in actions.items():
        episode.actions[agent].append(action)
        episode.observations[agent].append(observations[agent])
        episode.rewards[agent].append(rewards[agent])
        episode.infos[agent].append(infos[agent])
    left = [agent for agent in actions if terminateds.get(agent) or truncateds.get(agent)]
    episode.now = {agent: observations[agent] for agent in actions if agent not in left}
    if terminateds["__all__"] or truncateds["__all__"]:
        episodes.append(Told(*env.reset()))
