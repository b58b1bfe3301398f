"""Every number of a scenario, in words, with its source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from marl_health.spec.numbers import STRUCTURES

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
UNSOURCED = "none given: an assumption"
CHOSEN = "chosen for this study"
REMARKS = ("source", "note", "hidden")
NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d")

SECTIONS = {
    "clock": "The clock",
    "vary": "Drawn once per episode",
    "choose": "Alternatives",
    "sites": "Sites",
    "travel": "The way between sites",
    "staff": "Staff",
    "places": "Places",
    "fleets": "Fleets",
    "stock": "Stock",
    "entities": "Who comes, and what they are like",
    "pathway": "Steps",
    "health": "Health",
    "timers": "Timers",
    "queues": "Queues",
    "slots": "Lists of candidates",
    "agents": "Decisions",
    "measures": "Targets",
    "score": "What counts",
    "kpis": "Key performance indicators",
}
"""Parts of a scenario that hold numbers, and what they are called."""

CHOICES = ("clock", "queues", "slots", "agents", "score")
"""Parts whose numbers say nothing about the world: whoever made the study chose them."""

LOGIC = ("when", "if")
"""Words whose numbers are values of attributes that a condition compares; they are told with the logic."""

STRUCTURE = ("has", "arrive", "states", "among")
"""Words that only hold others, and say nothing to a reader."""


@dataclass(frozen=True)
class Input:
    """A number, or some that belong together.

    Attributes:
        thing: whose it is. what: which of its numbers. value: in words. source: where it is from.
        sourced: whether the scenario says so. choice: whether it is a choice and no fact of the world.
    """

    thing: str
    what: str
    value: str
    source: str
    sourced: bool
    choice: bool = False

    @property
    def assumed(self) -> bool:
        """Whether it is an assumption of the modeller."""
        return not self.choice and (not self.sourced or self.source.lower().startswith("assumption"))


def inputs(data: Mapping[str, Any]) -> dict[str, list[Input]]:
    """Section to its numbers, in the order of the file; sections without numbers are left out.

    Args:
        data: what the scenario's file says.
    """
    found = {}
    for section in SECTIONS:
        rows: list[Input] = []
        part = data.get(section, {})
        for thing, value in part.items() if isinstance(part, Mapping) else ():
            rows.extend(_inputs(str(thing), (), value, Origin()))
        if section in CHOICES:
            rows = [replace(row, source=row.source if row.sourced else CHOSEN, choice=True) for row in rows]
        if rows:
            found[section] = rows
    return found


class Origin(NamedTuple):
    """Where numbers come from, as a part of a scenario says, or what it is part of."""

    source: str = ""
    note: str = ""

    def within(self, value: Mapping[str, Any]) -> Origin:
        """The origin of what stands in there."""
        return Origin(str(value.get("source", self.source)), str(value.get("note", self.note)))

    def and_of(self, sources: list[str]) -> Origin:
        """The origin of what is written in one row, whose parts have sources of their own."""
        return self._replace(source="; ".join(filter(None, [self.source, *sources])))

    @property
    def text(self) -> str:
        """For a table."""
        said = self.source or UNSOURCED
        return f"{said} ({self.note})" if self.note else said


def _inputs(thing: str, path: tuple[str, ...], value: Any, origin: Origin) -> Iterator[Input]:
    def row(text: str) -> Input:
        return Input(thing, ", ".join(path), text, origin.text, bool(origin.source))

    if isinstance(value, Mapping):
        origin = origin.within(value)
        form = form_of(value)
        cases = _cases(value, form)
        if cases is not None:
            found = [one for label, case in cases for one in _inputs(thing, (*path, label), case, origin)]
            yield from found
            if form == "when" and not found and origin.source:
                yield row(phrase(value))  # thresholds alone, but they come from somewhere
        elif form is not None or "split" in value or {"table", "column"} <= set(value):
            text = phrase(value)
            if numeric(text):
                origin = origin.and_of(_sources(list(value.values())))
                yield row(text)
        elif value and all(TIME_OF_DAY.fullmatch(str(key)) for key in value):
            yield row("; ".join(f"from {key}: {count}" for key, count in value.items()))
        else:
            for key, part in value.items():
                if key not in (*REMARKS, *LOGIC):
                    label = () if key in STRUCTURE else (words(key),)
                    yield from _inputs(thing, (*path, *label), part, origin)
    elif isinstance(value, list):
        parts = [part for part in value if isinstance(part, Mapping)]
        if parts:
            for part in parts:
                text = phrase({key: inner for key, inner in part.items() if key not in REMARKS})
                if numeric(text):
                    own = origin.within(part)
                    yield Input(thing, ", ".join(path), text, own.text, bool(own.source))
        elif any(numeric(part) for part in value):
            yield row(", ".join(phrase(part) for part in value))
    elif numeric(value):
        yield row(phrase(value))


def _sources(value: Any) -> list[str]:
    """Sources that stand anywhere within a value."""
    if isinstance(value, Mapping):
        own = [str(value["source"])] if "source" in value else []
        return own + _sources([part for key, part in value.items() if key not in REMARKS])
    if isinstance(value, list):
        return [source for part in value for source in _sources(part)]
    return []


def _cases(value: Mapping[str, Any], form: str | None) -> list[tuple[str, Any]] | None:
    """Cases of a number or a way on that depends on an attribute; None if it does not."""
    if form == "when":
        return _rules(value["when"])
    if form == "by" and "table" not in value:
        by, cases = value["by"], value
    elif "split" in value and isinstance(value["split"], Mapping) and "by" in value["split"]:
        by, cases = value["split"]["by"], value["split"]
        if not isinstance(by, str) or not any(isinstance(case, Mapping) for case in cases.values()):
            return None
    elif form == "chance" and form_of(value["chance"]) == "by":
        return _cases(value["chance"], "by")
    else:
        return None
    wrap = (lambda case: {"split": case}) if "split" in value else (lambda case: case)
    return [
        (f"{words(by)} {'otherwise' if key == 'else' else key}", wrap(case))
        for key, case in cases.items()
        if key not in ("by", *REMARKS)
    ]


def _rules(branches: list[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    """Cases of a value that follows from conditions."""
    return [
        (f"if {branch['if']}", branch["is"]) if "if" in branch else ("otherwise", branch["else"]) for branch in branches
    ]


def form_of(value: Any) -> str | None:
    """The word that tells a structured number: ``lognormal``, ``by``; None for anything else."""
    if not isinstance(value, Mapping):
        return None
    said = set(value) - set(REMARKS)
    if said == {"share", "of"}:
        return "of"
    if "by" in said and not said & {"see", "top"}:
        return "by"
    if said == {"nearest", "when"}:
        return "nearest"
    if said == {"when"}:
        branches = value["when"] if isinstance(value["when"], list) else []
        return "when" if any(isinstance(branch, Mapping) and "is" in branch for branch in branches) else None
    return next((word for word in STRUCTURES if said == {word} and word != "of"), None)


def numeric(value: Any) -> bool:
    """Whether a value holds a number: names, and yes or no, do not."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return True
    text = str(value)
    return any(sign.isdigit() for sign in text) and not NAME.fullmatch(text)


