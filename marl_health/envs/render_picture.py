"""The floor plan: rooms with a cell for every bed, those who wait in front of them, staff, clock and decisions."""

from __future__ import annotations

from functools import cache, lru_cache

from PIL import Image

from marl_health.envs.render_canvas import (
    BUSY,
    CLOSED,
    FAINT,
    INK,
    NEWS,
    NONE,
    OTHERS,
    PAPER,
    ROOM,
    TAGS,
    TRIAGE,
    WALL,
    Canvas,
    Colour,
    cell,
    cut,
    palette,
    person,
    staff,
    wide,
)
from marl_health.envs.render_layout import (
    FIGURE,
    GAP,
    LINE,
    MARGIN,
    PAD,
    PAGE,
    ROWS,
    WIDTH,
    Frame,
    Plan,
    Shape,
    Spot,
    plan_floor,
    shape_of,
)
from marl_health.envs.render_scene import OTHER, Resource, Scene

TOP = 134
"""Where the rooms begin, below heading and legend."""
TITLE, NAME, NOTE = 28, 15, 13
"""Sizes of letters."""
STAFF_ROW = 28
MOVE_ROW = 44
STEP = FIGURE + 1
"""From one who waits to the next."""
COUNTED = 3
"""Room of how many figures the number of the others takes."""
NAMES = 130
"""Most room for a name of staff."""
DISC = 15
MOST_STAFF = 6
"""Staff shown one by one; of more, the rest is counted."""
WAITING = 424
"""Where those begin who wait for staff."""
MIDDLE = 576
"""Where the decisions begin, right of the staff."""


@lru_cache(maxsize=32)
def floor(shapes: tuple[Shape, ...]) -> Plan:
    """The floor of a scenario."""
    return plan_floor(shapes, lambda text: wide(text, NAME))


@cache
def colours_of(classes: tuple[str, ...]) -> tuple[Colour, ...]:
    """A colour for each class: triage colours for numbered classes, its own for one called red, others for names."""
    named = [name for name in classes if name != OTHER]
    if named and all(name.lower() in TAGS for name in named):
        return tuple(TAGS.get(name.lower(), NONE) for name in classes)
    scale = TRIAGE if all(name.lstrip("-").isdigit() for name in named) and len(named) <= len(TRIAGE) else OTHERS
    return tuple(NONE if name == OTHER else scale[number % len(scale)] for number, name in enumerate(classes))


def palette_of(scene: Scene) -> list[Colour]:
    """The colours of every picture of this scenario, at most 255."""
    return palette(colours_of(tuple(scene.classes)))


def scene_as_picture(scene: Scene) -> Image.Image:
    """Draw a scene: a floor plan, or a map if it has sites."""
    if scene.region is not None:
        from marl_health.envs.render_map import map_as_picture

        return map_as_picture(scene, scene.region)
    shapes = tuple(shape_of(room) for room in scene.rooms)
    plan = floor(shapes)
    names = tuple(group.title for group in scene.staff)
    agents = tuple(told.agent for told in scene.moves)
    classes = tuple(scene.classes)
    canvas = Canvas(_backdrop(scene.title, scene.attribute, classes, scene.midnights, shapes, names, agents).copy())
    colours = colours_of(classes)
    _heading(canvas, scene, colours)
    places = iter([place for room in scene.rooms for place in room.places])
    for frame in plan.frames:
        for spot in frame.spots:
            place = next(places)
            _place(canvas, place, spot, plan.cell, colours)
            _queue(canvas, place, spot.x, TOP + frame.y + frame.height + 3, spot.width, colours)
    below = TOP + plan.height
    for number, group in enumerate(scene.staff):
        _group(canvas, group, names, below + 28 + number * STAFF_ROW, colours, MIDDLE if agents else WIDTH)
    for number in range(len(agents)):
        _decision(canvas, scene, number, _decisions_at(names), below + 28 + number * MOVE_ROW)
    return canvas.image


