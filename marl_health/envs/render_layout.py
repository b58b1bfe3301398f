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
PAD = 12
HEAD = 46
"""Height of the two lines of text at the top of a room."""
FIGURE = 13
"""Width of one who waits; the height is four thirds of it."""
LINE = 18
"""Height of a row of those who wait."""
ROWS = 2
"""Rows of those who wait in front of a place."""
QUEUE = 22 + ROWS * LINE + 8
"""Height of the strip in front of rooms in which those stand who wait for them."""
SIZES = (26, 24, 22, 20, 18, 16, 14, 12, 10, 8)
"""Sides of a cell, the best first."""
MOST_CELLS = 600
"""A place with more units shows that many cells, in proportion."""
CROWD = 24
"""Cells of a place without limit."""
HIGHEST = 600
"""Height of all rooms that the cells are fitted to."""
SLACK = 1.5
"""Where there are too many rooms for that: how much higher than with the smallest cells the page may be."""


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


@dataclass(frozen=True)
class Area:
    """A place as the layout sees it.

    Attributes:
        title: its name and numbers at their longest. cells: how many. queued: whether somebody may queue for it.
        place: false where it is staff that stands for a place.
    """

    title: str
    cells: int
    queued: bool
    place: bool = True


Shape = tuple[str, tuple[Area, ...]]
"""A room as the layout sees it: its title, and its places."""


@dataclass
class _Piece:
    """Places that stand in one frame, while it is sought where: the least and then the final width of each."""

    title: str
    areas: list[Area]
    widths: list[int]

    @property
    def width(self) -> int:
        return sum(self.widths) + PAD * (len(self.widths) + 1)

    def widen(self, spare: int) -> None:
        """Share spare width out, most to the wide ones."""
        whole = sum(self.widths)
        given = [width * spare // whole for width in self.widths]
        given[-1] += spare - sum(given)
        self.widths = [width + more for width, more in zip(self.widths, given, strict=True)]

    def grids(self, cell: int) -> list[tuple[int, int]]:
        """(columns, rows) of each place, as wide as there is room for."""
        columns = [min(area.cells, width // cell) for area, width in zip(self.areas, self.widths, strict=True)]
        return [(wide, ceil(area.cells / wide)) for area, wide in zip(self.areas, columns, strict=True)]


def shape_of(room: Room) -> Shape:
    """The part of a room that its layout depends on."""
    return room.title, tuple(
        Area(
            place.title + ("  00" if place.unlimited else f"  FULL {place.most}/{place.most}"),
            cells_of(place.most, place.unlimited),
            bool(place.queues) and not place.unlimited,
            place.place,
        )
        for place in room.places
    )


def cells_of(most: int, unlimited: bool) -> int:
    """How many cells a place gets."""
    return CROWD if unlimited else max(1, min(most, MOST_CELLS))


def plan_floor(shapes: tuple[Shape, ...], measure: Callable[[str], float]) -> Plan:
    """Find the largest cells with which all rooms fit, and the most compact arrangement with them.

    Args:
        shapes: of the rooms, in order.
        measure: width of a text in pixels.
    """
    least = _compact(shapes, measure, SIZES[-1])
    for cell in SIZES[:-1]:
        plan = _compact(shapes, measure, cell)
        if plan.height <= max(HIGHEST, SLACK * least.height):
            return plan
    return least


def _compact(shapes: tuple[Shape, ...], measure: Callable[[str], float], cell: int) -> Plan:
    """The lowest arrangement with cells of a size."""
    return min((_shelve(shapes, measure, cell, rows) for rows in range(1, 13)), key=lambda plan: plan.height)


def _shelve(shapes: tuple[Shape, ...], measure: Callable[[str], float], cell: int, rows: int) -> Plan:
    """Put the rooms on shelves from left to right, each place at most ``rows`` cells deep if that fits."""
    shelves: list[list[_Piece]] = []
    used = WIDTH
    for piece in [piece for shape in shapes for piece in _pieces(shape, measure, cell, rows)]:
        if used + GAP + piece.width > PAGE:
            shelves.append([])
            used = -GAP
        shelves[-1].append(piece)
        used += GAP + piece.width
    frames: list[Frame] = []
    y = 0
    for shelf in shelves:
        spare = PAGE - sum(piece.width for piece in shelf) - GAP * (len(shelf) - 1)
        whole = sum(piece.width for piece in shelf)
        given = [spare * piece.width // whole for piece in shelf]
        given[-1] += spare - sum(given)
        for piece, more in zip(shelf, given, strict=True):
            piece.widen(more)
        deepest = max(deep for piece in shelf for _, deep in piece.grids(cell))
        height = HEAD + deepest * cell + PAD
        x = MARGIN
        for piece in shelf:
            frames.append(Frame(piece.title, x, y, piece.width, height, _spots(piece, x, y, cell)))
            x += piece.width + GAP
        y += height + (QUEUE if any(area.queued for piece in shelf for area in piece.areas) else GAP)
    return Plan(tuple(frames), cell, y)


def _pieces(shape: Shape, measure: Callable[[str], float], cell: int, rows: int) -> list[_Piece]:
    """Cut a room's places into pieces that are no wider than the page."""
    title, areas = shape
    pieces: list[_Piece] = []
    room = PAGE - 2 * PAD
    for area in areas:
        columns = min(ceil(area.cells / rows), room // cell)
        width = min(room, max(columns * cell, ceil(measure(area.title)) + 24))
        if not pieces or pieces[-1].width + PAD + width > PAGE:
            pieces.append(_Piece(title, [], []))
        pieces[-1].areas.append(area)
        pieces[-1].widths.append(width)
    for piece in pieces:
        piece.widen(max(0, min(PAGE, ceil(measure(title)) + 2 * PAD) - piece.width))
    return pieces


def _spots(piece: _Piece, x: int, y: int, cell: int) -> tuple[Spot, ...]:
    spots = []
    left = x + PAD
    for width, (columns, rows) in zip(piece.widths, piece.grids(cell), strict=True):
        spots.append(Spot(left, y + HEAD, width, columns, rows))
        left += width + PAD
    return tuple(spots)
