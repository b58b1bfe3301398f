"""YAML events to plain data, one at a time, with the place of every value; limits are enforced on the way.

Anchors are refused at the first sight of one, so nothing is ever expanded; nesting and the number of values
are counted as they come, so a hostile file stops early. Scalars follow the YAML 1.2 core schema: ``07:30``,
``NO`` and ``yes`` are text, ``1e0`` is a number, ``true`` and ``false`` are truth values.
"""

from __future__ import annotations

import math
import re
from typing import Any, NoReturn

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from marl_health.spec.errors import Location, Problem, ScenarioError, Where, dotted, shown

MOST_DEPTH = 40
MOST_VALUES = 20_000
MOST_TEXT = 5_000  # characters in one value
MOST_KEY = 120  # characters in one key
MOST_PROBLEMS = 100  # a file that is this wrong is not read further
MOST_NUMBER = 1e15

_INT = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_NULL = frozenset({"~", "null", "Null", "NULL"})
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INSTEAD = "write the value again, or share it with 'extends:'"


def _short(name: object) -> str:
    return str(name)[:30]


class _Open:
    """A mapping or list that is still being read."""

    __slots__ = ("bad_key", "items", "key", "lines", "path")

    def __init__(self, items: dict[str, Any] | list[Any], path: Where) -> None:
        self.items = items
        self.path = path
        self.key: str | None = None
        self.bad_key = False  # the value that follows is read, but kept nowhere
        self.lines: dict[str, int] = {}


