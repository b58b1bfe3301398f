"""The pathway of ``hospital_flow.yaml`` in plain SimPy, as its users write it: a second implementation to check ours.

One generator process for each patient, ``PriorityResource`` where there is an order other than arrival, ``AnyOf`` for
leaving and deterioration while waiting, ``AllOf`` for tests side by side, scalar draws from a NumPy generator. Nothing
of marl_health is used.

The speed of our kernel is measured against this model, so it is no slower than it need be: no ``AnyOf`` for those who
are served at once, no event for arrivals that thinning rejects, no ``Generator.choice``, which takes ten times as long
as a look-up. Both sides keep what the KPIs of the scenario are made of: of every resource the time integrals of units
busy, units present and requests waiting; of every patient the times of what happened to them.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from typing import Any

import numpy as np
import simpy
from simpy.resources.resource import Request

from experiments.benchmarks import parameters as p

Process = Generator[simpy.Event, Any, Any]
ACUITY_BOUNDS = tuple(accumulate(p.ACUITY_SHARES[:-1]))


class Tracked(simpy.Resource):
    """A resource monitored as SimPy's documentation shows, in ``request`` and ``release``.

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
        now = self._env.now
        passed = now - self.last
        self.busy_minutes += len(self.users) * passed
        self.capacity_minutes += self._capacity * passed
        self.queue_minutes += len(self.queue) * passed
        self.last = now

    def request(self, *args: Any, **settings: Any) -> Any:
        """A request; what it changes counts from now on."""
        self.integrate()
        return super().request(*args, **settings)

    def release(self, *args: Any, **settings: Any) -> Any:
        """A release; what it changes counts from now on."""
        self.integrate()
        return super().release(*args, **settings)


class TrackedByPriority(Tracked, simpy.PriorityResource):
    """The same with an order among those who wait, and a capacity that may change."""

    def set_capacity(self, capacity: int) -> None:
        """Change the number of units; those in use beyond it are not replaced when they come back."""
        self.integrate()
        self._capacity = capacity
        while self.put_queue and self.count < capacity:
            self._trigger_put(None)

    def resort(self) -> None:
        """Bring the queue into order again after keys were changed."""
        self.put_queue.sort(key=lambda request: request.key)


