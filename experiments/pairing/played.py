"""What was simulated for a comparison: returns, terms, KPIs, lengths of stay, and what each episode drew at first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.pairing.gains import Array
from marl_health import Scenario
from marl_health.worlds.flow.world import FlowWorld
from orchestration.episodes import Event
from orchestration.output import progress_bar
from orchestration.simulate import Simulation, simulate

RETURN, TOTAL_STAY, MEAN_STAY = "return", "length_of_stay_total", "length_of_stay_mean"


@dataclass(frozen=True)
class Played:
    """The replications of one policy; ``stays`` has a list of hours for each."""

    simulation: Simulation
    stays: Sequence[Sequence[float]]

    @property
    def policy(self) -> str:
        """Name of the policy."""
        return self.simulation.policy

    @property
    def terms(self) -> dict[str, list[float]]:
        """By component of the reward, one value per replication; they add up to the return."""
        replications = self.simulation.replications
        return {name: [replication.terms[name] for replication in replications] for name in replications[0].terms}

    def values(self, metric: str) -> list[float]:
        """The return, a length of stay in hours or a KPI of every replication."""
        if metric == TOTAL_STAY:
            return [math.fsum(hours) for hours in self.stays]
        if metric == MEAN_STAY:
            return [math.fsum(hours) / len(hours) if hours else math.nan for hours in self.stays]
        return self.simulation.values(metric)


def lengths_of_stay(scenario: Scenario, events: Sequence[Event]) -> list[float]:
    """Hours of each who came in the measured time, until they left or the run-out was over."""
    program = scenario.program
    came: dict[int, float] = {}
    minutes = []
    for time, entity, kind, event, _ in events:
        if kind == "arrival_departure":
            if event == "arrival" and program.warm_up <= time < program.horizon:
                came[entity] = time
            elif event == "depart" and entity in came:
                minutes.append(time - came.pop(entity))
    minutes += [program.length - time for time in came.values()]
    return [stay / 60.0 for stay in minutes]


def play(scenario: Scenario, policy: str, replications: int, seed: int, jobs: int) -> Played:
    """Simulate a policy."""
    stays: list[list[float]] = []
    with progress_bar(f"{scenario.name}, {policy}", replications) as progress:
        simulation = simulate(
            scenario,
            policy,
            replications,
            seed,
            jobs=jobs,
            events=lambda _, events, __: stays.append(lengths_of_stay(scenario, events)),
            progress=progress,
        )
    return Played(simulation, stays)


def drawn_at_first(scenario: Scenario, seeds: Sequence[int]) -> dict[str, Array]:
    """By name, the numbers that each episode draws under ``vary``, whatever the policy."""
    return _by_name(scenario, [FlowWorld(scenario.program, seed).varied for seed in seeds])


def drawn_further(scenario: Scenario, episodes: int) -> dict[str, Array]:
    """The same of as many episodes of which nothing else is made."""
    world, generator = FlowWorld(scenario.program, 0), np.random.default_rng(0)
    rows = []
    for _ in range(episodes):
        world.varied = []  # a draw may refer to those before it
        for _, value in scenario.program.varied:
            world.nobody.row = generator.random(scenario.program.columns).tolist()
            world.varied.append(value(world, world.nobody))
        rows.append(world.varied)
    return _by_name(scenario, rows)


def _by_name(scenario: Scenario, rows: Sequence[Sequence[float]]) -> dict[str, Array]:
    columns = zip((name for name, _ in scenario.program.varied), zip(*rows, strict=True), strict=True)
    return {name: np.array(found, float) for name, found in columns if not isinstance(found[0], str)}