class Reader:
    """Builds plain data and places from YAML events, one at a time, and enforces every limit as it goes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.last = Location(file, 1, 1)
        self.problems: list[Problem] = []
        self.places: dict[Where, Location] = {}
        self.open: list[_Open] = []
        self.values = 0
        self.documents = 0
        self.root: Any = None

    def take(self, event: Event) -> None:
        """Take the next event of the stream."""
        mark = event.start_mark
        if mark is not None:
            self.last = Location(self.file, mark.line + 1, mark.column + 1)
        if isinstance(event, ScalarEvent):
            self._count(event)
            self._scalar(event)
        elif isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            self._count(event)
            self._begin({} if isinstance(event, MappingStartEvent) else [])
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self.open.pop()
        elif isinstance(event, AliasEvent):
            name = _short(event.anchor)
            self.stop(self.last, f"'*{name}' repeats an anchor; anchors are not allowed: {_INSTEAD}")
        elif isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.stop(self.last, "a second document begins here ('---'); a file holds exactly one")
            if event.version is not None or event.tags:
                self.stop(self.last, "YAML directives ('%...') are not allowed; remove the line")

    def finish(self) -> tuple[dict[str, Any], dict[Where, Location]]:
        """Return the data and the place of every value, or raise what was found."""
        if not self.problems:
            start = Location(self.file, 1, 1)
            if self.root is None:
                self.stop(start, "the file is empty; a scenario starts with 'schema:' and 'name:'")
            if not isinstance(self.root, dict):
                kind = "a list" if isinstance(self.root, list) else "a single value"
                remedy = "write 'name: my_hospital' and so on, with a space after each ':'"
                self.stop(start, f"holds {kind} at the top; {remedy}")
        if self.problems:
            raise ScenarioError(self.problems)
        return self.root, self.places

    def stop(self, place: Location, message: str) -> NoReturn:
        """Give up: raise what was found so far and this."""
        path = self.open[-1].path if self.open else ()
        raise ScenarioError([*self.problems, Problem(*place, dotted(path), message)])

    def _complain(self, path: Where, message: str) -> None:
        self.problems.append(Problem(*self.last, dotted(path), message))
        if len(self.problems) >= MOST_PROBLEMS:
            raise ScenarioError(self.problems)

    def _count(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        self.values += 1
        if self.values > MOST_VALUES:
            self.stop(self.last, f"more than {MOST_VALUES} values; put tables into CSV files")
        if event.anchor is not None:
            name = _short(event.anchor)
            self.stop(self.last, f"'&{name}' is an anchor; anchors are not allowed: {_INSTEAD}")
        if event.tag is not None and event.tag != "!":
            tag = _short(str(event.tag).replace("tag:yaml.org,2002:", "!!"))
            remedy = "remove it; in a condition write 'not', and put a text with '!' in quotes"
            self._complain(self._path(), f"'{tag}' is a tag, which is not allowed: {remedy}")

    def _begin(self, items: dict[str, Any] | list[Any]) -> None:
        if self._expects_key():
            kind = "a mapping" if isinstance(items, dict) else "a list"
            self.stop(self.last, f"{kind} stands where a key is expected; keys are plain words or numbers")
        if len(self.open) >= MOST_DEPTH:
            self.stop(self.last, f"is nested more than {MOST_DEPTH} deep; flatten it")
        self.open.append(_Open(items, self._place(items)))

    def _expects_key(self) -> bool:
        if not self.open:
            return False
        parent = self.open[-1]
        return isinstance(parent.items, dict) and parent.key is None and not parent.bad_key

    def _scalar(self, event: ScalarEvent) -> None:
        plain = bool(event.implicit[0])
        if self._expects_key():
            self._key(self.open[-1], event.value, plain)
            return
        text = event.value
        if self.open and self.open[-1].bad_key:
            self._place(text)
            return
        path = self._path()
        if len(text) > MOST_TEXT:
            self._complain(path, f"is a text of {len(text)} characters; at most {MOST_TEXT} are allowed")
            text = ""
            plain = False
        unsafe = _UNSAFE.search(text)
        if unsafe is not None:  # written as an escape, such as "\\0"; could neither be printed nor stored
            self._complain(path, f"holds the control character U+{ord(unsafe.group()):04X}; remove it")
        if plain and text == "" and not self.open:
            return  # an empty file
        value: Any = text
        if plain:
            value = self._resolve(text, path)
        self._place(value)

    def _key(self, parent: _Open, key: str, plain: bool) -> None:
        problem = ""
        path = parent.path
        if key == "":
            problem = "a key is missing before ':'"
        elif plain and key == "<<":
            problem = f"'<<' merges another mapping; merge keys are not allowed: {_INSTEAD}"
        elif len(key) > MOST_KEY or not key.isprintable():
            problem = f"the key {shown(key, 30)} is not one short line (at most {MOST_KEY} characters)"
        elif key in parent.lines:
            path = (*parent.path, key)
            first, again = parent.lines[key], self.last.line
            where = f"in lines {first} and {again}" if first != again else f"in line {again}"
            problem = f"'{key}' is written twice, {where}; keep one"
        if problem:
            self._complain(path, problem)
            parent.bad_key = True
            return
        parent.key = key
        parent.lines[key] = self.last.line
        self.places[(*parent.path, key)] = self.last

    def _resolve(self, text: str, path: Where) -> Any:
        """Return a plain scalar as YAML 1.2's core schema reads it."""
        if text == "":
            name, colon, rest = (str(path[-1]) if path else "").partition(":")
            remedy = f"write '{name}: {rest}', with a space" if colon else "write one after it, or remove it"
            self.last = self.places.get(path, self.last)  # what is empty has no place but its key's
            self._complain(path, f"has no value; {remedy}")
            return None
        if text in _NULL:
            return None
        if text in _TRUTH:
            return _TRUTH[text]
        if _NOT_FINITE.match(text):
            self._complain(path, f"{text} is not a number that can be computed with; write a finite one")
            return 0
        value: int | float
        if _OCTAL_OR_HEX.match(text):
            value = int(text[:40], 0)
        elif _INT.match(text) and len(text) < 40:
            value = int(text)
        elif _FLOAT.match(text):
            value = float(text)
        else:
            return text
        if not math.isfinite(value) or abs(value) > MOST_NUMBER:
            self._complain(path, f"the number {shown(text, 30)} is too large; the most is {MOST_NUMBER:g}")
            return 0
        return value

    def _path(self) -> Where:
        """Return the path of the value that comes next."""
        if not self.open:
            return ()
        parent = self.open[-1]
        if isinstance(parent.items, list):
            return (*parent.path, len(parent.items))
        return parent.path if parent.key is None else (*parent.path, parent.key)

    def _place(self, value: Any) -> Where:
        """Put a finished scalar or a container just begun where it belongs; return its path."""
        path = self._path()
        if not self.open:
            self.root = value
            self.places[path] = self.last
            return path
        parent = self.open[-1]
        if isinstance(parent.items, list):
            self.places[path] = self.last
            parent.items.append(value)
        else:
            if parent.key is not None:
                parent.items[parent.key] = value
            parent.key = None
            parent.bad_key = False
        return path
