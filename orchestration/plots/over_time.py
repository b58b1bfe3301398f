"""Queues and occupancy over the days of an episode, with bands over replications."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from orchestration.figures import COLOURS
from orchestration.plots.observe import Observed
from orchestration.plots.style import clock_axis, styled, words

LOW, HIGH = 0.1, 0.9
"""Quantiles over replications between which the band lies."""

COLUMNS = 3

LEAST_QUEUE = 0.005
"""Queues that are shorter than this on average are left out."""


def occupancy(found: Observed) -> Figure:
    """A panel per resource: units taken, and how many there are."""
    first = found.replications[0]
    names = [name for name in first.taken if any(any(r.taken[name]) for r in found.replications)]
    places = {pool.name: pool.place for pool in found.scenario.program.pools}
    names.sort(key=lambda name: not places[name])
    figure, panels = _panels(found, names, "Places and staff in use")
    minutes = _minutes(found)
    with styled():
        for axes, name in zip(panels, names, strict=False):
            _band(
                axes, minutes, [r.taken[name] for r in found.replications], COLOURS[0] if places[name] else COLOURS[2]
            )
            capacity = np.mean([r.capacity[name] for r in found.replications], axis=0)
            axes.plot(minutes, capacity, color="0.15", linestyle="--", linewidth=1, drawstyle="steps-post")
            full = np.mean([np.array(r.taken[name]) / np.maximum(r.capacity[name], 1) for r in found.replications])
            axes.set_title(f"{words(name)}: {full:.0%} in use")
            axes.set_ylim(0, max(1.0, 1.08 * capacity.max(), axes.get_ylim()[1]))
        _legend(figure, found, "- - -  units there are")
    return figure


def queues(found: Observed) -> Figure:
    """A panel per queue: how many wait."""
    first = found.replications[0]
    mean = {name: float(np.mean([r.waiting[name] for r in found.replications])) for name in first.waiting}
    names = sorted((name for name in mean if mean[name] >= LEAST_QUEUE), key=lambda name: -mean[name])
    figure, panels = _panels(found, names, "Who waits")
    minutes = _minutes(found)
    with styled():
        for axes, name in zip(panels, names, strict=False):
            values = [r.waiting[name] for r in found.replications]
            _band(axes, minutes, values, COLOURS[1])
            axes.set_title(f"{words(name)}: {mean[name]:.2g} waiting on average")
            axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
        _legend(figure, found, "")
    return figure


def _panels(found: Observed, names: Sequence[str], what: str) -> tuple[Figure, list[Axes]]:
    lines = max(1, ceil(len(names) / COLUMNS))
    with styled():
        figure = Figure(figsize=(4.6 * COLUMNS, 0.9 + 1.9 * lines), layout="constrained")
        panels = list(figure.subplots(lines, COLUMNS, squeeze=False).flat)
        for axes in panels[len(names) :]:
            axes.set_visible(False)
        scenario = found.scenario
        figure.suptitle(f"{what}: {scenario.name}, policy {found.policy}", x=0.01, ha="left", fontsize=12)
        minutes = _minutes(found)
        for axes in panels[: len(names)]:
            clock_axis(axes, 0.0, minutes[-1], scenario.program.start + scenario.program.warm_up, 7)
            axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        if not names:
            panels[0].set_visible(True)
            panels[0].axis("off")
            panels[0].text(0, 0.5, "nobody, or next to nobody")
    return figure, panels


def _minutes(found: Observed) -> list[float]:
    return [60.0 * hour for hour in found.replications[0].hours]


def _band(axes: Axes, minutes: Sequence[float], values: Sequence[Sequence[float]], colour: str) -> None:
    table = np.array(values)
    if len(table) > 1:
        low, high = np.quantile(table, [LOW, HIGH], axis=0)
        axes.fill_between(minutes, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(minutes, table.mean(axis=0), color=colour, linewidth=1.6)


def _legend(figure: Figure, found: Observed, more: str) -> None:
    n = len(found.replications)
    text = f"line: mean of {n} replications, band: eight in ten of them" if n > 1 else "one replication"
    figure.supxlabel("   ".join(part for part in (text, more) if part), fontsize=9)
