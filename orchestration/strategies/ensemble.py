"""Several workflows under a strategy, as processes pass them on: made, played, and saved part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from marl_health import HealthParallelEnv, Scenario
from marl_health.envs.joined import OF, own_name, world_of
from orchestration.episodes import Replication, ScenarioRef, own_seed, policy_named
from orchestration.strategies import make_strategy
from orchestration.strategies.base import COORDINATOR, names_of
from orchestration.strategies.cast import Cast, own_part


@dataclass(frozen=True)
class Ensemble:
    """Several workflows and how they act together.

    Attributes:
        strategy: its name.
        workflows: name and scenario of each.
    """

    strategy: str
    workflows: tuple[tuple[str, ScenarioRef], ...]

    @classmethod
    def of(cls, strategy: str, scenarios: Sequence[Scenario]) -> Ensemble:
        """The workflows of loaded scenarios."""
        names = names_of([scenario.name for scenario in scenarios])
        return cls(strategy, tuple(zip(names, map(ScenarioRef.of, scenarios), strict=True)))

    def make(self) -> Any:
        """The environment that they act in together."""
        worlds = {name: HealthParallelEnv(ref.load()) for name, ref in self.workflows}
        return make_strategy(self.strategy).join(worlds)


@dataclass(frozen=True)
class Play:
    """One replication of an ensemble.

    Attributes:
        ensemble: which.
        folder: of the checkpoint, with a part for each workflow; :func:`save_parts` wrote it.
        seed: of every workflow's episode: whoever plays a workflow alone meets the same patients by it.
        occupancy: record how full the places are at each decision.
    """

    ensemble: Ensemble
    folder: str
    seed: int
    occupancy: bool = False


def play(task: Play) -> dict[str, Replication]:
    """Play one replication; by workflow, what came of it, by its own score.

    Raises:
        PolicyError: a part of the checkpoint is missing, or cannot act there.
    """
    env = _env(task.ensemble)
    names = [name for name, _ in task.ensemble.workflows]
    parts = {name: f"{task.folder}/{name}" for name in names}
    leads = policy_named(f"{task.folder}/{COORDINATOR}") if make_strategy(task.ensemble.strategy).coordinated else None
    cast = Cast(env, {name: policy_named(part) for name, part in parts.items()}, leads)
    observations, infos = env.reset(options={"seeds": dict.fromkeys(names, task.seed)})
    for name in names:
        cast.begin(name, own_seed(parts[name], task.seed))
    cast.begin_coordinator(own_seed(COORDINATOR, task.seed))
    found = {name: Replication(task.seed) for name in names}
    while env.agents:
        before = {name: env.worlds[name].game.now for name in names if env.worlds[name].agents}
        if task.occupancy:
            for name in before:
                found[name].look(env.worlds[name].snapshot())
        observations, _, _, _, infos = env.step(cast.act(observations, infos))
        for name, now in before.items():
            terms = list(own_part(infos, name).values())
            paid = [sum(value for key, value in info.items() if key.startswith("reward_")) for info in terms]
            found[name].reward(paid, terms)
            found[name].note_moves(now, env.worlds[name].last_moves)
    for name, one in found.items():
        one.kpis, one.conservation = env.worlds[name].kpis(), env.worlds[name].conservation()
    return found


def play_all(ensemble: Ensemble, folder: str, seeds: Sequence[int]) -> list[Replication]:
    """Replications whose return is that of all workflows together, and whose KPIs are named `<workflow>.<kpi>`.

    The return of each is among them, as `<workflow>.return`.
    """
    return [_whole(seed, play(Play(ensemble, folder, seed))) for seed in seeds]


def save_parts(folder: Path, modules: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Write a checkpoint for every workflow, whose roles are called as in its scenario, and one for the coordinator.

    Args:
        folder: the parts lie in it, by the name of the workflow.
        modules: by role of the joined environment.
        facts: for the manifests; what stands under `workflows` holds for each alone.
    """
    from policies.rllib.checkpoint import save_checkpoint

    folder.mkdir(parents=True, exist_ok=True)
    common = {name: value for name, value in facts.items() if name not in ("workflows", "told")}
    for part in dict.fromkeys(map(world_of, modules)):
        own = {_own(role): module for role, module in modules.items() if world_of(role) == part}
        words = {_own(role): word for role, word in facts.get("told", {}).items() if world_of(role) == part}
        more = {"told": words} if words else {}
        save_checkpoint(folder / part, own, common | facts["workflows"].get(part, {}) | more)


def _own(role: str) -> str:
    return own_name(role) or role


def _whole(seed: int, found: Mapping[str, Replication]) -> Replication:
    kpis = {}
    for name, one in found.items():
        kpis |= {f"{name}{OF}return": one.gained, **{f"{name}{OF}{kpi}": value for kpi, value in one.kpis.items()}}
    return Replication(seed, gained=sum(one.gained for one in found.values()), kpis=kpis)


@lru_cache(maxsize=4)
def _env(ensemble: Ensemble) -> Any:
    """An environment made once per process."""
    return ensemble.make()
