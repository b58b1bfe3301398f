"""The pathway of ``hospital_flow.yaml`` coded by hand on ``heapq``, without an engine: how fast plain Python can be.

Every queue and counter is a local variable of one function and every event a closure, numbers are drawn in blocks. It
is what a scenario costs when nothing is general; it can be neither copied, logged nor changed from outside.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from math import exp
from typing import Any

import numpy as np

from experiments.benchmarks import parameters as p
from experiments.benchmarks.draws import arrival_times, blocks


class Patient:
    """A patient; ``ticket`` is the number under which they wait now, 0 once a physician came or they left."""

    __slots__ = ("acuity", "arrival", "in_bay", "joined", "pending", "provider", "ticket")

    def __init__(self, acuity: int, arrival: float) -> None:
        self.acuity = acuity
        self.arrival = arrival
        self.provider = -1.0
        self.ticket = 0
        self.in_bay = False
        self.pending = 0
        self.joined = 0.0


class HeapHospital:
    """One replication, advanced from outside.

    Attributes:
        counters: what observations are made of, by name, as of the last :meth:`advance`.
        records: (acuity, arrival, provider or -1, departure from the emergency department) of each patient.
    """

    def __init__(self, seed: int) -> None:
        self.records: list[tuple[int, float, float, float]] = []
        self.arrived = p.IN_WARD_AT_START + p.IN_ICU_AT_START
        self.advance, self.counters = _build(self, np.random.default_rng(seed))


def _build(
    hospital: HeapHospital, rng: np.random.Generator
) -> tuple[Callable[[float], None], Callable[[], list[float]]]:
    events: list[Any] = []
    number = 0
    uniform, normal = blocks(rng.random), blocks(rng.standard_normal)
    exponential = blocks(rng.standard_exponential)
    weibull = blocks(lambda size: rng.weibull(p.PATIENCE_SHAPE, size))
    acuities = blocks(lambda size: rng.choice(p.ACUITIES, size, p=p.ACUITY_SHARES))
    arrivals = arrival_times(rng)
    nurses, drawers, physicians, bays = p.TRIAGE_NURSES, p.ED_NURSES, p.PHYSICIANS[0][1], p.BAYS
    scanners, analysers = p.SCANNERS, p.ANALYSERS
    wards, icu = p.WARD_BEDS - p.IN_WARD_AT_START, p.ICU_BEDS - p.IN_ICU_AT_START
    triage_line: deque[Patient] = deque()
    draw_line: deque[Patient] = deque()
    analysis_line: deque[Patient] = deque()
    ward_line: deque[tuple[int, Patient | None]] = deque()
    icu_line: deque[Patient] = deque()
    bay_line: list[Any] = []
    physician_line: list[Any] = []
    scan_line: list[Any] = []
    waiting_for_bay = waiting_for_physician = 0
    triage_mu, triage_sigma = p.TRIAGE
    draw_mu, draw_sigma = p.DRAW
    analysis_mu, analysis_sigma = p.ANALYSIS
    scan_mu, scan_sigma = p.SCAN
    review_mu, review_sigma = p.REVIEW
    ward_mu, ward_sigma = p.WARD_STAY
    icu_mu, icu_sigma = p.ICU_STAY
    first_look, effect, scale, hazard = p.FIRST_LOOK, p.EFFECT, p.PATIENCE_SCALE, p.DETERIORATION
    bloods, imaging, to_icu, to_ward = p.BLOODS, p.IMAGING, p.TO_ICU, p.TO_WARD
    records = hospital.records

    def arrive(now: float, patient: Any) -> None:
        nonlocal number, nurses
        number += 2
        if arrivals:
            heappush(events, (arrivals.pop(), number, arrive, None))
        hospital.arrived += 1
        patient = Patient(int(acuities()), now)
        if nurses:
            nurses -= 1
            heappush(events, (now + exp(triage_mu + triage_sigma * normal()), number - 1, triaged, patient))
        else:
            triage_line.append(patient)

    def triaged(now: float, patient: Patient) -> None:
        nonlocal number, nurses, bays, waiting_for_bay
        number += 4
        if triage_line:
            heappush(events, (now + exp(triage_mu + triage_sigma * normal()), number, triaged, triage_line.popleft()))
        else:
            nurses += 1
        acuity = patient.acuity
        if acuity > 2:
            heappush(events, (now + scale[acuity] * weibull(), number - 1, lose_patience, patient))
        if acuity > 1:
            heappush(events, (now + exponential() / hazard[acuity], number - 2, deteriorate, patient))
        patient.joined = now
        if bays:
            bays -= 1
            ask_physician(now, patient)
        else:
            waiting_for_bay += 1
            patient.ticket = number - 3
            heappush(bay_line, (acuity, now, number - 3, patient))

    def ask_physician(now: float, patient: Patient) -> None:
        nonlocal number, physicians, waiting_for_physician
        patient.in_bay = True
        if physicians > 0:
            physicians -= 1
            look(now, patient)
        else:
            number += 1
            waiting_for_physician += 1
            patient.joined = now
            patient.ticket = number
            heappush(physician_line, (patient.acuity, now, number, patient))

    def look(now: float, patient: Patient) -> None:
        nonlocal number
        number += 1
        patient.ticket = 0
        patient.provider = now
        mu, sigma = first_look[patient.acuity]
        heappush(events, (now + exp(mu + sigma * normal()), number, looked, patient))

    def free_physician(now: float) -> None:
        nonlocal physicians, waiting_for_physician, number
        physicians += 1
        while physicians > 0 and waiting_for_physician:
            _, _, ticket, patient = heappop(physician_line)
            if patient.ticket == ticket:
                physicians -= 1
                waiting_for_physician -= 1
                if patient.provider < 0:
                    look(now, patient)
                else:
                    number += 1
                    heappush(events, (now + exp(review_mu + review_sigma * normal()), number, reviewed, patient))

    def free_bay(now: float) -> None:
        nonlocal bays, waiting_for_bay
        if waiting_for_bay:
            while True:
                _, _, ticket, patient = heappop(bay_line)
                if patient.ticket == ticket:
                    waiting_for_bay -= 1
                    ask_physician(now, patient)
                    return
        bays += 1

    def lose_patience(now: float, patient: Patient) -> None:
        nonlocal waiting_for_bay, waiting_for_physician
        if patient.ticket and patient.provider < 0:
            patient.ticket = 0
            records.append((patient.acuity, patient.arrival, -1.0, now))
            if patient.in_bay:
                waiting_for_physician -= 1
                free_bay(now)
            else:
                waiting_for_bay -= 1

    def deteriorate(now: float, patient: Patient) -> None:
        nonlocal number
        if patient.ticket and patient.provider < 0:
            number += 1
            patient.acuity -= 1
            patient.ticket = number
            line = physician_line if patient.in_bay else bay_line
            heappush(line, (patient.acuity, patient.joined, number, patient))

    def looked(now: float, patient: Patient) -> None:
        nonlocal number, drawers, scanners
        free_physician(now)
        number += 2
        acuity = patient.acuity
        if uniform() < bloods[acuity]:
            patient.pending = 1
            if drawers:
                drawers -= 1
                heappush(events, (now + exp(draw_mu + draw_sigma * normal()), number, drawn, patient))
            else:
                draw_line.append(patient)
        if uniform() < imaging[acuity]:
            patient.pending += 1
            if scanners:
                scanners -= 1
                heappush(events, (now + exp(scan_mu + scan_sigma * normal()), number - 1, scanned, patient))
            else:
                heappush(scan_line, (acuity, now, number - 1, patient))
        if not patient.pending:
            treat(now, patient)

    def drawn(now: float, patient: Patient) -> None:
        nonlocal number, drawers, analysers
        number += 2
        if draw_line:
            heappush(events, (now + exp(draw_mu + draw_sigma * normal()), number, drawn, draw_line.popleft()))
        else:
            drawers += 1
        if analysers:
            analysers -= 1
            heappush(events, (now + exp(analysis_mu + analysis_sigma * normal()), number - 1, analysed, patient))
        else:
            analysis_line.append(patient)

    def analysed(now: float, patient: Patient) -> None:
        nonlocal number, analysers
        if analysis_line:
            number += 1
            minutes = exp(analysis_mu + analysis_sigma * normal())
            heappush(events, (now + minutes, number, analysed, analysis_line.popleft()))
        else:
            analysers += 1
        patient.pending -= 1
        if not patient.pending:
            treat(now, patient)

    def scanned(now: float, patient: Patient) -> None:
        nonlocal number, scanners
        if scan_line:
            number += 1
            heappush(events, (now + exp(scan_mu + scan_sigma * normal()), number, scanned, heappop(scan_line)[3]))
        else:
            scanners += 1
        patient.pending -= 1
        if not patient.pending:
            treat(now, patient)

    def treat(now: float, patient: Patient) -> None:
        nonlocal number
        number += 1
        mu, sigma = effect[patient.acuity]
        heappush(events, (now + exp(mu + sigma * normal()), number, treated, patient))

    def treated(now: float, patient: Patient) -> None:
        nonlocal number, physicians, waiting_for_physician
        number += 1
        if physicians > 0:
            physicians -= 1
            heappush(events, (now + exp(review_mu + review_sigma * normal()), number, reviewed, patient))
        else:
            waiting_for_physician += 1
            patient.ticket = number
            heappush(physician_line, (patient.acuity, now, number, patient))

    def reviewed(now: float, patient: Patient) -> None:
        nonlocal number, icu, wards
        free_physician(now)
        share = uniform()
        if share >= to_icu[patient.acuity] + to_ward[patient.acuity]:
            leave_department(now, patient)
        elif share < to_icu[patient.acuity]:
            if icu:
                icu -= 1
                enter_icu(now, patient)
            else:
                icu_line.append(patient)
        elif wards > 0:
            wards -= 1
            enter_ward(now, patient)
        else:
            ward_line.append((1, patient))

    def leave_department(now: float, patient: Patient) -> None:
        records.append((patient.acuity, patient.arrival, patient.provider, now))
        free_bay(now)

    def enter_icu(now: float, patient: Patient) -> None:
        nonlocal number
        number += 1
        heappush(events, (now + exp(icu_mu + icu_sigma * normal()), number, icu_over, None))
        leave_department(now, patient)

    def enter_ward(now: float, patient: Patient | None) -> None:
        nonlocal number, icu
        number += 1
        heappush(events, (now + exp(ward_mu + ward_sigma * normal()), number, ward_over, None))
        if patient is not None:
            leave_department(now, patient)
        elif icu_line:
            enter_icu(now, icu_line.popleft())
        else:
            icu += 1

    def icu_over(now: float, patient: Any) -> None:
        nonlocal wards
        if wards > 0:
            wards -= 1
            enter_ward(now, None)
        else:
            ward_line.append((0, None))

    def ward_over(now: float, patient: Any) -> None:
        nonlocal wards
        wards += 1
        while wards > 0 and ward_line:
            wards -= 1
            enter_ward(now, ward_line.popleft()[1])

    def shift(now: float, change: int) -> None:
        nonlocal physicians
        physicians += change - 1
        free_physician(now)

    def advance(until: float) -> None:
        while events[0][0] < until:
            now, _, act, patient = heappop(events)
            act(now, patient)

    def counters() -> list[float]:
        return [
            float(value)
            for value in (
                bays,
                physicians,
                scanners,
                analysers,
                drawers,
                nurses,
                wards,
                icu,
                waiting_for_bay,
                waiting_for_physician,
                len(triage_line),
                len(draw_line),
                len(analysis_line),
                len(scan_line),
                len(ward_line),
                len(icu_line),
            )
        ]

    events.append((arrivals.pop(), 0, arrive, None))
    for before, (start, units) in zip((p.PHYSICIANS[-1], *p.PHYSICIANS), p.PHYSICIANS, strict=False):
        for day in range(int(p.HORIZON // p.DAY)):
            if day or start:
                number += 1
                events.append((day * p.DAY + start, number, shift, units - before[1]))
    for _ in range(p.IN_WARD_AT_START):
        number += 1
        left = exp(ward_mu + ward_sigma**2 + ward_sigma * normal()) * uniform()
        events.append((left, number, ward_over, None))
    for _ in range(p.IN_ICU_AT_START):
        number += 1
        left = exp(icu_mu + icu_sigma**2 + icu_sigma * normal()) * uniform()
        events.append((left, number, icu_over, None))
    heapify(events)
    return advance, counters
