"""Who reads a study: whoever it costs least to ask, in delay, in errors and in fees.

The wait at a reader is about the work that lies before them: those who wait and half of the study under way. That is
skill-based routing by least expected cost. Beside it stand rules that look at one of the two only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from policies.base import Policy, PolicyError
from policies.rules.base import Can, RuleBook, Seen, slots

HARD = 0.30
SIGHT = 0.80
"""Sensitivity and specificity of the request."""
ERROR = 12.0
"""What an error costs, in hours of delay."""
LATE = 60.0
"""Minutes from which an hour of delay costs two more."""


@dataclass(frozen=True)
class Reader:
    """One way to have a study read.

    Attributes:
        step: where it is sent. minutes, errors: if it is not hard, and if it is. fee: in the unit of an hour of delay.
        ahead: what lies before the reader on this way: (list, who serves it, minutes per study).
    """

    step: str
    minutes: tuple[float, float]
    errors: tuple[float, float]
    fee: float
    ahead: tuple[tuple[str, str, float], ...]

    def delay(self, seen: Seen, hard: float) -> float:
        """Minutes until it is read, on average."""
        waiting = sum(
            minutes * (seen[f"{line}.waiting"] + (0.0 if seen[f"{server}.free"] > 0 else 0.5))
            for line, server, minutes in self.ahead
        )
        return waiting + mixed(self.minutes, hard)

    def cost(self, seen: Seen, hard: float, waited: float) -> float:
        """Expected cost in hours of delay."""
        delay = self.delay(seen, hard)
        late = max(0.0, waited + delay - LATE)
        return (delay + 2.0 * late) / 60.0 + ERROR * mixed(self.errors, hard) + self.fee


def mixed(values: tuple[float, float], hard: float) -> float:
    """The mean of what holds where a study is not hard and where it is."""
    return (1 - hard) * values[0] + hard * values[1]


GENERAL = ("general_list", "general", 8.5)
NEURO = ("neuro_list", "neuroradiologist", 11.0)
ALGORITHM = ("algorithm_list", "algorithm", 5.0)

READERS = (
    Reader("read_generally", (8.0, 11.0), (0.02, 0.16), 0.0, (GENERAL,)),
    Reader("read_by_neuroradiologist", (10.0, 13.0), (0.01, 0.02), 0.2, (NEURO,)),
    Reader("read_by_algorithm", (10.5, 15.0), (0.015, 0.12), 0.12, (ALGORITHM, GENERAL)),
)


def chance_of_hard(looks_complex: float) -> float:
    """The posterior by Bayes' rule."""
    yes = HARD * (SIGHT if looks_complex else 1 - SIGHT)
    no = (1 - HARD) * (1 - SIGHT if looks_complex else SIGHT)
    return yes / (yes + no)


Cost = Callable[[Reader, Seen, float, float], float]


def route(cost: Cost, seen: Seen, can: Can) -> str:
    """Send the next study where it costs least."""
    waiting = slots(seen, "next_study")
    if not waiting:
        return "wait"
    hard = chance_of_hard(waiting[0]["complex"])
    best = min(READERS, key=lambda reader: cost(reader, seen, hard, waiting[0]["waited"]))
    return f"send to {best.step} next_study[0]"


def by_skill(reader: Reader, seen: Seen, hard: float, waited: float) -> float:
    """What looks complex goes to the neuroradiologist, the rest to the general radiologist, however long the lists."""
    wanted = "read_by_neuroradiologist" if hard > 0.5 else "read_generally"
    return float(reader.step != wanted)


def shortest(reader: Reader, seen: Seen, hard: float, waited: float) -> float:
    """Whoever will have read it first."""
    return reader.delay(seen, hard)


COSTS: dict[str, Cost] = {"skill": by_skill, "shortest": shortest}


def make() -> RuleBook:
    """The reference rule: least expected cost."""
    return RuleBook({"router": partial(route, Reader.cost)})


def route_by(argument: str) -> Policy:
    """The policies ``route_by:skill`` and ``route_by:shortest``.

    Raises:
        PolicyError: if the argument is neither.
    """
    if argument not in COSTS:
        raise PolicyError(f"policy 'route_by:{argument}': write route_by:skill or route_by:shortest")
    return RuleBook({"router": partial(route, COSTS[argument])}, name=f"route_by:{argument}")


VARIANTS: dict[str, Callable[[str], Policy]] = {"route_by": route_by}
"""Policies of this scenario besides its rule."""