def words(name: Any) -> str:
    """A name as a person writes it."""
    return str(name).replace("_", " ")


def phrase(value: Any) -> str:
    """A value in words, on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(phrase(part) for part in value)
    if not isinstance(value, Mapping):
        return str(value)
    form = form_of(value)
    if form is not None:
        return _number(form, value)
    if "split" in value:
        shares = value["split"]
        return ", ".join(f"{words(step)} {'the rest' if share == 'else' else share}" for step, share in shares.items())
    if "at" in value and set(value) <= {"at", "on", "count", "has"}:
        return _appointment(value)
    if "table" in value and "column" in value:
        return f"column {value['column']} of {value['table']}"
    return ", ".join(f"{words(key)} {_nested(part)}" for key, part in value.items() if key not in REMARKS)


def _nested(value: Any) -> str:
    """A part of a mapping: in brackets if it is one itself."""
    plain = not isinstance(value, Mapping) or form_of(value) is not None
    return phrase(value) if plain else f"({phrase(value)})"


def _number(form: str, value: Mapping[str, Any]) -> str:
    inner = value.get(form)
    if form == "by":
        if "table" in value:
            return f"by {words(inner)}, column {value.get('column')} of {value['table']}"
        cases = ((key, case) for key, case in value.items() if key not in ("by", *REMARKS))
        return f"by {words(inner)}: " + "; ".join(
            f"{'otherwise' if key == 'else' else key}: {phrase(case)}" for key, case in cases
        )
    if form == "when":
        return "; ".join(f"{label}: {phrase(case)}" for label, case in _rules(value["when"]))
    if form == "of":
        return f"{value['share']} of {phrase(value['of'])}"
    if form == "nearest":
        condition = f" with {value['when']}" if "when" in value else ""
        return f"the nearest {phrase(inner)}{condition}"
    if form == "choice" and isinstance(inner, Mapping):
        return ", ".join(f"{key} ({'the rest' if share == 'else' else share})" for key, share in inner.items())
    if form == "chance":
        return f"yes with chance {phrase(inner)}"
    if form in ("times", "plus") and isinstance(inner, list):
        return (" × " if form == "times" else " + ").join(phrase(part) for part in inner)
    if form == "mixture" and isinstance(inner, list):
        return "; ".join(f"{part['share']} {phrase(part['of'])}" for part in inner)
    if form == "constant":
        return phrase(inner)
    if form == "uniform" and isinstance(inner, list):
        return f"uniform from {inner[0]} to {inner[1]}"
    if form == "empirical" and isinstance(inner, list):
        return f"one of {phrase(inner)}, each as likely"
    if form == "empirical":
        return f"as observed: {phrase(inner)}"
    parameters = inner.items() if isinstance(inner, Mapping) else ()
    return ", ".join([form, *(f"{words(key)} {phrase(part)}" for key, part in parameters)])


def _appointment(value: Mapping[str, Any]) -> str:
    days = value.get("on", list(WEEKDAYS))
    days = [days] if isinstance(days, str) else list(days)
    places = [next(n for n, name in enumerate(WEEKDAYS) if name.lower() == day.lower()) for day in days]
    if len(days) == 7:
        when = "every day"
    elif len(days) > 2 and places == list(range(places[0], places[0] + len(days))):
        when = f"{days[0]} to {days[-1]}"
    else:
        when = ", ".join(days)
    has = f", with {phrase(value['has'])}" if value.get("has") else ""
    return f"{value['at']} {when}: {value.get('count', 1)}{has}"
