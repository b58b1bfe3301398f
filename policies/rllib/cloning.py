"""Behaviour cloning: learning may start from what any policy does, a rule for instance, instead of from nothing.

What was started so is no longer learned from reward alone, and every table has to say so: put
`{"init": <the policy's name>}` among the facts of a checkpoint, and its policy is called, say, `mappo from rule`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis import TargetNetworkAPI
from torch import Tensor
from typing_extensions import override

from marl_health.adapters.rllib import FIRST_TRAINING_SEED, role_of, with_mask
from policies.base import Policy
from policies.registry import make
from policies.rllib.networks import masked, split
from policies.rllib.sharing import told, with_word
from policies.rllib.stage import MakeEnv

FIRST_SEED = FIRST_TRAINING_SEED + 1_000_000
"""Seed of the first episode shown; like all of training's, far from those of evaluation."""

DOUBT = 0.02
"""Share of the probability that is spread over all legal actions: an actor without doubt would explore nothing."""

MARGIN = 0.3
"""By how much the action shown is worth more than the others, where values are learned, in standard deviations of the
return: enough to be told apart, and little enough to be unlearned."""

CERTAIN = 5.0
"""Logarithm of the odds that an action which is worth `MARGIN` more is the one shown, while values are taught: with
`DOUBT` spread over a handful of others, what is certain comes to stand about `MARGIN` above them."""

RATE = 1e-3
"""Step size at the beginning; at the end it is a twentieth."""


@dataclass(frozen=True)
class Shown:
    """What a module would have observed, and what the policy did; forced moves are left out.

    `rows`: float32, shape (N, m + n), masks included. `actions`: int64, shape (N,).
    """

    rows: NDArray[np.float32]
    actions: NDArray[np.int64]


def demonstrate(policy: Policy, make_env: MakeEnv, config: Any, episodes: int) -> dict[str, Shown]:
    """Let a policy play, and take down its decisions by module.

    Args:
        policy: acts for all agents.
        make_env: makes the environment that `config` was made for.
        config: the algorithm's configuration, which says who has which module.
        episodes: how many to play.
    """
    env = make_env()
    words = told(config.policies)
    rows: dict[str, list[Any]] = defaultdict(list)
    actions: dict[str, list[int]] = defaultdict(list)
    for seed in range(FIRST_SEED, FIRST_SEED + episodes):
        observations, infos = env.reset(seed=seed)
        policy.reset(env, seed)  # type: ignore[arg-type]
        while env.agents:
            chosen = policy.act(env, observations, infos)  # type: ignore[arg-type]
            for agent, action in chosen.items():
                mask = infos[agent].get("action_mask")
                if mask is not None and np.sum(mask) == 1:
                    continue
                module = config.policy_mapping_fn(agent, None)
                seen = with_word(observations[agent], words.get(role_of(agent)))
                rows[module].append(with_mask(seen, mask, int(env.action_space(agent).n)))  # type: ignore[attr-defined]
                actions[module].append(action)
            observations, _, _, _, infos = env.step(chosen)
    env.close()
    return {m: Shown(np.stack(rows[m]), np.array(actions[m], np.int64)) for m in sorted(rows)}


def clone(learner: Any, shown: Mapping[str, Shown], epochs: int, seed: int) -> dict[str, float]:
    """Teach the actors of a learner what was shown; by module, the share of decisions in which they then agree.

    Where there are no actors, action values are taught that make the same choices.
    """
    shuffle = np.random.default_rng(seed)
    agreement = {}
    for name, examples in shown.items():
        module = learner.module[name].unwrapped()
        network, loss = (module.pi, _cross_entropy) if hasattr(module, "pi") else (module.q, _choosing)
        rows, actions = torch.from_numpy(examples.rows), torch.from_numpy(examples.actions)
        batches = max(1, len(rows) // 256)
        optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
        slower = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, epochs * batches)
        for _ in range(epochs):
            for batch in np.array_split(shuffle.permutation(len(rows)), batches):
                optimiser.zero_grad()
                loss(module, rows[batch], actions[batch]).backward()
                optimiser.step()
                slower.step()
        if isinstance(module, TargetNetworkAPI):
            for network, target in module.get_target_network_pairs():
                target.load_state_dict(network.state_dict())
        out = module.forward_inference({Columns.OBS: rows})
        agreement[name] = float((out[Columns.ACTION_DIST_INPUTS].argmax(-1) == actions).float().mean())
    return agreement


def _cross_entropy(module: Any, rows: Tensor, actions: Tensor) -> Tensor:
    """Mean cross-entropy with the actions shown."""
    seen, legal = split(rows, int(module.action_space.n))
    return _entropy_of(module.pi(seen), legal, actions)


def _entropy_of(logits: Tensor, legal: Tensor, actions: Tensor) -> Tensor:
    """Mean cross-entropy of choosing by `logits` with the actions shown, softened by `DOUBT`."""
    n = logits.shape[-1]
    wanted = (1 - DOUBT) * torch.nn.functional.one_hot(actions, n) + DOUBT * legal / legal.sum(-1, keepdim=True)
    return -torch.where(legal, wanted * masked(logits, legal).log_softmax(-1), 0.0).sum(-1).mean()


def _choosing(module: Any, rows: Tensor, actions: Tensor) -> Tensor:
    """Cross-entropy of choosing by values, as of actors, and the squared values of the actions shown, which are 0."""
    n = int(module.action_space.n)
    seen, legal = split(rows, n)
    values = module.q(seen)
    shown = values.gather(-1, actions.unsqueeze(-1))
    return _entropy_of(values * (CERTAIN / MARGIN), legal, actions) + (shown / MARGIN).square().mean()


class StartFrom(RLlibCallback):
    """Clones a policy when an algorithm is made; what is restored from a checkpoint afterwards takes its place.

    Adds `init_agreement` to every result: by module, the share of the decisions shown in which it agreed at the
    start. Critics start from nothing.
    """

    def __init__(self, policy: str | Policy, make_env: MakeEnv, episodes: int, epochs: int) -> None:
        self._policy = make(policy) if isinstance(policy, str) else policy
        self._make_env, self._episodes, self._epochs = make_env, episodes, epochs
        self._agreement: dict[str, float] = {}

    @override
    def on_algorithm_init(self, *, algorithm: Any, **_: Any) -> None:
        config = algorithm.config
        shown = demonstrate(self._policy, self._make_env, config, self._episodes)
        teach = partial(clone, shown=shown, epochs=self._epochs, seed=config.seed or 0)
        self._agreement = next(iter(algorithm.learner_group.foreach_learner(teach))).get()
        algorithm.env_runner_group.sync_weights(
            from_worker_or_learner_group=algorithm.learner_group, policies=list(config.policies), inference_only=True
        )

    @override
    def on_train_result(self, *, result: dict[str, Any], **_: Any) -> None:
        result["init_agreement"] = dict(self._agreement)


def start_from(policy: str | Policy, make_env: MakeEnv, *, episodes: int = 200, epochs: int = 12) -> Any:
    """The callback for `config.callbacks(...)`, which wants something it can call without arguments.

    Args:
        policy: a policy, or its name.
        make_env: makes the environment that it shows its decisions in.
        episodes: how many it plays.
        epochs: passes over its decisions.

    Raises:
        PolicyError: there is no such policy.
    """
    if isinstance(policy, str):
        make(policy)  # a slip in the name is found here, not in a process that Ray starts later
    return partial(StartFrom, policy, make_env, episodes, epochs)
