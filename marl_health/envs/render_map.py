"""The map: sites and the roads between them, who is hurt where, vehicles on their way, how full each site is."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, pairwise
from math import cos, hypot, pi, sin, sqrt

from PIL import Image

from marl_health.envs.render_canvas import (
    BUSY,
    CLEANING,
    CLOSED,
    EDGE,
    FAINT,
    FREE,
    HIGH,
    INK,
    LONG,
    NONE,
    PAPER,
    ROOM,
    WALL,
    Canvas,
    Colour,
    cut,
    dot,
    person,
    van,
    wide,
)
from marl_health.envs.render_cards import (
    BAR_END,
    BAR_START,
    CARD,
    ROW,
    VEHICLES,
    Card,
    Row,
    cards_of,
    columns_of,
    rest_of,
)
from marl_health.envs.render_layout import FIGURE, GAP, MARGIN, PAD, PAGE, WIDTH
from marl_health.envs.render_picture import (
    MOVE_ROW,
    NAME,
    NOTE,
    STEP,
    TITLE,
    TOP,
    _classes,
    _decision,
    _heading,
    colours_of,
)
from marl_health.envs.render_region import Layout, Point, Region, Vehicle, ways
from marl_health.envs.render_scene import Resource, Scene
from marl_health.envs.render_words import words

LEAST = 480
"""Height of the map, at least."""
EDGES = 62
"""From the map's edges to the outermost sites."""
MARK = 20
DOT = 8
SPREAD, WIDEST = 6.0, 62.0
"""Of the people around a site: how far apart, and how far out at most."""
MOST_DOTS = 300
TURN = pi * (3 - sqrt(5))
"""The golden angle: points in a spiral with it between them are evenly spread."""


