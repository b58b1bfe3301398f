"""Who fares how: KPIs by group of patients under each policy, and the gaps between groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isnan

from marl_health.worlds.game import WITHOUT
from orchestration.briefing.words import Shown, heading, plain
from orchestration.document.blocks import Block, Heading, Paragraph, Table
from orchestration.evaluation.compare import Comparison
from orchestration.evaluation.equity import Gap
from orchestration.evaluation.statistics import mean_interval

NONE = "–"


def equity(comparison: Comparison, attributes: list[str], metrics: Mapping[str, Shown]) -> Iterator[Block]:
    """The section, attribute by attribute.

    Args:
        comparison: its KPIs were split by all of the attributes.
        attributes: those that the scenario names under ``groups``.
        metrics: how each metric is shown.
    """
    if not attributes:
        yield Paragraph(
            "This scenario does not say which groups of patients should be looked at apart, so nothing can be said "
            "here. Attributes of its patients that it names under `groups` would appear in this place."
        )
        return
    yield Paragraph(
        "A gap is the largest difference between the means of two groups. Its interval is wide enough for all pairs of "
        "groups at once, as the two were picked because they differ most. Figures that are larger where the group is, "
        "such as counts, have none. A gap need not be unfair: sicker patients are meant to be seen first. Of so many "
        "gaps, about one in twenty would be called clear by luck alone."
    )
    for attribute in attributes:
        split = comparison.split(attribute)
        yield Heading(3, f"By {plain(attribute)}")
        yield from _gaps(split, metrics)
        told = _told(split)
        for name in split.simulations:
            yield Heading(4, f"Under `{name}`")
            yield _levels(split, name, [metrics[metric] for metric in told])


def _gaps(split: Comparison, metrics: Mapping[str, Shown]) -> Iterator[Block]:
    """The largest gaps under each policy, and how policies change that of the reference."""
    simulations = split.simulations
    rows = []
    for metric in simulations[split.reference].splits:
        gaps = {name: simulation.gap(metric) for name, simulation in simulations.items()}
        if not any(gaps.values()):
            continue
        shown = metrics[metric]
        changes = [
            NONE if metric not in by_metric else shown.change(by_metric[metric][1]) + _closing(by_metric[metric][1])
            for by_metric in split.gap_changes.values()
        ]
        rows.append([shown.titled, *(_gap(gap, shown) for gap in gaps.values()), *changes])
    if not rows:
        yield Paragraph("No two groups can be compared in any of the figures.")
        return
    head = [f"gap under `{name}`" for name in simulations]
    head += [f"change of that of `{split.reference}` under `{name}`" for name in split.gap_changes]
    yield Table(["", *head], rows, numbers=True)


def _gap(gap: Gap | None, shown: Shown) -> str:
    if gap is None or isnan(gap.difference.mean):
        return NONE
    mark = ", clear" if gap.difference.clear else ""
    return f"{heading(gap.above)} against {plain(gap.below)}: {shown.level(gap.difference)}{mark}"


def _closing(change: object) -> str:
    """Whether a gap clearly closes or widens."""
    clear, mean = getattr(change, "clear", False), getattr(change, "mean", 0.0)
    return "" if not clear else ", narrower" if mean < 0 else ", wider"


def _told(split: Comparison) -> list[str]:
    """KPIs of which there is something to tell: under some policy it is not 0 in every group that has the attribute."""
    return [
        metric
        for metric in split.simulations[split.reference].splits
        if any(
            value and not isnan(value)
            for simulation in split.simulations.values()
            for group, values in simulation.splits[metric].items()
            if group != WITHOUT
            for value in values
        )
    ]


def _levels(split: Comparison, name: str, told: list[Shown]) -> Table:
    """A row per KPI, a column per group."""
    splits = split.simulations[name].splits
    groups = list(dict.fromkeys(group for shown in told for group in splits[shown.name]))
    groups.sort(key=lambda group: group == WITHOUT)
    rows = []
    for shown in told:
        values = splits[shown.name]
        cells = [shown.level(mean_interval(values[group])) if group in values else NONE for group in groups]
        rows.append([shown.titled, *cells])
    return Table(["", *("All others" if group == WITHOUT else heading(group) for group in groups)], rows, numbers=True)
