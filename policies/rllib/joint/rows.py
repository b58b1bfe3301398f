"""Episodes as rows that hold what all agents saw, did and got at one time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.rllib.discount import discounts
from policies.rllib.state import STATE

Seats = Mapping[str, Sequence[str]]
"""By module the agents that it acts for, each always in the same place."""


@dataclass(frozen=True)
class Rows:
    """A chunk of an episode, of T steps and so T + 1 rows; the last row only shows where the last step led.

    By module, k being the agents it acts for:
        observations: float32, shape (T + 1, k, m + n), masks included; zeros where an agent is absent.
        actions: int64, shape (T + 1, k).
        rewards: float32, shape (T + 1, k); of a step stand in the row in which it was decided.
        alive: bool, shape (T + 1, k). Who acts in this row; in the last row, who has something to expect still.
        free: bool, shape (T + 1, k). Who of them has more than one move.

    Of all together:
        team: float32, shape (T + 1,). The reward of the team: the one that all alive share.
        state: float32, shape (T + 1, s); s is 0 where the environment shares none.
        ended: bool, shape (T + 1,). The world ended with the step decided here.
        discount: float32, shape (T + 1,). Of what comes after the step decided here.
    """

    observations: dict[str, NDArray[np.float32]]
    actions: dict[str, NDArray[np.int64]]
    rewards: dict[str, NDArray[np.float32]]
    alive: dict[str, NDArray[np.bool_]]
    free: dict[str, NDArray[np.bool_]]
    team: NDArray[np.float32]
    state: NDArray[np.float32]
    ended: NDArray[np.bool_]
    discount: NDArray[np.float32]


class NotATeamError(ValueError):
    """The agents are not paid alike, but the algorithm knows only what all earn together."""


def rows_of(
    episode: Any,
    seats: Seats,
    *,
    team: str | None = None,
    gains: Mapping[str, NDArray[Any]] | None = None,
    gamma: float = 1.0,
    minutes: float | None = None,
) -> Rows:
    """The rows of a chunk of a `MultiAgentEpisode`.

    Args:
        episode: the chunk, in which every agent acts at each step until it leaves.
        seats: who sits where.
        team: the algorithm that wants a pure team reward, if one does.
        gamma: discount of a step, or of `minutes`.
        minutes: in which the discount is `gamma`, if it is by time.
        gains: by agent, what counts instead of its rewards, shape (T,).

    Raises:
        KeyError: the discount is by time, but the environment does not tell how long its steps are.
        NotATeamError: `team` is named, and two agents are paid differently for the same step.
    """
    steps = len(episode)
    observations, actions, rewards, alive, free = {}, {}, {}, {}, {}
    discount = np.ones(steps + 1, np.float32)
    states: list[Any] = [()] * (steps + 1)
    paid = np.full(steps + 1, np.nan, np.float32)
    payee = [""] * (steps + 1)
    for module, agents in seats.items():
        size = episode.observation_space[agents[0]].shape[0]
        observations[module] = np.zeros((steps + 1, len(agents), size), np.float32)
        actions[module] = np.zeros((steps + 1, len(agents)), np.int64)
        rewards[module] = np.zeros((steps + 1, len(agents)), np.float32)
        alive[module] = np.zeros((steps + 1, len(agents)), np.bool_)
        for seat, agent in enumerate(agents):
            own = episode.agent_episodes.get(agent)
            if own is None:
                continue
            n = len(own)
            # An agent that leaves early leaves nothing behind: what the others still earn is theirs.
            stays = n == steps
            seen = n + 1 if stays else n
            observations[module][:seen, seat] = own.get_observations(slice(0, seen))
            actions[module][:n, seat] = own.get_actions(slice(0, n))
            earned = own.get_rewards(slice(0, n)) if gains is None else gains[agent]
            own_rewards = np.asarray(earned, np.float32)
            rewards[module][:n, seat] = own_rewards
            alive[module][:n, seat] = True
            leaves = own.is_terminated if episode.is_done else own.is_done
            alive[module][steps, seat] = stays and not leaves
            infos = own.get_infos(slice(0, n + 1))
            for t, info in enumerate(infos):
                states[t] = info.get(STATE, ())
            discount[:n] = discounts(infos[1:], gamma, minutes)
            if team is not None:
                _check(team, agent, own_rewards, paid[:n], payee)
            first = np.isnan(paid[:n])
            paid[:n][first] = own_rewards[first]
            payee[:n] = [agent if new else other for new, other in zip(first, payee, strict=False)]
        legal = observations[module][..., -int(episode.action_space[agents[0]].n) :]
        free[module] = alive[module] & (legal.sum(-1) > 1)
    ended = np.zeros(steps + 1, np.bool_)
    ended[steps - 1] = episode.is_terminated
    state = np.stack([np.asarray(s, np.float32) for s in states])
    return Rows(observations, actions, rewards, alive, free, np.nan_to_num(paid), state, ended, discount)


def _check(team: str, agent: str, rewards: NDArray[Any], paid: NDArray[Any], payee: Sequence[str]) -> None:
    unlike = ~np.isnan(paid) & ~np.isclose(rewards, paid, rtol=1e-5, atol=1e-6)
    if unlike.any():
        t = int(unlike.argmax())
        raise NotATeamError(
            f"{team} needs a reward that all agents share, but in one step {payee[t]} got {paid[t]:.6g} and {agent} "
            f"got {rewards[t]:.6g}; use MAPPO or DQN, which credit each agent with its own, or let no measure name an "
            "owner"
        )
