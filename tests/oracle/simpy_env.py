"""A PettingZoo env over the SimPy model, with the same agents, sizes and kinds of levers as ``hospital_flow.yaml``.

Written as people write such envs: every agent's observation is read off the resources' queues when it is needed. The
speed of our env is measured against it, so what does not change between two decisions is worked out once: who is in the
slots, which actions are possible, what the rewards consist of.
"""

from __future__ import annotations

from math import cos, inf, pi, sin
from typing import Any

import numpy as np
import simpy
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv

from experiments.benchmarks import parameters as p
from tests.oracle.simpy_hospital import Hospital, Patient, Tracked, TrackedByPriority, first_in_line

SIZES = {"ed_coordinator_0": 26, "physician_lead_0": 19, "bed_manager_0": 23, "diagnostics_lead_0": 30}
MOVES = {"ed_coordinator_0": 5, "physician_lead_0": 5, "bed_manager_0": 8, "diagnostics_lead_0": 7}
COMPONENTS = ("clinical", "efficiency", "financial", "risk", "compliance")
SLOTS = 4
ORDERS = (
    lambda patient: patient.acuity,
    lambda patient: 0,
    lambda patient: (1, 2, 5, 4, 3).index(patient.acuity),
)


class Lever:
    """A lever with levels: position chosen, position in force, and until when it cannot be moved."""

    def __init__(self, levels: int, lead: float, at_least: float) -> None:
        self.levels = levels
        self.lead = lead
        self.at_least = at_least
        self.position = 0
        self.in_force = 0
        self.locked_until = -inf

    def mask(self, now: float) -> list[int]:
        """Which levels can be chosen."""
        return [int(now >= self.locked_until and level != self.position) for level in range(self.levels)]

    def view(self, now: float) -> list[float]:
        """Position, position in force where there is a lead time, share of the minimum duration left."""
        span = self.levels - 1
        locked = max(0.0, self.locked_until - now) / (self.lead + self.at_least)
        if self.lead:
            return [self.position / span, self.in_force / span, locked]
        return [self.position / span, locked]


