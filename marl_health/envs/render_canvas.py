"""What a picture is drawn with: colours, letters, and small figures that are drawn once and then stamped."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

PAPER: Colour = (236, 239, 243)
ROOM: Colour = (255, 255, 255)
WALL: Colour = (120, 130, 142)
INK: Colour = (28, 36, 48)
FAINT: Colour = (96, 106, 118)
FREE: Colour = (255, 255, 255)
EDGE: Colour = (160, 170, 181)
CLEANING: Colour = (188, 222, 240)
CLOSED: Colour = (222, 226, 231)
BUSY: Colour = (62, 76, 96)
NEWS: Colour = (255, 243, 205)
"""Behind a decision that was taken just now."""
TRIAGE: tuple[Colour, ...] = ((206, 44, 44), (242, 138, 36), (246, 206, 62), (84, 168, 92), (74, 134, 206))
"""The usual colours of five triage classes, the most urgent first."""
TAGS: dict[str, Colour] = {
    "red": TRIAGE[0],
    "orange": TRIAGE[1],
    "yellow": TRIAGE[2],
    "green": TRIAGE[3],
    "blue": TRIAGE[4],
    "grey": (140, 140, 140),
    "black": (24, 24, 24),
    "white": (246, 246, 240),
}
"""Of classes that are colours, as on the tags of a triage."""
OTHERS: tuple[Colour, ...] = (
    (74, 134, 206),
    (242, 138, 36),
    (84, 168, 92),
    (152, 104, 188),
    (60, 170, 170),
    (222, 110, 160),
    (142, 106, 72),
    (246, 206, 62),
)
"""Of classes that have names."""
NONE: Colour = (152, 152, 166)
"""Of those who have no class."""
LONG, HIGH = 20, 12
"""Of a vehicle."""
FINE = 4
"""Figures are drawn so many times larger and reduced, which smooths their edges."""


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own typeface."""
    return ImageFont.load_default(size)


@cache
def wide(text: str, size: int) -> float:
    """Width of a text in pixels."""
    return font(size).getlength(text)


