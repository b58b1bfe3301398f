"""A directed graph laid out in layers from left to right: for pathways and for flows of patients.

Sugiyama's way: break cycles, give every node a layer to the right of those that lead to it, send long edges through
invisible nodes so that they run around others, order each layer so that few edges cross, and straighten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

Node = Hashable
Edge = tuple[Node, Node]

SWEEPS = 24
"""How often the order of the layers is improved."""

HIDDEN_GAP = 0.35
"""What stands above an edge that runs past nodes, as a share of what stands above a node."""


@dataclass(frozen=True)
class Layout:
    """Where nodes are.

    Attributes:
        layers: nodes from top to bottom, layer by layer from the left; invisible ones are ``(edge, number)``.
        layer: of each node. y: of each node's middle, upwards from 0.
        ways: for each edge, the nodes that it runs through, both ends included; right to left if it closes a cycle.
        height: of the whole.
    """

    layers: list[list[Node]]
    layer: dict[Node, int]
    y: dict[Node, float]
    ways: dict[Edge, list[Node]]
    height: float


def lay_out(
    edges: Mapping[Edge, float],
    heights: Mapping[Node, float],
    *,
    gap: float,
    thickness: Mapping[Edge, float] | None = None,
    last: Sequence[Node] = (),
) -> Layout:
    """Lay out a graph.

    Args:
        edges: edge to weight: heavy ones are kept forward and straight.
        heights: of every node.
        gap: above each node of a layer.
        thickness: of edges where they run past other nodes; 0 if not given.
        last: nodes that belong into the last layer.
    """
    parts = [
        _component(
            {edge: edges[edge] for edge in edges if edge[0] in nodes}, nodes, heights, gap, thickness or {}, last
        )
        for nodes in _components(edges, list(heights))
    ]
    layers: list[list[Node]] = [[] for _ in range(max(len(part.layers) for part in parts))]
    whole = Layout(layers, {}, {}, {}, 0.0)
    reached = 0.0
    for part in reversed(parts):  # the first on top
        for row, nodes in zip(layers, part.layers, strict=False):
            row.extend(nodes)
        whole.layer.update(part.layer)
        whole.y.update({node: value + reached for node, value in part.y.items()})
        whole.ways.update(part.ways)
        reached += part.height + gap
    return replace(whole, ways={edge: whole.ways[edge] for edge in edges if edge in whole.ways}, height=reached - gap)


def _components(edges: Mapping[Edge, float], nodes: Sequence[Node]) -> list[dict[Node, None]]:
    """Nodes that hang together, the largest group first."""
    beside: dict[Node, list[Node]] = defaultdict(list)
    for a, b in edges:
        beside[a].append(b)
        beside[b].append(a)
    found: list[dict[Node, None]] = []
    seen: set[Node] = set()
    for start in nodes:
        if start not in seen:
            group, stack = set(), [start]
            while stack:
                node = stack.pop()
                if node not in group:
                    group.add(node)
                    stack.extend(beside[node])
            seen |= group
            found.append({node: None for node in nodes if node in group})
    return sorted(found, key=len, reverse=True)


def _component(
    edges: Mapping[Edge, float],
    nodes: Mapping[Node, None],
    heights: Mapping[Node, float],
    gap: float,
    thickness: Mapping[Edge, float],
    last: Sequence[Node],
) -> Layout:
    back = _feedback(edges, list(nodes))
    forward = {(b, a) if (a, b) in back else (a, b): weight for (a, b), weight in edges.items() if a != b}
    layer = _layers(forward, list(nodes), [node for node in last if node in nodes])
    sizes = {node: heights[node] for node in nodes}
    ways: dict[Edge, list[Node]] = {}
    links: dict[Edge, float] = defaultdict(float)
    for (a, b), weight in forward.items():
        hidden: list[Node] = [((a, b), number) for number in range(layer[a] + 1, layer[b])]
        for number, node in enumerate(hidden, layer[a] + 1):
            layer[node] = number
            sizes[node] = thickness.get((a, b), thickness.get((b, a), 0.0))
        way = [a, *hidden, b]
        for pair in pairwise(way):
            links[pair] += weight
        ways[a, b] = way
        if (b, a) in back:
            ways[b, a] = way[::-1]
    layers = _ordered(layer, links)
    y = _placed(layers, sizes, links, {node: gap if node in nodes else HIDDEN_GAP * gap for node in sizes})
    low = min(y[node] - sizes[node] / 2 for node in y)
    y = {node: value - low for node, value in y.items()}
    return Layout(layers, layer, y, ways, max(y[node] + sizes[node] / 2 for node in y))


def _feedback(edges: Mapping[Edge, float], nodes: Sequence[Node]) -> set[Edge]:
    """Edges that close a cycle, found by going along the heaviest first from where nothing leads to."""
    after: dict[Node, list[tuple[float, Node]]] = defaultdict(list)
    led_to = set()
    for (a, b), weight in edges.items():
        if a != b:
            after[a].append((weight, b))
            led_to.add(b)
    for found in after.values():
        found.sort(key=lambda pair: -pair[0])
    back: set[Edge] = set()
    state: dict[Node, int] = {}  # 1 while being explored, 2 after
    for start in [*(node for node in nodes if node not in led_to), *nodes]:
        if start in state:
            continue
        state[start] = 1
        stack = [(start, iter(after[start]))]
        while stack:
            node, following = stack[-1]
            for _, target in following:
                if state.get(target) == 1:
                    back.add((node, target))
                elif target not in state:
                    state[target] = 1
                    stack.append((target, iter(after[target])))
                    break
            else:
                state[node] = 2
                stack.pop()
    return back


def _layers(edges: Mapping[Edge, float], nodes: Sequence[Node], last: Sequence[Node]) -> dict[Node, int]:
    """Layer of each node: after all that lead to it; if none does, just before what it leads to."""
    before: dict[Node, list[Node]] = defaultdict(list)
    after: dict[Node, list[Node]] = defaultdict(list)
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    layer: dict[Node, int] = {}
    waiting = {node: len(before[node]) for node in nodes}
    ready = [node for node in nodes if not waiting[node]]
    order = []
    while ready:
        node = ready.pop(0)
        order.append(node)
        layer[node] = max((layer[other] + 1 for other in before[node]), default=0)
        for other in after[node]:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    # Ways in that nothing else hangs on move right as a whole, up to where they join the others.
    inner = {node: [other for other in after[node] if after[other]] for node in nodes}
    own: dict[Node, bool] = {}
    for node in order:
        own[node] = all(own[other] and inner[other] == [node] for other in before[node])
    for node in reversed(order):
        following = inner[node] or after[node]
        if own[node] and following:
            layer[node] = max(layer[node], min(layer[other] for other in following) - 1)
    for node in order:
        if not after[node] and before[node]:
            layer[node] = max(layer[other] for other in before[node]) + 1
    for node in last:
        layer[node] = max(layer.values())
    return layer


def _ordered(layer: Mapping[Node, int], links: Mapping[Edge, float]) -> list[list[Node]]:
    """Each layer's nodes from bottom to top, with few crossings: by the mean place of their neighbours."""
    layers: list[list[Node]] = [[] for _ in range(max(layer.values()) + 1)]
    for node, number in layer.items():
        layers[number].append(node)
    left: dict[Node, list[tuple[Node, float]]] = defaultdict(list)
    right: dict[Node, list[tuple[Node, float]]] = defaultdict(list)
    for (a, b), weight in links.items():
        right[a].append((b, weight))
        left[b].append((a, weight))
    best, fewest = [list(nodes) for nodes in layers], _crossings(layers, links)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for nodes in layers if forth else reversed(layers):
            place = {node: number for row in layers for number, node in enumerate(row)}
            size = {node: max(1, len(row) - 1) for row in layers for node in row}
            mean = {}
            for node in nodes:
                neighbours = left[node] if forth else right[node]
                total = sum(weight for _, weight in neighbours)
                mean[node] = (
                    sum(place[other] / size[other] * weight for other, weight in neighbours) / total
                    if total
                    else place[node] / size[node]
                )
            nodes.sort(key=mean.__getitem__)
        crossings = _crossings(layers, links)
        if crossings < fewest:
            best, fewest = [list(nodes) for nodes in layers], crossings
    return best


