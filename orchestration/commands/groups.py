"""KPIs by group as tables that a person reads."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from orchestration.commands.tables import CLEAR, difference, interval, metric_label
from orchestration.evaluation.compare import Comparison
from orchestration.evaluation.equity import Gap
from orchestration.evaluation.statistics import Estimate, mean_interval
from orchestration.output import console
from orchestration.simulate import Simulation

NOTHING = "–"


def print_groups(simulation: Simulation) -> None:
    """Print the KPIs of one policy by group, if they were split."""
    if simulation.by is None:
        return
    out = console()
    out.print(Text(f"by {simulation.by}, policy {simulation.policy}", style="bold"))
    out.print(groups_table(simulation))
    _explain(simulation)


def print_groups_compared(comparison: Comparison) -> None:
    """Print the KPIs of several policies by group, and their paired differences, if they were split."""
    if comparison.by is None:
        return
    out = console()
    for name, simulation in comparison.simulations.items():
        out.print(Text(f"by {comparison.by}, policy {name}", style="bold"))
        out.print(groups_table(simulation))
    for name in comparison.paired_by:
        title = f"by {comparison.by}: difference of {name} from {comparison.reference}, replication by replication"
        out.print(Text(title, style="bold"))
        out.print(changes_table(comparison, name))
    _explain(comparison.simulations[comparison.reference])
    if comparison.paired_by:
        out.print(
            f"change of gap: how much larger the gap of {comparison.reference} is under the other policy, "
            "between the same two groups"
        )


def groups_table(simulation: Simulation) -> Table:
    """A row per KPI, a column per group, and the largest gap between them."""
    units, splits = simulation.units, simulation.splits
    table = _table("mean ± 95% interval", _groups(splits))
    table.add_column("largest gap", justify="right")
    for name, groups in splits.items():
        cells = [interval(mean_interval(groups[group])) if group in groups else NOTHING for group in _groups(splits)]
        table.add_row(metric_label(name, units), *cells, _gap(simulation.gap(name)))
    return table


def changes_table(comparison: Comparison, policy: str) -> Table:
    """A row per KPI, a column per group: the differences of a policy from the reference, and that of the gap."""
    units = comparison.simulations[comparison.reference].units
    by_metric = comparison.paired_by[policy]
    changes = comparison.gap_changes[policy]
    table = _table("mean ± 95% interval", _groups(by_metric))
    table.add_column("change of gap", justify="right")
    for name, groups in by_metric.items():
        higher = comparison.scenario.spec.kpis[name].better == "higher"
        cells = [difference(groups[group], higher) if group in groups else NOTHING for group in _groups(by_metric)]
        gap = NOTHING if name not in changes else _change(*changes[name])
        table.add_row(metric_label(name, units), *cells, gap)
    return table


def _table(first: str, groups: list[str]) -> Table:
    table = Table()
    table.add_column(first)
    for group in groups:
        table.add_column(group, justify="right")
    return table


def _groups(splits: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Groups that some KPI has, in the order of the scenario."""
    longest = max(splits.values(), key=len, default={})
    return [*longest, *dict.fromkeys(group for groups in splits.values() for group in groups if group not in longest)]


def _gap(gap: Gap | None) -> Text:
    if gap is None:
        return Text(NOTHING)
    mark = f" {CLEAR}" if gap.difference.clear else "  "
    return Text(f"{gap.above} − {gap.below}: {interval(gap.difference)}{mark}")


def _change(gap: Gap, change: Estimate) -> Text:
    return Text.assemble(f"{gap.above} − {gap.below}: ", difference(change, higher_is_better=False))


def _explain(simulation: Simulation) -> None:
    out = console()
    out.print(
        "largest gap: between the means of two groups over all replications, with an interval that holds for all pairs "
        f"of groups at once ({CLEAR} it excludes 0); none for what is larger where the group is"
    )
    for name, why in simulation.whole.items():
        out.print(f"not split: {name} ({why})")
