"""What is measured in an episode, and how the episodes of a run make one figure of it.

A measure looks at one episode and takes a sample: durations, two counts, a KPI. Samples are small and travel between
processes. The figure of a run pools the samples of its episodes, as published figures pool patients; its interval comes
from the jackknife over episodes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from experiments.calibration.recording import Episode, Person
from marl_health.spec.numbers import Minutes, Model, Name, Share
from orchestration.evaluation.statistics import LEVEL, NAN, Estimate, t_quantile

Names = Annotated[list[Name], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]

Sample = Any
"""What a measure takes from one episode: an array of minutes, a pair of numbers, or a number."""


class Who(Model):
    """Those who came in the measured time and for whom all of this holds."""

    kinds: Names | None = Field(None, alias="for", description="Entity types")
    with_: dict[Name, Any] = Field({}, alias="with", description="Attributes as they were on arrival")
    outcome: Names | None = Field(None, description="How they left")
    reached: Names = Field([], description="Marks that they have")
    never: Names = Field([], description="Marks that they do not have")

    def holds(self, person: Person) -> bool:
        """Whether it holds for somebody."""
        return (
            (self.kinds is None or person.kind in self.kinds)
            and all(person.attributes.get(name) == value for name, value in self.with_.items())
            and (self.outcome is None or person.outcome in self.outcome)
            and all(person.has(mark) for mark in self.reached)
            and not any(person.has(mark) for mark in self.never)
        )

    def names(self) -> dict[str, list[str]]:
        """What it names in the scenario."""
        return {
            "entity type": list(self.kinds or []),
            "attribute": list(self.with_),
            "outcome": list(self.outcome or []),
            "mark": [*self.reached, *self.never],
        }


class Interval(Model):
    """The time between two marks, for each time that somebody passes the first in the measured time."""

    begins: Name = Field(alias="from")
    ends: Name = Field(alias="to")
    kinds: Names = Field(alias="for", description="Entity types")
    holding: Name | None = Field(None, description="Only if they have this place when it begins")


class OneFigure(Protocol):
    """What every measure can do."""

    @property
    def dimension(self) -> str:
        """``time``, ``share``, ``number``, or ``any``."""

    def take(self, episode: Episode) -> Sample:
        """The sample of an episode."""

    def figure(self, samples: Sequence[Sample]) -> float:
        """The figure of several episodes; nan if nothing was recorded."""

    def names(self) -> dict[str, list[str]]:
        """What it names in the scenario, by kind of thing."""


class TimeMeasure(Model):
    """A statistic of the time between two marks. What is not over at the end counts with the time so far."""

    time: Interval
    who: Who = Who()
    statistic: Literal["mean", "median", "p90", "share_over", "share_within"]
    limit: Minutes | None = Field(None, description="For share_over and share_within")

    @model_validator(mode="after")
    def _limited(self) -> TimeMeasure:
        if (self.limit is None) == self.statistic.startswith("share"):
            raise ValueError("share_over and share_within need a limit, such as 60 min; the others have none")
        return self

    @property
    def dimension(self) -> str:
        """``time`` or ``share``."""
        return "share" if self.limit is not None else "time"

    def take(self, episode: Episode) -> Sample:
        """Durations in minutes, shape (intervals,)."""
        found = [
            minutes
            for person in episode.people
            if person.kind in self.time.kinds and self.who.holds(person)
            for minutes in episode.between(person, self.time.begins, self.time.ends, self.time.holding)
        ]
        return np.array(found, np.float32)

    def figure(self, samples: Sequence[Sample]) -> float:
        """The statistic of all durations together."""
        minutes = np.concatenate(samples).astype(float) if samples else np.empty(0)
        if not len(minutes):
            return NAN
        if self.statistic == "mean":
            return float(minutes.mean())
        if self.limit is not None:
            return float((minutes > self.limit if self.statistic == "share_over" else minutes <= self.limit).mean())
        return float(np.quantile(minutes, {"median": 0.5, "p90": 0.9}[self.statistic]))

    def names(self) -> dict[str, list[str]]:
        """What it names in the scenario."""
        names = self.who.names()
        names["entity type"] += self.time.kinds
        names["mark"] += [self.time.begins, self.time.ends]
        names["resource"] = [self.time.holding] if self.time.holding else []
        return names


class ShareMeasure(Model):
    """The share of some among others who came in the measured time."""

    share: Who
    among: Who

    @property
    def dimension(self) -> str:
        """``share``."""
        return "share"

    def take(self, episode: Episode) -> Sample:
        """(how many of them, among how many)."""
        among = [person for person in episode.came if self.among.holds(person)]
        return sum(self.share.holds(person) for person in among), len(among)

    def figure(self, samples: Sequence[Sample]) -> float:
        """The share over all episodes together."""
        return _ratio(samples)

    def names(self) -> dict[str, list[str]]:
        """What it names in the scenario."""
        return _joined(self.share.names(), self.among.names())


class OccupancyMeasure(Model):
    """The share of some resources' units that is taken, averaged over the measured time."""

    occupancy: Names

    @property
    def dimension(self) -> str:
        """``share``."""
        return "share"

    def take(self, episode: Episode) -> Sample:
        """(unit-hours taken, unit-hours there were)."""
        return tuple(sum(episode.hours[name][part] for name in self.occupancy) for part in (0, 1))

    def figure(self, samples: Sequence[Sample]) -> float:
        """The share over all episodes together."""
        return _ratio(samples)

    def names(self) -> dict[str, list[str]]:
        """What it names in the scenario."""
        return {"resource": list(self.occupancy)}


