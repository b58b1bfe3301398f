"""Which scanner serves which stream: polling with set-ups, by the index of Duenyas and Van Oyen (set-up c-mu).

After I. Duenyas and M. P. Van Oyen, Heuristic scheduling of parallel heterogeneous queues with set-ups, Management
Science 1996;42:814. A scanner goes on with its stream as long as somebody waits there, unless another stream saves more
even after the change over; an idle one changes to the stream that saves most, once enough wait for that to be worth it.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.rules.base import Can, RuleBook, Seen


@dataclass(frozen=True)
class Stream:
    """A stream: its entity type, the cost of an hour's wait, minutes of a scan and of a change to it."""

    kind: str
    cost: float
    scan: float
    change: float


STREAMS = {
    "body": Stream("abdominal", 0.6, 42.0, 25.0),
    "head": Stream("neuro", 1.0, 32.0, 20.0),
    "joint": Stream("orthopaedic", 0.3, 28.0, 30.0),
}
SCANNERS = (0, 1)
PRICE = 0.1
"""What a change over costs in itself."""


def set_up_of(seen: Seen, scanner: int) -> str:
    """What a scanner is set up for, or is being changed to."""
    return next(coil for coil in STREAMS if seen[f"scanner[{scanner}].is {coil}"])


def staying(coil: str) -> float:
    """Cost saved in a minute by serving a stream that is set up: c times mu."""
    return STREAMS[coil].cost / STREAMS[coil].scan


def switching(seen: Seen, coil: str) -> float:
    """The same over the time of a change and of serving all who wait, and who come meanwhile, until none is left."""
    stream = STREAMS[coil]
    waiting = seen[f"line.waiting[{coil}]"]
    come = min(seen[f"{stream.kind}.arriving"] / 60.0, 0.7 / stream.scan)
    busy = (waiting + come * stream.change) / (1.0 / stream.scan - come)
    return (staying(coil) * busy - PRICE / 60.0) / (busy + stream.change)


def coordinate(seen: Seen, can: Can) -> str:
    """Look at each scanner in turn."""
    now = {scanner: set_up_of(seen, scanner) for scanner in SCANNERS}
    for scanner in SCANNERS:
        own = now[scanner]
        other = now[1 - scanner]
        choices = [coil for coil in STREAMS if coil not in (own, other) and seen[f"line.waiting[{coil}]"] >= 1]
        if own != other and seen[f"line.waiting[{other}]"] >= 4 and not seen[f"line.waiting[{own}]"]:
            choices.append(other)  # so long a line is worth both scanners
        best = max(choices, key=lambda coil: switching(seen, coil), default=None)
        if best is None or not can(f"switch scanner[{scanner}] to {best}"):
            continue
        left = seen[f"line.waiting[{own}]"]
        if (left == 0 and (own != other or switching(seen, best) > 0)) or switching(seen, best) > staying(own):
            return f"switch scanner[{scanner}] to {best}"
    return "wait"


def make() -> RuleBook:
    """The reference rule."""
    return RuleBook({"coordinator": coordinate})
