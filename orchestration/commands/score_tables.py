"""Scores as tables that a person reads; clinical KPIs stand beside the return in each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from orchestration.commands.tables import metric_label, number
from orchestration.evaluation.resampling import Interval
from orchestration.evaluation.results import Results
from orchestration.evaluation.scores import HIGH, LOW, MANY_RUNS, ScoresError, few_runs, started_from
from orchestration.evaluation.suite import STATISTICS, Suite
from orchestration.output import console

Column = Mapping[str, Interval]
"""Policy to a statistic."""


def scored(results: Sequence[Results]) -> dict[str, Any]:
    """All statistics, as `marl-health score --json` writes them: scenario to statistic to policy."""
    found: dict[str, Any] = {"scenarios": {each.scenario: _scored(each) for each in results}}
    found["normalised"] = {name: _plain(by_policy) for name, by_policy in overall(results).items()}
    found["left_out"] = suite_of(results).left_out
    return found


def print_scores(results: Sequence[Results]) -> None:
    """Print a table per scenario and, of several scenarios, one over them."""
    out = console()
    for each in results:
        episodes = each.scores().episodes
        out.print(Text(f"{each.scenario}: {episodes} evaluation episodes, the same for every run", style="bold"))
        out.print(table_of(each))
        for note in notes(each):
            out.print(note)
    if len(results) > 1:
        out.print(Text(f"normalised scores over scenarios: 0 is {LOW}, 1 is {HIGH}", style="bold"))
        found = overall(results)
        if found:
            out.print(table_over(results, found))
        for name, reason in suite_of(results).left_out.items():
            out.print(f"without {name}: {reason}")


def table_of(results: Results) -> Table:
    """A row per statistic of the return and per KPI, a column per policy."""
    rows = [(name, column, True) for name, column in statistics_of(results).items()]
    rows += [(metric_label(metric, results.units), column, False) for metric, column in results.kpi_means.items()]
    return _table(results.policies, rows, {p: len(results.metrics["return"][p]) for p in results.policies})


def table_over(results: Sequence[Results], found: Mapping[str, Column]) -> Table:
    """A row per statistic over all scenarios and per KPI of each of them, a column per policy."""
    rows = [(f"normalised return, {name}", by_policy, True) for name, by_policy in found.items()]
    rows += [
        (f"{each.scenario}: {metric_label(metric, each.units)}", column, False)
        for each in results
        for metric, column in each.kpi_means.items()
    ]
    return _table(list(found["iqm"]), rows)


def statistics_of(results: Results) -> dict[str, Column]:
    """The statistics of the return that can be given."""
    scores = results.scores()
    found: dict[str, Column] = {"return, IQM": scores.iqm(), "return, mean": scores.mean()}
    if scores.why_not_normalised() is None:
        found[f"normalised, IQM of runs ({LOW} 0, {HIGH} 1)"] = scores.normalised()
    if HIGH in scores.values:
        found[f"return, mean minus {HIGH}"] = scores.difference(HIGH)
        found[f"P(run better than {HIGH})"] = scores.improvement(HIGH)
    return found


def notes(results: Results) -> list[str]:
    """What has to be said below a table."""
    scores = results.scores()
    said = ["[low, high]: 95%, stratified bootstrap over training runs and episodes"]
    reason = scores.why_not_normalised()
    if reason is not None:
        said.append(f"not normalised: {reason}")
    if scores.trained and min(len(scores.values[policy]) for policy in scores.trained) < MANY_RUNS:
        said.append("of few runs such an interval is too narrow: of 5 a mean's holds the truth some 84 times in 100")
    if scores.few:
        said.append(f"warning: {few_runs(scores.few)}")
    for policy in results.policies:
        start = started_from(policy)
        if start is not None:
            said.append(f"{policy}: imitated {start} before it learned on its own")
    return said


def overall(results: Sequence[Results]) -> dict[str, dict[str, Interval]]:
    """Statistic to policy to its value over all scenarios; empty where nothing can be normalised."""
    try:
        found = suite_of(results).aggregate()
    except ScoresError:
        return {}
    return {name: {policy: by_name[name] for policy, by_name in found.items()} for name in STATISTICS}


def suite_of(results: Sequence[Results]) -> Suite:
    """The returns of all scenarios."""
    return Suite({each.scenario: each.scores() for each in results})


def span(found: Interval) -> str:
    """A statistic and its interval."""
    if not math.isfinite(found.low) or found.low == found.high:
        return number(found.value)
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"


def _table(
    policies: Sequence[str], rows: Sequence[tuple[str, Column, bool]], runs: Mapping[str, int] | None = None
) -> Table:
    table = Table()
    table.add_column("")
    for policy in policies:
        table.add_column(policy, justify="right")
    if runs:
        table.add_row("training runs", *(str(runs[policy]) for policy in policies), style="dim")
    for name, column, bold in rows:
        cells = [span(column[policy]) if policy in column else "–" for policy in policies]
        table.add_row(name, *cells, style="bold" if bold else "")
    return table


def _scored(results: Results) -> dict[str, Any]:
    return {
        "hash": results.hash,
        "episodes": results.scores().episodes,
        "return": {name: _plain(column) for name, column in statistics_of(results).items()},
        "kpis": {metric: _plain(column) for metric, column in results.kpi_means.items()},
        "units": dict(results.units),
        "notes": notes(results),
    }


def _plain(column: Column) -> dict[str, Any]:
    return {policy: asdict(found) for policy, found in column.items()}