@dataclass(eq=False, slots=True)
class Patient:
    """A patient and the times of what happened to them (``None`` until it happens)."""

    acuity: int
    arrival: float
    triaged: float | None = None
    bedded: float | None = None
    provider: float | None = None
    decided: float | None = None
    settled: float | None = None
    ed_departure: float | None = None
    left_unseen: bool = False
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
        self.ed_physician = TrackedByPriority(env, p.PHYSICIANS[0][1])
        self.ed_bay = TrackedByPriority(env, p.BAYS)
        self.ct_scanner = TrackedByPriority(env, p.SCANNERS)
        self.analyser = Tracked(env, p.ANALYSERS)
        self.ward_bed = TrackedByPriority(env, p.WARD_BEDS)
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
        """A non-stationary Poisson process, by thinning: candidates at the highest rate, kept in proportion."""
        env, rng = self.env, self.rng
        highest = max(p.RATES)
        candidate = 0.0
        while True:
            candidate += rng.exponential(1 / highest)
            if rng.random() * highest < p.RATES[int(candidate % p.DAY // 60)]:
                yield env.timeout(candidate - env.now)
                acuity = p.ACUITIES[bisect(ACUITY_BOUNDS, rng.random())]
                env.process(self.patient(Patient(acuity, env.now)))

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
        patient.bedded = env.now
        physician = yield from self.wait_unseen(
            patient, self.ed_physician, lambda patient: self.rank_for_physician(patient)
        )
        if physician is None:
            self.ed_bay.release(bay)
            self.leave_unseen(patient)
            return
        patient.provider = env.now
        yield env.timeout(self.lognormal(p.FIRST_LOOK[patient.acuity]))
        self.ed_physician.release(physician)

        tests = []
        if rng.random() < p.BLOODS[patient.acuity]:
            tests.append(env.process(self.bloods()))
        if rng.random() < p.IMAGING[patient.acuity]:
            tests.append(env.process(self.imaging(patient)))
        if tests:
            yield env.all_of(tests)
        yield env.timeout(self.lognormal(p.EFFECT[patient.acuity]))

        with self.ask(self.ed_physician, patient, self.rank_for_physician(patient)) as physician:
            yield physician
            yield env.timeout(self.lognormal(p.REVIEW))
        patient.decided = env.now

        draw = rng.random()
        if draw < p.TO_ICU[patient.acuity]:
            bed = yield from self.board(patient, self.icu_bed.request(), bay)
            yield env.timeout(self.lognormal(p.ICU_STAY))
            yield from self.step_down(bed)
        elif draw < p.TO_ICU[patient.acuity] + p.TO_WARD[patient.acuity]:
            bed = yield from self.board(patient, self.ask(self.ward_bed, patient, 0.0), bay)
            yield env.timeout(self.lognormal(p.WARD_STAY))
            self.ward_bed.release(bed)
            self.discharged += 1
        else:
            self.ed_bay.release(bay)
            self.depart_from_department(patient)
            self.discharged += 1

    def start_clocks(self, patient: Patient) -> None:
        """Patience and deterioration run from triage until a physician comes."""
        if patient.acuity in p.PATIENCE_SCALE:
            minutes = p.PATIENCE_SCALE[patient.acuity] * self.rng.weibull(p.PATIENCE_SHAPE)
            patient.patience = self.env.timeout(minutes)
        hazard = p.DETERIORATION[patient.acuity]
        if hazard > 0:
            patient.deterioration = self.env.timeout(self.rng.exponential(1 / hazard))

    def wait_unseen(self, patient: Patient, resource: TrackedByPriority, rank: Callable[[Patient], float]) -> Process:
        """Wait for a resource; the request, or ``None`` for those who lose patience. The rank may rise meanwhile."""
        joined = self.env.now
        request = self.ask(resource, patient, rank(patient))
        while not request.triggered:
            clocks = [clock for clock in (patient.patience, patient.deterioration) if clock is not None]
            yield self.env.any_of([request, *clocks])
            if request.triggered:
                return request
            resource.integrate()
            request.cancel()
            if patient.patience is not None and patient.patience.processed:
                return None
            patient.deterioration = None
            patient.acuity -= 1
            self.deteriorations += 1
            request = self.ask(resource, patient, rank(patient), joined)
        return request

    def bloods(self) -> Process:
        """Draw blood, then analyse it."""
        with self.ed_nurse.request() as nurse:
            yield nurse
            yield self.env.timeout(self.lognormal(p.DRAW))
        with self.analyser.request() as analyser:
            yield analyser
            yield self.env.timeout(self.lognormal(p.ANALYSIS))

    def imaging(self, patient: Patient) -> Process:
        """A scan; the bay is kept."""
        with self.ask(self.ct_scanner, patient, patient.acuity) as scanner:
            yield scanner
            yield self.env.timeout(self.lognormal(p.SCAN))

    def board(self, patient: Patient, bed: Request, bay: Request) -> Process:
        """Wait in the bay for a bed, then give the bay up."""
        self.boarders[patient] = None
        yield bed
        del self.boarders[patient]
        patient.settled = self.env.now
        self.ed_bay.release(bay)
        self.depart_from_department(patient)
        return bed

    def step_down(self, icu_bed: Request) -> Process:
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
    def ask(self, resource: TrackedByPriority, patient: Patient, rank: float, joined: float | None = None) -> Any:
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


def first_in_line(resource: TrackedByPriority, request: Any) -> None:
    """Put a waiting request at the very front."""
    request.priority = (-inf, request.patient.waiting_since)
    request.key = (request.priority, request.time, not request.preempt)
    resource.resort()


def simulate(seed: int) -> Hospital:
    """A whole replication without agents: warm-up and seven days."""
    hospital = Hospital(seed)
    hospital.env.run(until=p.HORIZON)
    return hospital
