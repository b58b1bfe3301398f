"""One replication: a policy plays one episode of a scenario, and what came out is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import policies
from marl_health import HealthParallelEnv, Scenario, load
from marl_health.spec.components import COMPONENTS
from marl_health.spec.errors import Problem, ScenarioError
from marl_health.spec.scenario import is_there
from marl_health.worlds.game import Game
from policies.registry import MANIFEST

Event = tuple[Any, ...]
"""A row of the event log: (minutes since the world began, entity, event type, event, resource or outcome)."""


@dataclass(frozen=True)
class ScenarioRef:
    """A scenario, in a form that travels between processes."""

    file: str
    chosen: tuple[tuple[str, str], ...]
    hash: str

    @classmethod
    def of(cls, scenario: Scenario) -> ScenarioRef:
        """The reference of a loaded scenario."""
        return cls(str(scenario.file), tuple(sorted(scenario.chosen.items())), scenario.hash)

    def load(self) -> Scenario:
        """Load it (again).

        Raises:
            ScenarioError: if the file no longer says the same.
        """
        scenario = load(self.file, dict(self.chosen))
        if scenario.hash != self.hash:
            message = "this file changed while it was being simulated; start again"
            raise ScenarioError([Problem(self.file, 1, 1, "", message)])
        return scenario


@dataclass(frozen=True)
class Task:
    """One replication to run.

    ``policy`` is a name that :func:`policies.make` knows; ``by`` attributes by whose groups KPIs are split as well.
    """

    scenario: ScenarioRef
    policy: str
    seed: int
    events: bool = False
    occupancy: bool = False
    by: tuple[str, ...] = ()


@dataclass
class Replication:
    """What came out of one replication.

    Attributes:
        seed: of the episode. decisions: steps in it.
        gained: the team's return: the mean over agents of what each was rewarded in all, not discounted.
        terms: the same by component; they add up to it.
        kpis: KPIs; nan where nothing was recorded.
        kpis_by: by attribute, KPIs by group, if that was asked for.
        moves: by agent, how often it did each action other than to wait.
        conservation: where everybody is who ever came.
        events: the event log, if it was asked for. people: who is who in it.
        hours: hours since the first decision at which occupancy was taken, if it was asked for.
        occupancy: by place, the share of its capacity that was taken or being cleaned, at each of ``hours``.
        taken: by resource, the units that were taken or being cleaned. capacity: by resource, the units there were.
        waiting: by queue, who waited in it.
    """

    seed: int
    decisions: int = 0
    gained: float = 0.0
    terms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(COMPONENTS, 0.0))
    kpis: dict[str, float] = field(default_factory=dict)
    kpis_by: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    moves: dict[str, dict[int, int]] = field(default_factory=dict)
    conservation: dict[str, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    people: dict[int, Any] = field(default_factory=dict)
    hours: list[float] = field(default_factory=list)
    occupancy: dict[str, list[float]] = field(default_factory=dict)
    taken: dict[str, list[float]] = field(default_factory=dict)
    capacity: dict[str, list[float]] = field(default_factory=dict)
    waiting: dict[str, list[float]] = field(default_factory=dict)

    def reward(self, rewards: Sequence[float], terms: Sequence[Mapping[str, float]]) -> None:
        """Add one step's reward and its components, one entry per agent."""
        self.decisions += 1
        self.gained += sum(rewards) / len(rewards)
        for component in COMPONENTS:
            self.terms[component] += sum(parts["reward_" + component] for parts in terms) / len(terms)

    def note_moves(self, time: float, moves: Mapping[str, tuple[float, int]]) -> None:
        """Count what agents did in the step that began at a time, given when and how each moved last."""
        for agent, (when, action) in moves.items():
            if when == time:
                done = self.moves.setdefault(agent, {})
                done[action] = done.get(action, 0) + 1

    def look(self, snapshot: Mapping[str, Any]) -> None:
        """Note how full everything is, and who waits."""
        self.hours.append(snapshot["minutes"] / 60.0)
        for name, unit in snapshot["resources"].items():
            if unit["unlimited"]:
                continue
            taken, capacity = unit["taken"] + unit["cleaning"], unit["capacity"]
            self.taken.setdefault(name, []).append(taken)
            self.capacity.setdefault(name, []).append(capacity)
            if unit["place"]:
                share = taken / capacity if capacity else float("nan")
                self.occupancy.setdefault(name, []).append(share)
        for name, waiting in snapshot["queues"].items():
            self.waiting.setdefault(name, []).append(waiting)


