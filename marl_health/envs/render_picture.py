"""The floor plan: rooms with a cell for every bed, those who wait in front of them, staff, clock and decisions."""

from __future__ import annotations

from functools import cache
from math import ceil

from PIL import Image, ImageDraw, ImageFont

from marl_health.envs.render_layout import GAP, MARGIN, PAD, WIDTH, Frame, Plan, Shape, Spot, plan_floor, shape_of
from marl_health.envs.render_scene import OTHER, Resource, Scene

Colour = tuple[int, int, int]

PAPER: Colour = (238, 241, 244)
ROOM: Colour = (255, 255, 255)
WALL: Colour = (120, 130, 142)
INK: Colour = (33, 41, 52)
FAINT: Colour = (112, 122, 134)
FREE: Colour = (250, 251, 252)
EDGE: Colour = (176, 185, 195)
CLEANING: Colour = (190, 222, 238)
CLOSED: Colour = (226, 230, 234)
BUSY: Colour = (62, 76, 96)
ALARM: Colour = (190, 30, 45)
TRIAGE: tuple[Colour, ...] = ((208, 48, 48), (240, 138, 36), (245, 205, 62), (86, 168, 92), (74, 134, 206))
"""The usual colours of five triage classes, the most urgent first."""
OTHERS: tuple[Colour, ...] = ((74, 134, 206), (240, 138, 36), (86, 168, 92), (152, 104, 188), (60, 170, 170))
NONE: Colour = (152, 152, 166)
"""Of those who have no class."""

TOP = 104
STAFF_ROW = 26
MOVE_ROW = 40
LABEL = 13
"""Size of the letters that name things."""
NAMES = 170
"""Most room for a name of staff."""
DOT = 9
MOST_PEOPLE = 16
"""Staff shown one by one; more are shown in proportion."""