def _crossings(layers: Sequence[Sequence[Node]], links: Mapping[Edge, float]) -> float:
    """How many edges cross between neighbouring layers, heavy ones counted more."""
    place = {node: (number, height) for number, row in enumerate(layers) for height, node in enumerate(row)}
    between: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
    for (a, b), weight in links.items():
        between[place[a][0]].append((place[a][1], place[b][1], weight))
    total = 0.0
    for found in between.values():
        for number, (a, b, weight) in enumerate(found):
            for c, d, other in found[number + 1 :]:
                if (a - c) * (b - d) < 0:
                    total += min(weight, other)
    return total


def _placed(
    layers: Sequence[Sequence[Node]],
    sizes: Mapping[Node, float],
    links: Mapping[Edge, float],
    gaps: Mapping[Node, float],
) -> dict[Node, float]:
    """The middle of each node: near those of its neighbours, in the order of its layer, without overlaps."""
    neighbours: dict[Node, list[tuple[Node, float]]] = defaultdict(list)
    for (a, b), weight in links.items():
        neighbours[a].append((b, weight))
        neighbours[b].append((a, weight))
    y: dict[Node, float] = {}
    for row in layers:
        reached = -sum(sizes[node] + gaps[node] for node in row) / 2
        for node in row:
            y[node] = reached + sizes[node] / 2
            reached += sizes[node] + gaps[node]
    for sweep in range(60):
        strength = 0.98**sweep
        for row in layers if sweep % 2 == 0 else reversed(layers):
            for node in row:
                total = sum(weight for _, weight in neighbours[node])
                if total:
                    wanted = sum(y[other] * weight for other, weight in neighbours[node]) / total
                    y[node] += (wanted - y[node]) * strength
            _spread(row, sizes, y, gaps)
    return y


def _spread(row: Sequence[Node], sizes: Mapping[Node, float], y: dict[Node, float], gaps: Mapping[Node, float]) -> None:
    """Push overlapping nodes apart, around where they want to be: blocks of them share the mean of their wishes."""
    blocks: list[tuple[list[Node], float, float]] = []  # nodes, where the lowest edge should be, size with gaps
    for node in row:
        block = ([node], y[node] - sizes[node] / 2, sizes[node] + gaps[node])
        while blocks and blocks[-1][1] + blocks[-1][2] > block[1]:
            nodes, low, size = blocks.pop()
            mine = len(block[0]) / (len(nodes) + len(block[0]))
            block = (nodes + block[0], low * (1 - mine) + (block[1] - size) * mine, size + block[2])
        blocks.append(block)
    for nodes, low, _ in blocks:
        for node in nodes:
            y[node] = low + sizes[node] / 2
            low += sizes[node] + gaps[node]
