"""What the words of the report mean: those of statistics, and the indicators as the scenario defines them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from marl_health import Scenario
from marl_health.worlds.flow.program import KpiSpec
from orchestration.briefing.words import RETURN, Shown, plain
from orchestration.document.blocks import Block, Paragraph, Table
from orchestration.document.inputs import phrase

TERMS = {
    "95% interval": "where the true mean lies; of 100 such intervals, about 95 contain it",
    "replication": "one simulated run of the hospital, with patients of its own",
    "paired difference": "one policy minus another in the same replication, so on the same patients",
    "clear": "the 95% interval leaves out 0",
    "policy": "what decides for the managers",
    "patient": "anybody who comes in the model, as well those who only come for a test",
}
PLAINER = {
    r"times the mark ('\w+') was set": r"how often \1 happened",
    r"entity-hours": "hours, summed over patients,",
    r"unit-hours": "hours",
    r"\bentities\b": "patients",
    r"\bp90\b": "90th percentile",
    r"\bp95\b": "95th percentile",
    r"\bshare_within\b": "share within the target",
    r"\bhazard of death integrated over time\b": "the risk at every moment, added up",
}
"""Terms of modellers, and what others say."""


def glossary(scenario: Scenario, metrics: Mapping[str, Shown]) -> Iterator[Block]:
    """The section."""
    score = metrics[RETURN].label
    terms = {**TERMS, score: "all that the scenario rewards or punishes, weighed as its author chose and added up"}
    yield Table(["word", "meaning"], [[word, meaning] for word, meaning in terms.items()])
    yield Paragraph("The indicators, as the scenario defines them:")
    rows = [
        [
            metrics[kpi.name].label,
            meaning_of(scenario, kpi),
            metrics[kpi.name].unit or "number",
            f"{scenario.spec.kpis[kpi.name].better} is better",
            f"`{kpi.name}`",
        ]
        for kpi in scenario.program.kpis
    ]
    yield Table(["indicator", "what it is", "unit", "", "in the scenario"], rows)


def meaning_of(scenario: Scenario, kpi: KpiSpec) -> str:
    """What an indicator is: the scenario's own note, if there is one, and how it is computed."""
    said = scenario.spec.kpis[kpi.name]
    text = _plainer(kpi.reading.meaning)
    if kpi.per is not None:
        text += f", divided by {_plainer(kpi.per.meaning)}"
    if kpi.gap:
        text = f"largest gap between groups by {' or '.join(map(plain, kpi.gap))} of: {text}"
    measure = said.of.partition(".")[0]
    if measure in scenario.spec.measures:
        text += f" ({_between(scenario, measure)})"
    return f"{said.note.rstrip('.')}. Computed as: {text}" if said.note else text


def _between(scenario: Scenario, measure: str) -> str:
    """From where to where a measure goes, and its target."""
    span = scenario.spec.measures[measure]
    text = f"{plain(measure)}: from {plain(span.from_)} to {plain(span.to)}"
    if span.target is not None:
        text += f", target {phrase(scenario.sketch['measures'][measure]['target'])}"
    return text


def _plainer(meaning: str) -> str:
    """How something is computed, without the terms of modellers."""
    for term, words in PLAINER.items():
        meaning = re.sub(term, words, meaning)
    return re.sub(r"'(\w+)'", lambda quoted: f"'{plain(quoted[1])}'", meaning)
