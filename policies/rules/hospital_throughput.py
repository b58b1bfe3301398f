"""What good managers of an acute hospital would do, each with what they see: the reference rule, and classical others.

Sizes are put as shares of the hospital's own capacity, so the same managers run a small hospital and a large one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import atan2, pi

from policies.base import Policy, PolicyError
from policies.rules.base import Can, Decide, RuleBook, Seen, slots

FROM_ED, TO_CARE = 0, 2
SERVICES = ("medical", "surgical")
ORIGINS = ("ed", "icu", "theatre")
"""In the order in which the scenario names them; so are the numbers above."""


@dataclass(frozen=True)
class Manners:
    """What tells the classical policies apart."""

    doctors_order: str = "strict"
    reserves: bool = False


def hour_of(seen: Seen) -> float:
    """Hour of the day, 0 to 24."""
    return (atan2(seen["hour.sin"], seen["hour.cos"]) / (2 * pi) * 24.0) % 24.0


def first_possible(can: Can, *names: str) -> str:
    """The first of these actions that is possible now, or to wait."""
    return next((name for name in names if can(name)), "wait")


def coordinate_emergencies(manners: Manners, seen: Seen, can: Can) -> str:
    """Call physicians in while there are bays to see patients in, and have nurses treat who needs one look only."""
    hour = hour_of(seen)
    order = f"set doctor_queue.order {manners.doctors_order}"
    if can(order):
        return order
    for_doctor = sum(seen[f"doctor_queue.waiting[{acuity}]"] for acuity in range(1, 6))
    (call,) = can.levels("call in")
    if for_doctor > seen["ed_physician.capacity"] and 6 <= hour <= 20 and can(call):
        return call
    if 9 <= hour < 20.5 and seen["fast_queue.waiting"] < 2 * seen["nurse_practitioner.capacity"]:
        simple = [patient for patient in slots(seen, "waiting_patients") if patient["simple"]]
        if simple:
            return f"send to fast_track waiting_patients[{simple[0]['slot']:.0f}]"
    if manners.reserves:
        none, some, _ = can.levels("set ed_bay.reserve")
        crowded = seen["ed_bay.free"] <= 3
        return first_possible(can, some if crowded else none)
    return "wait"


def manage_beds(seen: Seen, can: Can) -> str:
    """Use the other service's beds, get those home who would hold a bed for longest, and open surge beds in time."""
    medical, surgical = (
        sum(seen[f"{service}_queue.waiting[{origin}]"] for origin in ORIGINS)
        - seen[f"{service}_bed.free"]
        - seen[f"{service}_bed.cleaning"]
        for service in SERVICES
    )
    size = seen["medical_bed.capacity"]
    none, some, many = can.levels("set medical_bed.extra")
    (call,) = can.levels("call in")
    if seen["hospitalist.waiting"] > 0.03 * size and can(call):
        return call
    if 3.0 * seen["time_left"] > 0.25:
        if medical >= 0.045 * size and can(many):
            return many
        if medical >= 0.015 * size and seen["medical_bed.extra position"] == 0 and can(some):
            return some
    if medical < -0.09 * size and can(none):
        return none
    if medical > 0 and surgical < -0.04 * size:
        move = outlie(seen, "medical_boarders")
    elif surgical > 0 and medical < -0.04 * size:
        move = outlie(seen, "surgical_boarders")
    else:
        move = "wait"
    if move == "wait" and max(medical, surgical) > -0.02 * size:
        move = hasten(seen, can, "medical" if medical >= surgical else "surgical")
    return move


def outlie(seen: Seen, boarders: str) -> str:
    """Put a boarder on the other service's ward: one from the emergency department, where waiting harms most."""
    waiting = slots(seen, boarders)
    if not waiting:
        return "wait"
    chosen = min(waiting, key=lambda patient: (patient["origin"] != FROM_ED, patient["slot"]))
    return f"send to outlie {boarders}[{chosen['slot']:.0f}]"


def hasten(seen: Seen, can: Can, service: str) -> str:
    """End the stay of someone fit to leave the ward that is short: who holds the bed for longest, the frail last."""
    fit = [
        patient
        for patient in slots(seen, "fit_to_leave")
        if patient["service"] == SERVICES.index(service) and can(f"shorten fit_to_leave[{patient['slot']:.0f}]")
    ]
    if not fit:
        return "wait"
    best = max(fit, key=lambda patient: (patient["leaving"] == TO_CARE, -patient["frail"], -patient["slot"]))
    return f"shorten fit_to_leave[{best['slot']:.0f}]"