# ------------------------------------------------------------ what never changes
@lru_cache(maxsize=8)
def _backdrop(
    title: str,
    attribute: str,
    classes: tuple[str, ...],
    midnights: tuple[float, ...],
    shapes: tuple[Shape, ...],
    names: tuple[str, ...],
    agents: tuple[str, ...],
) -> Image.Image:
    """The part of a picture that is the same in every frame of a scenario."""
    plan = floor(shapes)
    panels = max(STAFF_ROW * len(names), MOVE_ROW * len(agents))
    canvas = Canvas(Image.new("RGB", (WIDTH, TOP + plan.height + (28 + panels if panels else 0) + MARGIN), PAPER))
    canvas.text(MARGIN, 10, cut(title, 600, TITLE), TITLE)
    canvas.bar(MARGIN, 72, PAGE, 5, CLOSED)
    _classes(canvas, attribute, classes)
    _legend(canvas, colours_of(classes), any(area.place for _, areas in shapes for area in areas), bool(names))
    for share in midnights:
        canvas.bar(MARGIN + round(PAGE * share), 69, 1, 11, WALL)
    for frame in plan.frames:
        _walls(canvas, frame)
    below = TOP + plan.height
    if names:
        canvas.text(MARGIN, below + 4, "Staff on duty, with the colour of the patient they are busy with", NOTE, FAINT)
    if agents:
        canvas.text(_decisions_at(names), below + 4, "Who decides, and what they did last", NOTE, FAINT)
    for number, name in enumerate(names):
        canvas.text(MARGIN, below + 29 + number * STAFF_ROW, cut(name, NAMES, NAME), NAME)
    return canvas.image


def _decisions_at(names: tuple[str, ...]) -> int:
    return MIDDLE + GAP if names else MARGIN


def _classes(canvas: Canvas, attribute: str, classes: tuple[str, ...]) -> None:
    x, y = float(MARGIN), 46
    shown = [(name, colour) for name, colour in zip(classes, colours_of(classes), strict=True) if name != OTHER]
    urgency = attribute.lower() in ("acuity", "triage", "urgency") and len(shown) > 1
    label = "Colour:" if attribute.lower() == "colour" else f"Colour = {attribute.lower()}:"
    canvas.text(x, y, label, NAME, FAINT)
    x += wide(label, NAME) + 8
    for number, (name, colour) in enumerate(shown):
        if urgency and number in (0, len(shown) - 1):
            name += " (least urgent)" if number else " (most urgent)"
        name = cut(name, 130, NAME)
        if x + wide(name, NAME) > WIDTH - 320:
            canvas.text(x, y, "…", NAME, FAINT)
            break
        canvas.stamp(cell("taken", colour, 14), x, y + 2)
        canvas.text(x + 18, y, name, NAME)
        x += wide(name, NAME) + 32


