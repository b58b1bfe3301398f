"""`list`, `show` and `validate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from marl_health import Scenario, ScenarioError, load
from marl_health.spec.scenario import packaged_scenarios
from orchestration.commands.options import Chosen, NameOrFile, chosen_alternatives
from orchestration.explain import explain
from orchestration.output import console


def list_scenarios() -> None:
    """List the packaged scenarios."""
    table = Table()
    for column in ("name", "version", "split", "agents", "tags", "description"):
        table.add_column(column, no_wrap=column in ("name", "split"))
    problems = []
    for name, file in packaged_scenarios().items():
        try:
            facts = _heading(file)
        except ScenarioError as error:
            problems.append(str(error))
            continue
        agents = ", ".join(facts["agents"]) or "nobody decides"
        row = (
            facts["version"],
            facts["split"],
            agents,
            ", ".join(facts["tags"]),
            _first_sentence(facts["description"]),
        )
        table.add_row(name, *map(str, row))
    console().print(table)
    if problems:
        print("\n".join(problems), file=sys.stderr)
        raise typer.Exit(1)


def _heading(file: Path) -> dict[str, Any]:
    """What a listing says of a scenario; it is neither read whole nor compiled if it says all that at its top."""
    from marl_health.spec.heading import heading  # not needed before a scenario is listed

    wanted = ("version", "split", "agents", "tags", "description")
    facts = {"version": 1, "agents": {}, **heading(file, wanted)}
    if all(word in facts for word in wanted):
        return {word: facts[word] for word in wanted}
    scenario = load(file)  # which tells what is missing
    return {word: getattr(scenario, "roles" if word == "agents" else word) for word in wanted}


def _first_sentence(description: str) -> str:
    text = " ".join(str(description).split())
    end = text.find(". ")
    return text if end < 0 else text[: end + 1]


def show(scenario: NameOrFile, chosen: Chosen = None) -> None:
    """Explain a scenario: who decides, what they see and can do, what counts."""
    out = console()
    for part in explain(load(scenario, chosen_alternatives(chosen))):
        out.print(part)


def validate(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="YAML files, or names of packaged scenarios or experiments.")
    ],
) -> None:
    """Check scenarios, every alternative of theirs included, or experiments, and say what is wrong and where."""
    from orchestration.experiment.reading import is_experiment, load_experiment

    wrong = False
    for name in files:
        if is_experiment(name):
            try:
                experiment = load_experiment(name)
                print(f"{name}: OK (experiment {experiment.name}, hash {experiment.hash})")
            except ScenarioError as error:
                wrong = True
                print(error, file=sys.stderr)
            continue
        problems = _problems(name)
        if problems:
            wrong = True
            print("\n".join(problems), file=sys.stderr)
        else:
            scenario = load(name)
            print(f"{name}: OK ({scenario.name} version {scenario.version}, hash {scenario.hash})")
    if wrong:
        raise typer.Exit(1)


def _problems(name: str) -> list[str]:
    """Everything that is wrong with a scenario; if all is well by default, with its alternatives one by one."""
    try:
        scenario = load(name)
    except ScenarioError as error:
        return str(error).splitlines()
    found: dict[str, None] = {}
    for pick in _alternatives(scenario):
        try:
            load(name, pick)
        except ScenarioError as error:
            found.update(dict.fromkeys(str(error).splitlines()))
    return list(found)


def _alternatives(scenario: Scenario) -> list[dict[str, str]]:
    return [
        {name: alternative}
        for name, choice in scenario.spec.choose.items()
        for alternative in choice.among
        if alternative != choice.default
    ]
