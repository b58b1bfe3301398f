"""Advantages and value targets over decisions, where an agent that could only wait decided nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ray.rllib.connectors.connector_v2 import ConnectorV2
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis import ValueFunctionAPI
from ray.rllib.evaluation.postprocessing import Postprocessing
from typing_extensions import override

from policies.rllib.discount import DISCOUNT, discounts
from policies.rllib.networks import split

Numbers = NDArray[Any]


def advantages(
    values: Numbers,
    rewards: Numbers,
    discount: Numbers,
    free: Numbers,
    terminated: Numbers,
    cut: Numbers,
    lambda_: float,
) -> tuple[Numbers, Numbers]:
    """Generalised advantages (Schulman et al. 2016, arXiv 1506.02438) of decisions, and what their values should be.

    A forced move is part of the step that led to it: what it earns belongs to the decision before, further discounted,
    and the trace fades (`lambda_`) once per decision, however many forced moves lie in between. So the value of a state
    in which nothing can be decided is asked for only at the end of a chunk.

    Args:
        values: of the states, shape (N,); chunks one after the other, each with the state it led to as its last row.
        rewards: of the steps.
        discount: of what comes after each step.
        free: whether there was a choice.
        terminated: whether the world ended with the step.
        cut: whether the chunk ended with the step, so that the next row is the state it led to.
        lambda_: how fast the trace fades.

    Returns:
        Advantages and targets, float32 of shape (N,); those of forced moves and of last rows are of no use.
    """
    found, targets = np.zeros(len(values), np.float32), np.array(values, np.float32)
    rows = zip(*(np.asarray(c).tolist() for c in (values, rewards, discount, free, terminated, cut)), strict=True)
    worth, trace = 0.0, 0.0  # of the next row: what its state is worth, and its advantage
    for t, (value, reward, factor, chooses, ends, is_cut) in reversed(list(enumerate(rows))):
        if ends:
            worth = trace = 0.0
        elif is_cut:
            worth, trace = float(values[t + 1]), 0.0
        worth, trace = reward + factor * worth, factor * trace
        if chooses:
            trace = worth - value + lambda_ * trace
            worth = value
        found[t], targets[t] = trace, worth + trace
    return found, targets


class AddDiscounts(ConnectorV2):
    """Adds to the learner's batch what the value of the next state is multiplied by.

    Args:
        gamma: discount of a decision, or of `minutes`.
        minutes: in which the discount is `gamma`, if it is by time.
    """

    def __init__(self, *args: Any, gamma: float, minutes: float | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gamma, self._minutes = gamma, minutes

    @override
    def __call__(self, *, batch: dict[str, Any], episodes: list[Any], **_: Any) -> dict[str, Any]:
        for episode in self.single_agent_episode_iterator(episodes, agents_that_stepped_only=False):
            told = episode.get_infos(slice(1, len(episode) + 1))
            column = discounts(told, self._gamma, self._minutes)
            self.add_n_batch_items(batch, DISCOUNT, column, len(column), episode)
        return batch


class AddAdvantages(ConnectorV2):
    """The last piece of the pipeline: advantages and value targets; forced moves are taken out of the loss.

    Advantages are standardised over the decisions of a module.

    Args:
        lambda_: how fast the trace fades.
    """

    def __init__(self, *args: Any, lambda_: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lambda = lambda_

    @override
    def __call__(self, *, rl_module: Any, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        for name, part in batch.items():
            module = rl_module[name].unwrapped()
            if not isinstance(module, ValueFunctionAPI):
                continue
            with torch.no_grad():
                values = module.compute_values(part)
            real = part[Columns.LOSS_MASK].bool()
            counts = real & (split(part[Columns.OBS], int(module.action_space.n))[1].sum(-1) > 1)
            columns = (values, part[Columns.REWARDS], part[DISCOUNT], counts)
            ends = (part[Columns.TERMINATEDS], part[Columns.TRUNCATEDS])
            found, targets = advantages(*(c.cpu().numpy() for c in (*columns, *ends)), self._lambda)
            chosen = found[counts.cpu().numpy()]
            if len(chosen):
                found = (found - chosen.mean()) / max(1e-4, float(chosen.std()))
            part[Columns.LOSS_MASK] = counts
            part[Postprocessing.ADVANTAGES] = torch.from_numpy(found).to(values.device)
            part[Postprocessing.VALUE_TARGETS] = torch.from_numpy(targets).to(values.device)
        return batch