def _legend(canvas: Canvas, colours: tuple[Colour, ...], places: bool, workers: bool) -> None:
    colour = colours[len(colours) // 2]
    y = 86
    units = [
        (cell("taken", colour, 15), "bed or room in use"),
        (cell("boards", colour, 15), "in use by one who only waits to move on"),
        (cell("free", colour, 15), "free"),
        (cell("cleaning", colour, 15), "being cleaned"),
        (cell("closed", colour, 15), "closed"),
    ]
    people = [(person(colour, False, FIGURE), "waits here")]
    if places:
        people.append((person(colour, True, FIGURE), "waits for this, while in another room"))
    if workers or not places:
        people += [(staff("taken", colour, DISC), "staff, busy"), (staff("free", colour, DISC), "staff, free")]
    for row in [units, people] if places else [people]:
        x = float(MARGIN)
        for figure, name in row:
            canvas.stamp(figure, x, y)
            canvas.text(x + 20, y + 1, name, NOTE, FAINT)
            x += wide(name, NOTE) + 40
        y += 22


def _walls(canvas: Canvas, frame: Frame) -> None:
    canvas.box(frame.x, TOP + frame.y, frame.width, frame.height, ROOM, WALL)
    if frame.title:
        title = cut(frame.title.upper(), frame.width - 2 * PAD, 12)
        canvas.text(frame.x + PAD, TOP + frame.y + 7, title, 12, FAINT)


# ------------------------------------------------------------ what does
def _heading(canvas: Canvas, scene: Scene, colours: tuple[Colour, ...]) -> None:
    canvas.text(WIDTH - MARGIN, 8, scene.clock, TITLE + 2, INK, "ra")
    canvas.text(WIDTH - MARGIN, 47, f"{scene.day}, {scene.inside} people inside", NAME, FAINT, "ra")
    if scene.share > 0:
        canvas.bar(MARGIN, 72, max(5, round(PAGE * scene.share)), 5, BUSY)
    if OTHER in scene.classes and scene.present[scene.classes.index(OTHER)]:
        canvas.stamp(cell("taken", NONE, 15), WIDTH - MARGIN - 80, 86)
        canvas.text(WIDTH - MARGIN - 60, 87, "no class", NOTE, FAINT)


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


def _place(canvas: Canvas, place: Resource, spot: Spot, size: int, colours: tuple[Colour, ...]) -> None:
    y = TOP + spot.y
    if place.full:
        label = f"FULL {place.numbers}"
        canvas.pill(spot.x + spot.width, y - 22, label, NOTE)
    else:
        label = place.numbers
        canvas.text(spot.x + spot.width, y - 22, label, NOTE, FAINT, "ra")
    canvas.text(spot.x, y - 23, cut(place.title, spot.width - wide(label, NOTE) - 12, NAME), NAME)
    if place.unlimited:
        people = [(cls, False) for cls, count in enumerate(place.by_class) for _ in range(count)]
        rows = max(1, spot.rows * size // LINE)
        _people(canvas, people, spot.x, y, spot.width // STEP, rows, colours)
        return
    figure = cell if place.place else staff
    cells = _cells(place)
    most = spot.columns * spot.rows
    if len(cells) > most:  # in proportion
        cells = [cells[number * len(cells) // most] for number in range(most)]
    for number, (kind, cls) in enumerate(cells):
        row, column = divmod(number, spot.columns)
        canvas.stamp(figure(kind, colours[cls], size - 3), spot.x + column * size, y + row * size)


def _queue(canvas: Canvas, place: Resource, x: float, y: float, width: int, colours: tuple[Colour, ...]) -> None:
    """Those who wait, in the strip below a room."""
    if place.unlimited or not place.queues:
        return
    total = sum(place.waiting)
    canvas.text(x, y, f"{total} waiting" if total else "nobody waits", NAME, INK if total else WALL)
    if total:
        columns = width // STEP
        _people(canvas, _waiters(place), x, y + 21, columns, ROWS, colours)


def _waiters(place: Resource) -> list[tuple[int, bool]]:
    """(class, whether elsewhere) of those who wait, the first classes first."""
    return [
        (cls, number >= count - elsewhere)
        for cls, (count, elsewhere) in enumerate(zip(place.waiting, place.elsewhere, strict=True))
        for number in range(count)
    ]


def _people(
    canvas: Canvas,
    people: list[tuple[int, bool]],
    x: float,
    y: float,
    columns: int,
    rows: int,
    colours: tuple[Colour, ...],
) -> None:
    """People by (class, whether elsewhere) in rows; where they are too many, the last ones are counted."""
    most = columns * rows
    rest = 0
    if len(people) > most:
        kept = max(0, most - COUNTED)
        rest, people = len(people) - kept, people[:kept]
    for number, (cls, elsewhere) in enumerate(people):
        row, column = divmod(number, columns)
        canvas.stamp(person(colours[cls], elsewhere, FIGURE), x + column * STEP, y + row * LINE)
    if rest:
        row, column = divmod(len(people), columns)
        canvas.text(x + column * STEP + 2, y + row * LINE + 1, f"+{rest}", NOTE)


def _group(
    canvas: Canvas, group: Resource, names: tuple[str, ...], y: float, colours: tuple[Colour, ...], end: int
) -> None:
    """One kind of staff in a row: its numbers, who is on duty, and who waits for them."""
    x = MARGIN + min(NAMES, max(wide(name, NAME) for name in names)) + 84
    if group.full:
        canvas.pill(x - 8, y + 3, group.numbers if group.capacity else "none", NOTE)
    else:
        canvas.text(x - 13, y + 3, group.numbers, NOTE, FAINT, "ra")
    on_duty = [(kind, cls) for kind, cls in _cells(group) if kind != "closed"]
    for number, (kind, cls) in enumerate(on_duty[:MOST_STAFF]):
        canvas.stamp(staff(kind, colours[cls], DISC), x + number * (DISC + 2), y + 2)
    if len(on_duty) > MOST_STAFF:
        canvas.text(x + MOST_STAFF * (DISC + 2) + 2, y + 2, f"+{len(on_duty) - MOST_STAFF}", NOTE, FAINT)
    total = sum(group.waiting)
    if total:
        x = WAITING
        canvas.text(x - 8, y + 2, f"{total} waiting", NOTE, INK, "ra")
        columns = int(end - MARGIN - x) // STEP
        _people(canvas, _waiters(group), x, y, columns, 1, colours)


def _decision(canvas: Canvas, scene: Scene, number: int, x: float, y: float, end: float = WIDTH - MARGIN) -> None:
    """What an agent did last, between two edges."""
    told = scene.moves[number]
    width = end - x
    if told.fresh:
        canvas.box(x - 6, y - 3, width + 6, MOVE_ROW - 3, NEWS)
    canvas.text(x, y, told.agent, NAME)
    if told.when:
        canvas.text(end - 4, y + 1, told.when, NOTE, FAINT, "ra")
    canvas.text(x, y + 20, cut(told.move or "only waited so far", width, NAME), NAME, INK if told.fresh else FAINT)
