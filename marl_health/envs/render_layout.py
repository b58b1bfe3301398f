"""Where things stand on the floor plan: rooms side by side on shelves, each place with room for its cells.

All sizes are pixels. The layout depends on the scenario only, not on what happens, so all frames have one shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from marl_health.envs.render_scene import Room

WIDTH = 1000
MARGIN = 16
PAGE = WIDTH - 2 * MARGIN
GAP = 14
PAD = 10
HEAD = 40
"""Height of the two lines of text at the top of a room."""
QUEUE = 42
"""Height of the strip in front of a room in which those stand who wait for it."""
MOST_CELLS = 600
"""A place with more units shows that many cells, in proportion."""
CROWD = 24
"""Cells of a place without limit."""
HIGHEST = 520
"""Height of all rooms that the cells are fitted to."""


@dataclass(frozen=True)
class Spot:
    """A place on the plan: its corner, the width it may use, and its grid of cells."""

    x: int
    y: int
    width: int
    columns: int
    rows: int


@dataclass(frozen=True)
class Frame:
    """A room on the plan, with the spots of its places. A room too wide for the page becomes several frames."""

    title: str
    x: int
    y: int
    width: int
    height: int
    spots: tuple[Spot, ...]


@dataclass(frozen=True)
class Plan:
    """The whole floor: frames and their spots in the order of the places, the side of a cell, the height of it all."""

    frames: tuple[Frame, ...]
    cell: int
    height: int


Shape = tuple[str, tuple[tuple[str, int], ...]]
"""A room as the layout sees it: its title, and the (title, cells) of each of its places."""


Block = tuple[int, int, int]
"""A place on a shelf: its width in pixels, its columns and rows of cells."""


def shape_of(room: Room) -> Shape:
    """The part of a room that its layout depends on."""
    return room.title, tuple((place.title, cells_of(place.most, place.unlimited)) for place in room.places)


def cells_of(most: int, unlimited: bool) -> int:
    """How many cells a place gets."""
    return CROWD if unlimited else max(1, min(most, MOST_CELLS))


def plan_floor(shapes: tuple[Shape, ...], measure: Callable[[str], float]) -> Plan:
    """Find the largest cells with which all rooms fit, and the most compact arrangement with them.

    Args:
        shapes: of the rooms, in order.
        measure: width of a text in pixels.
    """
    best: Plan | None = None
    for cell in (22, 20, 18, 16, 14, 12, 10, 8):
        plans = [_shelve(shapes, measure, cell, rows) for rows in range(3, 13)]
        best = min(plans, key=lambda plan: plan.height)
        if best.height <= HIGHEST:
            break
    assert best is not None
    return best


def _shelve(shapes: tuple[Shape, ...], measure: Callable[[str], float], cell: int, rows: int) -> Plan:
    """Put the rooms on shelves from left to right, each place ``rows`` cells deep if that fits."""
    pieces = [
        (title, piece)
        for title, places in shapes
        for piece in _pieces([_block(name, cells, measure, cell, rows) for name, cells in places])
    ]
    widths = [max(_width(blocks), ceil(measure(title)) + 2 * PAD) for title, blocks in pieces]
    shelves: list[list[int]] = []
    used = WIDTH
    for number, width in enumerate(widths):
        if used + GAP + width > PAGE:
            shelves.append([])
            used = -GAP
        shelves[-1].append(number)
        used += GAP + width
    frames: list[Frame] = []
    y = 0
    for shelf in shelves:
        height = HEAD + max(depth for number in shelf for _, _, depth in pieces[number][1]) * cell + PAD
        spare = (PAGE - sum(widths[number] for number in shelf) - GAP * (len(shelf) - 1)) // len(shelf)
        x = MARGIN
        for number in shelf:
            title, blocks = pieces[number]
            width = widths[number] + spare
            frames.append(Frame(title, x, y, width, height, _spots(blocks, x, y, width)))
            x += width + GAP
        y += height + QUEUE
    return Plan(tuple(frames), cell, y)


def _width(blocks: list[Block]) -> int:
    return sum(width for width, _, _ in blocks) + PAD * (len(blocks) + 1)


def _pieces(blocks: list[Block]) -> list[list[Block]]:
    """Cut a room's places into pieces that are no wider than the page."""
    pieces: list[list[Block]] = [[]]
    for block in blocks:
        if pieces[-1] and _width([*pieces[-1], block]) > PAGE:
            pieces.append([])
        pieces[-1].append(block)
    return pieces


def _block(title: str, cells: int, measure: Callable[[str], float], cell: int, rows: int) -> Block:
    """(width, columns, rows) of a place's cells; wide enough for its title and its numbers."""
    room = PAGE - 2 * PAD
    columns = min(ceil(cells / rows), room // cell)
    least = ceil(measure(f"{title}    {cells} of {cells}")) + 4
    return min(room, max(columns * cell, least)), columns, ceil(cells / columns)


def _spots(blocks: list[Block], x: int, y: int, width: int) -> tuple[Spot, ...]:
    spare = (width - _width(blocks)) // len(blocks)
    spots = []
    left = x + PAD
    for wide, columns, rows in blocks:
        spots.append(Spot(left, y + HEAD, wide + spare, columns, rows))
        left += wide + spare + PAD
    return tuple(spots)
