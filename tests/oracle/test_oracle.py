"""Our world and the SimPy model of the same pathway agree in distribution.

Both run the same number of replications over fixed seeds. Every output is compared by its mean over replications: the
difference may not exceed 3.66 combined standard errors (about 1% in all over forty comparisons). The distributions over
replications are compared by a Kolmogorov-Smirnov test, with Holm's correction at 1%.
"""

from __future__ import annotations

from collections import defaultdict
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import pytest
from scipy.stats import ks_2samp

import marl_health
from experiments.benchmarks import parameters as p
from marl_health.worlds.flow.world import FlowWorld
from tests.oracle.simpy_hospital import Hospital

SCENARIO = Path(__file__).parents[2] / "experiments" / "benchmarks" / "hospital_flow.yaml"
REPLICATIONS = 60
CRITICAL = 3.66
FAMILY_ERROR = 0.01
POOLS = ("triage_nurse", "ed_nurse", "ed_physician", "ed_bay", "ct_scanner", "analyser", "ward_bed", "icu_bed")

pytestmark = pytest.mark.slow


class Visit:
    """What happened to a patient of the emergency department, whichever model it comes from."""

    def __init__(self, acuity: int, times: dict[str, float | None], left_unseen: bool) -> None:
        self.acuity = acuity
        self.times = times
        self.left_unseen = left_unseen

    def minutes(self, begin: str, end: str) -> float | None:
        """From one moment to another, if both came."""
        first, last = self.times[begin], self.times[end]
        return None if first is None or last is None else last - first


MOMENTS = ("arrival", "triaged", "bedded", "provider", "decided", "settled", "ed_departure")


def ours(seed: int) -> tuple[list[Visit], dict[str, float]]:
    """One replication of the scenario: who left the emergency department, and totals."""
    program = marl_health.load(SCENARIO).program
    visits: list[Visit] = []

    class Watched(FlowWorld):
        def mark(self, entity, mark):
            super().mark(entity, mark)
            if mark == departure and (root := entity.root).id not in seen:
                seen.add(root.id)
                visits.append(visit(root, left_unseen=False))

        def depart(self, entity, outcome):
            if program.outcome_names[outcome] == "left_without_being_seen":
                entity.marks[departure] = self.now
                visits.append(visit(entity, left_unseen=True))
            super().depart(entity, outcome)

    def visit(entity, left_unseen):
        times = {name: entity.marks[program.marks[name]] for name in MOMENTS}
        return Visit(entity.values[program.slots_of_values["acuity"]], times, left_unseen)

    departure, seen = program.marks["ed_departure"], set()
    world = Watched(program, seed, events=True)  # then everybody goes through the methods that are watched here
    world.advance(p.WARM_UP)
    before = _use(world)
    world.advance(p.HORIZON)
    totals = _occupancy(before, _use(world))
    totals["deteriorations"] = world.marked[program.marks["deteriorated"]]
    totals["arrivals"] = world.arrived_all[0]
    totals["discharged"] = world.left_all[program.outcome_names.index("discharged")]
    return visits, totals


def simpy(seed: int) -> tuple[list[Visit], dict[str, float]]:
    """One replication of the SimPy model."""
    hospital = Hospital(seed)
    resources = hospital.resources()
    hospital.env.run(until=p.WARM_UP)
    before = _use_of_resources(resources)
    hospital.env.run(until=p.HORIZON)
    totals = _occupancy(before, _use_of_resources(resources))
    totals["deteriorations"] = hospital.deteriorations
    totals["arrivals"] = len(hospital.records) + len(hospital.in_department)
    totals["discharged"] = hospital.discharged
    visits = [
        Visit(patient.acuity, {name: getattr(patient, name) for name in MOMENTS}, patient.left_unseen)
        for patient in hospital.records
    ]
    return visits, totals


