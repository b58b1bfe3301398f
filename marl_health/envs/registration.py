"""Registers every packaged scenario in which somebody decides: with PettingZoo, and with Gymnasium if one agent does.

``import marl_health`` registers them, so it must be quick: it does not parse the scenarios. Version and roles are read
off the text instead, in which every packaged scenario writes them one below the other; a test compares what is read so
with the compiled scenarios.

For ``hospital_throughput`` of version 1 this makes

* ``pettingzoo.make("parallel", "marl_health/hospital_throughput-v0")``, and ``"aec"`` likewise;
* ``gymnasium.make("marl_health/HospitalThroughput-v0")``, if it had a single agent;
* a module ``marl_health.envs.hospital_throughput_v0`` with ``parallel_env``, ``env`` and ``raw_env``, the way
  PettingZoo's own environments are used.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
from gymnasium.envs.registration import registry as gymnasium_registry
from pettingzoo import AECEnv, aec_registry, parallel_registry, register
from pettingzoo.utils.conversions import parallel_to_aec, parallel_to_aec_wrapper
from pettingzoo.utils.wrappers import AssertOutOfBoundsWrapper

from marl_health.envs.parallel import HealthParallelEnv, Observation
from marl_health.spec.scenario import packaged_scenarios

NAMESPACE = "marl_health"
PACKAGE = "marl_health.envs"

VERSION = re.compile(r"^version:[ \t]*(\d+)", re.MULTILINE)
EXTENDS = re.compile(r"^extends:[ \t]*(\S+)", re.MULTILINE)
AGENTS = re.compile(r"^agents:[^\n]*\n((?:[ \t#][^\n]*\n|\n)*)", re.MULTILINE)
"""The block of the agents, up to the next key at the margin."""
KEY = re.compile(r"^( +)(\w+):[ \t]*(\S*)", re.MULTILINE)

ACRONYMS = frozenset({"icu", "or"})
"""Words of scenarios' names that Gymnasium's ids write in capitals: intensive care unit, operating room."""


@dataclass(frozen=True)
class Entry:
    """What the registries need to know of a scenario.

    Attributes:
        name: of the scenario. version: of the environment, one less than the scenario's. roles: those who decide.
    """

    name: str
    version: int
    roles: tuple[str, ...]

    @property
    def id(self) -> str:
        """Its id in PettingZoo's registries."""
        return f"{NAMESPACE}/{self.name}-v{self.version}"

    @property
    def gymnasium_id(self) -> str:
        """Its id in Gymnasium's registry."""
        words = (part.upper() if part in ACRONYMS else part.capitalize() for part in self.name.split("_"))
        return f"{NAMESPACE}/{''.join(words)}-v{self.version}"

    @property
    def module(self) -> str:
        """The full name of its module."""
        return f"{PACKAGE}.{self.name}_v{self.version}"


def raw_env(scenario: str | Path, **settings: Any) -> AECEnv[str, Observation, int | None]:
    """The environment in which agents take turns, without wrappers; ``settings`` as of the parallel one."""
    return parallel_to_aec_wrapper(_plain(scenario, settings))


def env(scenario: str | Path, **settings: Any) -> AECEnv[str, Observation, int | None]:
    """The environment in which agents take turns, with PettingZoo's usual checks of order and of actions."""
    return AssertOutOfBoundsWrapper(parallel_to_aec(_plain(scenario, settings)))


def _plain(scenario: str | Path, settings: Mapping[str, Any]) -> Any:
    return HealthParallelEnv(scenario, **settings)


def read_entry(name: str, text: str, base: Entry | None = None) -> Entry | None:
    """Read version and roles off the text of a scenario; ``None`` if it has no version.

    Args:
        name: of the scenario.
        text: of its file.
        base: what was read off the scenario that it extends.
    """
    version = VERSION.search(text)
    if version is None and base is None:
        return None
    roles = {} if base is None else dict.fromkeys(base.roles)
    block = AGENTS.search(text + "\n")
    keys = KEY.findall(block[1]) if block else []
    for margin, role, value in keys:
        if margin == keys[0][0]:
            roles[role] = None
            if value in ("null", "~"):  # a scenario that extends another takes a role away
                del roles[role]
    return Entry(name, int(version[1]) - 1 if version else base.version if base else 0, tuple(roles))


def entries() -> list[Entry]:
    """All packaged scenarios in which somebody decides, by name."""
    texts = {name: file.read_text(encoding="utf-8", errors="replace") for name, file in packaged_scenarios().items()}
    found = []
    for name, text in texts.items():
        extends = EXTENDS.search(text)
        base = Path(extends[1]).stem if extends else ""
        entry = read_entry(name, text, read_entry(base, texts[base]) if base in texts else None)
        if entry is not None and entry.roles:
            found.append(entry)
    return found


def register_all() -> None:
    """Register the packaged scenarios; those that are registered already stay as they are."""
    for entry in entries():
        settings = {"scenario": entry.name}
        if entry.id not in parallel_registry:
            register("parallel", entry.id, f"{PACKAGE}.parallel:HealthParallelEnv", kwargs=settings)
        if entry.id not in aec_registry:
            register("aec", entry.id, f"{PACKAGE}.registration:env", kwargs=settings)
        if len(entry.roles) == 1 and entry.gymnasium_id not in gymnasium_registry:
            gymnasium.register(entry.gymnasium_id, f"{PACKAGE}.gymnasium_view:HealthGymnasiumEnv", kwargs=settings)
        if entry.module not in sys.modules:
            _add_module(entry)


def _add_module(entry: Entry) -> None:
    """Make the scenario's module. Partial functions are pickled by what they call, so the module need not exist."""
    module: Any = ModuleType(entry.module, f"The scenario {entry.name}, version {entry.version}, as PettingZoo has it.")
    module.parallel_env = partial(HealthParallelEnv, entry.name)
    module.env = partial(env, entry.name)
    module.raw_env = partial(raw_env, entry.name)
    module.__all__ = ["env", "parallel_env", "raw_env"]
    sys.modules[entry.module] = module
    setattr(sys.modules[PACKAGE], entry.module.rpartition(".")[2], module)
