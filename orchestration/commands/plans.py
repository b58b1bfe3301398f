"""Plans of experiments as tables that a person reads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from marl_health import Scenario
from orchestration.commands.tables import interval, metric_label, number, seeds_line
from orchestration.evaluation.statistics import mean_interval
from orchestration.output import console
from orchestration.replications import Needed, Precision
from orchestration.selection import Selection
from orchestration.warm_up import WarmUp


def print_plan(found: WarmUp, needed: Mapping[str, Needed], precision: float) -> None:
    """Print how many replications are needed, and how long a warm-up."""
    out = console()
    simulation = found.simulation
    title = f"{simulation.scenario.name}, policy {simulation.policy}: {seeds_line(simulation.seeds)}"
    out.print(Text(title, style="bold"))
    table = Table()
    table.add_column("metric")
    for column in ("mean ± 95% interval", "half-width", f"within {precision:.2g} of it after", "needs about"):
        table.add_column(column, justify="right")
    for metric, plan in needed.items():
        unrecorded = any(math.isnan(value) for value in simulation.values(metric))
        table.add_row(
            metric_label(metric, simulation.units),
            interval(simulation.estimate(metric)),
            "not recorded in all" if unrecorded else _share(plan.half_width),
            "–" if plan.n is None else str(plan.n),
            number(plan.about),
        )
    out.print(table)
    out.print(
        "half-width: of the interval, as a share of the mean; needs about: replications, by the spread seen so far"
    )
    out.print()
    for line in _warm_up_lines(found):
        out.print(line)


def _share(value: float) -> str:
    """A share as a percentage; nan if there are too few replications to tell."""
    return "too few to tell" if math.isnan(value) else f"{value:.1%}"


def _warm_up_lines(found: WarmUp) -> list[str]:
    way = f"Welch's moving average over {found.window:.3g} h, cut where its marginal standard error is least"
    present = f"the scenario has a warm-up of {found.present:g} h"
    loose = [series.name for series in found.series if series.settled is None]
    settled = [series for series in found.series if series.settled is not None]
    lines = []
    if settled:
        last = max(settled, key=lambda series: series.settled or 0.0)
        all_of_them = "Every resource and queue" if not loose else f"{len(settled)} of {len(found.series)} series"
        lines.append(
            f"{all_of_them} settled after {last.settled:.3g} h, the last was '{last.name}' ({way}); {present}."
        )
    if loose:
        shown = ", ".join(loose[:8]) + (", ..." if len(loose) > 8 else "")
        lines.append(f"Not settled within half of the run: {shown}; {present}.")
        lines.append(
            "If the episode stands for a given stretch of time with a given beginning, that is as it should be; "
            "if it stands for a steady state, make it longer or let it begin fuller."
        )
    return lines


def plan_json(found: WarmUp, needed: Mapping[str, Needed], precision: float) -> dict[str, Any]:
    """The same for programs."""
    simulation = found.simulation
    return {
        "scenario": simulation.scenario.name,
        "version": simulation.scenario.version,
        "hash": simulation.scenario.hash,
        "policy": simulation.policy,
        "seeds": simulation.seeds,
        "precision": precision,
        "replications": {
            metric: {"reached_after": plan.n, "needed_about": plan.about, "half_width": plan.half_width}
            for metric, plan in needed.items()
        },
        "warm_up": {
            "hours": found.present,
            "suggested_hours": found.suggestion,
            "window_hours": found.window,
            "settled_after_hours": {series.name: series.settled for series in found.series},
        },
    }


def precision_lines(precision: Precision, replications: int) -> list[str]:
    """What became of a precision that was asked for, in sentences."""
    reached = {metric: n for metric, n in precision.reached.items() if n is not None}
    missed = [metric for metric, n in precision.reached.items() if n is None]
    lines = []
    if reached:
        named = ", ".join(f"{metric} ({n})" for metric, n in sorted(reached.items(), key=lambda pair: pair[1]))
        lines.append(f"Half-width within {precision.target:.2g} of the mean, to stay, after replications: {named}.")
    if missed:
        lines.append(f"Not reached in {replications} replications: {', '.join(missed)}; allow more (--at-most).")
    for metric, why in precision.unjudged.items():
        lines.append(f"Not judged: {metric}, {why}.")
    return lines


def print_selection(scenario: Scenario, found: Selection, seed: int) -> None:
    """Print which policy was selected, and what became of the others."""
    out = console()
    units = dict(scenario.kind.make_game(scenario.program).kpi_units())
    label = metric_label(found.metric, units)
    table = Table()
    table.add_column("policy")
    for column in (f"{label}: mean ± 95% interval", "difference from the first, paired", "replications", "verdict"):
        table.add_column(column, justify="left" if column == "verdict" else "right")
    for policy in [*found.left, *sorted(found.out, key=lambda name: -found.out[name])]:
        values = found.values[policy]
        first = policy == found.left[0]
        verdict = "selected" if policy == found.best else "still in the race" if policy in found.left else "out"
        table.add_row(
            policy,
            interval(mean_interval(values)),
            "" if first else interval(found.difference(policy)),
            str(len(values)),
            verdict,
            style="bold" if policy == found.best else "",
        )
    out.print(
        Text(
            f"{scenario.name}: {label}, {'more' if found.higher else 'less'} is better, seeds from {seed}", style="bold"
        )
    )
    out.print(table)
    if found.best is not None:
        out.print(
            f"With probability 95%, {found.best} is the best of these, or within {number(found.delta)} of it "
            "(Kim and Nelson's procedure on common random numbers)."
        )
    else:
        out.print(
            f"Not decided: {', '.join(found.left)} are still in the race; allow more replications (--at-most), "
            f"or say that more than {number(found.delta)} must lie between them (--delta)."
        )


def selection_json(found: Selection) -> dict[str, Any]:
    """The same for programs."""
    return {
        "metric": found.metric,
        "better": "higher" if found.higher else "lower",
        "delta": found.delta,
        "selected": found.best,
        "policies": {
            policy: {
                "mean": math.fsum(values) / len(values),
                "replications": len(values),
                "eliminated_after": found.out.get(policy),
            }
            for policy, values in found.values.items()
        },
    }
