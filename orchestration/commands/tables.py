"""Results as tables that a person reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from marl_health import Scenario
from orchestration.evaluation.compare import Comparison
from orchestration.evaluation.findings import Findings
from orchestration.evaluation.statistics import Estimate
from orchestration.output import console
from orchestration.simulate import Simulation

CLEAR = "*"
"""Marks a difference whose interval excludes 0."""

RATIO = "variance ratio"
"""Names the columns that say what pairing gains."""

BETTER, WORSE = "green", "red"


def number(value: float) -> str:
    """Four significant digits, and every digit before the point."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def ratio(value: float) -> str:
    """Two significant digits, and every digit before the point."""
    if math.isinf(value):
        return "∞"
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}"


def interval(found: Estimate) -> str:
    """Mean ± half of the interval's width, to the same number of decimals."""
    half = (found.high - found.low) / 2
    if not math.isfinite(half):
        return number(found.mean)
    if half <= 1e-12 * abs(found.mean):
        return f"{number(found.mean)} ± 0"
    digits = max(0, 1 - math.floor(math.log10(half)))
    return f"{found.mean:z,.{digits}f} ± {half:,.{digits}f}"


def metric_label(name: str, units: Mapping[str, str]) -> str:
    """A metric with its unit."""
    unit = units.get(name, "")
    return f"{name} ({unit})" if unit else name


def print_simulation(simulation: Simulation) -> None:
    """Print everything about one policy."""
    out = console()
    title = f"{simulation.scenario.name}, policy {simulation.policy}: {seeds_line(simulation.seeds)}"
    out.print(Text(title, style="bold"))
    out.print(simulation_table(simulation))
    out.print(conservation_line(simulation))


def print_comparison(comparison: Comparison) -> None:
    """Print several policies side by side, and their paired differences."""
    print_findings(comparison.scenario, Findings.read(comparison.to_json()))


def print_findings(scenario: Scenario, found: Findings) -> None:
    """Print what a comparison in a scenario found."""
    out = console()
    title = f"{scenario.name}: {seeds_line(found.seeds)}, the same patients under every policy"
    out.print(Text(title, style="bold"))
    out.print(policies_table(found))
    if found.paired:
        out.print(Text(f"difference from {found.reference}, replication by replication", style="bold"))
        out.print(paired_table(scenario, found))
        out.print(f"{CLEAR} the interval excludes 0 (green: for the better, red: for the worse)")
        out.print(
            f"{RATIO}: variance of the difference if each policy met patients of its own, over that on the same ones"
        )


def simulation_table(simulation: Simulation) -> Table:
    """Return, its terms, KPIs."""
    n = len(simulation.replications)
    units = simulation.units
    table = Table()
    table.add_column("metric")
    table.add_column("mean ± 95% interval", justify="right")
    table.add_column("recorded in", justify="right")
    gained = simulation.estimate("return")
    table.add_row("return", interval(gained), str(gained.n), style="bold")
    for name, term in simulation.summary()["reward_terms"].items():
        table.add_row(f"  of it {name}", number(term), str(n), style="dim")
    table.add_section()
    for name in units:
        found = simulation.estimate(name)
        table.add_row(metric_label(name, units), interval(found), str(found.n))
    return table


def conservation_line(simulation: Simulation) -> str:
    """Where everybody is who ever came, in a sentence."""
    found = simulation.summary()["conservation"]
    parts = " + ".join(f"{count:,} {name}" for name, count in found.items() if name != "arrived")
    return f"{found['arrived']:,} arrived = {parts} (all replications, warm-up included)"


def policies_table(found: Findings) -> Table:
    """A row per metric, a column per policy."""
    table = Table()
    table.add_column("mean ± 95% interval")
    for name in found.means:
        table.add_column(name, justify="right")
    for metric in found.metrics:
        cells = [interval(by_metric[metric]) for by_metric in found.means.values()]
        table.add_row(metric_label(metric, found.units), *cells, style="bold" if metric == "return" else "")
        if metric == "return":
            table.add_section()
    return table


def paired_table(scenario: Scenario, found: Findings) -> Table:
    """A row per metric; for each policy but the reference its difference, marked if clear, and what pairing gains."""
    table = Table()
    table.add_column("mean ± 95% interval")
    for name in found.paired:
        table.add_column(name, justify="right")
        table.add_column(RATIO, justify="right", style="dim")
    for metric in found.metrics:
        higher = metric == "return" or scenario.spec.kpis[metric].better == "higher"
        cells: list[Text | str] = []
        for name, by_metric in found.paired.items():
            cells += [difference(by_metric[metric], higher), ratio(found.variance_ratios[name][metric])]
        table.add_row(metric_label(metric, found.units), *cells, style="bold" if metric == "return" else "")
        if metric == "return":
            table.add_section()
    return table


def difference(found: Estimate, higher_is_better: bool) -> Text:
    """A paired difference, marked and coloured if it is clear."""
    if not found.clear:
        return Text(f"{interval(found)}  ")
    style = BETTER if (found.mean > 0) == higher_is_better else WORSE
    return Text(f"{interval(found)} {CLEAR}", style=style)


def standing(found: Findings, other: str) -> str:
    """How the reference stands to another policy in return, in a sentence."""
    apart = found.paired[other]["return"]
    low, high = number(-apart.high), number(-apart.low)
    reference = found.reference
    gap = f"by {number(abs(apart.mean))} in return"
    if not apart.clear:
        return f"{reference} and {other} cannot be told apart (difference {number(-apart.mean)}, 95% {low} to {high})"
    return f"{reference} is {'worse' if apart.mean > 0 else 'better'} than {other} {gap} (95% {low} to {high})"


def seeds_line(seeds: Sequence[int]) -> str:
    """How many replications there are, and their seeds."""
    if len(seeds) == 1:
        return f"1 replication, seed {seeds[0]}"
    return f"{len(seeds)} replications, seeds {seeds[0]} to {seeds[-1]}"
