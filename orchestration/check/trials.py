"""Returns of policies on seeds: each is played once, however often it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import policies
from marl_health import HealthParallelEnv, Scenario
from orchestration.check.ample import multiply_resources
from orchestration.episodes import ScenarioRef, Task, own_seed, run
from orchestration.workers import Workers

FEW = 8
"""Fewer episodes than this are played here: they are not worth the start of processes."""


class Trial(NamedTuple):
    """One episode; ``ample``: with ten times the resources."""

    scenario: ScenarioRef
    policy: str
    seed: int
    ample: bool


class Trials:
    """Plays policies in one scenario; a context, in which its processes stay from one question to the next.

    Args:
        scenario: where. jobs: processes to share the work; the results do not depend on it.

    Attributes:
        played: episodes so far.
    """

    def __init__(self, scenario: Scenario, jobs: int) -> None:
        self.scenario = scenario
        self.played = 0
        self._ref = ScenarioRef.of(scenario)
        self._workers = Workers(jobs)
        self._alone = Workers(1)
        self._known: dict[Trial, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._workers.__exit__(*error)

    def returns(self, policies: Sequence[str], seeds: Sequence[int], *, ample: bool = False) -> list[list[float]]:
        """The return of each policy on each seed.

        Raises:
            PolicyError: a policy cannot act in this scenario.
            WorkerError: a process was killed.
        """
        wanted = [[Trial(self._ref, policy, seed, ample) for seed in seeds] for policy in policies]
        new = list(dict.fromkeys(trial for row in wanted for trial in row if trial not in self._known))
        workers = self._workers if len(new) >= FEW else self._alone
        self._known.update(zip(new, workers.in_order(play, new), strict=True))
        self.played += len(new)
        return [[self._known[trial] for trial in row] for row in wanted]


def play(trial: Trial) -> float:
    """The team's return in one episode."""
    if not trial.ample:
        return run(Task(trial.scenario, trial.policy, trial.seed)).gained
    env = HealthParallelEnv(trial.scenario.load())
    policy = policies.make(trial.policy)
    env.reset(seed=trial.seed)
    multiply_resources(env)
    policy.reset(env, own_seed(trial.policy, trial.seed))
    # What was seen at the reset is no longer so: everybody waits once.
    actions = dict.fromkeys(env.agents, 0)
    gained = 0.0
    while True:
        observations, rewards, _, _, infos = env.step(actions)
        gained += sum(rewards.values()) / len(rewards)
        if not env.agents:
            return gained
        actions = policy.act(env, observations, infos)
