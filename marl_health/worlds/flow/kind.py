"""What the rest of the library needs to know of the flow kind of world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from marl_health.spec.document import Document
from marl_health.spec.errors import Problem
from marl_health.worlds.flow import expand
from marl_health.worlds.flow.compile import compile_scenario
from marl_health.worlds.flow.game import FlowGame
from marl_health.worlds.flow.model import FlowScenario
from marl_health.worlds.flow.program import Program

MODEL = FlowScenario


def expanded(document: Document) -> Document:
    """A scenario with its templates written out; raises ScenarioError."""
    return expand.expanded(document)


def sketched(document: Document) -> dict[str, Any] | None:
    """A scenario with one site of each template written out, if it has templates and that makes sense."""
    return expand.sketched(document)


def told_once(problems: list[Problem], document: Document) -> list[Problem]:
    """The same problems, where those that a template has at several sites are told once."""
    return expand.told_once(problems, document)


def compile_program(document: Document, scenario: FlowScenario, folders: list[Path], chosen: dict[str, str]) -> Program:
    """Compile a validated scenario; raises ScenarioError."""
    return compile_scenario(document, scenario, folders, chosen)


def tables_read(program: Program) -> list[Path]:
    """Files that the scenario took numbers from."""
    return list(program.tables)


def make_game(program: Program) -> FlowGame:
    """The game that an env plays."""
    return FlowGame(program)
