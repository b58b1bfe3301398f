"""One day: who had which unit when, and what went on in the places that are too many to show one by one."""

from __future__ import annotations

from math import inf

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from orchestration.plots.observe import Observed
from orchestration.plots.style import DAY, clock_axis, colours, styled, words
from orchestration.timeline import Span

MOST_UNITS = 12
"""A resource with more units than this is shown as a stack of what goes on, not unit by unit."""

SHADES = ("#0072B2", "#E69F00", "#56B4E9", "#D55E00", "#009E73", "#CC79A7", "#882255")
"""Colours of the most frequent activities in a place; the others share a grey."""

MONOTONOUS = 0.97
"""If so much of the time in a place is one activity, it tells more who is there."""

Series = NDArray[np.float64]


def day_chart(found: Observed, day: int) -> Figure:
    """A Gantt chart of one day of the first replication, a row per unit; large places as stacks of activities.

    Args:
        found: what was simulated.
        day: of the episode, counted from 1; the last one ends with the episode.
    """
    program = found.scenario.program
    begin = program.warm_up + (day - 1) * DAY
    end = min(begin + DAY, program.horizon)
    spans = [span for span in found.spans if span.resource and span.start < end and span.end > begin]
    most = {pool.name: max(units for _, units in pool.shifts) for pool in program.pools if not pool.unlimited}
    units = {name: max([s.unit for s in spans if s.resource == name], default=0) for name in most}
    small = [name for name in most if units[name] > 0 and most[name] <= MOST_UNITS]
    large = [name for name in most if units[name] > 0 and most[name] > MOST_UNITS]
    there = {found.people[span.entity].kind for span in spans}
    tones = colours([kind for kind in program.kinds if kind in there])
    rows = {name: max(units[name], most[name]) for name in small}
    heights = [max(2.0, 0.16 * sum(rows.values()) + 0.3)] if small else []
    heights += [1.9] * len(large)
    with styled():
        figure = Figure(figsize=(13, sum(heights) + 1.0), layout="constrained")
        panels = list(figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights).flat) if heights else []
        if small:
            _units(panels[0], found, rows, [span for span in spans if span.resource in rows], tones, begin, end)
        for axes, name in zip(panels[1 if small else 0 :], large, strict=True):
            _stack(axes, found, name, tones, begin, end)
        for axes in panels:
            clock_axis(axes, begin, end, program.start)
        weekday = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        name = weekday[int((begin + program.start) // DAY) % 7]
        figure.suptitle(
            f"One day, {name} (day {day}): {found.scenario.name}, policy {found.policy}, "
            f"seed {found.replications[0].seed}",
            x=0.01,
            ha="left",
            fontsize=12,
        )
    return figure


def _units(
    axes: Axes,
    found: Observed,
    rows: dict[str, int],
    spans: list[Span],
    tones: dict[str, str],
    begin: float,
    end: float,
) -> None:
    """A row per unit: who has it."""
    bars: dict[tuple[str, int, str], list[tuple[float, float]]] = {}
    for span in spans:
        start, stop = max(span.start, begin), min(span.end, end)
        bars.setdefault((span.resource, span.unit, found.people[span.entity].kind), []).append((start, stop - start))
    ticks: list[float] = []
    labels, base, off_duty = [], 0, False
    for name, count in rows.items():
        for start, stop, on_duty in _shifts(found, name, begin, end):
            if on_duty < count:
                off_duty = True
                axes.fill_between([start, stop], base + on_duty, base + count, color="0.85", linewidth=0, zorder=0)
        for (resource, unit, kind), stretches in bars.items():
            if resource == name:
                axes.broken_barh(
                    stretches, (base + unit - 0.94, 0.88), facecolor=tones[kind], edgecolor="white", linewidth=0.4
                )
        ticks.append(base + count / 2)
        labels.append(f"{words(name)} ({count})" if count > 1 else words(name))
        base += count
        axes.axhline(base, color="0.5", linewidth=0.7)
    axes.set_yticks(ticks, labels)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(base, 0)
    seen = {kind for _, _, kind in bars}
    handles = [Patch(color=tone, label=words(kind)) for kind, tone in tones.items() if kind in seen]
    handles += [Patch(color="0.85", label="not on duty")] if off_duty else []
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(handles), fontsize=8.5)


def _shifts(found: Observed, name: str, begin: float, end: float) -> list[tuple[float, float, int]]:
    """(from, to, units on duty by the shifts) between two times of the world."""
    program = found.scenario.program
    shifts = program.pools[program.pool_index[name]].shifts
    starts = [
        day * DAY + minute - program.start
        for day in range(int((begin + program.start) // DAY) - 1, int((end + program.start) // DAY) + 1)
        for minute, _ in shifts
    ]
    counts = [count for _ in range(len(starts) // len(shifts)) for _, count in shifts]
    stretches = zip(starts, [*starts[1:], inf], counts, strict=True)
    return [(max(a, begin), min(b, end), count) for a, b, count in stretches if a < end and b > begin]


def _stack(axes: Axes, found: Observed, place: str, tones: dict[str, str], begin: float, end: float) -> None:
    """How many of those in a place do what, or wait for what; who they are, where all of them do the same."""
    grid = np.arange(begin, end + 1e-9, 5.0)
    stays = [
        span
        for span in found.spans
        if span.what == "place" and span.resource == place and span.start < end and span.end > begin
    ]
    inside = {span.entity for span in stays}
    doing: dict[int, list[Span]] = {}
    for span in found.spans:
        if span.entity in inside and span.what != "place":
            doing.setdefault(span.entity, []).append(span)
    activities: dict[str, Series] = {}
    kinds: dict[str, Series] = {kind: np.zeros(len(grid)) for kind in tones}
    for stay in stays:
        here = (grid >= stay.start) & (grid < stay.end)
        kinds[found.people[stay.entity].kind] += here
        label = np.full(len(grid), "in between", dtype=object)
        for span in doing.get(stay.entity, []):
            now = here & (grid >= span.start) & (grid < span.end)
            label[now] = f"wait: {words(span.step)}" if span.what == "wait" else words(span.step)
        for name in set(label[here].tolist()):
            activities.setdefault(name, np.zeros(len(grid)))
            activities[name] += here & (label == name)
    order = sorted(activities, key=lambda name: -activities[name].sum())
    if activities and activities[order[0]].sum() > MONOTONOUS * sum(series.sum() for series in activities.values()):
        series = {words(kind): kinds[kind] for kind in tones if kinds[kind].any()}
        shades = [tones[kind] for kind in tones if kinds[kind].any()]
        what = "who is in it"
    else:
        series = {name: activities[name] for name in order[: len(SHADES)]}
        rest = [activities[name] for name in order[len(SHADES) :]]
        series |= {"other": np.sum(rest, axis=0)} if rest else {}
        shades = [*SHADES[: len(order)], "#BBBBBB"][: len(series)]
        what = "what those in it do, or wait for"
    axes.stackplot(grid, *series.values(), labels=list(series), colors=shades, step="post", linewidth=0)
    for start, stop, count in _shifts(found, place, begin, end):
        axes.hlines(count, start, stop, color="0.15", linestyle="--", linewidth=1)
    axes.set_title(f"{words(place)}: {what}")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, reverse=True)
    axes.set_ylim(bottom=0)
