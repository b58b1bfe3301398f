"""Names, clock times and moves as people say them."""

from __future__ import annotations

import re
from collections.abc import Callable

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY = 1440.0
SHORT = ("ct", "ed", "gp", "hdu", "icu", "mci", "mri", "xray")
"""Words that people write in capitals."""

_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"set (\S+)\.extra \+?0"), lambda found: f"no extra {_several(found[1])} any more"),
    (re.compile(r"set (\S+)\.extra \+?(\d+)"), lambda found: f"adds {found[2]} extra {_counted(found[1], found[2])}"),
    (re.compile(r"set (\S+)\.extra -(\d+)"), lambda found: f"closes {found[2]} {_counted(found[1], found[2])}"),
    (re.compile(r"set (\S+)\.reserve 0"), lambda found: f"keeps no {_small(found[1])} in reserve any more"),
    (
        re.compile(r"set (\S+)\.reserve (\d+)"),
        lambda found: f"keeps {found[2]} {_counted(found[1], found[2])} in reserve",
    ),
    (re.compile(r"set (\S+)\.order (.+)"), lambda found: f"puts the {_small(found[1])} in order: {_small(found[2])}"),
    (re.compile(r"set (\S+)\.next (.+)"), lambda found: f"sets {_small(found[1])} to {_small(found[2])}"),
    (re.compile(r"set (\S+)\.lent home"), lambda found: f"takes the {_small(found[1])} back who was lent"),
    (re.compile(r"set (\S+)\.lent (\S+)"), lambda found: f"lends a {_small(found[1])} to the {_several(found[2])}"),
    (re.compile(r"call in (\d+) (\S+)"), lambda found: f"calls in {found[1]} {_counted(found[2], found[1])}"),
    (re.compile(r"first (\S+)\[(\d+)\]"), lambda found: f"puts {_slot(found[1], found[2])} first"),
    (re.compile(r"shorten (\S+)\[(\d+)\]"), lambda found: f"shortens the stay of {_slot(found[1], found[2])}"),
    (
        re.compile(r"send to (\S+) with \S+ (\S+) (\S+)\[(\d+)\]"),
        lambda found: f"sends {_slot(found[3], found[4])} to: {_small(found[2])} ({_small(found[1])})",
    ),
    (
        re.compile(r"send to (\S+) (\S+)\[(\d+)\]"),
        lambda found: f"sends {_slot(found[2], found[3])} to: {_small(found[1])}",
    ),
)


def words(name: str, *, begins: bool = True) -> str:
    """A name as people write it: ``ed_bay`` becomes ``ED bay``; with a capital where it ``begins`` a line."""
    text = name.replace("_", " ").replace(".", " ").strip()
    text = " ".join(word.upper() if word in SHORT else word for word in text.split(" "))
    return text[:1].upper() + text[1:] if begins else text


def clock_words(minute_of_week: float) -> str:
    """A weekday and an hour: ``Tuesday 14:30``."""
    day, minute = divmod(round(minute_of_week) % (7 * int(DAY)), int(DAY))
    return f"{WEEKDAYS[day]} {minute // 60:02d}:{minute % 60:02d}"


def move_words(action: str) -> str:
    """An action's name as a sentence about the agent: ``set ward_bed.extra +8`` is ``adds 8 extra ward beds``."""
    for form, say in _FORMS:
        found = form.fullmatch(action)
        if found:
            return say(found)
    return words(action, begins=False)


def _small(name: str) -> str:
    return words(name, begins=False)


def _slot(slots: str, number: str) -> str:
    """One of a list, counted from 1 as people do."""
    return f"no. {int(number) + 1} of “{_small(slots)}”"


def _counted(name: str, count: str) -> str:
    return _small(name) if int(count) == 1 else _several(name)


def _several(name: str) -> str:
    text = _small(name)
    return f"{text[:-1]}ies" if re.search(r"[^aeiou]y$", text) else f"{text}s"
