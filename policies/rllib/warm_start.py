"""Warm starts: learning may begin with the policies that another environment's learning ended with.

What is taken over is how to act, where as many numbers are observed and as many actions are there. Critics and mixers
begin from nothing: what lies ahead is different in another environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.core.rl_module.apis import TargetNetworkAPI
from ray.rllib.core.rl_module.rl_module import RLModule
from typing_extensions import override

from marl_health.adapters.rllib import masked_space, role_of
from policies.rllib.checkpoint import read_manifest
from policies.rllib.sharing import roles_in, told
from policies.rllib.stage import MakeEnv


def donors(checkpoint: Path, make_env: MakeEnv, modules: Mapping[str, Any]) -> dict[str, str]:
    """The role of a checkpoint that each module can begin with; modules that none fits are left out.

    A role of the same name goes before others of the same shape.

    Args:
        checkpoint: the folder that training wrote.
        make_env: makes the environment that is learned next.
        modules: those that learn there, by name.

    Raises:
        CheckpointError: the checkpoint is damaged.
    """
    trained: dict[str, dict[str, Any]] = read_manifest(checkpoint)["spaces"]
    words = told(modules)
    env = make_env()
    found: dict[str, str] = {}
    for name in sorted(modules):
        roles = roles_in(name)
        agent = next(agent for agent in env.possible_agents if role_of(agent) == roles[0])
        actions = env.action_space(agent)
        size = masked_space(env.observation_space(agent), actions).shape
        shape = {
            "inputs": [n + len(words.get(roles[0], [])) for n in size or ()],
            "actions": getattr(actions, "n", None),
        }
        fitting = [role for role, known in trained.items() if known == shape]
        if fitting:
            found[name] = next((role for role in roles if role in fitting), fitting[0])
    env.close()
    return found


class WarmStart(RLlibCallback):
    """Puts the policies of a checkpoint where an algorithm begins; what is restored afterwards takes their place."""

    def __init__(self, checkpoint: Path, taken: Mapping[str, str]) -> None:
        self._checkpoint, self._taken = checkpoint, dict(taken)

    @override
    def on_algorithm_init(self, *, algorithm: Any, **_: Any) -> None:
        algorithm.learner_group.foreach_learner(partial(_take, checkpoint=self._checkpoint, taken=self._taken))
        algorithm.env_runner_group.sync_weights(
            from_worker_or_learner_group=algorithm.learner_group,
            policies=list(algorithm.config.policies),
            inference_only=True,
        )


def warm_start(checkpoint: Path, taken: Mapping[str, str]) -> Any:
    """The callback for `config.callbacks(...)`, which wants something it can call without arguments.

    Args:
        checkpoint: the folder that training wrote.
        taken: module to the role whose policy it begins with, as :func:`donors` finds them.
    """
    return partial(WarmStart, checkpoint.resolve(), taken)


def _take(learner: Any, checkpoint: Path, taken: Mapping[str, str]) -> None:
    for name, role in taken.items():
        module = learner.module[name].unwrapped()
        donor = RLModule.from_checkpoint(checkpoint / "modules" / role)
        strange = module.load_state_dict(donor.state_dict(), strict=False).unexpected_keys
        if strange:
            raise ValueError(f"{checkpoint}: {role} has what {name} has not ({strange[0]}); use the same algorithm")
        if isinstance(module, TargetNetworkAPI):
            for network, target in module.get_target_network_pairs():
                target.load_state_dict(network.state_dict())
