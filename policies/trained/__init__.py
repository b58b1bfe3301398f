"""Policies that were trained beforehand, known by name in the scenario that they were trained in.

    policies/trained/<scenario>/<name>/     a checkpoint, as training writes it to runs/<id>/checkpoint

A run's checkpoint is put there by copying it; its `checkpoint.json` says which command made it, on which scenario, in
which version, and with which seed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marl_health import HealthParallelEnv, Scenario
from policies.base import Policy, PolicyError
from policies.variants import modules_of

MANIFEST = "checkpoint.json"
"""The file by which the folder of a checkpoint is known, without importing what reads it."""

FOLDER = Path(__file__).parent


def trained() -> dict[str, dict[str, Path]]:
    """By name, and by scenario: the folder of the checkpoint."""
    found: dict[str, dict[str, Path]] = {}
    for manifest in sorted(FOLDER.glob(f"*/*/{MANIFEST}")):
        found.setdefault(manifest.parent.name, {})[manifest.parent.parent.name] = manifest.parent
    return found


def trained_in(name: str, scenario: Scenario) -> Path | None:
    """The folder of what was trained under this name in a scenario, or in the one that it extends."""
    folders = trained().get(name, {})
    return next((folders[module] for module in modules_of(scenario) if module in folders), None)


def trained_elsewhere(spec: str, scenario: Scenario) -> str | None:
    """What a user should know of a checkpoint: that it was trained on something else than it acts in.

    Args:
        spec: any policy's name, or the folder of a checkpoint.
        scenario: where it acts.

    Returns:
        A sentence; None for what was trained on exactly this, or was not trained.
    """
    folder = trained_in(spec, scenario) or Path(spec)
    try:
        facts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if facts.get("hash") == scenario.hash:
            return None
    except (OSError, ValueError, AttributeError):
        return None  # no checkpoint, or a damaged one, of which is told where it is loaded
    there = f"{facts.get('scenario')} version {facts.get('version')} (hash {facts.get('hash')})"
    return f"'{spec}' was trained on {there}, not on {scenario.name} version {scenario.version} (hash {scenario.hash})"


def load_checkpoint(folder: str | Path) -> Policy:
    """The policy of a checkpoint.

    Raises:
        PolicyError: it cannot be read, or what reads it is not installed.
    """
    try:
        from policies.rllib.checkpoint import CheckpointPolicy
    except ModuleNotFoundError as error:
        raise PolicyError(
            f"the checkpoint '{folder}' needs {error.name}, which is not installed: pip install 'marl-health[train]'"
        ) from error
    policy: Policy = CheckpointPolicy(folder)
    return policy


class TrainedPolicy:
    """What was trained under this name in the scenario that it is reset in, or in the one that this extends.

    Args:
        name: of the folders that hold it, one for each scenario.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._loaded: dict[Path, Policy] = {}
        self._policy: Policy | None = None

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Find and prepare the scenario's checkpoint.

        Raises:
            PolicyError: nothing was trained there under this name, or it does not fit the scenario any more.
        """
        folder = trained_in(self.name, env.scenario)
        if folder is None:
            raise PolicyError(
                f"no '{self.name}' was trained in the scenario '{env.scenario.name}' (there is one for "
                f"{', '.join(trained().get(self.name, {}))}); `marl-health train` makes a checkpoint, whose folder is "
                "the name of a policy too"
            )
        if folder not in self._loaded:
            self._loaded[folder] = load_checkpoint(folder)
        self._policy = self._loaded[folder]
        self._policy.reset(env, seed)

    def act(
        self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, int]:
        """Do what was learned."""
        if self._policy is None:
            raise RuntimeError("call reset() first")
        return self._policy.act(env, observations, infos)