def _use(world):
    found = {}
    for pool in world.pools:
        pool.integrate(world.now)
        queue_minutes = sum(line.minutes(world.now) for line in pool.lines)
        found[pool.name] = (pool.busy_minutes, pool.capacity_minutes, queue_minutes)
    return found


def _use_of_resources(resources):
    for resource in resources.values():
        resource.integrate()
    return {
        name: (resource.busy_minutes, resource.capacity_minutes, resource.queue_minutes)
        for name, resource in resources.items()
    }


def _occupancy(before, after):
    found = {}
    for name in POOLS:
        busy, capacity, queue = (last - first for first, last in zip(before[name], after[name], strict=True))
        found[f"occupancy of {name}"] = busy / capacity
        if name != "icu_bed":  # hardly anybody ever waits for it
            found[f"queue for {name}"] = queue / (p.HORIZON - p.WARM_UP)
    return found


def outputs(visits: list[Visit], totals: dict[str, float]) -> dict[str, float]:
    """Key outputs of one replication: those who arrived after the warm-up and left the department before the end."""
    found = dict(totals)
    measured = [visit for visit in visits if visit.times["arrival"] >= p.WARM_UP]
    by_name: dict[str, list[float]] = defaultdict(list)
    for visit in measured:
        by_name["share that leaves unseen"].append(float(visit.left_unseen))
        by_name["share admitted"].append(float(visit.times["settled"] is not None))
        intervals = {
            "triage": visit.minutes("arrival", "triaged"),
            "wait for a bay": visit.minutes("triaged", "bedded"),
            "wait for a physician in the bay": visit.minutes("bedded", "provider"),
            "first look until decision": visit.minutes("provider", "decided"),
            "boarding": visit.minutes("decided", "settled"),
        }
        if not visit.left_unseen:
            intervals[f"stay of acuity {visit.acuity}"] = visit.minutes("arrival", "ed_departure")
            intervals[f"door to provider of acuity {visit.acuity}"] = visit.minutes("arrival", "provider")
        else:
            intervals["stay of those who leave unseen"] = visit.minutes("arrival", "ed_departure")
        for name, minutes in intervals.items():
            if minutes is not None:
                by_name[name].append(minutes)
    found.update({name: fmean(values) for name, values in by_name.items()})
    # Per hour of waiting these vary far less than per week, so that a small error in a hazard shows.
    hours = sum(visit.minutes("triaged", "ed_departure" if visit.left_unseen else "provider") for visit in visits) / 60
    found["deteriorations per hour of waiting"] = totals["deteriorations"] / hours
    found["leaving unseen per hour of waiting"] = sum(visit.left_unseen for visit in visits) / hours
    return found


@pytest.fixture(scope="module")
def samples() -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Per-replication outputs of both models, by name."""
    gathered: tuple[dict[str, list[float]], dict[str, list[float]]] = (defaultdict(list), defaultdict(list))
    for simulate, sample in zip((ours, simpy), gathered, strict=True):
        for seed in range(REPLICATIONS):
            for name, value in outputs(*simulate(seed)).items():
                sample[name].append(value)
    return gathered


def test_means_agree(samples):
    own, theirs = samples
    assert own.keys() == theirs.keys() and len(own) >= 25
    apart = {}
    for name in own:
        error = sqrt(stdev(own[name]) ** 2 / len(own[name]) + stdev(theirs[name]) ** 2 / len(theirs[name]))
        distance = (fmean(own[name]) - fmean(theirs[name])) / error
        if abs(distance) > CRITICAL:
            apart[name] = (fmean(own[name]), fmean(theirs[name]), distance)
    assert not apart, f"(ours, SimPy, standard errors apart): {apart}"


def test_distributions_over_replications_agree(samples):
    own, theirs = samples
    found = sorted((ks_2samp(own[name], theirs[name]).pvalue, name) for name in own)
    for rank, (value, name) in enumerate(found):
        assert value > FAMILY_ERROR / (len(found) - rank), f"{name}: p = {value:.2g}"
