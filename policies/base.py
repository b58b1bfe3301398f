"""What a policy is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from marl_health import HealthParallelEnv

ADVERSARIAL = "adversarial:"
"""What the names of policies begin with that look for tricks."""


class PolicyError(ValueError):
    """A policy that cannot be found, or cannot act in this scenario; the message says why and what to do."""


class Policy(Protocol):
    """Decides for every agent of an environment.

    An episode is ``observations, infos = env.reset(seed)``, then ``policy.reset(env, own_seed)``, then :meth:`act`
    until no agent is left. After a reset nothing of an earlier episode may be remembered, so that a result depends on
    the seeds alone.

    Attributes:
        name: what tables call it.
    """

    name: str

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Begin an episode of ``env``, which was reset just now.

        Args:
            env: the environment to act in.
            seed: starts the policy's own randomness.

        Raises:
            ValueError: if it cannot act in this environment; best a :class:`PolicyError`.
        """

    def act(
        self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, int]:
        """One legal action for each of ``env.agents``."""


def role_of(agent: str) -> str:
    """The role of an agent named ``<role>_<number>``."""
    return agent.rsplit("_", 1)[0]
