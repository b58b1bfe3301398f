"""Figures of reports, as SVG text to be put into a page."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours: told apart by colour-blind readers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "marl-health",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.grid": True,
    "grid.alpha": 0.25,
}


def learning_curve(rows: Sequence[Mapping[str, float]], levels: Mapping[str, float]) -> str:
    """Training return over environment steps, with the mean evaluated return of each policy as a level.

    Args:
        rows: one per iteration, with `iteration`, `env_steps`, `return_mean` of the training episodes,
            `return_greedy` of the trials (nan without one) and `best_iteration`, the one kept.
        levels: policy name to mean return on the held-out replications.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(8, 3.2), layout="constrained")
        axes = figure.subplots()
        _points(axes, rows, "return_mean", ".", color="0.75", label="training (exploring)")
        _points(axes, rows, "return_greedy", ".-", color="0.2", label="greedy, the same episodes each time")
        kept = [row for row in rows if row["iteration"] == rows[-1]["best_iteration"]]
        _points(axes, kept, "return_greedy", "o", color="0.2", label="kept")
        for (name, level), colour in zip(levels.items(), _cycle(len(levels)), strict=True):
            axes.axhline(level, color=colour, linestyle="--", linewidth=1, label=f"{name} (evaluated)")
        axes.set_xlabel("environment steps")
        axes.set_ylabel("return of an episode")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        return svg_text(figure)


def _points(axes: Axes, rows: Sequence[Mapping[str, float]], column: str, style: str, **look: Any) -> None:
    known = [row for row in rows if _finite(row[column])]
    axes.plot([row["env_steps"] for row in known], [row[column] for row in known], style, **look)


def forest(
    paired: Mapping[str, Mapping[str, Mapping[str, float]]],
    units: Mapping[str, str],
    higher: Collection[str] | None = None,
) -> str:
    """Paired differences with their 95% intervals: a panel per metric, as units differ, a row per policy.

    Args:
        paired: policy to metric to `difference`, `low` and `high`.
        units: of the metrics.
        higher: metrics of which more is better; with it, the side of each panel that is better is shaded.
    """
    names = list(paired)
    metrics = list(dict.fromkeys(metric for differences in paired.values() for metric in differences))
    with rc_context(STYLE):
        columns = min(3, max(1, len(metrics)))
        lines = math.ceil(len(metrics) / columns)
        figure = Figure(figsize=(9, 0.7 + lines * (0.7 + 0.22 * len(names))), layout="constrained")
        panels = figure.subplots(lines, columns, squeeze=False, sharey=True).flat
        for axes, metric in zip(panels, metrics, strict=False):
            _forest_panel(axes, metric, units.get(metric, ""), paired)
            if higher is not None:
                _shade_better(axes, metric in higher)
        for axes in list(figure.axes)[len(metrics) :]:
            axes.set_visible(False)
        return svg_text(figure)


def _forest_panel(axes: Axes, metric: str, unit: str, paired: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    axes.axvline(0, color="0.3", linewidth=0.8)
    names = list(paired)
    for y, (name, colour) in enumerate(zip(names, _cycle(len(names) + 1)[1:], strict=True)):
        values = paired[name].get(metric)
        if values is None or not _finite(values.get("difference")):
            continue
        ends = [values["low"], values["high"]]
        if all(_finite(end) for end in ends):
            axes.plot(ends, [y, y], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot([values["difference"]], [y], "o", color=colour, markersize=5)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_title(f"{metric} ({unit})" if unit else metric, loc="left")


def _shade_better(axes: Axes, higher: bool) -> None:
    """Shade the side of 0 that is better; 0 and some of that side are always seen."""
    low, high = axes.get_xlim()
    least = 0.08 * (high - low)
    low, high = (low, max(high, least)) if higher else (min(low, -least), high)
    axes.axvspan(0.0 if higher else low, high if higher else 0.0, color=COLOURS[2], alpha=0.1, linewidth=0)
    axes.set_xlim(low, high)


Bands = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]
"""Policy to what is shown to `hours`, `mean`, `low` and `high`, equally long."""


def bands_over_time(bands: Bands, label_hours: Callable[[Axes, float], None] | None = None) -> str:
    """How full places are, or how long queues, over an episode: a panel for each, a line and a band per policy.

    Args:
        bands: what is drawn.
        label_hours: labels an axis in hours, given how far it goes; without it they count from the episode's start.
    """
    places = list(dict.fromkeys(place for by_place in bands.values() for place in by_place))
    with rc_context(STYLE):
        columns = min(2, max(1, len(places)))
        lines = math.ceil(len(places) / columns)
        figure = Figure(figsize=(9, 0.6 + 2.0 * lines), layout="constrained")
        panels = list(figure.subplots(lines, columns, squeeze=False, sharex=True).flat)
        for axes, place in zip(panels, places, strict=False):
            for (name, by_place), colour in zip(bands.items(), _cycle(len(bands)), strict=True):
                band = by_place.get(place)
                if band is None:
                    continue
                axes.plot(band["hours"], band["mean"], color=colour, linewidth=1.2, label=name)
                axes.fill_between(band["hours"], band["low"], band["high"], color=colour, alpha=0.15, lw=0)
                if label_hours is not None:
                    label_hours(axes, band["hours"][-1])
            axes.set_title(place, loc="left")
            axes.set_ylim(bottom=0)
        for axes in panels[len(places) :]:
            axes.set_visible(False)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=max(1, len(labels)), frameon=False)
        if label_hours is None:
            figure.supxlabel("hours since the start of the episode")
        return svg_text(figure)


def bars(counts: Mapping[str, Mapping[str, Mapping[str, float]]], names: Sequence[str], unit: str) -> str:
    """Counts as bars: a panel per group of rows, in each a row per thing counted, in each a bar per policy.

    Args:
        counts: group to row to policy to count; 0 where it is missing.
        names: the policies.
        unit: what is counted.
    """
    heights = [len(rows) for rows in counts.values()]
    with rc_context(STYLE):
        figure = Figure(
            figsize=(9, 0.8 + sum(0.35 + 0.14 * len(names) * rows for rows in heights)), layout="constrained"
        )
        panels = figure.subplots(len(counts), 1, squeeze=False, height_ratios=heights).flat
        width = 0.8 / max(1, len(names))
        for axes, (group, rows) in zip(panels, counts.items(), strict=True):
            for place, (name, colour) in enumerate(zip(names, _cycle(len(names)), strict=True)):
                at = [row + (place - (len(names) - 1) / 2) * width for row in range(len(rows))]
                axes.barh(at, [by.get(name, 0.0) for by in rows.values()], width, color=colour, label=name)
            axes.set_yticks(range(len(rows)), list(rows))
            axes.set_ylim(len(rows) - 0.4, -0.6)
            axes.set_title(group, loc="left")
            axes.grid(False, axis="y")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=max(1, len(labels)), frameon=False)
        figure.axes[-1].set_xlabel(unit)
        return svg_text(figure)


def _cycle(n: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(n)]


def _finite(value: Any) -> bool:
    return value is not None and math.isfinite(value)


def svg_text(figure: Figure) -> str:
    """The figure as an `<svg>` element; the same figure gives the same text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
