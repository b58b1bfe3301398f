"""Reads one scenario file: parses it, extends it, validates it, and has it compiled by its kind of world."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from marl_health.spec.complaints import allowed_fields, validation_problems
from marl_health.spec.document import Document, load_document, merge
from marl_health.spec.errors import ScenarioError, shown
from marl_health.spec.numbers import STRUCTURES
from marl_health.spec.scenario import KINDS, PACKAGED, Kind, Scenario, is_there, packaged_scenarios
from marl_health.spec.suggest import did_you_mean


def read(path: Path, chosen: dict[str, str]) -> Scenario:
    """Read and compile the scenario in a file.

    Raises:
        ScenarioError: with every problem found.
    """
    document, files = parse(path)
    return compiled(document, files, chosen)


def compiled(document: Document, files: list[Path], chosen: dict[str, str]) -> Scenario:
    """Compile a parsed scenario.

    Args:
        document: what it says.
        files: the files that it is in; its tables lie beside them, or among the packaged ones.
        chosen: alternatives for the names under ``choose``.

    Raises:
        ScenarioError: with every problem found.
    """
    folders = [*(file.parent for file in files), PACKAGED]
    kind = _kind(document)
    whole = kind.expanded(document)
    try:
        spec = kind.MODEL.model_validate(whole.data)
        program = kind.compile_program(whole, spec, folders, chosen)
    except ValidationError as error:
        problems = validation_problems(whole, error, lambda where: allowed_fields(kind.MODEL, where))
        raise ScenarioError(kind.told_once(problems, document)) from None
    except ScenarioError as error:
        raise ScenarioError(kind.told_once(error.problems, document)) from None
    return Scenario(document, whole.data, spec, program, kind, chosen, [*files, *kind.tables_read(program)])


def parse(path: Path) -> tuple[Document, list[Path]]:
    """The scenario in a file as plain data, laid over what it extends, and the files that it is in; neither is checked.

    Raises:
        ScenarioError: it is no YAML, or what it extends cannot be found.
    """
    return _laid_over_base(load_document(path), path)


def _laid_over_base(document: Document, path: Path) -> tuple[Document, list[Path]]:
    """The document laid over what it extends, if it does, and the files that it is in."""
    base = document.data.get("extends")
    if base is None:
        return document, [path.resolve()]
    document, below = _extended(document, base, path)
    return document, [path.resolve(), below]


def _extended(document: Document, base: Any, path: Path) -> tuple[Document, Path]:
    """The document laid over the one that it extends, and the file of that."""
    if not isinstance(base, str):
        raise ScenarioError([document.problem(("extends",), "the name or file of another scenario is needed here")])
    known = packaged_scenarios()
    below = (path.parent / base).resolve()
    if base in known:
        file = known[base]
    elif is_there(below) and (below.is_relative_to(path.resolve().parent) or below.is_relative_to(PACKAGED)):
        file = below
    else:
        message = (
            f"there is no scenario {shown(base)} to extend{did_you_mean(base, known)}; a file lies beside this one"
        )
        raise ScenarioError([document.problem(("extends",), message)])
    parent = _shared(file)
    if "extends" in parent.data:
        message = f"{shown(base)} extends another scenario itself; only one level is allowed"
        raise ScenarioError([document.problem(("extends",), message)])
    return merge(parent, document, STRUCTURES), file.resolve()


def _shared(file: Path) -> Document:
    """A document that nobody may change, read anew when its file changed: variants share what they extend."""
    try:
        status = file.stat()
    except (OSError, ValueError):
        return load_document(file)  # which tells what is wrong
    return _read_once(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _read_once(file: Path, changed: int, size: int) -> Document:
    """The document in a file in this state; of all that is done for a listing, parsing takes longest."""
    return load_document(file)


def _kind(document: Document) -> Kind:
    word = document.data.get("kind", "flow")
    if not isinstance(word, str) or word not in KINDS:
        hint = did_you_mean(str(word), KINDS)
        raise ScenarioError([document.problem(("kind",), f"there is no kind of world named {shown(word)}{hint}")])
    kind: Any = importlib.import_module(KINDS[word])
    checked: Kind = kind
    return checked
