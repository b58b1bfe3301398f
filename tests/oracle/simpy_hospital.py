"""The pathway of ``hospital_flow.yaml`` in plain SimPy, as its users write it: a second implementation to check ours.

One generator process for each patient, ``PriorityResource``, ``AnyOf`` for leaving and deterioration while waiting,
``AllOf`` for tests side by side, scalar draws from a NumPy generator. Nothing of marl_health is used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import simpy

from experiments.benchmarks import parameters as p

Process = Generator[simpy.Event, Any, Any]


class Tracked(simpy.PriorityResource):
    """A resource whose capacity may change, monitored as SimPy's documentation shows.

    It keeps the time integrals of units busy, units present and requests waiting.
    """

    def __init__(self, env: simpy.Environment, capacity: int) -> None:
        super().__init__(env, capacity)
        self.last = env.now
        self.busy_minutes = 0.0
        self.capacity_minutes = 0.0
        self.queue_minutes = 0.0

    def integrate(self) -> None:
        """Bring the integrals up to now."""
        passed = self._env.now - self.last
        self.busy_minutes += self.count * passed
        self.capacity_minutes += self.capacity * passed
        self.queue_minutes += len(self.queue) * passed
        self.last = self._env.now

    def request(self, *args: Any, **settings: Any) -> Any:
        """A request; what it changes counts from now on."""
        self.integrate()
        return super().request(*args, **settings)

    def release(self, *args: Any, **settings: Any) -> Any:
        """A release; what it changes counts from now on."""
        self.integrate()
        return super().release(*args, **settings)

    def set_capacity(self, capacity: int) -> None:
        """Change the number of units; those in use beyond it are not replaced when they come back."""
        self.integrate()
        self._capacity = capacity
        while self.put_queue and self.count < capacity:
            self._trigger_put(None)

    def resort(self) -> None:
        """Bring the queue into order again after keys were changed."""
        self.put_queue.sort(key=lambda request: request.key)


@dataclass(eq=False)
class Patient:
    """A patient and the times of what happened to them (``None`` until it happens)."""

    acuity: int
    arrival: float
    triaged: float | None = None
    assessed: float | None = None
    provider: float | None = None
    decided: float | None = None
    settled: float | None = None
    ed_departure: float | None = None
    left_unseen: bool = False
    deteriorated: bool = False
    patience: simpy.Event | None = None
    deterioration: simpy.Event | None = None
    waiting_since: float = 0.0


class Hospital:
    """One replication.

    Attributes:
        records: patients who left the emergency department, in that order.
        in_department: patients who are there now. boarders: those of them who wait for a bed.
    """

    def __init__(self, seed: int) -> None:
        self.env = env = simpy.Environment()
        self.rng = np.random.default_rng(seed)
        self.triage_nurse = Tracked(env, p.TRIAGE_NURSES)
        self.ed_nurse = Tracked(env, p.ED_NURSES)
        self.ed_physician = Tracked(env, p.PHYSICIANS[0][1])
        self.ed_bay = Tracked(env, p.BAYS)
        self.ct_scanner = Tracked(env, p.SCANNERS)
        self.analyser = Tracked(env, p.ANALYSERS)
        self.ward_bed = Tracked(env, p.WARD_BEDS)
        self.icu_bed = Tracked(env, p.ICU_BEDS)
        self.rank_for_physician: Callable[[Patient], float] = lambda patient: patient.acuity
        self.extra_physicians = 0
        self.physicians_by_shift = p.PHYSICIANS[0][1]
        self.records: list[Patient] = []
        self.in_department: dict[Patient, None] = {}
        self.boarders: dict[Patient, None] = {}
        self.arrived = p.IN_WARD_AT_START + p.IN_ICU_AT_START
        self.deteriorations = 0
        self.left_unseen = 0
        self.discharged = 0
        for _ in range(p.IN_WARD_AT_START):
            env.process(self.in_ward_at_start())
        for _ in range(p.IN_ICU_AT_START):
            env.process(self.in_icu_at_start())
        env.process(self.shifts())
        env.process(self.arrivals())

    # ------------------------------------------------------------ exogenous
    def arrivals(self) -> Process:
        """A non-stationary Poisson process, by thinning."""
        highest = max(p.RATES)
        while True:
            yield self.env.timeout(self.rng.exponential(1 / highest))
            rate = p.RATES[int(self.env.now % p.DAY // 60)]
            if self.rng.random() * highest < rate:
                acuity = int(self.rng.choice(p.ACUITIES, p=p.ACUITY_SHARES))
                self.env.process(self.patient(Patient(acuity, self.env.now)))

    def shifts(self) -> Process:
        """Physicians on duty by the time of the day."""
        while True:
            midnight = self.env.now
            for start, units in p.PHYSICIANS:
                yield self.env.timeout(midnight + start - self.env.now)
                self.physicians_by_shift = units
                self.ed_physician.set_capacity(units + self.extra_physicians)
            yield self.env.timeout(midnight + p.DAY - self.env.now)

    def in_ward_at_start(self) -> Process:
        """Somebody found in a ward bed: a length-biased stay, a uniform part of which is left."""
        with self.ward_bed.request() as bed:
            yield bed
            yield self.env.timeout(self.residual(p.WARD_STAY))
        self.discharged += 1

    def in_icu_at_start(self) -> Process:
        """Somebody found in intensive care."""
        bed = self.icu_bed.request()
        yield bed
        yield self.env.timeout(self.residual(p.ICU_STAY))
        yield from self.step_down(bed)

    # ------------------------------------------------------------ the pathway
    def patient(self, patient: Patient) -> Process:
        """From the door to the end of the ward stay."""
        env, rng = self.env, self.rng
        self.arrived += 1
        self.in_department[patient] = None
        with self.triage_nurse.request() as nurse:
            yield nurse
            yield env.timeout(self.lognormal(p.TRIAGE))
        patient.triaged = env.now
        self.start_clocks(patient)

        bay = yield from self.wait_unseen(patient, self.ed_bay, lambda patient: patient.acuity)
        if bay is None:
            self.leave_unseen(patient)
            return
        nurse = yield from self.wait_unseen(patient, self.ed_nurse, lambda patient: 0)
        if nurse is None:
            self.ed_bay.release(bay)
            self.leave_unseen(patient)
            return
        patient.assessed = env.now
        yield env.timeout(self.lognormal(p.ASSESSMENT))
        self.ed_nurse.release(nurse)

        with self.ask(self.ed_physician, patient, self.rank_for_physician(patient)) as physician:
            yield physician
            patient.provider = env.now
            yield env.timeout(self.lognormal(p.FIRST_LOOK[patient.acuity]))

        tests = []
        if rng.random() < p.BLOODS[patient.acuity]:
            tests.append(env.process(self.bloods()))
        if rng.random() < p.ECGS[patient.acuity]:
            tests.append(env.process(self.nursing(p.ECG)))
        if rng.random() < p.IMAGING[patient.acuity]:
            tests.append(env.process(self.imaging(patient)))
        if tests:
            yield env.all_of(tests)
        yield from self.nursing(p.MEDICATION)
        yield env.timeout(self.lognormal(p.EFFECT[patient.acuity]))

        with self.ask(self.ed_physician, patient, self.rank_for_physician(patient)) as physician:
            yield physician
            yield env.timeout(self.lognormal(p.REVIEW))
        patient.decided = env.now

        draw = rng.random()
        if draw < p.TO_ICU[patient.acuity]:
            bed = yield from self.board(patient, self.icu_bed, bay)
            yield env.timeout(self.lognormal(p.ICU_STAY))
            yield from self.step_down(bed)
        elif draw < p.TO_ICU[patient.acuity] + p.TO_WARD[patient.acuity]:
            bed = yield from self.board(patient, self.ward_bed, bay)
            yield env.timeout(self.lognormal(p.WARD_STAY))
            self.ward_bed.release(bed)
            self.discharged += 1
        else:
            yield from self.nursing(p.SEND_HOME)
            self.ed_bay.release(bay)
            self.depart_from_department(patient)
            self.discharged += 1

    def start_clocks(self, patient: Patient) -> None:
        """Patience and deterioration run from triage until a nurse comes."""
        if patient.acuity in p.PATIENCE_SCALE:
            minutes = p.PATIENCE_SCALE[patient.acuity] * self.rng.weibull(p.PATIENCE_SHAPE)
            patient.patience = self.env.timeout(minutes)
        hazard = p.DETERIORATION[patient.acuity]
        if hazard > 0:
            patient.deterioration = self.env.timeout(self.rng.exponential(1 / hazard))

    def wait_unseen(self, patient: Patient, resource: Tracked, rank: Callable[[Patient], float]) -> Process:
        """Wait for a resource; the request, or ``None`` for those who lose patience. The rank may rise meanwhile."""
        joined = self.env.now
        request = self.ask(resource, patient, rank(patient))
        while True:
            clocks = [clock for clock in (patient.patience, patient.deterioration) if clock is not None]
            yield self.env.any_of([request, *clocks])
            if request.triggered:
                return request
            resource.integrate()
            request.cancel()
            if patient.patience is not None and patient.patience.processed:
                return None
            patient.deterioration = None
            patient.deteriorated = True
            patient.acuity -= 1
            self.deteriorations += 1
            request = self.ask(resource, patient, rank(patient), joined)

    def nursing(self, minutes: p.Lognormal) -> Process:
        """Something that takes a nurse."""
        with self.ed_nurse.request(priority=(0, self.env.now)) as nurse:
            yield nurse
            yield self.env.timeout(self.lognormal(minutes))

    def bloods(self) -> Process:
        """Draw blood, then analyse it."""
        yield from self.nursing(p.DRAW)
        with self.analyser.request() as analyser:
            yield analyser
            yield self.env.timeout(self.lognormal(p.ANALYSIS))

    def imaging(self, patient: Patient) -> Process:
        """A scan; the bay is kept."""
        with self.ask(self.ct_scanner, patient, patient.acuity) as scanner:
            yield scanner
            yield self.env.timeout(self.lognormal(p.SCAN))

    def board(self, patient: Patient, beds: Tracked, bay: simpy.resources.resource.Request) -> Process:
        """Wait in the bay for a bed, then give the bay up."""
        self.boarders[patient] = None
        bed = self.ask(beds, patient, 0.0)
        yield bed
        del self.boarders[patient]
        patient.settled = self.env.now
        self.ed_bay.release(bay)
        self.depart_from_department(patient)
        return bed

    def step_down(self, icu_bed: simpy.resources.resource.Request) -> Process:
        """From intensive care to a ward, holding the one until the other is free."""
        with self.ward_bed.request(priority=(0.0, self.env.now)) as bed:
            yield bed
            self.icu_bed.release(icu_bed)
            yield self.env.timeout(self.lognormal(p.WARD_STAY))
        self.discharged += 1

    def leave_unseen(self, patient: Patient) -> None:
        """They lost patience."""
        patient.left_unseen = True
        self.left_unseen += 1
        self.depart_from_department(patient)

    def depart_from_department(self, patient: Patient) -> None:
        """The emergency department is behind them."""
        patient.ed_departure = self.env.now
        del self.in_department[patient]
        self.records.append(patient)

    # ------------------------------------------------------------ helpers
    def ask(self, resource: Tracked, patient: Patient, rank: float, joined: float | None = None) -> Any:
        """A request, first by rank, then by the time of joining; it knows its patient."""
        patient.waiting_since = self.env.now if joined is None else joined
        request = resource.request(priority=(rank, patient.waiting_since))
        request.patient = patient
        return request

    def lognormal(self, parameters: p.Lognormal) -> float:
        """A lognormal draw."""
        return self.rng.lognormal(parameters.mu, parameters.sigma)

    def residual(self, parameters: p.Lognormal) -> float:
        """What is left of a stay seen at a random moment; a length-biased lognormal is lognormal too."""
        return self.rng.lognormal(parameters.mu + parameters.sigma**2, parameters.sigma) * self.rng.random()

    def resources(self) -> dict[str, Tracked]:
        """All resources, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Tracked)}


def first_in_line(resource: Tracked, request: Any) -> None:
    """Put a waiting request at the very front."""
    request.priority = (-inf, request.patient.waiting_since)
    request.key = (request.priority, request.time, not request.preempt)
    resource.resort()


def simulate(seed: int) -> Hospital:
    """A whole replication without agents: warm-up and seven days."""
    hospital = Hospital(seed)
    hospital.env.run(until=p.HORIZON)
    return hospital
