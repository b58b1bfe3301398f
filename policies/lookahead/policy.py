"""One-step look-ahead: do what the reference rule says, unless something else is clearly better in redrawn futures.

At a decision the rule proposes an action for every agent. Alternatives that change the action of a single agent are
tried in copies of the world whose future is drawn anew from what can be observed (``env.fork(redraw=key)``): all of
them, and the proposal, in the same futures (common random numbers), and after that one decision the rule goes on for
``horizon`` decisions. What an alternative gains in return over the proposal is its advantage.

* A first future screens ``candidates`` alternatives, which take turns. Of the slots of a list, one at a time is tried.
* The best of them are tried in up to ``futures`` further futures, for which nobody has picked them yet, as long as they
  gain there on the whole. One is taken if its mean advantage exceeds ``CLEAR`` standard errors after all of them: few
  are taken by mere chance, and those cost little.

The budget per decision is a number of futures, alternatives and decisions, never a time, so that the same seeds give
the same choices on every machine: at most ``1 + candidates`` trials of the first future and ``1 + FINALISTS`` of each
further one, at every ``every``-th decision, each ``horizon`` decisions long. Choices depend on what can be observed and
on the policy's own seed alone: they are the same whatever the true future holds.

It improves on the rule where one decision makes a difference within the horizon, takes it for granted that the rule
decides ever after, and is blind to what comes after the horizon. Where a scenario has no rule, it starts from waiting.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from math import sqrt
from typing import Any

import numpy as np

from marl_health import HealthParallelEnv
from policies.base import Policy, PolicyError

FINALISTS = 2
"""Alternatives that are tried in further futures."""
CLEAR = 1.5
"""Standard errors by which the mean advantage of an alternative must exceed 0."""

Joint = dict[str, int]
Alternative = tuple[str, int]
"""An agent and what it does instead of what the rule says."""


@dataclass(frozen=True)
class Budget:
    """How much is tried at a decision.

    Attributes:
        futures: futures in which the best alternatives are tried, after the one that screens them; at least 2.
        horizon: decisions that a trial lasts. candidates: alternatives that are screened.
        every: decisions from one at which anything is tried to the next.
    """

    futures: int = 4
    horizon: int = 48
    candidates: int = 6
    every: int = 2

    @classmethod
    def read(cls, text: str) -> Budget:
        """From ``futures=4,horizon=48``; what is not named is as usual.

        Raises:
            PolicyError: for a name that is not known, or no whole number above 0 (above 1 for ``futures``).
        """
        least = {field.name: 1 for field in fields(cls)} | {"futures": 2}
        given: dict[str, int] = {}
        for part in filter(None, text.split(",")):
            name, _, number = (word.strip() for word in part.partition("="))
            if name not in least:
                raise PolicyError(f"lookahead: '{part}' should read NAME=NUMBER with one of {', '.join(least)}")
            if not number.isdecimal() or int(number) < least[name]:
                raise PolicyError(f"lookahead: {name} is a whole number, at least {least[name]}, not '{number}'")
            given[name] = int(number)
        return cls(**given)


class LookaheadPolicy:
    """Do what a base policy says, unless something else is clearly better in redrawn futures.

    Args:
        name: what tables call it.
        budget: how much is tried.
        bases: make the policies to start from; the first that can act in the scenario is taken.
    """

    def __init__(self, name: str, budget: Budget, bases: Sequence[Callable[[], Policy]]) -> None:
        self.name = name
        self.budget = budget
        self._bases = tuple(bases)
        self._base: Policy | None = None
        self._seed = 0
        self._decision = 0
        self._turn = 0

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Find the policy to start from.

        Raises:
            PolicyError: if none of them can act here.
        """
        self._base = self._begin(env, seed)
        self._seed = seed
        self._decision = self._turn = 0

    def _begin(self, env: HealthParallelEnv, seed: int) -> Policy:
        for number, make in enumerate(self._bases, start=1):
            base = make()
            try:
                base.reset(env, seed)
            except PolicyError:
                if number == len(self._bases):
                    raise
            else:
                return base
        raise PolicyError("look-ahead needs a policy to start from")

    def act(
        self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]
    ) -> Joint:
        """What the base policy says, or something clearly better for one of the agents."""
        if self._base is None:
            raise RuntimeError("call reset() first")
        proposal = self._base.act(env, observations, infos)
        decision = self._decision
        self._decision += 1
        if decision % self.budget.every:
            return proposal
        found = self._better(env, proposal, self._in_turn(env, proposal, infos))
        return proposal if found is None else proposal | {found[0]: found[1]}

    # ------------------------------------------------------------ what is tried
    def _in_turn(
        self, env: HealthParallelEnv, proposal: Joint, infos: Mapping[str, Mapping[str, Any]]
    ) -> list[Alternative]:
        """The alternatives whose turn it is: one action of each family, a family being one action or a slot list."""
        families: dict[tuple[str, str], list[Alternative]] = {}
        for agent in env.agents:
            names = env.action_names(agent)
            for action in np.flatnonzero(infos[agent]["action_mask"]).tolist():
                if action != proposal[agent]:
                    families.setdefault((agent, names[action].partition("[")[0]), []).append((agent, action))
        listed = list(families.values())
        count = min(self.budget.candidates, len(listed))
        turn, self._turn = self._turn, self._turn + count
        return [
            family[(turn + place) // len(listed) % len(family)]
            for place in range(count)
            for family in [listed[(turn + place) % len(listed)]]
        ]

    def _better(self, env: HealthParallelEnv, proposal: Joint, tried: list[Alternative]) -> Alternative | None:
        """The alternative that is clearly better than the proposal, the best if there are several."""
        keys = self._keys()
        first = self._advantages(env, next(keys), proposal, tried)
        ahead = sorted((-gained, number) for number, gained in enumerate(first) if gained > 0)
        finalists = [tried[number] for _, number in ahead[:FINALISTS]]
        gains: dict[Alternative, list[float]] = {alternative: [] for alternative in finalists}
        for _ in range(self.budget.futures):
            if not finalists:
                return None
            for alternative, gained in zip(
                finalists, self._advantages(env, next(keys), proposal, finalists), strict=True
            ):
                gains[alternative].append(gained)
            finalists = [alternative for alternative in finalists if sum(gains[alternative]) > 0]
        clear = [
            alternative
            for alternative in finalists
            if np.mean(gains[alternative]) >= CLEAR * np.std(gains[alternative], ddof=1) / sqrt(self.budget.futures)
        ]
        return max(clear, key=lambda alternative: sum(gains[alternative]), default=None)

    def _keys(self) -> Iterator[int]:
        """Keys of futures, other ones at each decision."""
        states = np.random.SeedSequence([self._seed, self._decision])
        while True:
            yield int(states.spawn(1)[0].generate_state(1, np.uint64)[0])

    # ------------------------------------------------------------ trials
    def _advantages(
        self, env: HealthParallelEnv, key: int, proposal: Joint, tried: Sequence[Alternative]
    ) -> list[float]:
        """What each alternative gains over the proposal in one future."""
        future = self._future(env, key)
        usual = self._trial(future.fork(), proposal)
        return [self._trial(future.fork(), proposal | {agent: action}) - usual for agent, action in tried]

    def _future(self, env: HealthParallelEnv, key: int) -> HealthParallelEnv:
        """A copy of the episode with another future."""
        return env.fork(redraw=key)

    def _trial(self, env: HealthParallelEnv, joint: Joint) -> float:
        """The team's return over the horizon, in a copy that is used up."""
        base = copy.deepcopy(self._base)
        assert base is not None
        gained = 0.0
        for number in range(self.budget.horizon):
            if number:
                joint = base.act(env, _Observations(env), _Infos(env))
            rewards = env.play(joint)
            gained += sum(rewards.values()) / len(rewards)
            if not env.agents:
                break
        return gained


class _Observations(Mapping[str, Any]):
    """What the agents observe, made when it is looked at: most rules read facts instead."""

    def __init__(self, env: HealthParallelEnv) -> None:
        self._env = env

    def __getitem__(self, agent: str) -> Any:
        return np.array(self._env.game.observe(agent), np.float32)

    def __iter__(self) -> Iterator[str]:
        return iter(self._env.agents)

    def __len__(self) -> int:
        return len(self._env.agents)


class _Infos(_Observations):
    """Which actions are possible."""

    def __getitem__(self, agent: str) -> Any:
        return {"action_mask": self._env.action_mask(agent)}
