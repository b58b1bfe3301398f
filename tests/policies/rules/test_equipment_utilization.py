"""The set-up rule: it stays while that saves more, changes over when enough wait, and leaves what the other serves."""

from policies.rules.base import Can
from policies.rules.equipment_utilization import STREAMS, coordinate, staying, switching

ACTIONS = ["wait", *(f"switch scanner[{unit}] to {coil}" for unit in (0, 1) for coil in STREAMS)]


def seen(units, **waiting):
    """Two scanners by set-up, and how many wait for each."""
    found = {f"scanner[{number}].is {coil}": float(coil == own) for number, own in enumerate(units) for coil in STREAMS}
    found |= {f"line.waiting[{coil}]": float(waiting.get(coil, 0)) for coil in STREAMS}
    return found | {f"{stream.kind}.arriving": 0.3 for stream in STREAMS.values()}


def decides(units, **waiting):
    can = Can({name: number for number, name in enumerate(ACTIONS)}, [1] * len(ACTIONS))
    return coordinate(seen(units, **waiting), can)


def test_an_idle_scanner_changes_to_whoever_waits_and_a_busy_one_goes_on():
    assert decides(("body", "head")) == "wait"
    assert decides(("body", "head"), body=2, head=2) == "wait"
    assert decides(("body", "head"), joint=3, head=2) == "switch scanner[0] to joint"
    assert decides(("body", "head"), joint=3, body=2) == "switch scanner[1] to joint"
    assert decides(("body", "head"), joint=3, body=2, head=2) == "wait", "joints are worth least"


def test_the_dearer_stream_takes_a_scanner_from_the_cheaper_one_if_enough_wait():
    assert decides(("body", "joint"), joint=3, body=1) == "wait"
    assert decides(("body", "joint"), joint=3, body=1, head=4).endswith("to head")


def test_a_line_that_is_long_enough_is_worth_both():
    assert decides(("body", "head"), head=3) == "wait"
    assert decides(("body", "head"), head=6) == "switch scanner[0] to head"


def test_the_more_wait_the_more_a_change_saves_and_never_more_than_a_set_up_scanner():
    saved = [switching(seen(("body", "joint"), head=waiting), "head") for waiting in (1, 2, 4, 8, 1000)]
    assert saved == sorted(saved) and saved[0] < saved[-1] < staying("head")
