"""Rules: one readable decision per role, in the words of the scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from marl_health import HealthParallelEnv
from policies.base import role_of

Seen = Mapping[str, float]
"""What a role sees, by name and unscaled."""


class Can:
    """What a role can do now: ``can(name)`` tells whether an action, by its name, is possible.

    Args:
        numbers: action numbers by name.
        mask: 1 for each action that is possible now.
    """

    def __init__(self, numbers: Mapping[str, int], mask: Sequence[int]) -> None:
        self._numbers = numbers
        self._mask = mask

    def __call__(self, name: str) -> bool:
        """Whether this action is possible now; KeyError if the role has no such action."""
        return bool(self._mask[self._numbers[name]])

    def levels(self, lever: str) -> list[str]:
        """All actions whose names begin so, possible or not, in the scenario's order: the positions of a lever."""
        return [name for name in self._numbers if name.startswith(lever)]


Decide = Callable[[Seen, Can], str]
"""A role's rule: the name of the action it takes, or ``wait``."""


class RuleBook:
    """A policy made of one rule per role.

    Args:
        rules: by role. A role without a rule waits.
        name: what tables call it.
    """

    def __init__(self, rules: Mapping[str, Decide], name: str = "rule") -> None:
        self.name = name
        self._rules = dict(rules)
        self._numbers: dict[str, dict[str, int]] = {}

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Learn the numbers of the actions; rules have no randomness of their own."""
        self._numbers = {
            agent: {name: number for number, name in enumerate(env.action_names(agent))}
            for agent in env.possible_agents
        }

    def act(
        self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, int]:
        """Ask each role's rule; an action that is not possible now becomes a wait."""
        actions = {}
        for agent in env.agents:
            rule = self._rules.get(role_of(agent))
            mask = infos[agent]["action_mask"]
            if rule is None or not mask[1:].any():
                actions[agent] = 0
                continue
            numbers = self._numbers[agent]
            wanted = rule(env.readings(agent), Can(numbers, mask))
            number = numbers[wanted]
            actions[agent] = number if mask[number] else 0
        return actions


def slots(seen: Seen, name: str) -> list[dict[str, float]]:
    """The filled slots of a list, each with what is shown of who is in it; ``slot`` is its number."""
    found = []
    number = 0
    while f"{name}[{number}]" in seen:
        if seen[f"{name}[{number}]"]:
            prefix = f"{name}[{number}]."
            shown = {key.removeprefix(prefix): value for key, value in seen.items() if key.startswith(prefix)}
            found.append({"slot": float(number), **shown})
        number += 1
    return found
