"""What good managers of an acute hospital would do, each with what they see: the reference rule."""

from __future__ import annotations

from math import atan2, pi

from policies.rules.base import Can, RuleBook, Seen, slots


def hour_of(seen: Seen) -> float:
    """Hour of the day, 0 to 24."""
    return (atan2(seen["hour.sin"], seen["hour.cos"]) / (2 * pi) * 24.0) % 24.0


def coordinate_emergencies(seen: Seen, can: Can) -> str:
    """Call physicians in while the crowd is still growing: they need an hour to come and stay eight."""
    acuities = range(1, 6)
    crowd = sum(seen[f"ed_queue.waiting[{acuity}]"] + seen[f"doctor_queue.waiting[{acuity}]"] for acuity in acuities)
    swamped = crowd > 1.5 * seen["ed_physician.capacity"]
    if swamped and 6 <= hour_of(seen) <= 20 and can("call in 2 ed_physician"):
        return "call in 2 ed_physician"
    return "wait"


def manage_beds(seen: Seen, can: Can) -> str:
    """Open surge beds while there is time for them to pay, end ready stays early, and unblock ICU and recovery."""
    boarders = seen["bed_queue.waiting[ed]"]
    waiting = boarders + seen["bed_queue.waiting[icu]"] + seen["bed_queue.waiting[theatre]"]
    short = waiting - seen["ward_bed.free"] - seen["ward_bed.cleaning"]
    days_left = 3.0 * seen["time_left"]
    if days_left > 0.5:
        if short >= 10 and can("set ward_bed.extra +16"):
            return "set ward_bed.extra +16"
        if short >= 4 and seen["ward_bed.extra position"] == 0 and can("set ward_bed.extra +8"):
            return "set ward_bed.extra +8"
    if short < -12 and can("set ward_bed.extra +0"):
        return "set ward_bed.extra +0"
    if short > -3:
        for patient in slots(seen, "nearly_ready"):
            if can(f"shorten nearly_ready[{patient['slot']:.0f}]"):
                return f"shorten nearly_ready[{patient['slot']:.0f}]"
    blocked = [patient for patient in slots(seen, "boarders") if patient["origin"] != 0]
    if blocked and boarders > 1 and seen["icu_bed.free"] == 0:
        return f"first boarders[{blocked[0]['slot']:.0f}]"
    return "wait"


def manage_theatres(seen: Seen, can: Can) -> str:
    """Work through the list, and put cases off only when the hospital is so full that they could not leave theatre."""
    cases = slots(seen, "waiting_cases")
    behind = seen["elective_queue.waiting"] > 4 and seen["surgical_team.free"] == 0
    if behind and 13 <= hour_of(seen) < 17 and can("call in 1 surgical_team"):
        return "call in 1 surgical_team"
    if cases and seen["ward_bed.free"] == 0 and seen["boarding.now"] > 12:
        longest = max(cases, key=lambda case: case["planned_stay"])
        return f"send to cancelled waiting_cases[{longest['slot']:.0f}]"
    return "wait"


def coordinate_imaging(seen: Seen, can: Can) -> str:
    """Keep porters enough; put off booked scans when emergencies queue for the scanner."""
    urgent = sum(seen[f"scan_queue.waiting[{acuity}]"] for acuity in (1, 2, 3))
    if seen["porter.free"] == 0 and seen["ct_scanner.free"] > 0 and urgent >= 2 and can("call in 1 porter"):
        return "call in 1 porter"
    booked = slots(seen, "booked_scans")
    if urgent >= 6 and booked:
        return f"send to rebooked booked_scans[{booked[0]['slot']:.0f}]"
    return "wait"


def make() -> RuleBook:
    """The reference rule."""
    return RuleBook(
        {
            "ed_coordinator": coordinate_emergencies,
            "bed_manager": manage_beds,
            "theatre_manager": manage_theatres,
            "imaging_coordinator": coordinate_imaging,
        }
    )
