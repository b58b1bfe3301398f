"""Quantities: numbers that carry their unit, such as ``30 min``, ``9%``, ``2400 usd`` or ``4 per_hour``.

A unit is never implied, so a bare number is an error that says which units there are. Every reader returns
the value in the base unit of its dimension and raises `ValueError` with a message that names what was read,
what is allowed and the nearest unit if it looks like a slip.

Base units: time in minutes, money in US dollars, money rates in dollars per minute (and per unit of whatever
is named, such as a bed), rates per minute, shares as fractions of 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from marl_health.spec.errors import shown
from marl_health.spec.suggest import nearest

Dimension = Literal["time", "share", "money", "money_rate", "rate"]

MOST = 1e9  # larger numbers are slips: 1e9 minutes are nineteen centuries
MOST_CHARACTERS = 80
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MINUTES_PER_DAY = 1440.0

# unit: (multiply by, divide by) to get minutes; two exact numbers, because 1 / 60 is not one
_TIME: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), (1.0, 60.0)),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), (1.0, 1.0)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), (60.0, 1.0)),
    **dict.fromkeys(("d", "day", "days"), (MINUTES_PER_DAY, 1.0)),
    **dict.fromkeys(("week", "weeks"), (7 * MINUTES_PER_DAY, 1.0)),
}
_EXAMPLE: dict[Dimension, str] = {
    "time": "a duration, such as 30 min, 2 h or 3 days",
    "share": "a share, such as 9% or 0.09",
    "money": "an amount of money, such as 2400 usd",
    "money_rate": "a cost over time, such as 38 usd per bed_hour or 32 usd per hour",
    "rate": "a rate, such as 4 per_hour or 210 per day",
}
_KIND: dict[Dimension, str] = {
    "time": "a duration",
    "share": "a share",
    "money": "an amount of money",
    "money_rate": "a cost over time",
    "rate": "a rate",
}
_BARE: dict[Dimension, str] = {
    "time": "write a unit, such as 30 min or 2 h",
    "share": "write a share, such as 9% or 0.09",
    "money": "write a unit, such as 2400 usd",
    "money_rate": "write a unit, such as 38 usd per bed_hour",
    "rate": "write a unit, such as 4 per_hour",
}
_NUMBER = re.compile(r"([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(.*)", re.DOTALL)
_PER = re.compile(r"(?:/|per[ _]+)\s*(.*)")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")


class _Unit(NamedTuple):
    dimension: Dimension
    times: float
    over: float


def parse_duration(text: object) -> float:
    """Return a duration such as ``30 min``, ``2 h``, ``45 s``, ``3 days`` or ``2 weeks`` in minutes."""
    return _parse(text, "time")


def parse_share(text: object, most: float = 1.0) -> float:
    """Return a share, ``9%`` or the plain number 0.09, as a fraction between 0 and `most`."""
    share = _plain(text)
    if share is None:
        share = _parse(text, "share")
    if share < 0.0:
        raise ValueError(f"{_read(text)} is negative; a share is between 0% and {most * 100:g}%")
    if share > most:
        slip = f"; did you mean {share:g}%?" if _plain(text) is not None and share <= most * 100 else ""
        raise ValueError(f"{_read(text)} is more than {most * 100:g}%, the most that is allowed here{slip}")
    return share


def parse_money(text: object) -> float:
    """Return an amount such as ``2400 usd`` in US dollars."""
    return _parse(text, "money")


def parse_money_rate(text: object) -> float:
    """Return a cost such as ``38 usd per bed_hour`` or ``32 usd/hour`` in dollars per minute (and unit)."""
    return _parse(text, "money_rate")


def parse_rate(text: object) -> float:
    """Return a rate such as ``4 per_hour``, ``0.12/h`` or ``210 per day`` per minute."""
    return _parse(text, "rate")


def parse_quantity(text: object) -> tuple[float, Dimension]:
    """Return any quantity that has a unit, in the base unit of its dimension, and that dimension."""
    number, unit = _split(text, "write a unit, such as 30 min, 9%, 2400 usd or 4 per_hour")
    return _value(text, number, unit), unit.dimension


def parse_clock_time(text: object) -> float:
    """Return a time of day, ``00:00`` to ``24:00``, in minutes after midnight."""
    allowed = "write hours and minutes on the 24-hour clock, such as 07:30"
    found = _CLOCK.fullmatch(text.strip()) if isinstance(text, str) and len(text) <= MOST_CHARACTERS else None
    if found is None:
        raise ValueError(f"{_read(text)} is not a time of day; {allowed}")
    hours, minutes = int(found.group(1)), int(found.group(2))
    if minutes > 59 or hours * 60 + minutes > MINUTES_PER_DAY:
        raise ValueError(f"{_read(text)} is not a time of day: it runs from 00:00 to 24:00")
    return float(hours * 60 + minutes)


def parse_weekday_time(text: object) -> float:
    """Return a time of the week, such as ``Monday 07:30``, in minutes after Monday 00:00."""
    allowed = "write a weekday and a time, such as Monday 00:00"
    words = text.split() if isinstance(text, str) and len(text) <= MOST_CHARACTERS else []
    if not words:
        raise ValueError(f"{_read(text)} is not a time of the week; {allowed}")
    day = words[0].capitalize()
    if day not in WEEKDAYS:
        raise ValueError(f"{shown(words[0])} is not a weekday{weekday_slip(day)} ({allowed})")
    if len(words) != 2:
        raise ValueError(f"{_read(text)} is not a time of the week; {allowed}")
    time = parse_clock_time(words[1])
    if time == MINUTES_PER_DAY:
        following = WEEKDAYS[(WEEKDAYS.index(day) + 1) % 7]
        raise ValueError(f"{_read(text)} is the first moment of the next day; write {following} 00:00")
    return WEEKDAYS.index(day) * MINUTES_PER_DAY + time


def weekday_slip(day: str) -> str:
    """Return the question whether a weekday was meant, or nothing if none comes near."""
    day = day.capitalize()
    alike = [name for name in WEEKDAYS if name[:1] == day[:1]]
    close = nearest(day, alike) or next((name for name in alike if name[:2] == day[:2]), None) or nearest(day, WEEKDAYS)
    return f"; did you mean {close}?" if close else ""


def _parse(text: object, wanted: Dimension) -> float:
    number, unit = _split(text, _BARE[wanted], wanted)
    if unit.dimension != wanted:
        raise ValueError(f"{_read(text)} is {_KIND[unit.dimension]}; write {_EXAMPLE[wanted]}")
    return _value(text, number, unit)


def _split(text: object, remedy: str, wanted: Dimension | None = None) -> tuple[str, _Unit]:
    """Return the number as it was written, and what its unit means."""
    if not isinstance(text, str):
        raise ValueError(f"{_read(text)} has no unit; {remedy}" if _is_number(text) else f"{_read(text)}: {remedy}")
    stripped = text.strip()
    if len(stripped) > MOST_CHARACTERS:
        raise ValueError(f"{_read(text)} is too long for a quantity; {remedy}")
    found = _NUMBER.match(stripped)
    if found is None:
        if stripped.startswith("$"):
            raise ValueError(f"{_read(text)}: write the unit after the number, such as 2400 usd")
        raise ValueError(f"{_read(text)} does not begin with a number; {remedy}")
    number, rest = found.group(1), found.group(2).strip()
    if re.match(r"[,'’_][0-9]", rest):
        if wanted == "money" or rest[0] != ",":
            raise ValueError(f"{_read(text)}: write the digits without anything between them, such as 2400 usd")
        raise ValueError(f"{_read(text)}: write a point for decimals, such as 1.5 h, and nothing between thousands")
    if not rest:
        raise ValueError(f"{_read(text)} has no unit; {remedy}")
    return number, _unit(text, rest, wanted)


def _unit(text: str, rest: str, wanted: Dimension | None) -> _Unit:
    """Return what the words behind the number mean."""
    words = rest.lower()
    if words == "%":
        return _Unit("share", 1.0, 100.0)
    if words == "usd":
        return _Unit("money", 1.0, 1.0)
    if words in _TIME:
        return _Unit("time", *_TIME[words])
    money = words.startswith("usd")
    per = _PER.fullmatch(words[3:].strip() if money else words)
    if per is not None:
        # "bed_hour": an hour of one bed; what is counted stands before the last underscore
        times, over = _TIME.get(per.group(1).strip().rsplit("_", 1)[-1], (0.0, 0.0))
        counted = "_" in per.group(1).strip()
        if times and (money or not counted):
            return _Unit("money_rate" if money else "rate", over, times)
        example = _EXAMPLE["money_rate" if money else "rate"]
        unit = per.group(1).strip().rsplit("_", 1)[-1]
        raise ValueError(f"{_read(text)}: {shown(unit)} is not a unit of time{_slip(unit, _TIME)} (write {example})")
    if re.search(r"[0-9]", words):
        raise ValueError(f"{_read(text)} holds more than one number; write one number and one unit, such as 90 min")
    if words == "m":
        raise ValueError(f"{_read(text)}: 'm' could be minutes or months; write min, or a number of days")
    if words in {"month", "months", "year", "years"}:
        raise ValueError(f"{_read(text)}: months and years differ in length; write a number of days")
    if words in {"$", "dollar", "dollars", "eur", "euro", "euros", "€", "gbp", "£"}:
        raise ValueError(f"{_read(text)}: money is in US dollars; write usd, such as 2400 usd")
    if words in {"percent", "per cent", "pct"}:
        raise ValueError(f"{_read(text)}: write the sign, such as 9%")
    known = {"%": 1, "usd": 1, **_TIME} if wanted is None else _TIME if wanted == "time" else {"usd": 1, **_TIME}
    allowed = "a quantity, such as 30 min, 9%, 2400 usd or 4 per_hour" if wanted is None else _EXAMPLE[wanted]
    raise ValueError(f"{_read(text)}: {shown(rest, 30)} is not a unit{_slip(words, known)} (write {allowed})")


def _value(text: object, number: str, unit: _Unit) -> float:
    """Return the number in the base unit of its dimension, if it is one that makes sense."""
    if unit.over == 100.0 and "e" not in number.lower():
        value = float(f"{number}e-2")  # 1.1% is the float nearest to 0.011, which 1.1 / 100 is not
    else:
        value = float(number) * unit.times / unit.over
    if not abs(float(number)) <= MOST or not abs(value) <= MOST:
        raise ValueError(f"{_read(text)} is too large to be meant")
    if value < 0.0:
        raise ValueError(f"{_read(text)} is negative; {_KIND[unit.dimension]} is never below 0")
    return value


def _plain(text: object) -> float | None:
    """Return a plain number, written as one or as text, or None."""
    if _is_number(text):
        assert isinstance(text, (int, float))
        if not abs(text) <= MOST:
            raise ValueError(f"{_read(text)} is too large to be meant")
        return float(text)
    if isinstance(text, str) and len(text) <= MOST_CHARACTERS:
        found = _NUMBER.fullmatch(text.strip())
        if found is not None and not found.group(2):
            return _plain(float(found.group(1)))
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _slip(unit: str, known: Iterable[str]) -> str:
    close = nearest(unit, known)
    return f"; did you mean {close}?" if close else ""


def _read(text: object) -> str:
    return shown(text)
