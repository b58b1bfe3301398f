"""Which dirty bed is cleaned next, and who gets it: priority by the cost of those who wait, over the effort (c-mu)."""

from __future__ import annotations

from policies.rules.base import Can, RuleBook, Seen, slots

WARDS = ("icu", "medical", "surgical")
"""In the order in which slots number them."""

COST = {0: 1.0, 1: 0.5, 2: 0.1}
"""What an hour of waiting costs by order: who comes from theatre or intensive care, as an emergency, booked."""

CRITICAL = 2.5
"""An hour of waiting for intensive care, as an emergency."""

Slot = dict[str, float]


def costs_of_waiting(seen: Seen, ward: str) -> list[float]:
    """What an hour costs those who wait for a ward, the dearest first."""
    if ward == "icu":
        return [CRITICAL] * int(seen["icu_bed.waiting"])
    shown = [COST[int(patient["order"])] for patient in slots(seen, f"for_{ward}")]
    return shown + shown[-1:] * (int(seen[f"{ward}_bed.waiting"]) - len(shown))


def index(seen: Seen, beds: list[Slot], bed: Slot) -> float:
    """Cost that the bed would save in an hour, over the minutes it takes: of whoever gets it after those called."""
    ward = WARDS[int(bed["ward"])]
    ahead = sum(1 for other in beds if other["called"] and other["ward"] == bed["ward"])
    costs = costs_of_waiting(seen, ward)
    if ahead < len(costs):
        return costs[ahead] / bed["effort"]
    spare = seen[f"{ward}_bed.free"] + ahead - len(costs)
    return 0.1 / (1.0 + spare) / bed["effort"]  # somebody may come


def dearest(seen: Seen, ward: str) -> str | None:
    """Whoever should have the ward's next bed, if somebody cheaper stands before them and nobody was called."""
    waiting = slots(seen, f"for_{ward}")
    if len(waiting) < 2 or any(patient["called"] for patient in waiting):
        return None
    best = waiting[0]
    first = max(waiting, key=lambda patient: patient["waited"])
    return f"first for_{ward}[0]" if COST[int(best["order"])] > COST[int(first["order"])] else None


def coordinate(seen: Seen, can: Can) -> str:
    """Call a crew in when both pile up, give the next bed to the dearest, call a dirty bed ahead of the crews."""
    dirty = sum(seen[f"dirty.waiting[{ward}]"] for ward in WARDS)
    waiting = sum(seen[f"{ward}_bed.waiting"] for ward in WARDS)
    (call,) = can.levels("call in")
    if dirty >= 5 and waiting >= 3 and seen["crew called in"] == 0 and can(call):
        return call
    for ward in ("surgical", "medical"):
        move = dearest(seen, ward)
        if move is not None:
            return move
    beds = slots(seen, "dirty_beds")
    fresh = [bed for bed in beds if not bed["called"]]
    if fresh and len(fresh) == len(beds) and len(beds) > 1:
        best = max(fresh, key=lambda bed: (index(seen, beds, bed), -bed["slot"]))
        return f"first dirty_beds[{best['slot']:.0f}]"
    return "wait"


def make() -> RuleBook:
    """The reference rule."""
    return RuleBook({"coordinator": coordinate})
