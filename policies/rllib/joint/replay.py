"""A buffer of joint transitions, aligned in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray.rllib.core.columns import Columns
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch

from policies.rllib.discount import DISCOUNT
from policies.rllib.joint.decisions import waits
from policies.rllib.joint.rows import Rows
from policies.rllib.state import STATE

ALIVE = "alive"
NEXT_ALIVE = "next_alive"
NEXT_STATE = "next_global_state"
COUNTS = "counts"
"""In a batch, who learns from this transition: who had a choice, and who has not but begins a chunk with it, since the
end of the chunk before asks what that is worth."""
TEAM = "team"
"""In a batch, the part that concerns all agents together; so no module of agents can have this name."""

_PARTS = ("observations", "actions", "rewards", "alive")
_WHOLE = ("team", "state", "ended", "discount")
_WAITS = ("ahead", "earned", "fades")


class JointReplay:
    """A ring of rows (see `Rows`): a transition is a row and the one after it, so nothing is stored twice.

    Args:
        capacity: rows kept; the oldest go first.
        seed: starts the draws.
        own: whether a transition leads each agent to a decision of its own; otherwise to the same row for all.
    """

    def __init__(self, capacity: int, seed: int | None, *, own: bool = False) -> None:
        self.capacity = capacity
        self._own = own
        self._rng = np.random.default_rng(seed)
        self._columns: dict[tuple[str, ...], NDArray[Any]] = {}
        self._leads_on = np.zeros(capacity, np.bool_)  # whether the next row is where this row's step led
        self._head = 0
        self._filled = 0

    def __len__(self) -> int:
        """Transitions that can be drawn."""
        return int(self._leads_on.sum())

    def add(self, rows: Rows) -> None:
        """Keep the rows of one chunk.

        Raises:
            ValueError: the chunk is longer than the buffer.
        """
        n = len(rows.team)
        if n > self.capacity:
            raise ValueError(f"a chunk of {n} rows does not fit in a buffer of {self.capacity}; raise its capacity")
        place = (self._head + np.arange(n)) % self.capacity
        for key, values in _columns(rows, self._own):
            if key not in self._columns:
                self._columns[key] = np.zeros((self.capacity, *values.shape[1:]), values.dtype)
            self._columns[key][place] = values
        self._leads_on[place[:-1]] = True
        self._leads_on[place[-1]] = False
        self._head = (self._head + n) % self.capacity
        self._filled = min(self.capacity, self._filled + n)

    def sample(self, size: int, *, steps: int, scale: float = 1.0) -> MultiAgentBatch:
        """Draw transitions, each as likely as any other, again and again.

        Args:
            size: B, how many.
            steps: that a transition spans; fewer where its chunk ends before.
            scale: what rewards are divided by.

        Returns:
            By module OBS and NEXT_OBS of shape (B, k, m + n), ACTIONS, REWARDS, DISCOUNT, ALIVE, NEXT_ALIVE and COUNTS
            of shape (B, k); under TEAM the REWARDS, TERMINATEDS and DISCOUNT (of what comes after) of shape (B,), STATE
            and NEXT_STATE of shape (B, s).
        """
        now = self._rng.choice(np.flatnonzero(self._leads_on), size)
        path, discounts = self._path(now, steps)
        then = path[-1]

        def paid(key: tuple[str, ...]) -> NDArray[np.float32]:
            rewards = self._columns[key][path[:-1]]
            weights = discounts[:-1].reshape(*discounts[:-1].shape, *[1] * (rewards.ndim - 2))
            return (weights * rewards).sum(0) / np.float32(scale)

        parts: dict[str, Any] = {}
        for module in [key[1] for key in self._columns if key[0] == "alive"]:
            seen, alive = self._columns["observations", module], self._columns["alive", module]
            rewards, fades = paid(("rewards", module)), np.repeat(discounts[-1][:, None], alive.shape[1], 1)
            following: Any = then
            if self._own:
                ahead, earned, fading = (self._columns[name, module][then] for name in _WAITS)
                following = ((then[:, None] + ahead) % self.capacity, np.arange(alive.shape[1]))
                rewards, fades = rewards + fades * earned / np.float32(scale), fades * fading
            parts[module] = SampleBatch(
                {
                    Columns.OBS: seen[now],
                    Columns.NEXT_OBS: seen[following],
                    Columns.ACTIONS: self._columns["actions", module][now],
                    Columns.REWARDS: rewards,
                    DISCOUNT: fades,
                    ALIVE: alive[now],
                    NEXT_ALIVE: alive[following],
                    COUNTS: self._columns["counts", module][now],
                }
            )
        state = self._columns[("state",)]
        parts[TEAM] = SampleBatch(
            {
                Columns.REWARDS: paid(("team",)),
                Columns.TERMINATEDS: self._columns[("ended",)][path[:-1]].any(0),
                DISCOUNT: discounts[-1],
                STATE: state[now],
                NEXT_STATE: state[then],
            }
        )
        return MultiAgentBatch(parts, env_steps=size)

    def _path(self, now: NDArray[np.int64], steps: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The rows that lie `steps` ahead and before, and the discounts there, both of shape (steps + 1, B).

        Where a chunk ends before, its last row is repeated, in which nobody is paid.
        """
        path, discounts = [now], [np.ones(len(now), np.float32)]
        for _ in range(steps):
            goes_on = self._leads_on[path[-1]]
            factor = self._columns[("discount",)][path[-1]]
            path.append(np.where(goes_on, (path[-1] + 1) % self.capacity, path[-1]))
            discounts.append(np.where(goes_on, factor, np.float32(1.0)) * discounts[-1])
        return np.stack(path), np.stack(discounts)

    def get_state(self) -> dict[str, Any]:
        """Everything that is kept, and the state of the draws."""
        kept = self._filled
        return {
            "capacity": self.capacity,
            "columns": {key: values[:kept].copy() for key, values in self._columns.items()},
            "leads_on": self._leads_on[:kept].copy(),
            "head": self._head,
            "draws": self._rng.bit_generator.state,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state`.

        Raises:
            ValueError: that buffer was of another capacity.
        """
        if state["capacity"] != self.capacity:
            raise ValueError(
                f"the checkpoint holds a buffer of capacity {state['capacity']}, but {self.capacity} is asked for"
            )
        kept = self._filled = len(state["leads_on"])
        self._leads_on[:] = False
        self._leads_on[:kept] = state["leads_on"]
        self._columns = {}
        for key, values in state["columns"].items():
            self._columns[key] = np.zeros((self.capacity, *values.shape[1:]), values.dtype)
            self._columns[key][:kept] = values
        self._head = state["head"]
        self._rng.bit_generator.state = state["draws"]


def _columns(rows: Rows, own: bool) -> Iterator[tuple[tuple[str, ...], NDArray[Any]]]:
    for name in _PARTS:
        for module, values in getattr(rows, name).items():
            yield (name, module), values
    for name in _WHOLE:
        yield (name,), getattr(rows, name)
    for module, free in rows.free.items():
        counts = free.copy()
        counts[0] = rows.alive[module][0]
        yield ("counts", module), counts
        if own:
            yield from (((name, module), values) for name, values in zip(_WAITS, waits(rows, module), strict=True))
