"""The drawing of a pathway."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from orchestration.document.pathway import Node, Pathway, pathway_of, wrapped
from orchestration.figures import svg_text
from orchestration.layout import Layout, lay_out
from orchestration.plots.style import styled

LOOKS = {
    "kind": ("#444444", "#ffffff", "who comes"),
    "use": ("#FBE3C0", "#222222", "staff at work"),
    "move_to": ("#CFE3F3", "#222222", "moves to the next place, then frees the old one"),
    "visit": ("#DDF0EA", "#222222", "goes somewhere, and keeps the own place"),
    "take": ("#F6E3E8", "#222222", "takes stock and uses it up"),
    "give": ("#E6EFD9", "#222222", "adds to stock"),
    "carry": ("#FDE7D6", "#222222", "fetched, and brought to another site"),
    "meet": ("#EFE3F7", "#222222", "waits for somebody else"),
    "stay": ("#EDEDED", "#222222", "time passes"),
    "wait": ("#EDEDED", "#222222", "time passes"),
    "travel": ("#DAD7EE", "#222222", "on the way to another site"),
    "together": ("#F3DCEB", "#222222", "work side by side"),
    "route": ("#ffffff", "#222222", "leads on"),
    "clock": ("#ffffff", "#B34700", "clock beside the pathway"),
    "leave": ("#0B7A5A", "#ffffff", "leaves"),
}
"""Look to fill, text colour and what it means."""

LINES = {"way": ("0.35", "-"), "aside": ("#B34700", "--"), "choice": ("#0072B2", ":")}
MEANINGS = {"way": "the way on", "aside": "gives up, clock runs out, comes again", "choice": "an agent's choice"}

COLUMN = 1.6
"""Inches from layer to layer."""

BOX, LINE, PADDING, PORT = 1.1, 0.13, 0.08, 0.15
"""Inches: width of a box, height of a line of text in it, space around the text, from arrow to arrow at a box."""

CHARACTERS = 16
"""That fit into a line of a box."""


def pathway_svg(data: Mapping[str, Any]) -> str:
    """The drawing of the pathway that a scenario's file describes, as an `<svg>` element."""
    with styled():
        return svg_text(draw_pathway(pathway_of(data)))


def draw_pathway(graph: Pathway) -> Figure:
    """Draw a pathway, large enough that all text can be read at its own size."""
    texts = {name: _text(node) for name, node in graph.nodes.items()}
    arrows = Counter((name, side) for edge in graph.links for side, name in enumerate(edge))
    heights = {
        name: max(
            LINE * (text.count("\n") + 1) + 2 * PADDING, PORT * max(arrows[name, 0], arrows[name, 1]) + 2 * PADDING
        )
        for name, text in texts.items()
    }
    weights = {edge: 3.0 if link.look == "way" else 0.6 for edge, link in graph.links.items()}
    layout = lay_out(weights, heights, gap=0.3)
    width = COLUMN * (len(layout.layers) - 1) + BOX + 0.3
    height = layout.height + 0.75
    with styled():
        figure = Figure(figsize=(max(width, 7.5), height))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.axis("off")
        axes.set_xlim(-BOX / 2 - 0.15, max(width, 7.5) - BOX / 2 - 0.15)
        axes.set_ylim(-0.6, layout.height + 0.15)
        for edge, way in layout.ways.items():
            _arrow(axes, graph, layout, heights, edge, way)
        for name, node in graph.nodes.items():
            _box(axes, node, texts[name], layout.layer[name] * COLUMN, layout.y[name], heights[name])
        _legend(axes, graph)
    return figure


def _text(node: Node) -> str:
    title = wrapped(node.title, CHARACTERS)
    note = wrapped(node.note, CHARACTERS + 2)
    return f"{title}\n{note}" if note else title