def map_as_picture(scene: Scene, region: Region) -> Image.Image:
    """Draw a scene that has sites."""
    cards = cards_of(scene, region)
    rest = rest_of(scene, cards)
    spots, height = columns_of(cards, LEAST)
    agents = tuple(told.agent for told in scene.moves)
    classes = tuple(scene.classes)
    colours = colours_of(classes)
    base = _backdrop(
        scene.title, scene.attribute, classes, scene.midnights, region.layout, tuple(cards), len(rest), agents,
        region.fleets,
    )  # fmt: skip
    canvas = Canvas(base.copy())
    _heading(canvas, scene, colours)
    points = _projected(region.layout, height)
    _people(canvas, cards, region, points, colours)
    _traffic(canvas, region, points, colours)
    for card in cards:
        x, y = points[card.site]
        _mark(canvas, card, x, y)
    for box, name in _labels(cards, region, points):
        canvas.bar(box[0] - 2, box[1], box[2] - box[0] + 4, box[3] - box[1], ROOM)
        canvas.text(box[0], box[1], name, NOTE)
    for card, (x, y) in zip(cards, spots, strict=True):
        _card(canvas, card, region, x, TOP + y, colours)
    below = TOP + height + GAP
    for number, resource in enumerate(rest):
        _bar(canvas, Row(resource.title, resource), MARGIN, below + 26 + number * ROW, colours)
    for number in range(len(agents)):
        column, row = divmod(number, _rows(agents, bool(rest)))
        x = _moves_at(bool(rest)) + column * (PAGE // 2 + GAP // 2)
        _decision(
            canvas, scene, number, x, below + 28 + row * MOVE_ROW, WIDTH - MARGIN if rest else x + PAGE // 2 - GAP
        )
    return canvas.image


def _moves_at(rest: bool) -> int:
    return MARGIN + CARD + 2 * GAP if rest else MARGIN + 6


def _rows(agents: tuple[str, ...], rest: bool) -> int:
    """Rows of moves: two columns of them, or one beside what belongs to no site."""
    return max(1, len(agents) if rest else -(-len(agents) // 2))


# ------------------------------------------------------------ what never changes
@lru_cache(maxsize=8)
def _backdrop(
    title: str,
    attribute: str,
    classes: tuple[str, ...],
    midnights: tuple[float, ...],
    layout: Layout,
    cards: tuple[Card, ...],
    rest: int,
    agents: tuple[str, ...],
    fleets: tuple[tuple[str, bool], ...],
) -> Image.Image:
    """The part of a picture that is the same in every frame of a scenario."""
    spots, height = columns_of(cards, LEAST)
    panels = max(ROW * rest, MOVE_ROW * _rows(agents, bool(rest)) if agents else 0)
    canvas = Canvas(Image.new("RGB", (WIDTH, TOP + height + GAP + (28 + panels if panels else 0) + MARGIN), PAPER))
    canvas.text(MARGIN, 10, cut(title, 600, TITLE), TITLE)
    canvas.bar(MARGIN, 72, PAGE, 5, CLOSED)
    _classes(canvas, attribute, classes)
    _legend(canvas, colours_of(classes), fleets)
    for share in midnights:
        canvas.bar(MARGIN + round(PAGE * share), 69, 1, 11, WALL)
    left, wide_ = MARGIN + CARD + GAP, PAGE - 2 * (CARD + GAP)
    canvas.box(left, TOP, wide_, height, ROOM, WALL)
    points = _projected(layout, height)
    _roads(canvas, layout, points, (left + 4, TOP + 4, wide_ - 8, height - 8))
    if layout.scale is not None:
        _scale(canvas, layout, points, left + PAD, TOP + height - 16)
    for card, (x, y) in zip(cards, spots, strict=True):
        canvas.box(x, TOP + y, CARD, card.height, ROOM, WALL)
        _mark(canvas, card, x + PAD + MARK / 2 - 4, TOP + y + 16)
        canvas.text(x + PAD + MARK + 2, TOP + y + 8, cut(card.title, CARD - 2 * PAD - MARK - 2, NAME), NAME)
    below = TOP + height + GAP
    if rest:
        canvas.text(MARGIN, below + 4, "Belongs to no site", NOTE, FAINT)
    if agents:
        canvas.text(_moves_at(bool(rest)), below + 4, "Who decides, and what they did last", NOTE, FAINT)
    return canvas.image


def _roads(canvas: Canvas, layout: Layout, points: dict[str, Point], box: tuple[int, int, int, int]) -> None:
    """Roads, drawn larger and reduced, so that their edges are smooth."""
    x, y, width, height = box
    fine = Canvas(Image.new("RGB", (3 * width, 3 * height), ROOM))
    for a, b in layout.roads:
        line = [(3 * (points[site][0] - x), 3 * (points[site][1] - y)) for site in (a, b)]
        fine.pen.line(line, CLOSED, 30)
    canvas.image.paste(fine.image.reduce(3), (x, y))


def _scale(canvas: Canvas, layout: Layout, points: dict[str, Point], x: float, y: float) -> None:
    """A line that says how long some kilometres are."""
    plane = dict(layout.points)
    pairs = [(a, b) for a in plane for b in plane if plane[a] != plane[b]]
    if not pairs or layout.scale is None:
        return
    a, b = max(pairs, key=lambda pair: hypot(*(plane[pair[0]][i] - plane[pair[1]][i] for i in (0, 1))))
    far = hypot(*(plane[a][i] - plane[b][i] for i in (0, 1))) * layout.scale
    pixels = hypot(*(points[a][i] - points[b][i] for i in (0, 1)))
    for length in (100, 50, 20, 10, 5, 2, 1, 0.5):
        if pixels * length / far <= 130:
            break
    canvas.bar(x, y, pixels * length / far, 3, FAINT)
    canvas.text(x, y - 18, f"{length:g} km", NOTE, FAINT)


def _legend(canvas: Canvas, colours: tuple[Colour, ...], fleets: tuple[tuple[str, bool], ...]) -> None:
    colour = colours[max(0, len(colours) - 2)]
    x, y = float(MARGIN), 88
    items = [(dot(colour, DOT), "a person at a site"), (dot(colour, DOT + 3, True), "on the way alone")]
    items += [(person(colour, False, FIGURE), "waits at a site")]
    second: list[tuple[Image.Image, str]] = []
    for flies in sorted({flies for _, flies in fleets}):
        names = ", ".join(words(name, begins=False) for name, flown in fleets if flown == flies)
        second.append((van(flies, FREE, False), cut(f"{names}, nobody aboard", 230, NOTE)))
        second.append((van(flies, colour, False), "somebody aboard"))
        second.append((van(flies, colour, True), "blocked at a full door"))
    second = second[:5]  # a helicopter at a door looks like an ambulance there
    for row in (items, second):
        for figure, name in row:
            if x + 25 + wide(name, NOTE) > WIDTH - MARGIN - (90 if y < 100 else 0):
                break
            canvas.stamp(figure, x, y + 8 - figure.height / 2)
            canvas.text(x + figure.width + 6, y, name, NOTE, FAINT)
            x += figure.width + wide(name, NOTE) + 22
        if row is items:
            canvas.bar(x, y + 3, 46, 10, FREE)
            canvas.pen.rectangle((x, y + 3, x + 46, y + 13), FREE, EDGE)
            canvas.bar(x + 1, y + 4, 24, 9, colour)
            canvas.bar(x + 25, y + 4, 8, 9, CLEANING)
            canvas.text(x + 54, y, "places or staff: in use by whom, being cleaned, free", NOTE, FAINT)
        x, y = float(MARGIN), y + 23


# ------------------------------------------------------------ what does
def _projected(layout: Layout, height: int) -> dict[str, Point]:
    """Sites in pixels, in the middle of the map and at one scale in both directions."""
    left, top = float(MARGIN + CARD + GAP + EDGES), float(TOP + EDGES)
    across, down = PAGE - 2 * (CARD + GAP) - 2 * EDGES, height - 2 * EDGES
    xs, ys = [x for _, (x, _) in layout.points], [y for _, (_, y) in layout.points]
    most_x, most_y = max(xs) - min(xs), max(ys) - min(ys)
    scale = min(across / most_x if most_x else 1e9, down / most_y if most_y else 1e9)
    scale = 1.0 if scale >= 1e9 else scale
    middle_x, middle_y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    points = {
        name: (left + across / 2 + (x - middle_x) * scale, top + down / 2 + (y - middle_y) * scale)
        for name, (x, y) in layout.points
    }
    for _ in range(30):  # sites next to each other are moved apart until their marks are
        for (a, (x, y)), (b, (u, v)) in combinations(list(points.items()), 2):
            far = hypot(u - x, v - y)
            if far < MARK + 4:
                aside, below = ((u - x) / far, (v - y) / far) if far else (1.0, 0.0)
                more = (MARK + 5 - far) / 2
                points[a], points[b] = (x - aside * more, y - below * more), (u + aside * more, v + below * more)
    return points


def _people(
    canvas: Canvas, cards: list[Card], region: Region, points: dict[str, Point], colours: tuple[Colour, ...]
) -> None:
    """Those who are at sites without places of their own, around these; the first classes outermost."""
    for card in cards:
        if card.places:
            continue
        people = [cls for cls, count in enumerate(region.inside[card.site]) for _ in range(count)][:MOST_DOTS]
        apart = _apart(len(people))
        x, y = points[card.site]
        for number, cls in enumerate(people):
            far, angle = apart * sqrt(number + 6), number * TURN
            canvas.stamp(dot(colours[cls], DOT), x + far * cos(angle) - DOT / 2, y + far * sin(angle) - DOT / 2)


def _apart(people: int) -> float:
    return min(SPREAD, WIDEST / sqrt(people + 6))


def _reach(people: int) -> float:
    """How far out those stand who are around a site."""
    people = min(people, MOST_DOTS)
    return _apart(people) * sqrt(people + 6) + DOT / 2 + 1 if people else 0.0


def _traffic(canvas: Canvas, region: Region, points: dict[str, Point], colours: tuple[Colour, ...]) -> None:
    """All who are under way, on the right-hand side of the road."""
    routes = _ways(region.layout)
    for walker in region.walkers:
        x, y = _along([points[site] for site in routes.get((walker.start, walker.end), [])], walker.share, 9)
        canvas.stamp(dot(colours[walker.cls], DOT + 3, True), x - 5, y - 5)
    for vehicle in region.vehicles:
        if vehicle.moving:
            way = [vehicle.start, vehicle.end] if vehicle.flies else routes.get((vehicle.start, vehicle.end))
            x, y = _along([points[site] for site in way or [vehicle.start, vehicle.end]], vehicle.share, 5)
            canvas.stamp(_figure(vehicle, colours), x - LONG / 2, y - HIGH / 2)


@lru_cache(maxsize=8)
def _ways(layout: Layout) -> dict[tuple[str, str], list[str]]:
    return ways(layout)


def _along(way: list[Point], share: float, aside: float) -> Point:
    """The point behind which there is a share of a way, and so far to the right of it."""
    lengths = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(way)]
    left = share * sum(lengths)
    for (a, b), length in zip(pairwise(way), lengths, strict=True):
        if left <= length and length:
            right, down = (b[0] - a[0]) / length, (b[1] - a[1]) / length
            return a[0] + right * left - down * aside, a[1] + down * left + right * aside
        left -= length
    return way[-1] if way else (0.0, 0.0)


def _mark(canvas: Canvas, card: Card, x: float, y: float) -> None:
    """A site's letters: on a square if it has places of its own, else on a disc."""
    half = MARK / 2
    shape = canvas.pen.rectangle if card.places else canvas.pen.ellipse
    shape((x - half, y - half, x + half, y + half), INK)
    canvas.text(round(x), round(y), card.letter, NOTE, ROOM, "mm")


def _labels(
    cards: list[Card], region: Region, points: dict[str, Point]
) -> list[tuple[tuple[float, float, float, float], str]]:
    """Names of the sites beside their marks; one for which there is no room stands on its card only."""
    left, right = MARGIN + CARD + GAP + 4, WIDTH - MARGIN - CARD - GAP - 4
    taken = [(x - 11, y - 11, x + 11, y + 11) for x, y in points.values()]
    found = []
    for card in cards:
        x, y = points[card.site]
        size = wide(card.title, NOTE)
        under = 13 if card.places else max(13.0, _reach(sum(region.inside[card.site])))
        middle = min(max(x - size / 2, left), right - size)
        for corner in ((middle, y + under), (middle, y - 16 - under), (x + 14, y - 8), (x - 14 - size, y - 8)):
            box = (corner[0], corner[1], corner[0] + size, corner[1] + 17)
            inside = box[0] >= left and box[2] <= right
            if inside and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
                taken.append(box)
                found.append((box, card.title))
                break
    return found


def _card(canvas: Canvas, card: Card, region: Region, x: float, y: float, colours: tuple[Colour, ...]) -> None:
    """What is at a site: how full it is, who waits, which vehicles stand there."""
    below = y + 32
    for row in card.rows:
        _bar(canvas, row, x + PAD, below, colours)
        below += ROW
    if card.places:
        people = list(card.waiting)
        label = f"{sum(people)} waiting" if sum(people) else "nobody waits"
    else:
        people = region.inside[card.site]
        label = f"{sum(people)} here" if sum(people) else "nobody here"
    canvas.text(x + PAD, below + 1, label, NOTE, INK if sum(people) else WALL)
    start = x + PAD + 84
    most = int(x + CARD - PAD - start) // STEP
    figures = [cls for cls, count in enumerate(people) for _ in range(count)]
    kept = figures if len(figures) <= most else figures[: most - 3]
    for number, cls in enumerate(kept):
        canvas.stamp(person(colours[cls], False, FIGURE), start + number * STEP, below)
    if len(kept) < len(figures):
        canvas.text(start + len(kept) * STEP + 2, below + 1, f"+{len(figures) - len(kept)}", NOTE)
    if region.fleets:
        _parked(canvas, [one for one in region.vehicles if not one.moving and one.end == card.site], x, below, colours)


def _parked(canvas: Canvas, vehicles: list[Vehicle], x: float, y: float, colours: tuple[Colour, ...]) -> None:
    blocked = sum(vehicle.state == "blocked" for vehicle in vehicles)
    most = int(CARD - 2 * PAD - (84 if blocked else 0) - 24) // (LONG + 2)
    order = sorted(vehicles, key=lambda vehicle: (vehicle.state != "blocked", not vehicle.loaded, vehicle.flies))
    for number, vehicle in enumerate(order[:most]):
        canvas.stamp(_figure(vehicle, colours), x + PAD + number * (LONG + 2), y + VEHICLES + 2)
    if len(order) > most:
        canvas.text(x + PAD + most * (LONG + 2) + 2, y + VEHICLES, f"+{len(order) - most}", NOTE, FAINT)
    if blocked:
        canvas.pill(x + CARD - PAD, y + VEHICLES + 1, f"{blocked} blocked", NOTE)


def _bar(canvas: Canvas, row: Row, x: float, y: float, colours: tuple[Colour, ...]) -> None:
    """How full something is: by whom, being cleaned, free."""
    resource: Resource = row.resource
    canvas.text(x, y, cut(row.title, BAR_START - 6, NOTE), NOTE)
    end = x + CARD - 2 * PAD
    if resource.full:
        canvas.pill(end + 4, y + 1, resource.numbers if resource.capacity else "none", NOTE - 1)
    else:
        canvas.text(end, y, resource.numbers, NOTE, FAINT, "ra")
    if resource.unlimited:
        return
    begin, width = x + BAR_START, BAR_END - BAR_START
    canvas.pen.rectangle((begin, y + 3, begin + width, y + 13), FREE, EDGE)
    unit = (width - 1) / max(1, resource.capacity, resource.in_use)
    known = sum(resource.by_class)
    parts = [
        *zip(resource.by_class, colours, strict=True),
        (resource.taken - known, NONE),
        (resource.cleaning, CLEANING),
    ]
    done = 0
    for count, colour in parts:
        if count > 0:
            first, done = begin + 1 + round(done * unit), done + count
            last = begin + 1 + round(done * unit)
            if last > first:  # else too few to see beside so many
                canvas.bar(first, y + 4, last - first, 9, colour)


# ------------------------------------------------------------ figures
def _figure(vehicle: Vehicle, colours: tuple[Colour, ...]) -> Image.Image:
    colour = FREE
    if vehicle.loaded:
        colour = BUSY if vehicle.cls is None else colours[vehicle.cls]
    return van(vehicle.flies, colour, vehicle.state == "blocked")
