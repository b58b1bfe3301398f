"""Where patients go, and how many of them a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from orchestration.figures import COLOURS
from orchestration.layout import Edge, Layout, lay_out
from orchestration.plots.observe import KIND, OUTCOME, Observed
from orchestration.plots.style import styled, words

LEAST_SHARE = 0.0005
"""Flows below this share of the largest are left out."""

HEIGHT_INCHES, LABEL_INCHES = 6.0, 0.4
"""Height of the picture, and of a label in it."""

PLACES = (COLOURS[0], COLOURS[4], COLOURS[5], COLOURS[3], COLOURS[1], "#882255", "#44AA99", "#999933")
"""Colours of places: the last ones are Tol's."""


def patient_flow(found: Observed) -> Figure:
    """Draw the moves between places as ribbons, as wide as there are moves a day."""
    moves = found.moves
    most = max(moves.values(), default=1.0)
    flows = {edge: flow for edge, flow in moves.items() if flow > LEAST_SHARE * most and edge[0] != edge[1]}
    if not flows:
        return _nobody(found)
    into: Counter[Any] = Counter()
    out: Counter[Any] = Counter()
    for (a, b), flow in flows.items():
        out[a] += flow
        into[b] += flow
    sizes = {node: max(into[node], out[node]) for node in dict.fromkeys([*out, *into])}
    gap = 0.05 * most
    for _ in range(6):  # until the gap, in which a node's label stands, is as high as the label
        heights = {node: max(size, 0.1 * gap) for node, size in sizes.items()}
        layout = lay_out(flows, heights, gap=gap, thickness=flows)
        gap = LABEL_INCHES * layout.height / (HEIGHT_INCHES - 2 * LABEL_INCHES)
    with styled():
        columns = len(layout.layers)
        figure = Figure(figsize=(max(7.0, 1.55 * columns + 1.0), HEIGHT_INCHES + 0.4), layout="constrained")
        axes = figure.subplots()
        axes.axis("off")
        axes.set_title(_title(found), fontsize=12)
        tones = _tones(layout)
        _ribbons(axes, layout, flows, heights, tones)
        for node, height in heights.items():
            x, y = layout.layer[node], layout.y[node]
            axes.add_patch(Rectangle((x - 0.06, y - height / 2), 0.12, height, color=tones[node], zorder=3))
            label = f"{words(node.removeprefix(OUTCOME).removeprefix(KIND))}\n{_rate(sizes[node])}"
            axes.text(
                x,
                y + height / 2 + 0.06 * gap,
                label,
                ha="center",
                va="bottom",
                fontsize=8.5,
                linespacing=1.05,
                zorder=4,
            )
        axes.set_xlim(-0.6, columns - 0.4)
        axes.set_ylim(-0.3 * gap, layout.height + 1.2 * gap)
    return figure


def _title(found: Observed) -> str:
    n = len(found.replications)
    mean = f"mean of {n} replications" if n > 1 else "one replication"
    return f"Where patients go: {found.scenario.name}, policy {found.policy}, {mean}"


def _nobody(found: Observed) -> Figure:
    """The picture of an episode without a move."""
    with styled():
        figure = Figure(figsize=(7.0, 2.0), layout="constrained")
        axes = figure.subplots()
        axes.axis("off")
        axes.set_title(_title(found), fontsize=12)
        axes.text(0, 0.5, "nobody came, moved or left")
    return figure


def _rate(flow: float) -> str:
    return f"{flow:.0f} a day" if flow >= 9.5 else f"{flow:.1f} a day" if flow >= 0.95 else f"{flow:.2f} a day"


def _tones(layout: Layout) -> dict[Any, str]:
    """Blue for those who come, green and grey for how they leave, a colour for each place."""
    tones = {}
    places = 0
    for row in layout.layers:
        for node in row:
            if not isinstance(node, str):
                continue
            if node.startswith(KIND):
                tones[node] = "#444444"
            elif node.startswith(OUTCOME):
                tones[node] = COLOURS[2] if node.endswith("discharged") else "#8a8a8a"
            else:
                tones[node] = PLACES[places % len(PLACES)]
                places += 1
    return tones


def _ribbons(
    axes: Axes, layout: Layout, flows: Mapping[Edge, float], heights: Mapping[Any, float], tones: Mapping[Any, str]
) -> None:
    """A ribbon for each flow, as wide as it is large; where it starts and ends, all are stacked in a sensible order."""
    starts, ends = {}, {}
    for node in heights:
        leaving = [edge for edge in flows if edge[0] == node and edge in layout.ways]
        coming = [edge for edge in flows if edge[1] == node and edge in layout.ways]
        for edges, at, where in ((leaving, 1, starts), (coming, -2, ends)):
            edges.sort(key=lambda edge: layout.y[layout.ways[edge][at]])
            reached = layout.y[node] - sum(flows[edge] for edge in edges) / 2
            for edge in edges:
                where[edge] = reached + flows[edge] / 2
                reached += flows[edge]
    for edge, way in layout.ways.items():
        back = layout.layer[edge[1]] <= layout.layer[edge[0]]
        points = [(float(layout.layer[node]), layout.y[node]) for node in way]
        points[0] = (points[0][0] + (-0.06 if back else 0.06), starts[edge])
        points[-1] = (points[-1][0] + (0.06 if back else -0.06), ends[edge])
        patch = PathPatch(
            _ribbon(points, flows[edge] / 2),
            facecolor=tones[edge[0]],
            edgecolor=tones[edge[0]] if back else "none",  # the colour of the hatch
            linewidth=0,
            alpha=0.35,
            hatch="////" if back else None,
            zorder=2,
        )
        axes.add_patch(patch)


def _ribbon(points: list[tuple[float, float]], half: float) -> Path:
    """The outline of a band that runs level through all points."""
    upper = _curve([(x, y + half) for x, y in points])
    lower = _curve([(x, y - half) for x, y in reversed(points)])
    vertices = [*upper, *lower, upper[0]]
    codes = [Path.MOVETO, *[Path.CURVE4] * (len(upper) - 1), Path.LINETO, *[Path.CURVE4] * (len(lower) - 1)]
    return Path(vertices, [*codes, Path.CLOSEPOLY])


def _curve(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points of Bezier curves from point to point, level in each."""
    out = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        out += [(middle, y0), (middle, y1), (x1, y1)]
    return out
