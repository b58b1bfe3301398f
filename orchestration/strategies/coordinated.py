"""All workflows as one team."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any

from pettingzoo.utils import BaseParallelWrapper
from typing_extensions import override

from marl_health.envs.joined import JoinedEnv, world_of
from orchestration.strategies.base import Env, Strategy

if TYPE_CHECKING:
    from policies.rllib.sharing import Share


class TeamReward(BaseParallelWrapper[str, Any, Any]):
    """Pays every agent what all worlds gained together.

    A world's gain is the mean over its agents of what each is paid there. ``info`` keeps what came of an agent's own
    world. An agent whose world has ended has left and is paid no more.

    Args:
        env: the worlds.
    """

    @override
    def step(self, actions: dict[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        """One decision in every world."""
        observations, rewards, *rest = self.env.step(actions)
        gained = sum(gains(rewards).values())
        return observations, dict.fromkeys(rewards, gained), *rest  # type: ignore[return-value]


class Coordinated(Strategy):
    """All workflows learn at once for one shared reward, and those that see and can as much share their networks."""

    name = "coordinated"
    together = True

    @override
    def share(self, said: Share) -> Share:
        """Whoever can share a network, does."""
        return "shape"

    @override
    def join(self, worlds: Mapping[str, Env]) -> Env:
        """Worlds that are paid as a team."""
        return TeamReward(JoinedEnv(worlds))


def gains(rewards: Mapping[str, float]) -> dict[str, float]:
    """By world, the mean of what its agents are paid."""
    paid = defaultdict(list)
    for agent, reward in rewards.items():
        paid[world_of(agent)].append(reward)
    return {world: fmean(all_of_it) for world, all_of_it in paid.items()}
