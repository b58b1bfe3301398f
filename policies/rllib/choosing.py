"""What a module does in many situations at once: its forward pass, and a draw from what that says."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ray.rllib.core.columns import Columns
from ray.rllib.core.distribution.torch.torch_distribution import TorchCategorical
from ray.rllib.utils.numpy import convert_to_numpy
from torch import Tensor


def choose(
    module: Any, observations: NDArray[Any], *, explore: bool, lifetime: int
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """The actions of a batch, and what else the module says of it, all of shape (batch, ..).

    Args:
        module: an `RLModule` without a memory.
        observations: shape (batch, ..).
        explore: whether actions are drawn, or the module's best are taken.
        lifetime: steps sampled so far in all, by which schedules of exploration go.

    Raises:
        ValueError: the module says something that is not a number.
    """
    out = ask(module, observations, explore, lifetime)
    if Columns.ACTIONS not in out:
        logits = out[Columns.ACTION_DIST_INPUTS]
        kind = module.get_exploration_action_dist_cls() if explore else module.get_inference_action_dist_cls()
        if explore and kind is TorchCategorical:
            out[Columns.ACTIONS], out[Columns.ACTION_LOGP] = draw(logits)
        else:
            distribution = kind.from_logits(logits)
            shown = distribution if explore else distribution.to_deterministic()
            out[Columns.ACTIONS] = shown.sample()
            out[Columns.ACTION_LOGP] = shown.logp(out[Columns.ACTIONS])
    arrays = {key: _array(value) for key, value in out.items()}
    return arrays.pop(Columns.ACTIONS), arrays


def ask(module: Any, observations: NDArray[Any], explore: bool, lifetime: int) -> dict[str, Any]:
    """The forward pass: what the module says of a batch."""
    batch = {Columns.OBS: torch.from_numpy(observations)}
    if module.training:
        return dict(module.forward_exploration(batch, t=lifetime) if explore else module.forward_inference(batch))
    # All that these do more is to walk through the layers and tell each that nobody trains it.
    return dict(module._forward_exploration(batch, t=lifetime) if explore else module._forward_inference(batch))


def draw(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Actions drawn with these logits, and the logarithms of their probabilities, both of shape (batch,).

    Bit for bit what `TorchCategorical` makes of the same random numbers, in a fraction of the time, most of which goes
    into checks. As in `torch.multinomial`, the action wins that is the first to happen if each waits for an exponential
    time of its own rate.

    Args:
        logits: shape (batch, n).

    Raises:
        ValueError: a logit is not a number.
    """
    with torch.no_grad():
        logp = logits - logits.logsumexp(-1, keepdim=True)
        if np.isnan(logp.numpy()).any():
            raise ValueError("a module says what is not a number: learning has diverged; try a smaller lr or grad_clip")
        probabilities = logp.softmax(-1)
        chosen = (probabilities / torch.empty_like(probabilities).exponential_(1)).argmax(-1, keepdim=True)
        return chosen.squeeze(-1), logp.gather(-1, chosen).squeeze(-1)


def _array(value: Any) -> NDArray[Any]:
    """An array of what RLlib's `convert_to_numpy` would give; most often there is nothing to convert."""
    if isinstance(value, Tensor) and value.dtype is torch.float32 and not value.requires_grad:
        return value.numpy()  # type: ignore[no-any-return]
    found: NDArray[Any] = convert_to_numpy(value)
    return found
