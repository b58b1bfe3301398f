"""Names, numbers and units of a scenario as those who run a hospital read them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from marl_health import Scenario
from marl_health.spec.scenario import is_there
from marl_health.worlds.flow.program import KpiSpec
from marl_health.worlds.flow.readings import Clocked, Ratio, SpanStatistic
from orchestration.evaluation.statistics import Estimate
from policies.registry import MANIFEST

RETURN = "return"
ABBREVIATIONS = {
    "ct": "CT",
    "ed": "emergency department",
    "er": "emergency room",
    "icu": "ICU",
    "lwbs": "left without being seen",
    "mri": "MRI",
    "or": "operating room",
    "p90": "90th percentile",
    "p95": "95th percentile",
}
POLICIES = {
    "wait": "nobody decides anything: every lever stays in its first position and every queue in its usual order",
    "random": "everybody picks one of the possible moves by chance",
    "rule": "a rule written by hand for this scenario, one for each manager, which looks at what each of them can see",
    "lookahead": (
        "before each decision it tries alternatives to a rule in imagined futures; what will happen it cannot know"
    ),
    "constant": "some managers repeat one move whenever it is possible",
    "clock": "a fixed timetable of moves, whatever happens",
    "adversarial": "a trick that looks for weaknesses of the scenario's score",
}
SAME = "each time"
"""Said of what is the same in every replication: then there is no spread from which an interval could be told."""
LONG = 180.0
"""Minutes from which on hours are easier to read."""


def plain(name: str) -> str:
    """A name of the scenario in words."""
    return " ".join(ABBREVIATIONS.get(word, word) for word in re.split("[_ ]", name))


def heading(name: str) -> str:
    """The same, as it stands at the beginning of a line."""
    text = plain(name)
    return text[:1].upper() + text[1:]


def policy_words(name: str) -> str:
    """What a policy is."""
    if is_there(Path(name) / MANIFEST):
        return "a policy that learned by trial in simulated episodes"
    return POLICIES.get(name.partition(":")[0], "one of the rules that belong to this scenario")


def move_words(action: str) -> str:
    """A move in words, without the slot of whom it was about."""
    action = re.sub(r"\[\d+\]$", "", action)
    verb, _, rest = action.partition(" ")
    if verb == "first":
        return f"put one of the {plain(rest)} first"
    if verb == "shorten":
        return f"end the stay of one of the {plain(rest)} early"
    if verb == "send" and " " in rest:
        target, _, whom = rest.removeprefix("to ").partition(" ")
        return f"send one of the {plain(whom)} to {plain(target)}"
    if verb == "set":
        lever, _, level = rest.rpartition(" ")
        name, _, what = lever.partition(".")
        forms = {
            "extra": f"set extra {plain(name)} to {level}",
            "order": f"order the {plain(name)} by '{plain(level)}'",
            "next": f"set the way on from {plain(name)} to '{plain(level)}'",
            "reserve": f"keep {level} of {plain(name)} back",
        }
        return forms.get(what, f"set {plain(name)}{f', {plain(what)},' if what else ''} to '{plain(level)}'")
    return plain(action)


@dataclass(frozen=True)
class Shown:
    """How a metric is shown.

    Attributes:
        name: in the scenario. label: in words. unit: of what is shown; of_change: of a difference.
        factor: from the scenario's unit to that one. higher: whether more of it is better.
    """

    name: str
    label: str
    unit: str
    of_change: str
    factor: float
    higher: bool

    def scaled(self, found: Estimate) -> Estimate:
        """An estimate in the unit that is shown."""
        return Estimate(found.mean * self.factor, found.low * self.factor, found.high * self.factor, found.n)

    def level(self, found: Estimate) -> str:
        """A mean with its interval."""
        return interval(self.scaled(found))

    def change(self, found: Estimate) -> str:
        """A difference with its interval, each number with its sign."""
        return interval(self.scaled(found), signed=True)

    def spoken(self, found: Estimate) -> str:
        """A difference within a sentence."""
        mean, low, high = _to_same_digits(self.scaled(found), signed=True)
        return f"{mean}{f' {self.of_change}' if self.of_change else ''}, 95% {low} to {high}"

    def better(self, found: Estimate) -> bool:
        """Whether a difference is one for the better."""
        return (found.mean > 0) == self.higher

    @property
    def titled(self) -> str:
        """The label with the unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def metrics_of(scenario: Scenario, means: Mapping[str, Sequence[float]]) -> dict[str, Shown]:
    """The return and every KPI of a scenario.

    Args:
        scenario: where they stand.
        means: by metric, its mean under each policy: durations of some hours are shown in hours.
    """
    found = {RETURN: Shown(RETURN, "Overall score", "points", "points", 1.0, True)}
    for kpi in scenario.program.kpis:
        said = scenario.spec.kpis[kpi.name]
        size = max((abs(value) for value in means[kpi.name] if not math.isnan(value)), default=0.0)
        unit, of_change, factor = _unit(kpi, size)
        found[kpi.name] = Shown(kpi.name, heading(kpi.name), unit, of_change, factor, said.better == "higher")
    return found


def _unit(kpi: KpiSpec, size: float) -> tuple[str, str, float]:
    """Unit of a level and of a difference, and the factor to them."""
    if not kpi.unit and _is_share(kpi) and size <= 1.0:
        return "%", "percentage points", 100.0
    if kpi.unit == "min" and size >= LONG:
        return "h", "h", 1 / 60
    if kpi.unit == "usd":
        return "US dollars", "US dollars", 1.0
    return kpi.unit, kpi.unit, 1.0


def _is_share(kpi: KpiSpec) -> bool:
    reading = kpi.reading
    if kpi.per is not None or (isinstance(reading, SpanStatistic) and reading.statistic == "share_within"):
        return True
    return isinstance(reading, Ratio) and not isinstance(reading.below, Clocked)


def interval(found: Estimate, *, signed: bool = False) -> str:
    """A mean and its 95% interval to the digits that the interval's width bears."""
    if math.isnan(found.mean):
        return "–"
    if math.isnan(found.low) or found.low == found.high:
        text = number(found.mean, _digits(found.mean), signed=signed)
        return f"{text} ({SAME})" if found.n > 1 and found.mean else text
    mean, low, high = _to_same_digits(found, signed=signed)
    return f"{mean} ({low} to {high})"


def certain(found: Estimate) -> bool:
    """Whether a difference is clear; one that is the same in some few replications may still be luck."""
    return found.clear and found.low < found.high


def _to_same_digits(found: Estimate, *, signed: bool) -> list[str]:
    """A mean and the ends of its interval; an end that is not 0 is not shown as 0."""
    digits = _digits((found.high - found.low) / 2 or found.mean)
    if found.clear:
        digits = max(digits, min(6, _digits(min(abs(found.low), abs(found.high))) - 1))
    return [number(value, digits, signed=signed) for value in (found.mean, found.low, found.high)]


def _digits(size: float) -> int:
    """Decimals that show two digits of a size."""
    return max(0, 1 - math.floor(math.log10(abs(size)))) if size else 0


def number(value: float, digits: int, *, signed: bool = False) -> str:
    """A number, with a minus sign that is as wide as a plus."""
    return f"{value:{'+' if signed else ''}z,.{digits}f}".replace("-", "−")
