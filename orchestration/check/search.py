"""The search for the best policy without eyes: constants by coordinate ascent, then a timetable from the best of them.

Everything is judged on the same training seeds. Candidates race: all meet a part of the seeds, the better third of them
the next part, and so on; a candidate replaces what is held only if its mean over *all* training seeds is higher, so a
search never ends below its start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from marl_health import HealthParallelEnv, Scenario
from orchestration.check.trials import Trials
from policies.base import role_of
from policies.clock import DAY, Blocks, spelled
from policies.simple import WAIT

TRAINED = 2_000_000
"""First seed of the searches."""

Joint = Mapping[str, str]
"""Role to the action that it repeats; who is not named waits."""


@dataclass(frozen=True)
class Budget:
    """How hard the searches try.

    Attributes:
        rungs: training seeds that candidates meet before the best third goes on; the last is all of them.
        passes: times the timetable is gone through, unless nothing changed before.
        block_hours: hours of a block of the day, a divisor of 24.
    """

    rungs: tuple[int, ...] = (4, 8, 24)
    passes: int = 2
    block_hours: int = 4


class Search:
    """Searches in one scenario.

    Args:
        trials: where candidates play.
        budget: how hard it tries.
        progress: called after each role that was gone through.
    """

    def __init__(self, trials: Trials, budget: Budget, progress: Callable[[], None]) -> None:
        self.trials = trials
        self.budget = budget
        self.actions = actions_by_role(trials.scenario)
        self._progress = progress

    def mean(self, policy: str) -> float:
        """Mean return over all training seeds."""
        (returns,) = self.trials.returns([policy], self._seeds(self.budget.rungs[-1]))
        return math.fsum(returns) / len(returns)

    def race(self, candidates: Sequence[str]) -> list[str]:
        """Candidates that were played on all training seeds, the best first."""
        left = list(dict.fromkeys(candidates))
        for rung in self.budget.rungs:
            returns = self.trials.returns(left, self._seeds(rung))
            score = {policy: math.fsum(values) for policy, values in zip(left, returns, strict=True)}
            left = sorted(left, key=score.__getitem__, reverse=True)
            if rung != self.budget.rungs[-1]:
                left = left[: max(1, math.ceil(len(left) / 3))]
        return left

    # ------------------------------------------------------------ constants
    def singles(self) -> dict[str, str]:
        """Role to the best action other than to wait to repeat while the others wait."""
        best = {}
        for role, actions in self.actions.items():
            if actions:
                by_name = {constant({role: action}): action for action in actions}
                best[role] = by_name[self.race(list(by_name))[0]]
            self._progress()
        return best

    def joint(self, singles: Joint) -> dict[str, str]:
        """The best joint constant: coordinate ascent from all waiting, and from every role's best single constant."""
        ends = [self._ascend({}), self._ascend(dict(singles))]
        return max(ends, key=lambda actions: self.mean(constant(actions)))

    def _ascend(self, held: dict[str, str]) -> dict[str, str]:
        changed = True
        while changed:
            changed = False
            for role, actions in self.actions.items():
                others = {name: action for name, action in held.items() if name != role}
                joints = [others, *(others | {role: action} for action in actions)]
                found = self._best(held, {constant(actions): actions for actions in joints})
                changed = changed or found is not held
                held = found
        self._progress()
        return held

    def _best(self, held: dict[str, str], by_name: Mapping[str, dict[str, str]]) -> dict[str, str]:
        first = self.race(list(by_name))[0]
        return by_name[first] if self.mean(first) > self.mean(constant(held)) else held

    # ------------------------------------------------------------ timetable
    def timetable(self, start: Joint) -> dict[str, dict[str, str]]:
        """The best action of each role in each block of the day, by ascent from a joint constant."""
        held = {block: dict(start) for block in self._blocks()}
        for number in range(self.budget.passes):
            before = held
            for role in self.actions:
                held = self._improve(held, role)
                self._progress()
            if held == before:
                for _ in range((self.budget.passes - number - 1) * len(self.actions)):
                    self._progress()
                break
        return held

    def _improve(self, held: dict[str, dict[str, str]], role: str) -> dict[str, dict[str, str]]:
        """Change the blocks of one role, each where that is better by itself and together with the changes before."""
        changes = {spelled(changed(held, *change)): change for change in self._changes(held, role)}
        start = best = self.mean(spelled(held))
        for name in self.race(list(changes)):
            if self.mean(name) <= start:
                break
            tried = changed(held, *changes[name])
            value = self.mean(spelled(tried))
            if value > best:
                held, best = tried, value
        return held

    def _changes(self, held: Blocks, role: str) -> Iterator[tuple[str, str, str | None]]:
        for block, actions in held.items():
            for action in (None, *self.actions[role]):
                if action != actions.get(role):
                    yield block, role, action

    def _blocks(self) -> list[str]:
        """Beginnings of the blocks of the day in which decisions are taken."""
        clock = self.trials.scenario.clock
        every = clock.step if clock.decide is None else min(60.0, clock.episode)
        minutes = {(clock.starts + step * every) % DAY for step in range(math.ceil(clock.episode / every))}
        hours = {int(minute // 60) // self.budget.block_hours * self.budget.block_hours for minute in minutes}
        return [f"{hour:02d}:00" for hour in sorted(hours)]

    def to_json(self) -> dict[str, Any]:
        """The budget, as it stands in the result."""
        return asdict(self.budget) | {"first_seed": TRAINED, "episodes": self.trials.played}

    @staticmethod
    def _seeds(count: int) -> range:
        return range(TRAINED, TRAINED + count)


def constant(actions: Joint) -> str:
    """The name of the policy in which roles repeat actions."""
    return "constant:" + ",".join(f"{role}={action}" for role, action in sorted(actions.items())) if actions else "wait"


def changed(held: Blocks, block: str, role: str, action: str | None) -> dict[str, dict[str, str]]:
    """A timetable with one entry changed."""
    entry = {name: done for name, done in held[block].items() if name != role}
    return {**{name: dict(done) for name, done in held.items()}, block: entry | ({role: action} if action else {})}


def actions_by_role(scenario: Scenario) -> dict[str, list[str]]:
    """Role to its actions other than to wait."""
    env = HealthParallelEnv(scenario)
    return {role_of(agent): env.action_names(agent)[WAIT + 1 :] for agent in env.possible_agents}