class KpiMeasure(Model):
    """A KPI of the scenario, averaged over episodes."""

    kpi: Name

    @property
    def dimension(self) -> str:
        """``any``."""
        return "any"

    def take(self, episode: Episode) -> Sample:
        """Its value."""
        return episode.kpis[self.kpi]

    def figure(self, samples: Sequence[Sample]) -> float:
        """The mean over the episodes that recorded it."""
        recorded = [value for value in samples if not math.isnan(value)]
        return math.fsum(recorded) / len(recorded) if recorded else NAN

    def names(self) -> dict[str, list[str]]:
        """What it names in the scenario."""
        return {"KPI": [self.kpi]}


class EachMeasure(Model):
    """The median over episodes of a figure of each, of those in which another figure lies on one side of a limit.

    ``side: ratio`` divides the median of those above by that of the others.
    """

    each: Measure
    by: Measure
    at: Share
    side: Literal["below", "above", "ratio"]

    @property
    def dimension(self) -> str:
        """As of what is looked at in each; a ratio is a number."""
        return "number" if self.side == "ratio" else self.each.dimension

    def take(self, episode: Episode) -> Sample:
        """(the figure of this episode, that by which episodes are told apart)."""
        return self.each.figure([self.each.take(episode)]), self.by.figure([self.by.take(episode)])

    def figure(self, samples: Sequence[Sample]) -> float:
        """The median, or the ratio of two."""
        above = [value for value, side in samples if side > self.at and not math.isnan(value)]
        below = [value for value, side in samples if side <= self.at and not math.isnan(value)]
        if self.side == "ratio":
            return float(np.median(above) / np.median(below)) if above and below else NAN
        side = above if self.side == "above" else below
        return float(np.median(side)) if side else NAN

    def names(self) -> dict[str, list[str]]:
        """What it names in the scenario."""
        return _joined(self.each.names(), self.by.names())


FORMS = {
    "time": TimeMeasure,
    "share": ShareMeasure,
    "occupancy": OccupancyMeasure,
    "kpi": KpiMeasure,
    "each": EachMeasure,
}


def _form(value: Any) -> str | None:
    if isinstance(value, Model):
        return next(name for name, model in FORMS.items() if isinstance(value, model))
    return next((name for name in FORMS if isinstance(value, dict) and name in value), None)


Measure = Annotated[
    Annotated[TimeMeasure, Tag("time")]
    | Annotated[ShareMeasure, Tag("share")]
    | Annotated[OccupancyMeasure, Tag("occupancy")]
    | Annotated[KpiMeasure, Tag("kpi")]
    | Annotated[EachMeasure, Tag("each")],
    Discriminator(
        _form,
        custom_error_type="measure",
        custom_error_message=f"a measure needs one of {', '.join(FORMS)}, as in {{occupancy: ward_bed}}",
    ),
]
EachMeasure.model_rebuild()


def estimated(measure: OneFigure, samples: Sequence[Sample]) -> Estimate:
    """The figure of several episodes, with its 95% interval from the jackknife."""
    whole, n = measure.figure(samples), len(samples)
    without = [measure.figure([*samples[:number], *samples[number + 1 :]]) for number in range(n)]
    if n < 2 or any(math.isnan(value) for value in (whole, *without)):
        return Estimate(whole, NAN, NAN, n)
    half = t_quantile(0.5 + LEVEL / 2, n - 1) * math.sqrt(
        (n - 1) / n * float(np.sum((without - np.mean(without)) ** 2))
    )
    return Estimate(whole, whole - half, whole + half, n)


def _ratio(samples: Sequence[Sample]) -> float:
    below = math.fsum(sample[1] for sample in samples)
    return math.fsum(sample[0] for sample in samples) / below if below else NAN


def _joined(*parts: dict[str, list[str]]) -> dict[str, list[str]]:
    return {
        kind: [name for part in parts for name in part.get(kind, [])] for kind in {k for part in parts for k in part}
    }
