"""An open-loop policy: it sees nothing but the time, and has one action per role and block of the day."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marl_health import HealthParallelEnv, Scenario
from marl_health.spec.scenario import PACKAGED
from policies.base import PolicyError
from policies.simple import ConstantPolicy, Infos

Blocks = Mapping[str, Mapping[str, str]]
"""Time of the day at which a block begins, as ``06:00``, to role to action; who is not named waits."""

CLOCK = "clock"
DAY = 1440


class ClockPolicy:
    """Each role repeats the action of the block of the day whenever it is legal, and waits otherwise.

    Args:
        name: what tables call it.
        blocks: what to do from which time of the day on; before the first of them, the last of the day before holds.

    Raises:
        PolicyError: if there is no block, or one does not begin at a time of the day.
    """

    def __init__(self, name: str, blocks: Blocks) -> None:
        self.name = name
        if not blocks:
            raise PolicyError(f"policy '{name}': there is no block of the day in it")
        by_minute = {_minute(name, start): ConstantPolicy(actions) for start, actions in blocks.items()}
        self._starts = sorted(by_minute)
        self._constants = [by_minute[start] for start in self._starts]

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Find the actions in this environment.

        Raises:
            PolicyError: if there is no such role, or it has no such action.
        """
        for constant in self._constants:
            constant.reset(env, seed)

    def act(self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Infos) -> dict[str, int]:
        """Do what the time of the day says."""
        # A decision at 05:59:59.999 by rounding is one at 06:00.
        minute = (env.scenario.clock.starts + env.game.now + 1e-6) % DAY
        return self._constants[bisect_right(self._starts, minute) - 1].act(env, observations, infos)


class FoundClockPolicy:
    """The best clock-only policy that ``marl-health check`` found for the scenario that it is reset in."""

    name = CLOCK

    def __init__(self) -> None:
        self._found: ClockPolicy | None = None

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Read it.

        Raises:
            PolicyError: if none was found for this scenario as it is now.
        """
        file = result_file(env.scenario)
        result = _read(file) if file.is_file() else {}
        if result.get("hash") != env.scenario.hash:
            told = "was found for another state of" if result else "has not been searched for in"
            raise PolicyError(
                f"the policy 'clock' {told} '{env.scenario.name}'; run 'marl-health check {env.scenario.name}'"
            )
        self._found = ClockPolicy(CLOCK, _blocks(result, file))
        self._found.reset(env, seed)

    def act(self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Infos) -> dict[str, int]:
        """Do what the time of the day says."""
        if self._found is None:
            raise RuntimeError("call reset() first")
        return self._found.act(env, observations, infos)


def make_clock(spec: str) -> ClockPolicy | FoundClockPolicy:
    """The policy ``clock``, ``clock:FILE`` (a result of ``marl-health check``), or ``clock:{...}``, blocks as JSON.

    Raises:
        PolicyError: if the file or the blocks cannot be read.
    """
    source = spec.partition(":")[2]
    if spec == CLOCK:
        return FoundClockPolicy()
    if source.startswith("{"):
        try:
            return ClockPolicy(CLOCK, json.loads(source))
        except (json.JSONDecodeError, AttributeError) as error:
            raise PolicyError(f'policy \'{spec}\': write {{"06:00": {{"ROLE": "ACTION"}}}} ({error})') from error
    file = Path(source)
    return ClockPolicy(spec, _blocks(_read(file), file))


def spelled(blocks: Blocks) -> str:
    """The name by which a policy with these blocks is made."""
    return f"{CLOCK}:{json.dumps(blocks)}"


def result_file(scenario: Scenario) -> Path:
    """Where ``marl-health check`` keeps its result: a folder for the packaged scenarios, beside the file for others."""
    file = Path(scenario.file).resolve()
    if file.is_relative_to(PACKAGED):
        return PACKAGED / "checks" / f"{scenario.name}.json"
    return file.with_suffix(".check.json")


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PolicyError(f"policy 'clock': {file} cannot be read as JSON: {error}") from error
    return found if isinstance(found, dict) else {}


def _blocks(result: Mapping[str, Any], file: Path) -> Blocks:
    clock = result.get(CLOCK)
    if not isinstance(clock, dict) or not isinstance(clock.get("blocks"), dict):
        raise PolicyError(f"policy 'clock': {file} holds none; name a file that 'marl-health check' wrote")
    blocks: Blocks = clock["blocks"]
    return blocks


def _minute(policy: str, start: str) -> int:
    """Minute of the day."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", start):
        raise PolicyError(f"policy '{policy}': a block begins at a time of the day such as 06:00, not '{start}'")
    return 60 * int(start[:2]) + int(start[3:])