def manage_theatres(manners: Manners, seen: Seen, can: Can) -> str:
    """Work through the list, without cases that would have to stay in theatre for want of an intensive care bed."""
    hour = hour_of(seen)
    beds = seen["icu_bed.free"] + seen["icu_bed.cleaning"] - seen["icu_bed.waiting"]
    heavy = [case for case in slots(seen, "waiting_cases") if case["needs_icu"]]
    if heavy and beds <= 0:
        slot = f"waiting_cases[{heavy[0]['slot']:.0f}]"
        return f"send to cancelled {slot}" if hour >= 16 else f"send to postponed {slot}"
    (call,) = can.levels("call in")
    behind = seen["elective_queue.waiting"] > 4 and seen["surgical_team.free"] == 0
    if behind and 13 <= hour < 17 and can(call):
        return call
    if manners.reserves:
        none, one, _ = can.levels("set theatre.reserve")
        return first_possible(can, one if 8 <= hour < 16 else none)
    return "wait"


def coordinate_imaging(seen: Seen, can: Can) -> str:
    """Scan first who blocks a bed where beds are short, and put off booked scans that can wait."""
    waiting = sum(seen[f"scan_queue.waiting[{who}]"] for who in ("urgent", "emergency", "leaving"))
    scanners = seen["ct_scanner.capacity"]
    (call,) = can.levels("call in")
    none, more = can.levels("set ct_scanner.extra")
    if seen["porter.free"] == 0 and seen["ct_scanner.free"] > 0 and waiting >= 2 and can(call):
        return call
    if waiting >= 2.5 * scanners and 7 <= hour_of(seen) < 18 and can(more):
        return more
    if waiting <= 1 and can(none):
        return none
    can_wait = [scan for scan in slots(seen, "booked_scans") if not scan["two_week"]]
    if waiting >= 2 * scanners and can_wait:
        return f"send to put_off booked_scans[{can_wait[0]['slot']:.0f}]"
    short = seen["boarding.now"] > seen["medical_bed.free"]
    return first_possible(can, f"set scan_queue.order {'beds' if short else 'emergencies'}")


def managers(manners: Manners) -> dict[str, Decide]:
    """All four, by role."""
    return {
        "ed_coordinator": partial(coordinate_emergencies, manners),
        "bed_manager": manage_beds,
        "theatre_manager": partial(manage_theatres, manners),
        "imaging_coordinator": coordinate_imaging,
    }


def discharge_when_boarding(seen: Seen, can: Can) -> str:
    """Get somebody home while anyone boards, whatever the wards look like."""
    if seen["boarding.now"] == 0:
        return "wait"
    medical, surgical = (sum(seen[f"{service}_queue.waiting[{origin}]"] for origin in ORIGINS) for service in SERVICES)
    return hasten(seen, can, "medical" if medical >= surgical else "surgical")


PANEL: dict[str, dict[str, Decide]] = {
    "strict_acuity": managers(Manners(doctors_order="strict")),
    "ageing_priority": managers(Manners(doctors_order="ageing")),
    "c_mu": managers(Manners(doctors_order="c_mu")),
    "shortest_first": managers(Manners(doctors_order="shortest")),
    "reserve_for_emergencies": managers(Manners(reserves=True)),
    "early_discharge_when_boarding": {"bed_manager": discharge_when_boarding},
}
"""Classical policies by name. All but the last differ in one thing; in the last, one manager acts alone."""

REFERENCE = "strict_acuity"
"""The best of the panel on training seeds.

``marl-health select hospital_throughput --policies <the panel> --delta 5 --seed 1000000 --at-most 200`` keeps it alone
after 66 replications: -110 +- 36, c_mu 13.9 +- 7.8 lower on the same patients, the others lower still.
"""


def make(name: str = REFERENCE) -> RuleBook:
    """The reference rule, or another policy of the panel."""
    return RuleBook(PANEL[name], name="rule" if name == REFERENCE else name)


def _maker(name: str) -> Callable[[str], Policy]:
    def named(argument: str) -> Policy:
        if argument:
            raise PolicyError(f"policy '{name}:{argument}': nothing may stand after '{name}'")
        return make(name)

    return named


VARIANTS: dict[str, Callable[[str], Policy]] = {name: _maker(name) for name in PANEL}
"""Policies of this scenario besides its rule."""
