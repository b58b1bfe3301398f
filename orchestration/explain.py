"""A scenario explained to a person: what is seen, what can be done, what counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from marl_health import Scenario
from marl_health.spec.components import COMPONENTS

DAY, HOUR = 1440.0, 60.0
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def explain(scenario: Scenario) -> Iterator[RenderableType]:
    """Texts and tables to print, in order: heading, clock, agents, reward, KPIs."""
    yield Text(f"{scenario.name}, version {scenario.version} (hash {scenario.hash})", style="bold")
    yield Text(scenario.description)
    yield Text(f"tags: {', '.join(scenario.tags)}; split: {scenario.split}")
    yield ""
    yield Text(clock_text(scenario.clock))
    yield from _variation(scenario.spec)
    game = scenario.kind.make_game(scenario.program)
    if not game.agents:
        yield Text("Nobody decides here: simulate it, there is nothing to train.")
    for agent in game.agents:
        yield ""
        yield from _agent(agent, game)
    yield ""
    yield from _reward(scenario)
    yield ""
    yield from _kpis(scenario)


def duration(minutes: float) -> str:
    """Minutes in words: ``90`` is ``1.5 h``."""
    for unit, size in (("days", DAY), ("h", HOUR)):
        if minutes >= size:
            count = f"{minutes / size:.4g}"
            return "1 day" if (count, unit) == ("1", "days") else f"{count} {unit}"
    return f"{minutes:.4g} min"


def decisions_text(clock: Any) -> str:
    """How often agents decide, or when."""
    if clock.decide is None:
        return f"a decision every {duration(clock.decide_every)} ({clock.steps} in all)"
    text = f"decisions {duration(clock.decide.together_within)} after the first of: {', '.join(clock.decide.when)}"
    every = clock.decide.at_least_every
    return text if every is None else f"{text}; nobody waits longer than {duration(every)} to be asked"


def clock_text(clock: Any) -> str:
    """When an episode starts, how long its phases are, and how often agents decide."""
    day, minute = divmod(clock.starts, DAY)
    start = f"{WEEKDAYS[int(day) % 7]} {int(minute // HOUR):02d}:{int(minute % HOUR):02d}"
    most = "at most " if clock.until_gone else ""
    text = f"An episode starts on {start} and lasts {most}{duration(clock.episode)}, with {decisions_text(clock)}."
    if clock.until_gone:
        text += f" It ends when nobody is inside or still to come of: {', '.join(clock.until_gone)}."
    if clock.warm_up:
        text += f" A warm-up of {duration(clock.warm_up)} runs before the first decision."
    if clock.run_out:
        text += f" A run-out of {duration(clock.run_out)} follows the last one, and its outcomes count."
    return text


def _variation(spec: Any) -> Iterator[RenderableType]:
    if spec.vary:
        yield Text(f"Drawn anew for each episode, and hidden from the agents: {', '.join(spec.vary)}.")
    for name, choice in spec.choose.items():
        others = " or ".join(f"--with {name}={other}" for other in choice.among if other != choice.default)
        yield Text(f"{name} is {choice.default}" + (f" (alternatives: {others})." if others else "."))


def _agent(agent: str, game: Any) -> Iterator[RenderableType]:
    names, meanings = game.observation_names(agent), game.observation_meanings(agent)
    moves = game.action_names(agent)
    yield Text(f"{agent} sees {len(names)} numbers and has {len(moves)} moves", style="bold")
    seen = _table("sees", "", "name", "meaning", "shown as")
    for index, (name, (meaning, scale)) in enumerate(zip(names, meanings, strict=True)):
        seen.add_row(str(index), name, meaning, f"x / (|x| + {scale:g})" if scale else "as it is")
    yield Padding(seen, (0, 0, 0, 2))
    can = _table("can do", "", "name", "meaning")
    for index, (name, meaning) in enumerate(zip(moves, game.action_meanings(agent), strict=True)):
        can.add_row(str(index), name, meaning)
    yield Padding(can, (0, 0, 0, 2))


def _reward(scenario: Scenario) -> Iterator[RenderableType]:
    yield Text("Reward", style="bold")
    table = _table("", "component", "worth", "for each", "of", "to")
    lines = iter(scenario.program.score)
    for component in COMPONENTS:
        for worth in getattr(scenario.spec.score, component):
            line = next(lines)  # the compiler keeps their order
            unit = line.reading.unit or "1"
            paid = "each agent" if worth.to is None else worth.to
            table.add_row(component, f"{line.worth:+g}", unit, f"{worth.of}: {line.reading.meaning}", paid)
    if not table.rows:
        yield Text("  Nothing is paid for.")
        return
    yield Text(
        "  The reward of a decision is the sum over these lines of worth × what the measure gained since the last."
    )
    yield Padding(table, (0, 0, 0, 2))


def _kpis(scenario: Scenario) -> Iterator[RenderableType]:
    yield Text("KPIs, over the episode after the warm-up", style="bold")
    table = _table("", "name", "formula", "meaning", "unit", "better")
    for compiled in scenario.program.kpis:
        kpi = scenario.spec.kpis[compiled.name]
        table.add_row(compiled.name, *kpi_words(kpi, compiled), compiled.unit, kpi.better)
    if not table.rows:
        yield Text("  None.")
        return
    yield Padding(table, (0, 0, 0, 2))
    groups = scenario.kind.make_game(scenario.program).groups()
    if groups:
        listed = "; ".join(f"{name} ({', '.join(values)})" for name, values in groups.items())
        yield Text(f"  They can be split by {listed}.")


def kpi_words(kpi: Any, compiled: Any) -> tuple[str, str]:
    """Formula and meaning of a KPI, as read and as compiled."""
    formula, meaning = kpi.of, compiled.reading.meaning
    if compiled.per is not None:
        formula, meaning = f"{kpi.of} / {kpi.per}", f"{meaning} / {compiled.per.meaning}"
    if compiled.gap:
        by = ", ".join(compiled.gap)
        formula, meaning = f"gap by {by} of {formula}", f"largest difference between groups of {by}: {meaning}"
    return formula, meaning


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="italic")
    for column in columns:
        table.add_column(column, justify="right" if column in ("", "worth") else "left")
    return table