def cut(text: str, width: float, size: int) -> str:
    """The text, cut to fit a width."""
    if wide(text, size) <= width:
        return text
    while text and wide(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    """A colour with a share of another in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def palette(colours: tuple[Colour, ...]) -> list[Colour]:
    """The colours of every picture in which figures have these: fills, and what lies between them at smooth edges."""
    found: dict[Colour, None] = dict.fromkeys(
        (PAPER, ROOM, INK, FAINT, WALL, FREE, EDGE, CLEANING, CLOSED, BUSY, NEWS, *colours)
    )
    ramps = [(INK, PAPER), (INK, ROOM), (INK, NEWS), (FAINT, PAPER), (FAINT, ROOM), (FAINT, NEWS), (WALL, PAPER)]
    for start, end in ramps:
        found |= dict.fromkeys(mixed(start, end, step / 6) for step in range(1, 6))
    found |= dict.fromkeys([mixed(EDGE, ROOM, 0.5), mixed(CLOSED, ROOM, 0.5), mixed(CLEANING, ROOM, 0.5)])
    found |= dict.fromkeys([mixed(BUSY, PAPER, 0.5), mixed(BUSY, ROOM, 0.5), mixed(CLOSED, PAPER, 0.5)])
    for colour in dict.fromkeys((*colours, NONE)):
        pale, edge, pale_edge = _shades(colour)
        found |= dict.fromkeys([edge, pale, pale_edge, mixed(colour, edge, 0.5), mixed(colour, BUSY, 0.5)])
        found |= dict.fromkeys(mixed(edge, paper, share) for paper in (ROOM, PAPER) for share in (0.33, 0.67))
        found |= dict.fromkeys(mixed(pale_edge, paper, 0.5) for paper in (pale, PAPER))
    return list(found)


def _shades(colour: Colour) -> tuple[Colour, Colour, Colour]:
    """The pale form of a colour, and the edges of figures in the full and in the pale one."""
    return mixed(colour, ROOM, 0.72), mixed(colour, INK, 0.25), mixed(colour, INK, 0.12)


@cache
def cell(kind: str, colour: Colour, size: int) -> Image.Image:
    """A unit of a place, a square.

    It is ``free``, ``closed``, ``cleaning``, ``taken``, or ``boards`` (taken by one who only waits to move on).
    """
    image, pen, last = _sheet(size, size)
    round_, thin = FINE * max(2, size // 7), FINE
    box = (0, 0, last, last)
    if kind == "free":
        pen.rounded_rectangle(box, round_, FREE, EDGE, thin)
    elif kind == "closed":
        pen.rounded_rectangle(box, round_, CLOSED)
    elif kind == "cleaning":
        pen.rounded_rectangle(box, round_, CLEANING)
        pen.line((last * 0.25, last * 0.75, last * 0.75, last * 0.25), ROOM, 2 * thin)
    else:
        pen.rounded_rectangle(box, round_, colour, _shades(colour)[1], thin)
        if kind == "boards":
            pen.ellipse((last * 0.3, last * 0.3, last * 0.7, last * 0.7), ROOM)
    return image.reduce(FINE)


@cache
def staff(kind: str, colour: Colour, size: int) -> Image.Image:
    """A member of staff, a disc: ``free``, ``closed`` (not on duty), or busy with a patient of that colour."""
    image, pen, last = _sheet(size, size)
    if kind == "closed":
        pen.ellipse((0, 0, last, last), CLOSED)
    else:
        pen.ellipse((0, 0, last, last), FREE if kind == "free" else colour, BUSY, FINE + FINE // 2)
    return image.reduce(FINE)


@cache
def person(colour: Colour, elsewhere: bool, width: int) -> Image.Image:
    """One who waits, head and shoulders: in full colour, or pale if a place elsewhere is occupied meanwhile."""
    height = width * 4 // 3
    image, pen, last = _sheet(width, height)
    bottom = FINE * height
    pale, edge, pale_edge = _shades(colour)
    fill, edge = (pale, pale_edge) if elsewhere else (colour, edge)
    thin = FINE + (FINE // 2 if elsewhere else 0)
    pen.rounded_rectangle((0, bottom * 0.47, last, bottom + last), last * 0.45, fill, edge, thin)
    if elsewhere:
        pen.line((0, bottom - 1, last, bottom - 1), edge, thin)
    pen.ellipse((last * 0.22, 0, last * 0.78, last * 0.56), fill, edge, thin)
    return image.reduce(FINE)


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw, int]:
    image = Image.new("RGBA", (FINE * width, FINE * height), (0, 0, 0, 0))
    return image, ImageDraw.Draw(image), FINE * width - 1


@cache
def dot(colour: Colour, size: int, ringed: bool = False) -> Image.Image:
    """A person, seen from above; with a ring around if on the way."""
    image, pen, last = _sheet(size, size)
    pen.ellipse((0, 0, last, last), colour, INK if ringed else mixed(colour, INK, 0.25), FINE + (FINE // 2) * ringed)
    return image.reduce(FINE)


@cache
def van(flies: bool, colour: Colour, blocked: bool) -> Image.Image:
    """A van, or a helicopter from above; its colour is that of whoever is aboard."""
    image, pen, last = _sheet(LONG, HIGH)
    bottom = FINE * HIGH - 1
    edge = TRIAGE[0] if blocked else INK
    thin = FINE * (2 if blocked else 1) + FINE // 2
    if flies:
        pen.line((last * 0.05, bottom * 0.05, last * 0.65, bottom * 0.95), INK, FINE)
        pen.line((last * 0.05, bottom * 0.95, last * 0.65, bottom * 0.05), INK, FINE)
        pen.line((last * 0.3, bottom / 2, last, bottom / 2), INK, 2 * FINE)
        pen.ellipse((last * 0.12, bottom * 0.22, last * 0.6, bottom * 0.78), colour, edge, thin)
        return image.reduce(FINE)
    for wheel in (0.2, 0.66):
        pen.ellipse((last * wheel, bottom * 0.62, last * (wheel + 0.2), bottom), INK)
    pen.rounded_rectangle((0, 0, last * 0.72, bottom * 0.82), FINE, colour, edge, thin)
    pen.rounded_rectangle((last * 0.68, bottom * 0.25, last, bottom * 0.82), FINE, BUSY, edge, thin)
    return image.reduce(FINE)


class Canvas:
    """A picture in the making; all positions are pixels.

    Args:
        image: what is drawn on.
    """

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self.pen = ImageDraw.Draw(image)

    def box(self, x: float, y: float, width: float, height: float, fill: Colour, edge: Colour | None = None) -> None:
        """A rectangle with slightly round corners."""
        self.pen.rounded_rectangle((x, y, x + width - 1, y + height - 1), 4, fill, edge)

    def bar(self, x: float, y: float, width: float, height: float, fill: Colour) -> None:
        """A rectangle."""
        self.pen.rectangle((x, y, x + width - 1, y + height - 1), fill)

    def stamp(self, figure: Image.Image, x: float, y: float) -> None:
        """A figure; ``x`` and ``y`` are its corner."""
        self.image.paste(figure, (round(x), round(y)), figure)

    def text(self, x: float, y: float, text: str, size: int, colour: Colour = INK, anchor: str = "la") -> None:
        """A text; ``anchor`` as Pillow has it."""
        self.pen.text((x, y), text, colour, font(size), anchor)

    def pill(self, x: float, y: float, text: str, size: int) -> None:
        """A text in white on dark, ending at ``x``."""
        width = wide(text, size) + 10
        self.box(x - width, y - 2, width, size + 6, INK)
        self.text(x - 5, y, text, size, ROOM, "ra")
