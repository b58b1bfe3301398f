"""`trace`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

import policies as policies_by_name
from marl_health import Scenario, load
from orchestration.commands.errors import CommandError
from orchestration.commands.options import Chosen, NameOrFile, chosen_alternatives
from orchestration.commands.output import console
from orchestration.commands.runs import split_policies
from orchestration.simulate import NOBODY
from orchestration.trace import Line, Story, UnknownEntity, aligned, moment, shown, stories, stretch


def trace(
    scenario: NameOrFile,
    entity: Annotated[
        str, typer.Option(metavar="NUMBER_OR_NAME", help="Its number in the event log, or its name, as emergency-17.")
    ],
    policy: Annotated[str, typer.Option(help=f"{policies_by_name.FORMS}.")] = NOBODY,
    policies: Annotated[
        str | None, typer.Option(metavar="A,B", help="Two policies: the same patient under both, side by side.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the episode.")] = 0,
    chosen: Chosen = None,
) -> None:
    """Tell what happened to one patient, and how it would have gone under another policy."""
    loaded = load(scenario, chosen_alternatives(chosen))
    names = [policy] if policies is None else split_policies(policies)
    if len(names) > 2 or len(set(names)) < len(names):
        raise typer.BadParameter("names two different policies, as in wait,rule", param_hint="--policies")
    if not loaded.roles and policies is not None:
        raise CommandError(f"nobody decides in '{loaded.name}', so there is one story only; leave out --policies")
    try:
        found = stories(loaded, names, entity, seed)
    except UnknownEntity as error:
        raise CommandError(str(error)) from error
    first, *others = found
    assert first is not None
    out = console()
    out.print(Text(_heading(loaded, first, seed), style="bold"))
    out.print(", ".join(f"{name} {shown(value)}" for name, value in first.attributes.items()) or "no attributes")
    if not others or others[0] is None:
        out.print(_one(loaded, first))
    else:
        out.print(_two(loaded, first, others[0]))
    for name, story in zip(names, found, strict=True):
        label = f"{name}: " if others else ""
        out.print(
            label + (_ending(loaded, story) if story is not None else "does not come back, so there is no such stay")
        )


def _heading(scenario: Scenario, story: Story, seed: int) -> str:
    return f"{story.name} (number {story.number}) in {scenario.name}, seed {seed}, on arrival"


def _one(scenario: Scenario, story: Story) -> Table:
    table = Table()
    for column in ("time", "what happens", "where", "after a wait of", "lasts"):
        table.add_column(column, justify="right" if column in ("after a wait of", "lasts") else "left")
    for line in story.lines:
        cells = (moment(scenario, line.time), line.what, line.where, stretch(line.waited), stretch(line.lasted))
        table.add_row(*cells)
    return table


def _two(scenario: Scenario, first: Story, other: Story) -> Table:
    table = Table()
    table.add_column("what happens")
    for story in (first, other):
        table.add_column(f"{story.policy}: time")
        table.add_column("after a wait of", justify="right")
        table.add_column("lasts", justify="right")
    for a, b in aligned(first, other):
        line = a or b
        assert line is not None
        later = a is not None and b is not None and abs(a.time - b.time) >= 1
        table.add_row(line.brief, *_cells(scenario, a), *_cells(scenario, b), style="bold" if later else "")
    return table


def _cells(scenario: Scenario, line: Line | None) -> tuple[str, str, str]:
    if line is None:
        return "–", "", ""
    return moment(scenario, line.time), stretch(line.waited), stretch(line.lasted)


def _ending(scenario: Scenario, story: Story) -> str:
    stay = stretch(story.end - story.start)
    waited = f"{stretch(story.waited)} of it waiting"
    if story.outcome:
        return f"leaves on {moment(scenario, story.end)} as {story.outcome}, after {stay}, {waited}"
    return f"still inside when the run ends on {moment(scenario, story.end)}, after {stay}, {waited}"