class SimpyHospitalEnv(ParallelEnv):
    """Four agents, a decision every 15 minutes for seven days."""

    metadata = {"name": "simpy_hospital_v0", "render_modes": []}

    def __init__(self) -> None:
        self.possible_agents = list(SIZES)
        self.agents: list[str] = []
        self.observation_spaces = {a: Box(-1.0, 1.0, (n,), np.float32) for a, n in SIZES.items()}
        self.action_spaces = {a: Discrete(n) for a, n in MOVES.items()}

    def observation_space(self, agent: str) -> Box:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        return self.action_spaces[agent]

    # ------------------------------------------------------------ episodes
    def reset(self, seed: int | None = None, options: dict | None = None) -> tuple[dict, dict]:
        self.hospital = Hospital(0 if seed is None else seed)
        self.agents = list(self.possible_agents)
        self.order = Lever(3, 0.0, 60.0)
        self.extra_beds = Lever(3, 120.0, 720.0)
        self.extra_scanner = Lever(2, 60.0, 240.0)
        self.calls = self.called_in = 0
        self.spent = 0.0
        self.counted = 0
        self.finished = [0.0, 0.0, 0.0]
        self.illegal = dict.fromkeys(self.agents, 0)
        self.hospital.env.run(until=p.WARM_UP)
        self.totals = self.measure()
        return self.look(), self.infos([0.0] * 5)

    def step(self, actions: dict[str, int]) -> tuple[dict, dict, dict, dict, dict]:
        for agent in self.agents:
            action = int(actions.get(agent, 0))
            if action and not self.masks[agent][action]:
                self.illegal[agent] += 1
            elif action:
                self.act(agent, action)
        env = self.hospital.env
        env.run(until=env.now + p.DECIDE_EVERY)
        over = env.now >= p.HORIZON
        totals = self.measure()
        terms = [after - before for after, before in zip(totals, self.totals, strict=True)]
        self.totals = totals
        reward = sum(terms)
        agents = self.agents
        observations, infos = self.look(), self.infos(terms)
        if over:
            self.agents = []
        return (
            observations,
            dict.fromkeys(agents, reward),
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, over),
            infos,
        )

    # ------------------------------------------------------------ what agents see
    def look(self) -> dict[str, np.ndarray]:
        """Observations of all, from slots that stay the same until they have acted."""
        hospital = self.hospital
        self.candidates = {
            beds: longest_waiting(beds) for beds in (hospital.ed_bay, hospital.ward_bed, hospital.ct_scanner)
        }
        self.masks = {agent: self.mask(agent) for agent in self.agents}
        return {agent: self.observe(agent) for agent in self.agents}

    def observe(self, agent: str) -> np.ndarray:
        hospital, now = self.hospital, self.hospital.env.now
        angle = 2 * pi * now / p.DAY
        seen = [sin(angle), cos(angle)]
        if agent == "ed_coordinator_0":
            seen += self.queue_by_acuity(hospital.ed_bay)
            seen += [share(free(hospital.ed_bay), p.BAYS), share(len(hospital.triage_nurse.queue), 2)]
            seen += self.slots(hospital.ed_bay)
        elif agent == "physician_lead_0":
            seen += self.queue_by_acuity(hospital.ed_physician)
            seen += [share(free(hospital.ed_physician), 7), share(hospital.ed_physician.capacity, 7)]
            seen += [share(len(hospital.ed_bay.queue), 10)]
            seen += self.order.view(now)
            seen += [self.called_in / (self.called_in + 1), 1 - self.calls / 6]
        elif agent == "bed_manager_0":
            boarders = hospital.boarders
            oldest = max((now - patient.decided for patient in boarders), default=0.0)
            seen += [share(free(hospital.ward_bed), p.WARD_BEDS), share(hospital.ward_bed.capacity, p.WARD_BEDS)]
            seen += [share(free(hospital.icu_bed), p.ICU_BEDS), share(len(boarders), 10), share(oldest, 240)]
            seen += [share(len(hospital.ward_bed.queue), 10)]
            seen += self.slots(hospital.ward_bed)
            seen += self.extra_beds.view(now)
        else:
            seen += self.queue_by_acuity(hospital.ct_scanner)
            seen += [share(free(hospital.ct_scanner), 2), share(free(hospital.analyser), 7)]
            seen += [share(len(hospital.ed_nurse.queue), 2)]
            seen += self.slots(hospital.ct_scanner)
            seen += self.extra_scanner.view(now)
        return np.array(seen, np.float32)

    def queue_by_acuity(self, resource: Tracked) -> list[float]:
        """How many wait, and how long the first of them has, for each acuity."""
        now = self.hospital.env.now
        counts, oldest = [0] * 5, [0.0] * 5
        for request in resource.queue:
            patient = request.patient
            counts[patient.acuity - 1] += 1
            oldest[patient.acuity - 1] = max(oldest[patient.acuity - 1], now - patient.waiting_since)
        return [share(count, 10) for count in counts] + [share(minutes, 60) for minutes in oldest]

    def slots(self, resource: TrackedByPriority) -> list[float]:
        """For each slot: whether it is filled, acuity, minutes waited."""
        now = self.hospital.env.now
        seen: list[float] = []
        for request in self.candidates[resource]:
            patient = request.patient
            seen += [1.0, share(patient.acuity, 5), share(now - patient.waiting_since, 60)]
        return seen + [0.0] * (3 * SLOTS - len(seen))

    def mask(self, agent: str) -> list[int]:
        hospital, now = self.hospital, self.hospital.env.now
        if agent == "ed_coordinator_0":
            return [1, *self.slot_mask(hospital.ed_bay)]
        if agent == "physician_lead_0":
            return [1, *self.order.mask(now), int(self.calls < 6)]
        if agent == "bed_manager_0":
            return [1, *self.slot_mask(hospital.ward_bed), *self.extra_beds.mask(now)]
        return [1, *self.slot_mask(hospital.ct_scanner), *self.extra_scanner.mask(now)]

    def slot_mask(self, resource: TrackedByPriority) -> list[int]:
        """Which slots are filled."""
        filled = len(self.candidates[resource])
        return [1] * filled + [0] * (SLOTS - filled)

    def infos(self, terms: list[float]) -> dict[str, dict[str, Any]]:
        rewards = {f"reward_{name}": term for name, term in zip(COMPONENTS, terms, strict=True)}
        return {
            agent: {
                "action_mask": np.array(self.masks[agent], np.int8),
                "active": float(any(self.masks[agent][1:])),
                "elapsed_minutes": p.DECIDE_EVERY,
                "illegal_actions": float(self.illegal[agent]),
                **rewards,
            }
            for agent in self.agents
        }

    # ------------------------------------------------------------ what agents do
    def act(self, agent: str, action: int) -> None:
        hospital = self.hospital
        if agent == "ed_coordinator_0":
            self.call_first(hospital.ed_bay, action - 1)
        elif agent == "physician_lead_0" and action <= 3:
            self.set_order(action - 1)
        elif agent == "physician_lead_0":
            self.calls += 1
            self.called_in += 1
            self.spent += 3200
            hospital.env.process(self.extra_physicians())
        elif action <= SLOTS:
            self.call_first(hospital.ward_bed if agent == "bed_manager_0" else hospital.ct_scanner, action - 1)
        elif agent == "bed_manager_0":
            hospital.env.process(self.change(self.extra_beds, action - 5, hospital.ward_bed, p.WARD_BEDS, 6))
        else:
            hospital.env.process(self.change(self.extra_scanner, action - 5, hospital.ct_scanner, p.SCANNERS, 1))

    def call_first(self, resource: TrackedByPriority, slot: int) -> None:
        first_in_line(resource, self.candidates[resource][slot])

    def set_order(self, position: int) -> None:
        self.order.position = self.order.in_force = position
        self.order.locked_until = self.hospital.env.now + self.order.at_least
        rank = self.hospital.rank_for_physician = ORDERS[position]
        for request in self.hospital.ed_physician.put_queue:
            request.priority = (rank(request.patient), request.patient.waiting_since)
            request.key = (request.priority, request.time, not request.preempt)
        self.hospital.ed_physician.resort()

    def extra_physicians(self) -> Any:
        hospital = self.hospital
        yield hospital.env.timeout(60)
        for change in (2, -2):
            hospital.extra_physicians += change
            hospital.ed_physician.set_capacity(hospital.physicians_by_shift + hospital.extra_physicians)
            if change > 0:
                yield hospital.env.timeout(8 * 60)
        self.called_in -= 1

    def change(self, lever: Lever, position: int, resource: TrackedByPriority, units: int, each: int) -> Any:
        env: simpy.Environment = self.hospital.env
        lever.position = position
        lever.locked_until = env.now + lever.lead + lever.at_least
        yield env.timeout(lever.lead)
        lever.in_force = position
        resource.set_capacity(units + each * position)

    # ------------------------------------------------------------ what counts
    def measure(self) -> list[float]:
        """Running totals of the score, by component."""
        hospital, now = self.hospital, self.hospital.env.now
        for patient in hospital.records[self.counted :]:
            self.finished = [total + part for total, part in zip(self.finished, burdens(patient, now), strict=True)]
        self.counted = len(hospital.records)
        stay_over, provider_over, boarding = self.finished
        for patient in hospital.in_department:
            parts = burdens(patient, now)
            stay_over += parts[0]
            provider_over += parts[1]
            boarding += parts[2]
        beds = 38 * 6 * self.extra_beds.in_force + 150 * self.extra_scanner.in_force
        self.spent += beds * p.DECIDE_EVERY / 60
        return [
            -0.5 * hospital.deteriorations,
            -0.05 * stay_over / 60,
            -self.spent / 1000,
            -0.15 * boarding / 60 - 0.5 * hospital.left_unseen,
            -0.1 * provider_over / 60,
        ]


def longest_waiting(resource: TrackedByPriority) -> list[Any]:
    """Requests of those who have waited longest, those from elsewhere in the hospital left out."""
    requests = [request for request in resource.queue if hasattr(request, "patient")]
    requests.sort(key=lambda request: request.patient.waiting_since)
    return requests[:SLOTS]


def free(resource: Tracked) -> int:
    """Units that are free."""
    return max(0, resource.capacity - resource.count)


def share(value: float, scale: float) -> float:
    """Scaled into [0, 1)."""
    return value / (value + scale)


def burdens(patient: Patient, now: float) -> tuple[float, float, float]:
    """Minutes beyond the targets for the stay and for the first physician, and minutes boarding, until now."""
    until = now if patient.ed_departure is None else patient.ed_departure
    stay = max(0.0, until - patient.arrival - p.ED_STAY_TARGET)
    seen = until if patient.provider is None else patient.provider
    provider = max(0.0, seen - patient.arrival - p.PROVIDER_TARGET[patient.acuity])
    boarding = 0.0 if patient.decided is None else until - patient.decided
    return stay, provider, boarding
