"""Which dirty bed is cleaned next, and who gets it: priority by the cost of those who wait, over the effort (c-mu)."""

from __future__ import annotations

from policies.rules.base import Can, RuleBook, Seen, slots

WARDS = ("icu", "medical", "surgical")
"""In the order in which slots number them."""

COST = {0: 1.0, 1: 0.5, 2: 0.1}
"""What an hour of waiting costs by order: who comes from theatre or intensive care, as an emergency, booked."""

CRITICAL = 2.0
"""An hour of waiting for intensive care."""

Slot = dict[str, float]


def costs_of_waiting(seen: Seen, ward: str) -> list[float]:
    """What an hour costs those who wait for a ward, the dearest first."""
    waiting = int(seen[f"{ward}_bed.waiting"])
    if ward == "icu":
        return [CRITICAL] * waiting
    shown = [COST[int(patient["order"])] for patient in slots(seen, f"for_{ward}")]
    return (shown + (shown[-1:] or [COST[1]]) * waiting)[:waiting]


def index(seen: Seen, beds: list[Slot], bed: Slot) -> float:
    """Cost that the bed would save in an hour, over the minutes it takes: of whoever gets it after those called."""
    ward = WARDS[int(bed["ward"])]
    ahead = sum(1 for other in beds if other["called"] and other["ward"] == bed["ward"])
    costs = costs_of_waiting(seen, ward)
    if ahead < len(costs):
        return costs[ahead] / bed["effort"]
    spare = seen[f"{ward}_bed.free"] + ahead - len(costs)
    return 0.1 / (1.0 + spare) / bed["effort"]  # somebody may come


def outlie(seen: Seen) -> str | None:
    """Who gets a bed of the other service: the dearest for whom none will be ready soon, if it has beds to spare."""
    for ward, other in (("surgical", "medical"), ("medical", "surgical")):
        waiting = slots(seen, f"for_{ward}")
        soon = seen[f"dirty.waiting[{ward}]"]
        if waiting and not seen[f"{other}_bed.waiting"] and seen[f"{other}_bed.free"] >= 2:
            long = seen[f"{ward}_bed.waiting"] > soon or waiting[0]["waited"] >= 60.0
            if long and COST[int(waiting[0]["order"])] >= COST[1]:
                return f"send to to_other_{other} for_{ward}[0]"
    return None


def coordinate(seen: Seen, can: Can) -> str:
    """Call a crew in when both pile up, use the other service's beds, and call a dirty bed ahead of the crews."""
    dirty = sum(seen[f"dirty.waiting[{ward}]"] for ward in WARDS)
    waiting = sum(seen[f"{ward}_bed.waiting"] for ward in WARDS)
    (call,) = can.levels("call in")
    if dirty >= 5 and waiting >= 3 and seen["crew called in"] == 0 and can(call):
        return call
    move = outlie(seen)
    if move is not None and can(move):
        return move
    beds = slots(seen, "dirty_beds")
    if len(beds) > 1 and not any(bed["called"] for bed in beds):
        best = max(beds, key=lambda bed: (index(seen, beds, bed), -bed["slot"]))
        return f"first dirty_beds[{best['slot']:.0f}]"
    return "wait"


def make() -> RuleBook:
    """The reference rule."""
    return RuleBook({"coordinator": coordinate})
