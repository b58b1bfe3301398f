"""The reference rule of ``walk_in.yaml``; tests put this folder beside the packaged rules."""

from policies.rules.base import RuleBook, slots


def see_the_urgent_first(seen, can):
    """Call the first of the urgent ones who wait."""
    urgent = [patient for patient in slots(seen, "waiting") if patient["acuity"] == 1]
    return f"first waiting[{urgent[0]['slot']:.0f}]" if urgent else "wait"


def call_in_when_it_is_busy(seen, can):
    """One doctor more while a crowd waits and nobody is on the way."""
    return "call in 1 doctor" if seen["line.waiting"] >= 7 and seen["doctor called in"] == 0 else "wait"


def make():
    return RuleBook({"front_desk": see_the_urgent_first, "manager": call_in_when_it_is_busy})
