"""Stories as tables that a person reads."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from marl_health import Scenario
from orchestration.output import console
from orchestration.trace import Line, Story, aligned, moment, shown, stretch


def print_stories(scenario: Scenario, found: Sequence[Story | None], policies: Sequence[str], seed: int) -> None:
    """Print one story, or two side by side; the first is there in any case."""
    first, *others = found
    assert first is not None
    out = console()
    out.print(Text(_heading(scenario, first, seed), style="bold"))
    out.print(", ".join(f"{name} {shown(value)}" for name, value in first.attributes.items()) or "no attributes")
    other = others[0] if others else None
    out.print(_one(scenario, first) if other is None else _two(scenario, first, other))
    for policy, story in zip(policies, found, strict=True):
        ending = "does not come back, so there is no such stay" if story is None else _ending(scenario, story)
        out.print(f"{policy}: {ending}" if others else ending)


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
