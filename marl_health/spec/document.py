"""A scenario file as plain data with the place of every value kept; safe against hostile files.

A scenario is untrusted input: the size, the encoding and the lines are checked before any YAML is read,
and `reader` enforces the rest while reading. Two documents merge into one (`extends:`), and each value
keeps the file it came from.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from marl_health.spec.errors import Location, Problem, ScenarioError, Where, dotted
from marl_health.spec.reader import MOST_PROBLEMS, Reader
from marl_health.spec.suggest import did_you_mean
from marl_health.spec.syntax import plain_words

MOST_BYTES = 1_000_000
MOST_LINES = 20_000
MOST_LINE = 20_000  # characters; YAML scanners slow down on endless lines

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_TRIPPED = (
    YAMLError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_HOUR = re.compile("[0-9]{1,2}:[0-9]{2}")
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Document:
    """Plain data of one scenario file (or of one merged onto another) and the place of each value.

    Attributes:
        file: name of the file, as it appears in messages.
        data: the top-level mapping; all keys are text, also in nested mappings.
    """

    def __init__(self, file: str, data: dict[str, Any], places: dict[Where, Location]) -> None:
        self.file = file
        self.data = data
        self._places = places

    @property
    def places(self) -> Mapping[Where, Location]:
        """Where each value stands that was written in a file."""
        return self._places

    def locate(self, path: Where) -> Location:
        """Return where a value stands: its key if it is in a mapping, else itself.

        A path that the document does not hold gives the place of its nearest ancestor.
        """
        known = tuple(path)
        while known:
            place = self._places.get(known)
            if place is not None:
                return place
            known = known[:-1]
        return self._places.get((), Location(self.file, 1, 1))

    def part(self, path: Where) -> Document:
        """Return the mapping at a path as a document of its own, whose values keep their places.

        Args:
            path: where a mapping stands.
        """
        data: Any = self.data
        for step in path:
            data = data[step]
        below = {where[len(path) :]: place for where, place in self._places.items() if where[: len(path)] == path}
        return Document(self.file, data, below)

    def problem(self, path: Where, message: str) -> Problem:
        """Return a complaint about the value at `path`, placed in the file that the value was written in."""
        place = self.locate(path)
        return Problem(place.file, place.line, place.column, dotted(path), message)


def load_document(path: Path) -> Document:
    """Read a scenario file.

    Args:
        path: the file.

    Returns:
        Its data with the place of every value.

    Raises:
        ScenarioError: whatever is wrong with the file, located; nothing else is raised for a bad file.
    """
    file = str(path)
    try:
        mode = path.stat().st_mode
        raw = None
        if stat.S_ISREG(mode):  # a pipe would block, a device may never end
            with path.open("rb") as stream:
                raw = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ScenarioError([Problem(file, 1, 1, "", "there is no such file; check its name")]) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the file's name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ScenarioError([Problem(file, 1, 1, "", f"cannot be read: {reason}")]) from None
    if raw is None:
        kind = "a folder" if stat.S_ISDIR(mode) else "not an ordinary file"
        raise ScenarioError([Problem(file, 1, 1, "", f"is {kind}; name a YAML file")])
    if len(raw) > MOST_BYTES:
        raise ScenarioError([_too_large(file)])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        message = f"is not UTF-8 text (byte 0x{raw[error.start]:02x}); save the file as UTF-8 YAML"
        raise ScenarioError([Problem(file, line, column, "", message)]) from None
    return parse_document(text, file)


def parse_document(text: str, file: str) -> Document:
    """Read a scenario from its text; `file` is the name that messages give.

    Raises:
        ScenarioError: located problems; nothing else is raised whatever the text.
    """
    _check_text(text, file)
    reader = Reader(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            reader.take(event)
    except ScenarioError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        reader.stop(Location(file, line, column), plain_words(error, text))
    except _TRIPPED:
        # The scanner is not ours and the text may be anything: whatever it trips over is a fault of the text.
        reader.stop(reader.last, "cannot be read as YAML from here on; check quotation marks and backslashes")
    data, places = reader.finish()
    return Document(file, data, places)


def _too_large(file: str) -> Problem:
    message = f"is larger than {MOST_BYTES // 1_000_000} MB; put tables into CSV files and name those"
    return Problem(file, 1, 1, "", message)


def _check_text(text: str, file: str) -> None:
    """Refuse what is cheap to see before any YAML is read: size, control characters, tabs, endless lines."""
    if len(text) > MOST_BYTES:
        raise ScenarioError([_too_large(file)])
    unprintable = _UNPRINTABLE.search(text)
    if unprintable is not None:
        before = _LINE_END.split(text[: unprintable.start()])
        name = f"U+{ord(unprintable.group()):04X}"
        message = f"holds the control character {name}; a scenario is plain UTF-8 text"
        raise ScenarioError([Problem(file, len(before), len(before[-1]) + 1, "", message)])
    problems: list[Problem] = []
    lines = _LINE_END.split(text)
    if len(lines) > MOST_LINES:
        problems.append(Problem(file, MOST_LINES + 1, 1, "", f"more than {MOST_LINES} lines; split the file up"))
    for number, line in enumerate(lines[:MOST_LINES], start=1):
        if len(line) > MOST_LINE:
            message = f"the line is {len(line)} characters long; at most {MOST_LINE} are allowed"
            problems.append(Problem(file, number, 1, "", message))
        indent = len(line) - len(line.lstrip(" \t"))
        tab = line.find("\t", 0, indent)
        if tab >= 0 and line.strip() and not line.lstrip().startswith("#"):
            problems.append(Problem(file, number, tab + 1, "", "a tab indents the line; indent with spaces"))
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise ScenarioError(problems)


def merge(base: Document, top: Document, forms: Collection[str] = ()) -> Document:
    """Return `base` with `top` laid over it, as `extends:` does.

    Mappings merge key by key, at every depth, but for those by the hour (``{"07:00": 4, "19:00": 2}``): hours that stay
    from below would make a day that nobody wrote. They, lists and scalars of `top` replace those of `base`; the value
    ``null`` in `top` removes the key. Every value keeps the place, in whichever file, where it was written.

    Args:
        base: what is changed.
        top: what changes it.
        forms: words that tell the form of a value; a mapping of one form replaces one of another form as a whole.

    Raises:
        ScenarioError: if `top` removes a key that `base` does not have.
    """
    places: dict[Where, Location] = {(): top.locate(())}
    problems: list[Problem] = []
    data = _Merger(base, top, forms, places, problems).merged(base.data, top.data, ())
    if problems:
        raise ScenarioError(problems)
    return Document(top.file, data, places)


class _Merger:
    """Lays one document over another; notes the place of every value taken, and what goes wrong."""

    def __init__(
        self,
        base: Document,
        top: Document,
        forms: Collection[str],
        places: dict[Where, Location],
        problems: list[Problem],
    ) -> None:
        self.base = base
        self.top = top
        self.forms = forms
        self.places = places
        self.problems = problems

    def merged(self, below: dict[str, Any], above: dict[str, Any], path: Where) -> dict[str, Any]:
        """Merge two mappings that stand at the same path."""
        result: dict[str, Any] = {}
        for key, value in below.items():
            here = (*path, key)
            if key not in above:
                result[key] = _taken(self.base, value, here, self.places)
            elif isinstance(value, dict) and isinstance(above[key], dict) and not self._replaces(value, above[key]):
                self.places[here] = self.top.locate(here)
                result[key] = self.merged(value, above[key], here)
            elif above[key] is not None:
                result[key] = _taken(self.top, above[key], here, self.places)
        for key, value in above.items():
            here = (*path, key)
            if key in below:
                continue
            if value is None:
                message = f"null removes a key, but {self.base.file} has no '{key}' here{did_you_mean(key, below)}"
                self.problems.append(self.top.problem(here, message))
            else:
                result[key] = _taken(self.top, value, here, self.places)
        return result

    def _replaces(self, below: dict[str, Any], above: dict[str, Any]) -> bool:
        """Whether a mapping replaces the one below as a whole: it says by the hour what holds, or has another form."""
        if above and all(isinstance(key, str) and _HOUR.fullmatch(key) for key in above):
            return True
        old, new = ({word for word in mapping if word in self.forms} for mapping in (below, above))
        return bool(old and new) and not old & new


def _taken(source: Document, value: Any, path: Where, places: dict[Where, Location]) -> Any:
    """Copy a value out of one document, with the places of all that it holds."""
    places[path] = source.locate(path)
    if isinstance(value, dict):
        return {key: _taken(source, item, (*path, key), places) for key, item in value.items()}
    if isinstance(value, list):
        return [_taken(source, item, (*path, index), places) for index, item in enumerate(value)]
    return value
