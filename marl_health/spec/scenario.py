"""Scenarios: where they are found, how they are read, and what identifies them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from marl_health.spec.errors import Problem, ScenarioError, shown
from marl_health.spec.suggest import did_you_mean

if TYPE_CHECKING:
    from marl_health.spec.document import Document

PACKAGED = Path(__file__).resolve().parent.parent.parent / "scenarios"
"""Where the scenarios of the distribution lie: beside the library, in a checkout as in site-packages."""

KINDS = {"flow": "marl_health.worlds.flow.kind"}
"""Kinds of world, by the word in the file, and the module that knows them; it is imported when one is read."""


class Kind(Protocol):
    """What the module of a kind of world offers."""

    MODEL: Any

    def expanded(self, document: Document) -> Document:
        """A scenario written out in full, as it is validated; raises ScenarioError."""

    def sketched(self, document: Document) -> dict[str, Any] | None:
        """What is enough to read about it, if that is less: of sites that are alike only the first."""

    def told_once(self, problems: list[Problem], document: Document) -> list[Problem]:
        """The same problems, where those of one line that a document repeats are told once."""

    def compile_program(self, document: Document, scenario: Any, folders: list[Path], chosen: dict[str, str]) -> Any:
        """Compile a validated scenario; raises ScenarioError."""

    def tables_read(self, program: Any) -> list[Path]:
        """Files that the scenario took numbers from."""

    def make_game(self, program: Any) -> Any:
        """The game that an env plays."""


class Scenario:
    """A scenario, read and compiled.

    Attributes:
        name, version, description, tags, split, clock: as in the file.
        hash: twelve hexadecimal digits of what it says, the numbers of its tables and its alternatives included.
        file: where it was read from. read_from: that file, what it extends, and its tables.
        data: what it says, as plain data, what it extends included. whole: the same with templates written out.
        spec: the validated models. program: the compiled world.
        roles: the roles that decide, in order.
    """

    def __init__(
        self,
        document: Document,
        whole: dict[str, Any],
        spec: Any,
        program: Any,
        kind: Kind,
        chosen: Mapping[str, str],
        read_from: Sequence[Path],
    ) -> None:
        self.file = document.file
        self.read_from = tuple(read_from)
        self.data = document.data
        self.whole = whole
        self._document = document
        self.spec = spec
        self.program = program
        self.kind = kind
        self.chosen = dict(chosen)
        self.name: str = spec.name
        self.version: int = spec.version
        self.description: str = spec.description
        self.tags: list[str] = list(spec.tags)
        self.split: str = spec.split
        self.clock = spec.clock
        self.roles: list[str] = list(dict.fromkeys(agent.role or name for name, agent in spec.agents.items()))
        digest = hashlib.sha256(json.dumps([document.data, sorted(self.chosen.items())]).encode())
        for file in kind.tables_read(program):
            digest.update(file.read_bytes())
        self.hash = digest.hexdigest()[:12]
        where = str(Path(self.file).resolve())
        self._again = (where, tuple(sorted(self.chosen.items())), self.hash)
        program.pickled = (_program_again, self._again)

    @cached_property
    def sketch(self) -> dict[str, Any]:
        """What it says in full, but with one site of each template only: for people who read about it."""
        return self.kind.sketched(self._document) or self.whole

    def __reduce__(self) -> Any:
        """A scenario travels as the name of its file; whoever unpickles it reads and checks that."""
        return _scenario_again, self._again

    def __deepcopy__(self, memo: dict[int, Any]) -> Scenario:
        return self

    def __repr__(self) -> str:
        return f"Scenario({self.name!r}, version={self.version}, hash={self.hash!r})"


_loaded: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[list[tuple[int, int]], Scenario]] = {}


def packaged_scenarios() -> dict[str, Path]:
    """The scenarios of the distribution, by name, in alphabetical order."""
    files = sorted(PACKAGED.glob("*/*.yaml"))
    return {file.stem: file for file in sorted(files, key=lambda file: file.stem)}


def find(name_or_path: str | Path) -> Path:
    """The file of a scenario: a path to a YAML file, or the name of one of the distribution's.

    Raises:
        ScenarioError: if there is neither, with the nearest name.
    """
    text = str(name_or_path)
    known = packaged_scenarios()
    if text in known:
        return known[text]
    path = Path(text)
    if path.suffix in (".yaml", ".yml") or "/" in text or is_there(path):
        return path
    message = f"there is neither a scenario named {shown(text)} nor a file of that name{did_you_mean(text, known)}"
    raise ScenarioError([Problem(text, 1, 1, "", message)])


def is_there(path: Path) -> bool:
    """Whether it is a file, whatever its name holds."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # no name that a file can have
        return False


def load(name_or_path: str | Path, chosen: Mapping[str, str] | None = None) -> Scenario:
    """Read and compile a scenario.

    A scenario that did not change since it was last read is not read again.

    Args:
        name_or_path: a name of :func:`packaged_scenarios` or the path of a YAML file.
        chosen: alternatives for the names under ``choose``.

    Raises:
        ScenarioError: with every problem found, each with its place and remedy.
    """
    path = find(name_or_path)
    picks = dict(chosen or {})
    try:
        key = (str(path.resolve()), tuple(sorted(picks.items())))
        state, scenario = _loaded[key]
        if _state(scenario.read_from) == state:
            return scenario
    except (KeyError, OSError, ValueError):
        pass  # read for the first time, gone, or no name that a file can have
    from marl_health.spec.reading import read  # what parses and validates is not needed before a scenario is read

    scenario = read(path, picks)
    _loaded[key] = (_state(scenario.read_from), scenario)
    return scenario


def _state(files: Sequence[Path]) -> list[tuple[int, int]]:
    """What changes when a file does: the time of its last change, and its size."""
    found = [file.stat() for file in files]
    return [(status.st_mtime_ns, status.st_size) for status in found]


def _scenario_again(file: str, chosen: tuple[tuple[str, str], ...], expected: str) -> Scenario:
    """Find a pickled scenario again; its file must still say the same."""
    scenario = load(file, dict(chosen))
    if scenario.hash != expected:
        raise ScenarioError(
            [Problem(file, 1, 1, "", "this file changed since the world was pickled; put the old version back")]
        )
    return scenario


def _program_again(file: str, chosen: tuple[tuple[str, str], ...], expected: str) -> Any:
    """Find the program of a pickled world again."""
    return _scenario_again(file, chosen, expected).program
