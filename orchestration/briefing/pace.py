"""How long a comparison will take, told by its first decisions."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import policies as policies_by_name
from marl_health import HealthParallelEnv, Scenario

DECISIONS = 4
EVENTS = 100
"""Decisions that tell it where they come at events: nobody knows how many there will be, but how much time passed."""


def seconds_needed(scenario: Scenario, policies: Sequence[str], replications: int, seed: int, jobs: int) -> float:
    """Seconds that so many replications of each policy will take, roughly: nights are quicker than busy days.

    Args:
        scenario: where they act; it has agents.
        policies: names that :func:`policies.make` knows.
        replications: of each policy.
        seed: of the episode that is begun to find out.
        jobs: processes that share the work.

    Raises:
        PolicyError: a policy is not known, or cannot act in this scenario.
    """
    total = 0.0
    for name in policies:
        policies_by_name.check(name)
        policy = policies_by_name.make(name)
        env = HealthParallelEnv(scenario)
        start = perf_counter()
        observations, infos = env.reset(seed=seed)
        try:
            policy.reset(env, seed)
        except ValueError as error:
            raise policies_by_name.PolicyError(str(error)) from error
        begun = perf_counter()
        steps = scenario.clock.steps
        decisions = 0
        while env.agents and decisions < (DECISIONS if steps else EVENTS):
            observations, _, _, _, infos = env.step(policy.act(env, observations, infos))
            decisions += 1
        played = decisions / steps if steps else min(1.0, env.game.now / scenario.clock.episode)
        total += begun - start + (perf_counter() - begun) / played
    return total * replications / min(jobs, replications * len(policies))