class Canvas:
    """A picture in the making. Shapes are drawn at twice the size and reduced, which smooths their edges.

    Args:
        width, height: pixels of the finished picture; all positions are in these.
    """

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (2 * width, 2 * height), PAPER)
        self.pen = ImageDraw.Draw(self.image)
        self.texts: list[tuple[float, float, str, int, Colour, str]] = []

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: Colour,
        edge: Colour | None = None,
        corner: float = 2,
    ) -> None:
        """A rectangle with round corners."""
        where = (2 * x, 2 * y, 2 * (x + width) - 1, 2 * (y + height) - 1)
        self.pen.rounded_rectangle(where, 2 * corner, fill, edge, 2)

    def dot(self, x: float, y: float, size: float, fill: Colour, edge: Colour | None = None) -> None:
        """A disc; ``x`` and ``y`` are its corner."""
        self.pen.ellipse((2 * x, 2 * y, 2 * (x + size) - 1, 2 * (y + size) - 1), fill, edge, 2)

    def person(self, x: float, y: float, busy: bool) -> None:
        """Head and shoulders, 11 by 16 pixels: filled if busy, else an outline."""
        fill = BUSY if busy else ROOM
        self.pen.pieslice((2 * x, 2 * y + 15, 2 * x + 21, 2 * y + 48), 180, 360, fill, BUSY, 2)
        self.pen.ellipse((2 * x + 5, 2 * y, 2 * x + 16, 2 * y + 12), fill, BUSY, 2)

    def text(self, x: float, y: float, text: str, size: int = 12, colour: Colour = INK, anchor: str = "la") -> None:
        """A text, written when the picture is finished, so that it stays sharp."""
        self.texts.append((x, y, text, size, colour, anchor))

    def finish(self) -> Image.Image:
        """The picture."""
        image = self.image.reduce(2)
        pen = ImageDraw.Draw(image)
        for x, y, text, size, colour, anchor in self.texts:
            pen.text((x, y), text, colour, font(size), anchor)
        return image


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own typeface."""
    return ImageFont.load_default(size)


def wide(text: str, size: int = 12) -> float:
    """Width of a text in pixels."""
    return font(size).getlength(text)


def cut(text: str, width: float, size: int = 12) -> str:
    """The text, cut to fit a width."""
    if wide(text, size) <= width:
        return text
    while text and wide(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


@cache
def floor(shapes: tuple[Shape, ...]) -> Plan:
    """The floor of a scenario."""
    return plan_floor(shapes, lambda text: wide(text, LABEL))


def colours_of(scene: Scene) -> list[Colour]:
    """A colour for each class: triage colours for numbered classes, others for names."""
    named = [name for name in scene.classes if name != OTHER]
    scale = TRIAGE if all(name.lstrip("-").isdigit() for name in named) and len(named) <= len(TRIAGE) else OTHERS
    return [NONE if name == OTHER else scale[number % len(scale)] for number, name in enumerate(scene.classes)]


def scene_as_picture(scene: Scene) -> Image.Image:
    """Draw a scene."""
    plan = floor(tuple(shape_of(room) for room in scene.rooms))
    below = max(30 + STAFF_ROW * len(scene.staff), 30 + MOVE_ROW * len(scene.moves))
    canvas = Canvas(WIDTH, TOP + plan.height + below + MARGIN)
    colours = colours_of(scene)
    _heading(canvas, scene)
    _legend(canvas, scene, colours)
    places = iter([place for room in scene.rooms for place in room.places])
    for frame in plan.frames:
        _room(canvas, frame, [next(places) for _ in frame.spots], plan.cell, colours)
    middle = 580 if scene.moves else WIDTH - MARGIN
    _staff(canvas, scene.staff, TOP + plan.height, middle - MARGIN, below, colours)
    if scene.moves:
        _decisions(canvas, scene, middle + GAP, TOP + plan.height, below)
    return canvas.finish()


def _heading(canvas: Canvas, scene: Scene) -> None:
    canvas.text(MARGIN, 12, cut(scene.title, 620, 26), 26)
    canvas.text(WIDTH - MARGIN, 12, scene.clock, 26, INK, "ra")
    canvas.text(WIDTH - MARGIN, 44, f"{scene.day},  {scene.inside} inside", 13, FAINT, "ra")
    canvas.box(MARGIN, 64, WIDTH - 2 * MARGIN, 5, CLOSED)
    if scene.share > 0:
        canvas.box(MARGIN, 64, max(5.0, (WIDTH - 2 * MARGIN) * scene.share), 5, BUSY)


def _legend(canvas: Canvas, scene: Scene, colours: list[Colour]) -> None:
    shown = [
        (name, colours[number]) for number, name in enumerate(scene.classes) if name != OTHER or scene.present[number]
    ]
    x, y = float(MARGIN), 80.0
    canvas.text(x, y, scene.attribute, 12, FAINT)
    x += wide(scene.attribute) + 8
    for name, colour in shown:
        name = cut(name, 90)
        if x + wide(name) > 420:
            break
        canvas.box(x, y + 1, 12, 12, colour)
        canvas.text(x + 16, y, name)
        x += wide(name) + 28
    x += 16
    for kind, name in (
        ("free", "free"),
        ("cleaning", "being cleaned"),
        ("closed", "closed now"),
        ("boards", "ready, waits for the next place"),
    ):
        _cell(canvas, x, y + 1, 12, kind, colours[len(colours) // 2])
        canvas.text(x + 16, y, name, 12, FAINT)
        x += wide(name) + 30
    canvas.dot(x, y + 2, DOT, colours[len(colours) // 2])
    canvas.text(x + 14, y, "waits to get in", 12, FAINT)


def _cell(canvas: Canvas, x: float, y: float, size: float, kind: str, colour: Colour) -> None:
    if kind == "free":
        canvas.box(x, y, size, size, FREE, EDGE)
    elif kind == "closed":
        canvas.box(x, y, size, size, CLOSED)
    elif kind == "cleaning":
        canvas.box(x, y, size, size, CLEANING)
        canvas.pen.line((2 * x + 5, 2 * (y + size) - 6, 2 * (x + size) - 6, 2 * y + 5), ROOM, 4)
    else:
        canvas.box(x, y, size, size, colour)
        if kind == "boards":
            half = max(4.0, size / 2.6)
            canvas.dot(x + (size - half) / 2, y + (size - half) / 2, half, ROOM)


def _cells(place: Resource) -> list[tuple[str, int]]:
    """(state, class) of each cell: the taken ones by class, then those being cleaned, the free and the closed ones."""
    cells: list[tuple[str, int]] = []
    for number, (count, boarding) in enumerate(zip(place.by_class, place.boarding, strict=True)):
        cells += [("boards", number)] * boarding + [("taken", number)] * (count - boarding)
    cells += [("taken", len(place.by_class) - 1)] * (place.taken - len(cells))
    cells += [("cleaning", 0)] * place.cleaning
    if not place.unlimited:
        cells += [("free", 0)] * (place.capacity - len(cells))
        cells += [("closed", 0)] * (place.most - len(cells))
    return cells


def _room(canvas: Canvas, frame: Frame, places: list[Resource], cell: int, colours: list[Colour]) -> None:
    y = TOP + frame.y
    canvas.box(frame.x, y, frame.width, frame.height, ROOM, WALL, 4)
    if frame.title:
        canvas.text(frame.x + PAD, y + 6, cut(frame.title, frame.width - 2 * PAD, 11), 11, FAINT)
    for place, spot in zip(places, frame.spots, strict=True):
        _place(canvas, place, spot, cell, colours)
        _queue(canvas, place.waiting, spot.x, y + frame.height, spot.width, colours)


def _place(canvas: Canvas, place: Resource, spot: Spot, cell: int, colours: list[Colour]) -> None:
    y = TOP + spot.y
    canvas.text(spot.x, y - 18, place.title, LABEL)
    over = not place.unlimited and place.taken + place.cleaning > place.capacity
    numbers = f"{place.taken} inside" if place.unlimited else f"{place.taken} of {place.capacity}"
    canvas.text(spot.x + spot.width, y - 18, numbers, 12, ALARM if over else FAINT, "ra")
    cells = _cells(place)
    most = spot.columns * spot.rows
    if len(cells) > most:
        cells = [cells[number * len(cells) // most] for number in range(most)]
    for number, (kind, cls) in enumerate(cells):
        row, column = divmod(number, spot.columns)
        _cell(canvas, spot.x + column * cell, y + row * cell, cell - 3, kind, colours[cls])


def _queue(canvas: Canvas, waiting: list[int], x: float, y: float, width: float, colours: list[Colour]) -> None:
    """Those who wait, in the strip below a room, with a door above them."""
    total = sum(waiting)
    if not total:
        return
    canvas.box(x, y - 2, 22, 3, PAPER, None, 0)
    canvas.text(x, y + 4, f"{total} waiting", 12, FAINT)
    _dots(canvas, waiting, x, y + 20, int(width // (DOT + 1)), 2, colours)


def _dots(
    canvas: Canvas, waiting: list[int], x: float, y: float, columns: int, rows: int, colours: list[Colour]
) -> None:
    """Dots by class; where they are too many, the same in proportion."""
    dots = [colours[cls] for cls, count in enumerate(waiting) for _ in range(count)]
    most = max(1, columns * rows)
    if len(dots) > most:
        dots = [dots[number * len(dots) // most] for number in range(most)]
    for number, colour in enumerate(dots):
        row, column = divmod(number, columns)
        canvas.dot(x + column * (DOT + 1), y + row * (DOT + 1), DOT, colour)


def _staff(canvas: Canvas, staff: list[Resource], y: float, width: float, height: float, colours: list[Colour]) -> None:
    canvas.text(MARGIN, y + 4, "Staff on duty: busy ones are filled", 12, FAINT)
    names = MARGIN + max([min(NAMES, wide(group.title, LABEL)) for group in staff], default=0.0) + 14
    people = names + 62
    waiters = people + 12 * max([min(MOST_PEOPLE, max(group.most, group.taken)) for group in staff], default=0) + 16
    y += 26
    for group in staff:
        over = group.taken > group.capacity
        canvas.text(MARGIN, y + 2, cut(group.title, NAMES, LABEL), LABEL)
        canvas.text(names, y + 2, f"{group.taken} of {group.capacity}", 12, ALARM if over else FAINT)
        there = max(group.capacity, group.taken)
        step = max(1, ceil(there / MOST_PEOPLE))
        for place, number in enumerate(range(0, there, step)):
            canvas.person(people + 12 * place, y, number < group.taken)
        waiting = group.waiting
        if sum(waiting):
            canvas.text(waiters, y + 2, f"{sum(waiting)} waiting", 12, FAINT)
            x = waiters + 70
            columns = max(1, int((MARGIN + width - x) // (DOT + 1)))
            _dots(canvas, waiting, x, y - 1 if sum(waiting) > columns else y + 4, columns, 2, colours)
        y += STAFF_ROW


def _decisions(canvas: Canvas, scene: Scene, x: float, y: float, height: float) -> None:
    width = WIDTH - MARGIN - x
    canvas.text(x, y + 4, "Last decision of each agent", 12, FAINT)
    y += 26
    for agent, move, when in scene.moves:
        canvas.text(x, y, cut(agent, width, LABEL), LABEL)
        told = f"{move}, {when}" if move else "waits"
        canvas.text(x, y + 17, cut(told, width), 12, BUSY if move else FAINT)
        y += MOVE_ROW
