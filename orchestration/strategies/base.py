"""What a workflow is, and what strategies differ in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pettingzoo import ParallelEnv

from marl_health.envs.joined import JoinedEnv

if TYPE_CHECKING:
    from policies.rllib.sharing import Share

Env = ParallelEnv[str, Any, Any]

COORDINATOR = "coordinator"
"""The role of the agent that a strategy may add to those of the workflows."""

AGENT = f"{COORDINATOR}_0"
"""That agent."""


class StrategyError(ValueError):
    """There is no such strategy, or it is not possible with what it is to be used for."""


class Strategy:
    """How several workflows are trained, and what they act in together.

    Attributes:
        name: as experiments call it.
        together: whether all learn in one environment; otherwise each learns in its own.
        passes_on: whether what one workflow has learned is where the next one begins.
        coordinated: whether a coordinator decides too.
        pays_all_alike: whether all agents are paid the same, if the agents of every workflow are.
    """

    name: ClassVar[str]
    together: ClassVar[bool] = False
    passes_on: ClassVar[bool] = False
    coordinated: ClassVar[bool] = False
    pays_all_alike: ClassVar[bool] = True

    def share(self, said: Share) -> Share:
        """Who shares a network: as the experiment says, unless the strategy says otherwise."""
        return said

    def join(self, worlds: Mapping[str, Env]) -> Env:
        """The environment in which the worlds act side by side: a :class:`JoinedEnv`, perhaps wrapped.

        Args:
            worlds: by workflow, the environment of its scenario.
        """
        return JoinedEnv(worlds)


def names_of(scenarios: Sequence[str]) -> list[str]:
    """What workflows are called: as their scenarios are, with a number where two are called alike."""
    names: list[str] = []
    for scenario in scenarios:
        number, name = 1, scenario
        while name in names:
            number += 1
            name = f"{scenario}_{number}"
        names.append(name)
    return names
