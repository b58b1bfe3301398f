"""Welch's plot: how a world fills up from its beginning."""

from __future__ import annotations

from math import ceil

from matplotlib.figure import Figure

from orchestration.figures import COLOURS
from orchestration.plots.style import styled, words
from orchestration.warm_up import WarmUp


def welch_plot(found: WarmUp) -> Figure:
    """A panel per series: its mean over replications, the moving average, where it settles, the warm-up there is."""
    columns = 3
    lines = ceil(len(found.series) / columns)
    with styled():
        figure = Figure(figsize=(4.2 * columns, 0.9 + 1.75 * lines), layout="constrained")
        panels = list(figure.subplots(lines, columns, squeeze=False, sharex=True).flat)
        for axes, series in zip(panels, found.series, strict=False):
            axes.axvspan(0, found.present, color="0.92", zorder=0, label="warm-up in the scenario")
            axes.plot(series.hours, series.mean, color="0.7", linewidth=0.8, label="mean over replications")
            axes.plot(
                series.smooth_hours,
                series.smooth,
                color=COLOURS[0],
                linewidth=1.8,
                label=f"moving average over {found.window:.3g} h",
            )
            if series.settled is not None:
                axes.axvline(series.settled, color=COLOURS[1], linestyle="--", linewidth=1.2, label="settled")
            settled = "does not settle" if series.settled is None else f"settled after {series.settled:.3g} h"
            axes.set_title(f"{words(series.name)}: {settled}")
            axes.set_ylim(bottom=0)
            axes.set_xlim(0, series.hours[-1])
        for axes in panels[len(found.series) :]:
            axes.set_visible(False)
        known = {
            label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(known.values(), known.keys(), loc="outside upper center", ncols=4)
        simulation = found.simulation
        figure.supxlabel(
            f"hours since the world began: {simulation.scenario.name}, policy {simulation.policy}, "
            f"{len(simulation.replications)} replications",
            fontsize=9,
        )
    return figure