def run(task: Task) -> Replication:
    """Run one replication.

    Raises:
        ScenarioError: the scenario cannot be loaded, or is not what it was.
        PolicyError: the policy cannot act in this scenario.
    """
    scenario = task.scenario.load()
    return _play(scenario, task) if scenario.roles else _watch(scenario, task)


def own_seed(policy: str, seed: int) -> int:
    """The seed of a policy's own randomness: it depends on the episode's seed and on the policy's name alone."""
    digest = hashlib.sha256(f"{seed}:{policy}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


def _play(scenario: Scenario, task: Task) -> Replication:
    env = HealthParallelEnv(scenario, events=task.events)
    policy = policy_named(task.policy)
    out = Replication(task.seed)
    observations, infos = env.reset(seed=task.seed)
    try:
        policy.reset(env, own_seed(task.policy, task.seed))
    except ValueError as error:
        raise policies.PolicyError(str(error)) from error
    while env.agents:
        if task.occupancy:
            out.look(env.snapshot())
        now = env.game.now
        observations, rewards, _, _, infos = env.step(policy.act(env, observations, infos))
        out.note_moves(now, env.last_moves)
        out.reward(list(rewards.values()), list(infos.values()))
    return _came_out(out, env.game, task)


def _watch(scenario: Scenario, task: Task) -> Replication:
    """Run a scenario in which nobody decides."""
    game = scenario.kind.make_game(scenario.program)
    out = Replication(task.seed)
    game.reset(task.seed, events=task.events)
    while not game.finished:
        if task.occupancy:
            out.look(game.snapshot())
        game.advance()
        team, _ = game.gains()
        out.reward([sum(team)], [{f"reward_{name}": term for name, term in zip(COMPONENTS, team, strict=True)}])
    return _came_out(out, game, task)


def _came_out(out: Replication, game: Game, task: Task) -> Replication:
    """Add what a finished game has recorded."""
    out.kpis = game.kpis()
    out.kpis_by = {attribute: game.kpis_by(attribute) for attribute in task.by}
    out.conservation = game.conservation()
    out.events = game.events()
    out.people = game.people()
    return out


def policy_named(name: str) -> policies.Policy:
    """A policy, made once per process.

    Raises:
        PolicyError: there is none of this name.
    """
    return _policy(name, _stamp(name))


@lru_cache(maxsize=16)
def _policy(name: str, stamp: int) -> policies.Policy:
    """A policy made once per process: the weights of a trained one take seconds to load."""
    try:
        return policies.make(name)
    except ValueError as error:
        raise policies.PolicyError(str(error)) from error


def _stamp(name: str) -> int:
    """Changes when another checkpoint is put where one was."""
    manifest = Path(name) / MANIFEST
    return manifest.stat().st_mtime_ns if is_there(manifest) else 0


def tasks(
    scenario: Scenario,
    names: Sequence[str],
    seeds: Sequence[int],
    *,
    events: bool = False,
    occupancy: bool = False,
    by: tuple[str, ...] = (),
) -> Iterator[Task]:
    """Every policy on every seed, seed by seed, so that a policy that cannot act is found out at once."""
    ref = ScenarioRef.of(scenario)
    return (Task(ref, name, seed, events, occupancy, by) for seed in seeds for name in names)
