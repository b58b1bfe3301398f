"""Policies that the rules of a scenario offer besides the reference rule, such as ``threshold:25``.

A module of ``policies.rules`` names them in ``VARIANTS``: what stands before the colon, and what makes the policy from
what stands after it. They are known in that module's scenario and in those that extend it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from marl_health import HealthParallelEnv, Scenario
from policies import rules
from policies.base import Policy, PolicyError

Maker = Callable[[str], Policy]


def variants() -> dict[str, dict[str, Maker]]:
    """By name, and by the scenario in whose module of ``policies.rules`` they stand: makers of variants."""
    found: dict[str, dict[str, Maker]] = {}
    for module in sorted(module.name for module in pkgutil.iter_modules(rules.__path__)):
        for name, maker in getattr(importlib.import_module(f"policies.rules.{module}"), "VARIANTS", {}).items():
            found.setdefault(name, {})[module] = maker
    return found


def makers_of(spec: str) -> dict[str, Maker]:
    """By scenario: what makes the policies whose name stands before the colon."""
    return variants().get(spec.partition(":")[0], {})


def check_variant(spec: str, makers: Mapping[str, Maker]) -> None:
    """Complain about what stands after the colon unless some scenario understands it."""
    slips = []
    for maker in makers.values():
        try:
            maker(spec.partition(":")[2])
        except PolicyError as error:
            slips.append(error)
    if len(slips) == len(makers):
        raise slips[0]


class VariantPolicy:
    """What the rules of the scenario that it is reset in offer by this name; made anew for each episode.

    Args:
        spec: the name, a colon, and what the maker is given.
    """

    def __init__(self, spec: str) -> None:
        self.name = spec
        self._made: Policy | None = None

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Make it.

        Raises:
            PolicyError: if this scenario has no such policy.
        """
        makers = makers_of(self.name)
        scenario = next((name for name in modules_of(env.scenario) if name in makers), None)
        if scenario is None:
            raise PolicyError(
                f"the scenario '{env.scenario.name}' has no policy '{self.name}'; it is for {', '.join(makers)}"
            )
        made = makers[scenario](self.name.partition(":")[2])
        made.reset(env, seed)
        self._made = made

    def act(
        self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, int]:
        """Do what it says."""
        if self._made is None:
            raise RuntimeError("call reset() first")
        return self._made.act(env, observations, infos)


def modules_of(scenario: Scenario) -> tuple[str, ...]:
    """Modules in ``policies.rules`` that may speak for a scenario: its own first, then that of the one it extends."""
    base = getattr(scenario.spec, "extends", None)
    return (scenario.name, *([Path(base).stem] if base else []))