def _box(axes: Axes, node: Node, text: str, x: float, y: float, height: float) -> None:
    fill, colour, _ = LOOKS[node.look]
    edge = colour if node.look == "clock" else "0.45"
    left, low = x - BOX / 2, y - height / 2
    rounding = 0.12 if node.look == "leave" else 0.03
    axes.add_patch(
        FancyBboxPatch(
            (left, low),
            BOX,
            height,
            boxstyle=f"round,pad=0,rounding_size={rounding}",
            facecolor=fill,
            edgecolor=edge,
            linewidth=0.8,
            linestyle="--" if node.look == "clock" else "-",
            zorder=3,
        )
    )
    title = wrapped(node.title, CHARACTERS)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        bold = number < title.count("\n") + 1
        place = y + LINE * (len(lines) / 2 - number - 0.5)
        weight = "bold" if bold else "normal"
        axes.text(x, place, line, ha="center", va="center", fontsize=7.5, weight=weight, color=colour, zorder=4)


def _arrow(
    axes: Axes,
    graph: Pathway,
    layout: Layout,
    heights: Mapping[Any, float],
    edge: tuple[Any, Any],
    way: list[Any],
) -> None:
    """A curve from box to box, around those that lie between."""
    link = graph.links[edge]
    colour, style = LINES[link.look]
    back = layout.layer[edge[1]] <= layout.layer[edge[0]]
    side = -1 if back else 1
    points = [(layout.layer[node] * COLUMN, layout.y[node]) for node in way]
    points[0] = (points[0][0] + side * BOX / 2, points[0][1] + _port(graph, layout, heights, edge, out=True))
    points[-1] = (
        points[-1][0] - side * (BOX / 2 + 0.07),
        points[-1][1] + _port(graph, layout, heights, edge, out=False),
    )
    vertices, codes = [points[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        inner = BOX / 2 * side
        # Level through the column of each box that it passes, curved in between.
        start = x0 + (inner if (x0, y0) != points[0] else 0.0)
        stop = x1 - (inner if (x1, y1) != points[-1] else 0.0)
        middle = (start + stop) / 2
        vertices += [(start, y0), (middle, y0), (middle, y1), (stop, y1), (x1, y1)]
        codes += [Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO]
    axes.add_patch(
        PathPatch(Path(vertices, codes), fill=False, edgecolor=colour, linestyle=style, linewidth=0.9, zorder=2)
    )
    x, y = points[-1]
    axes.add_patch(
        Polygon(
            [(x + side * 0.07, y), (x - side * 0.03, y + 0.04), (x - side * 0.03, y - 0.04)], color=colour, zorder=3
        )
    )
    if link.label:
        x, y = points[0]
        text = axes.text(
            x + side * 0.05,
            y + 0.02,
            wrapped(link.label, 12),
            ha="right" if back else "left",
            va="bottom",
            fontsize=5.8,
            color=colour if link.look != "way" else "0.15",
            zorder=5,
        )
        text.set_path_effects([withStroke(linewidth=1.6, foreground="white")])


def _port(graph: Pathway, layout: Layout, heights: Mapping[Any, float], edge: tuple[Any, Any], *, out: bool) -> float:
    """How far from the middle of a box an arrow begins or ends, so that several do not lie on each other."""
    here = edge[0] if out else edge[1]
    back = layout.layer[edge[1]] <= layout.layer[edge[0]]
    same = [
        other
        for other in layout.ways
        if (other[0] if out else other[1]) == here and (layout.layer[other[1]] <= layout.layer[other[0]]) == back
    ]
    same.sort(key=lambda other: layout.y[layout.ways[other][1 if out else -2]])
    step = min(PORT * 1.2, (heights[here] - 2 * PADDING) / max(1, len(same) - 1))
    return (same.index(edge) - (len(same) - 1) / 2) * step


def _legend(axes: Axes, graph: Pathway) -> None:
    """What the looks mean, those that occur."""
    present = {node.look for node in graph.nodes.values()}
    handles: dict[str, Any] = {}
    for look, (fill, colour, meaning) in LOOKS.items():
        if look in present:
            edge = colour if look == "clock" else "0.45"
            handles.setdefault(
                meaning, Patch(facecolor=fill, edgecolor=edge, linestyle="--" if look == "clock" else "-")
            )
    for look in dict.fromkeys(link.look for link in graph.links.values()):
        colour, style = LINES[look]
        handles[MEANINGS[look]] = Line2D([], [], color=colour, linestyle=style)
    axes.legend(
        handles.values(),
        handles.keys(),
        loc="lower left",
        bbox_to_anchor=(0.005, 0.0),
        ncols=7,
        fontsize=6.5,
        handlelength=1.8,
        columnspacing=1.2,
    )
