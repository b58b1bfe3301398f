"""The report after STRESS-DES, the guideline on how to report discrete-event simulations (Monks and others 2019).

Its sections and their numbers are the guideline's. What they say of the scenario is taken from its file and from the
compiled program; only what holds for every scenario, as how random numbers are drawn, is written here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from marl_health import Scenario
from marl_health.spec.components import COMPONENTS
from orchestration.document.blocks import Block, Bullets, Figure, Heading, Paragraph, Table
from orchestration.document.implementation import access, command, implementation
from orchestration.document.inputs import SECTIONS, Input, inputs, phrase, words
from orchestration.document.logic import components, logic
from orchestration.explain import clock_text, duration, kpi_words

GUIDELINE = "Monks et al. (2019), Strengthening the reporting of empirical simulation studies, J Simulation 13:55"
"""Where the guideline stands."""


def report(scenario: Scenario, svg: str) -> list[Block]:
    """The whole report.

    Args:
        scenario: what is reported on.
        svg: the drawing of its pathway.
    """
    numbers = inputs(scenario.sketch)
    return [
        Heading(1, f"{scenario.name}: simulation model report"),
        Paragraph(
            f"Scenario `{scenario.name}`, version {scenario.version}, hash `{scenario.hash}`. Made from the scenario "
            f"by `{command('document', scenario)}`; the sections are those of STRESS-DES ({GUIDELINE})."
        ),
        *_objectives(scenario),
        Heading(2, "2. Logic"),
        Heading(3, "2.1 Base model overview diagram"),
        Figure(svg, f"The pathway of {scenario.name}, from those who come (left) to how they leave (right)."),
        *logic(scenario),
        *components(scenario),
        *_data(scenario, numbers),
        *_experimentation(scenario),
        *implementation(),
        *access(scenario),
    ]


def _objectives(scenario: Scenario) -> Iterator[Block]:
    yield Heading(2, "1. Objectives")
    yield Heading(3, "1.1 Purpose of the model")
    yield Paragraph(scenario.description)
    yield Paragraph(f"Tags: {', '.join(scenario.tags)}. Split: {words(scenario.split)}.")
    yield Heading(3, "1.2 Model outputs")
    rows = []
    for kpi in scenario.program.kpis:
        said = scenario.spec.kpis[kpi.name]
        formula, meaning = kpi_words(said, kpi)
        rows.append([f"`{kpi.name}`", f"`{formula}`", meaning, kpi.unit or "–", said.better])
    yield Paragraph("Key performance indicators over the episode, the warm-up left out." if rows else "None.")
    if rows:
        yield Table(["name", "formula", "meaning", "unit", "better"], rows)
    yield Heading(3, "1.3 Experimentation aims")
    if not scenario.roles:
        yield Paragraph("Nobody decides in this scenario: it is simulated as it stands.")
        return
    roles = ", ".join(words(role) for role in scenario.roles)
    yield Paragraph(
        f"To compare policies for those who decide ({roles}) on the same patients. A policy is judged by the outputs "
        "above and by the return: the sum over these lines of worth × what the measure gained."
    )
    lines = iter(scenario.program.score)
    score = []
    for component in COMPONENTS:
        for worth in getattr(scenario.spec.score, component):
            line = next(lines)  # the compiler keeps their order
            paid = "everybody" if worth.to is None else words(worth.to)
            each = f"per {line.reading.unit}" if line.reading.unit else "each"
            score.append([component, f"{line.worth:+g} {each}", f"`{worth.of}`: {line.reading.meaning}", paid])
    yield Table(["component", "worth", "of", "paid to"], score) if score else Paragraph("Nothing is paid for.")


def _data(scenario: Scenario, numbers: dict[str, list[Input]]) -> Iterator[Block]:
    every = [row for rows in numbers.values() for row in rows if not row.choice]
    assumed = [row for row in every if row.assumed]
    yield Heading(2, "3. Data")
    yield Heading(3, "3.1 Data sources")
    cited: dict[str, int] = {}
    for row in every:
        if not row.assumed:
            cited[row.source] = cited.get(row.source, 0) + 1
    yield Paragraph(
        f"Of {len(every)} inputs, {len(every) - len(assumed)} come from a source and {len(assumed)} are assumptions; "
        "the tables of 3.3 tell which."
    )
    if cited:
        yield Bullets([f"{source} ({count} input{'s' * (count > 1)})" for source, count in cited.items()])
    yield Heading(3, "3.2 Pre-processing")
    tables = _tables(scenario)
    if not tables:
        yield Paragraph("None: the scenario reads no tables.")
    else:
        yield Paragraph("Columns of tables that lie with the scenario, as they are; weights are scaled to a mean of 1.")
        yield Table(["file", "column", "values"], tables)
    yield Heading(3, "3.3 Input parameters")
    yield Paragraph(
        "Means, medians, standard deviations (sd) and coefficients of variation (cv) are those of the variable itself; "
        "sigma is the standard deviation of its logarithm."
    )
    for section, rows in numbers.items():
        yield Heading(4, SECTIONS[section])
        yield Table(
            ["what", "which number", "value", "source"],
            [[f"`{row.thing}`", row.what, row.value, row.source] for row in rows],
        )
    yield Heading(3, "3.4 Assumptions")
    yield Bullets([*_assumptions(scenario), f"{len(assumed)} inputs, marked as assumptions in 3.3."])


def _tables(scenario: Scenario) -> list[list[str]]:
    """File, column and values of every column that the scenario reads."""
    files = {path.name: path for path in scenario.program.tables}
    rows = []
    for table, column in dict.fromkeys(_columns(scenario.sketch)):
        file = next((path for name, path in files.items() if table.endswith(name)), None)
        if file is not None:
            choice = scenario.sketch.get("choose", {}).get(column)  # a column may be a choice between words
            read = column if choice is None else scenario.chosen.get(column, choice["default"])
            with file.open(newline="", encoding="utf-8-sig") as lines:
                content = csv.DictReader(line for line in lines if not line.startswith("#"))
                values = [str(line[read]).strip() for line in content]
            rows.append([f"`{table}`", f"`{read}`", ", ".join(values)])
    return rows


def _columns(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if "table" in value and "column" in value:
            yield str(value["table"]), str(value["column"])
        for part in value.values():
            yield from _columns(part)
    elif isinstance(value, list):
        for part in value:
            yield from _columns(part)


def _assumptions(scenario: Scenario) -> Iterator[str]:
    """What the words that the scenario uses take for granted."""
    steps = scenario.sketch["pathway"].values()
    kinds = [kind.get("arrive") or {} for kind in scenario.sketch["entities"].values()]
    if any("rate" in arrive for arrive in kinds):
        yield "Those who come at a rate come independently of each other (a Poisson process whose rate may vary)."
    if any("timetable" in arrive for arrive in kinds):
        yield "Bookings do not depend on how full the place is."
    if any("at_start" in arrive for arrive in kinds):
        yield "Stays of those who are there at the start have a uniform share behind them."
    if any("move_to" in step for step in steps):
        yield "Whoever waits for the next place keeps the old one until then."
    if any("use" in step or "with" in step for step in steps):
        yield "Staff of one kind are alike, and need no time to get from task to task."
    if any(step.get("preempt") for step in steps):
        yield "Interrupted work is taken up again by anybody of the kind."
    if scenario.sketch.get("health"):
        yield "Health changes at hazards that depend on attributes and state alone, not on how long a state has lasted."
    yield "How long something takes does not depend on how much there is to do, unless a number above says so."


def _experimentation(scenario: Scenario) -> Iterator[Block]:
    clock = scenario.clock
    yield Heading(2, "4. Experimentation")
    yield Heading(3, "4.1 Initialisation")
    filled = [
        f"{words(name)}: {phrase(kind['arrive']['at_start'])}"
        for name, kind in scenario.sketch["entities"].items()
        if "at_start" in (kind.get("arrive") or {})
    ]
    warm_up = f"The warm-up lasts {duration(clock.warm_up)}" if clock.warm_up else "There is no warm-up"
    begins = "It begins with these entities, and stays that in part lie behind them" if filled else "It begins empty"
    yield Paragraph(f"{warm_up}. {begins}{':' if filled else '.'}")
    if filled:
        yield Bullets(filled)
    yield Heading(3, "4.2 Run length")
    yield Paragraph(clock_text(clock))
    yield Heading(3, "4.3 Estimation approach")
    yield Paragraph(
        "Independent replications, number i with seed s + i. Results are means over replications with 95% Student t "
        "intervals; policies are compared replication by replication on the same patients (common random numbers). "
        "How many replications a precision needs, and whether the warm-up is long enough, is found by"
    )
    yield Bullets(
        [
            f"`{command('replications', scenario)}` (confidence interval method, Welch's plot)",
            f"`{command('simulate', scenario)} --precision 0.05` (replications algorithm of Hoad and others 2010)",
            *([f"`{command('compare', scenario)}` (paired differences)"] if scenario.roles else []),
        ]
    )
    varied = [f"`{key}`: {phrase(value)}" for key, value in scenario.sketch.get("vary", {}).items()]
    if varied:
        yield Paragraph("Drawn anew for each replication, and hidden from those who decide:")
        yield Bullets(varied)
