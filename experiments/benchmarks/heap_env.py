"""A bare decision loop over the hand-coded model: arrays of the same sizes from its counters, nobody moves a lever.

It is the bound for the env loop: what is left is advancing the clock, four arrays, four masks and the dictionaries.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.benchmarks import parameters as p
from experiments.benchmarks.heap_hospital import HeapHospital

SIZES = {"ed_coordinator_0": 26, "physician_lead_0": 19, "bed_manager_0": 23, "diagnostics_lead_0": 30}
MOVES = {"ed_coordinator_0": 5, "physician_lead_0": 5, "bed_manager_0": 8, "diagnostics_lead_0": 7}
COMPONENTS = ("clinical", "efficiency", "financial", "risk", "compliance")


class HeapEnv:
    """The part of a PettingZoo ``ParallelEnv`` that takes time."""

    def reset(self, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin an episode."""
        self.hospital = HeapHospital(seed)
        self.agents = list(SIZES)
        self.now = p.WARM_UP
        self.hospital.advance(self.now)
        self.before = len(self.hospital.records)
        return self._observations(), {agent: self._info(agent, 0.0) for agent in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[dict[str, Any], ...]:
        """Run to the next decision."""
        self.now += p.DECIDE_EVERY
        self.hospital.advance(self.now)
        agents, over = self.agents, self.now >= p.HORIZON
        count = len(self.hospital.records)
        gained, self.before = float(count - self.before), count
        observations = self._observations()
        infos = {agent: self._info(agent, gained) for agent in agents}
        if over:
            self.agents = []
        return (
            observations,
            dict.fromkeys(agents, gained),
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, over),
            infos,
        )

    def _observations(self) -> dict[str, Any]:
        numbers = [value / (abs(value) + 10.0) for value in self.hospital.counters()] * 2
        return {agent: np.array(numbers[:size], np.float32) for agent, size in SIZES.items()}

    def _info(self, agent: str, gained: float) -> dict[str, Any]:
        mask = np.array([1] * MOVES[agent], np.int8)
        info: dict[str, Any] = {"action_mask": mask, "active": 1.0, "elapsed_minutes": 15.0, "illegal_actions": 0.0}
        for component in COMPONENTS:
            info["reward_" + component] = gained
        return info
