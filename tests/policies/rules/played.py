"""Returns of policies, seed by seed, and their mean with its standard error."""

from math import fsum, sqrt

import marl_health
import policies


def returns(scenario, policy, seeds):
    """The return of a policy in each episode.

    Args:
        scenario: a scenario or the name of one.
        policy: the name of one.
        seeds: of the episodes.
    """
    env, made = marl_health.parallel_env(scenario), policies.make(policy)
    found = []
    for seed in seeds:
        observations, infos = env.reset(seed=seed)
        made.reset(env, seed)
        gained = []
        while env.agents:
            observations, rewards, _, _, infos = env.step(made.act(env, observations, infos))
            gained.append(fsum(rewards.values()) / len(rewards))
        found.append(fsum(gained))
    return found


def mean_and_error(values):
    """Mean and its standard error."""
    mean = fsum(values) / len(values)
    return mean, sqrt(fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))


def differences(scenario, one, other, seeds):
    """Mean and standard error of what one policy scores more than another on the same patients."""
    pairs = zip(returns(scenario, one, seeds), returns(scenario, other, seeds), strict=True)
    return mean_and_error([a - b for a, b in pairs])
