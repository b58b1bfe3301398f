"""Where in a scenario names of other things stand, and of which: what expansion has to follow.

A new word that names staff, places, steps or anything else that a template can hold needs a line here; what is not
listed (attributes, marks, outcomes, texts) means the same at every site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Named:
    """The name of one thing, or with ``several`` a list of them; ``sections``: where such things are listed."""

    sections: tuple[str, ...]
    several: bool = False


class Form:
    """A position with a grammar of its own."""

    def __init__(self, what: str) -> None:
        self.what = what


WAY = Form("a way on")
CONDITION = Form("a condition")
REFERENCE = Form("a reference")
SEES = Form("the list of what is seen")
SEVERAL = Form("a list whose entries may stand for each site")
STAMP = Form("marks that are set")
MARK = Form("a mark that is waited for, or several")
SETTING = Form("what a lever sets")
REMARK = Form("a text for the reader")

RESOURCES = ("staff", "places", "stock")
STAFF, PLACE, STEP = Named(("staff",)), Named(("places",)), Named(("pathway",))
CREW, STEPS = Named(("staff",), several=True), Named(("pathway",), several=True)
KINDS = Named(("entities",), several=True)
RESOURCE = Named(RESOURCES)

SECTIONS = (
    "staff",
    "places",
    "stock",
    "queues",
    "entities",
    "health",
    "timers",
    "pathway",
    "slots",
    "measures",
)
"""What a template can hold."""

_STEP: dict[str, Any] = {
    "use": CREW,
    "with": CREW,
    "move_to": PLACE,
    "visit": PLACE,
    "take": Named(("stock",), several=True),
    "give": Named(("stock",)),
    "meet": Named(("meet",)),
    "carry": {"mark_reached": STAMP, "mark_off": STAMP},
    "queue": Named(("queues",)),
    "next": WAY,
    "or": {"go": STEP},
    "together": {"*": {"do": STEPS}},
    "again": {"as": Named(("entities",))},
    "mark": STAMP,
    "mark_end": STAMP,
    "shorten": {"mark": STAMP},
}
_MOVE: dict[str, Any] = {
    "set": SETTING,
    "to": {"*": WAY},
    "reserve": RESOURCE,
    "for": CONDITION,
    "lend": RESOURCE,
    "call_in": RESOURCE,
    "maintain": PLACE,
    "switch": PLACE,
    "order": Named(("stock",)),
    "choose": Named(("slots",)),
    "do": {"go": STEP},
}
_LEND: dict[str, Any] = {**_MOVE, "to": Named(RESOURCES, several=True)}
_WORTH = {"of": REFERENCE, "to": Named(("agents",))}

POSITIONS: dict[str, Any] = {
    "clock": {"until_gone": KINDS},
    "places": {"*": {"turnover": {"as": Named(("entities",))}}},
    "entities": {"*": {"arrive": {"at_start": {"fill": PLACE}}, "begins": STEP}},
    "health": {"*": {"for": KINDS, "from": MARK, "until": MARK, "states": {"*": {"*": {"go": STEP, "mark": STAMP}}}}},
    "timers": {"*": {"for": KINDS, "from": MARK, "until": MARK, "go": STEP}},
    "pathway": {"*": _STEP},
    "slots": {"*": {"waiting": Named(("queues", *RESOURCES)), "in": STEP, "when": CONDITION}},
    "agents": {"*": {"sees": SEES, "can": SEVERAL, "decides": MARK}},
    "measures": {"*": {"for": KINDS, "from": MARK, "to": MARK, "while_holding": PLACE}},
    "score": {"*": SEVERAL},
    "kpis": {"*": {"of": REFERENCE, "per": REFERENCE}},
}
"""By section, what stands where: keys of mappings (``*``: any), and at the end what kind of position it is."""

WORTH = _WORTH
"""What stands where in a line of the score."""


def of_move(move: Any) -> dict[str, Any]:
    """What stands where in a move."""
    return _LEND if isinstance(move, dict) and "lend" in move else _MOVE
