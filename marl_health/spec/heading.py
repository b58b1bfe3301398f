"""What a listing says of a scenario, without reading the rest of its file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from marl_health.spec.document import parse_document
from marl_health.spec.errors import ScenarioError
from marl_health.spec.scenario import packaged_scenarios

_TOP = re.compile(r"^([A-Za-z_]+):", re.MULTILINE)
_EXTENDS = "extends"


def heading(file: Path, words: Collection[str]) -> dict[str, Any]:
    """What stands under these words at the top of a file, or of the one beside it or packaged that it extends.

    Only the lines of these words are parsed, which is a tenth of a long file. Nothing is checked; what cannot be found
    so is left out, and reading the scenario tells why.

    Args:
        file: of a scenario.
        words: of the top level.
    """
    said = _said(file, frozenset(words))
    base = said.pop(_EXTENDS, None)
    if base is None:
        return said
    below = _said(packaged_scenarios().get(str(base), file.parent / str(base)), frozenset(words))
    for word, own in said.items():
        if isinstance(own, dict) and isinstance(below.get(word), dict):
            said[word] = {key: value for key, value in {**below[word], **own}.items() if value is not None}
    return {word: value for word, value in {**below, **said}.items() if word != _EXTENDS}


def _said(file: Path, words: frozenset[str]) -> dict[str, Any]:
    """What stands there in this very file."""
    try:
        status = file.stat()
        return dict(_top(file, words, status.st_mtime_ns, status.st_size))
    except (OSError, ValueError, ScenarioError):
        return {}


@lru_cache(maxsize=4)
def _top(file: Path, words: frozenset[str], changed: int, size: int) -> dict[str, Any]:
    """What stands there in a file in this state; of those that extend the same one only the first has it read."""
    text = file.read_text(encoding="utf-8")
    return parse_document("".join(_blocks(text, {*words, _EXTENDS})), str(file)).data


def _blocks(text: str, words: Collection[str]) -> Iterator[str]:
    """The lines of each of these words at the top level, with all that is indented below."""
    tops = list(_TOP.finditer(text))
    for top, after in zip(tops, [*tops[1:], None], strict=True):
        if top[1] in words:
            yield text[top.start() : len(text) if after is None else after.start()]
