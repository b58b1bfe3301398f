"""The report of a training run: one HTML page that needs no other file."""

from __future__ import annotations

import csv
import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestration.page import html_page

REPORT = "report.html"

STYLE = """
h1 { margin-bottom: 0; }
svg { width: 100%; height: auto; }
table { font-variant-numeric: tabular-nums; }
th, td { text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td small { color: #777; }
.clear { font-weight: 600; }
.note { color: #555; }
"""


def write_report(
    run_dir: Path,
    comparison: Mapping[str, Any],
    curve: Path | None,
    occupancy: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]],
) -> Path:
    """Write `report.html` into the run's folder and return its path.

    Args:
        run_dir: the run's folder; its `training.json`, if any, is quoted.
        comparison: what `marl-health compare --json` writes. Differences are against its first policy.
        curve: the run's `progress.csv`; None leaves the learning curve out.
        occupancy: policy, then place, to `hours`, `mean`, `low` and `high`, equally long; the bands are over
            replications. Empty leaves the section out.
    """
    from orchestration.figures import bands_over_time, forest, learning_curve

    policies = comparison["policies"]
    paired = comparison["paired"]
    reference = next(iter(policies))
    units = {kpi: values.get("unit", "") for p in policies.values() for kpi, values in p["kpis"].items()}
    n = len(comparison["seeds"])
    sections = []
    if curve is not None:
        levels = {name: p["return"]["mean"] for name, p in policies.items()}
        text = _training_words(run_dir)
        sections.append(_section("Learning curve", text, learning_curve(_read_curve(curve), levels)))
    note = (
        f"Difference from {_code(reference)} on the same {n} replications (the same patients under every "
        "policy), with 95% intervals."
    )
    sections.append(_section("Paired differences", note, forest(paired, units), _paired_table(paired, units)))
    if occupancy:
        note = "Occupied places, mean over replications with a band over them."
        sections.append(_section("Occupancy over time", note, bands_over_time(occupancy)))
    note = f"Mean of {n} replications with its 95% interval."
    sections.append(_section("All results", note, table=_policies_table(policies, units)))

    seeds = comparison["seeds"]
    title = f"marl-health: {comparison['scenario']}"
    subtitle = (
        f"Scenario {_code(comparison['scenario'])} version {html.escape(str(comparison['version']))}, "
        f"hash {_code(comparison['hash'])}; held-out seeds {min(seeds)} to {max(seeds)}."
    )
    heading = f'<h1>{html.escape(title)}</h1>\n<p class="note">{subtitle}</p>'
    page = html_page(title, "\n".join([heading, *sections]), STYLE)
    path = run_dir / REPORT
    path.write_text(page, encoding="utf-8")
    return path


def _section(title: str, note: str, figure: str = "", table: str = "") -> str:
    parts = [f"<h2>{html.escape(title)}</h2>", f'<p class="note">{note}</p>']
    if figure:
        parts.append(f"<figure>{figure}</figure>")
    if table:
        parts.append(f'<div class="wide">{table}</div>')
    return "<section>" + "\n".join(parts) + "</section>"


def _training_words(run_dir: Path) -> str:
    """What `training.json` says, in a sentence."""
    file = run_dir / "training.json"
    if not file.is_file():
        return "Mean return of the last training episodes."
    facts = json.loads(file.read_text(encoding="utf-8"))
    return (
        f"Algorithm {_code(facts['algorithm'])}, seed {facts['seed']}: {facts['env_steps']:,} environment "
        f"steps in {facts['iterations']:,} iterations and {facts['seconds'] / 60:.1f} minutes. Kept: the "
        f"modules of iteration {facts['best_iteration']}. Command: {_code(facts['command'])}."
    )


def _read_curve(path: Path) -> list[dict[str, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _policies_table(policies: Mapping[str, Any], units: Mapping[str, str]) -> str:
    """A row per metric, a column per policy."""
    rows = [["return", *(_interval(p["return"], "mean") for p in policies.values())]]
    for kpi, unit in units.items():
        cells = (_interval(p["kpis"].get(kpi), "mean") for p in policies.values())
        rows.append([_metric(kpi, unit), *cells])
    return _table(["", *map(html.escape, policies)], rows)


def _paired_table(paired: Mapping[str, Mapping[str, Any]], units: Mapping[str, str]) -> str:
    """A row per metric, a column per policy; bold where the interval excludes 0."""
    metrics = dict.fromkeys(metric for differences in paired.values() for metric in differences)
    rows = []
    for metric in metrics:
        cells = (_interval(differences.get(metric), "difference") for differences in paired.values())
        rows.append([_metric(metric, units.get(metric, "")), *cells])
    return _table(["", *map(html.escape, paired)], rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return "<table>" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _interval(values: Mapping[str, Any] | None, key: str) -> str:
    """`mean [low, high]`, as HTML; a difference whose interval excludes 0 is marked."""
    if values is None or not _finite(values.get(key)):
        return "–"
    text = _number(values[key])
    low, high = values.get("low"), values.get("high")
    if not (_finite(low) and _finite(high)):
        return text
    if key == "difference" and (low > 0 or high < 0):
        text = f'<span class="clear">{text}</span>'
    return f"{text} <small>[{_number(low)}, {_number(high)}]</small>"


def _number(value: float) -> str:
    """Four significant digits, and every digit before the point."""
    if value == 0:
        return "0"
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def _finite(value: Any) -> bool:
    return value is not None and math.isfinite(value)


def _metric(name: str, unit: str) -> str:
    return html.escape(f"{name} ({unit})" if unit else name)


def _code(text: Any) -> str:
    return f"<code>{html.escape(str(text))}</code>"
