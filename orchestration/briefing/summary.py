"""What came out, in three to six sentences that say no more than the figures do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from orchestration.briefing.words import RETURN, Shown, certain
from orchestration.evaluation.compare import Comparison
from orchestration.evaluation.statistics import Estimate, paired_difference

MOST_NAMED = 3
"""KPIs that a sentence names; the others are counted."""

MOST_POLICIES = 4
"""Policies besides the first that get a sentence of their own."""

FEW = 10
"""Replications below which it is said that there are few."""


def summary(comparison: Comparison, metrics: Mapping[str, Shown]) -> list[str]:
    """The sentences.

    Args:
        comparison: the policies on the same patients; the first is the one that the others are compared with.
        metrics: how each metric is shown.
    """
    names = list(comparison.simulations)
    n = len(comparison.simulations[comparison.reference].replications)
    if len(names) == 1:
        return [f"Only `{names[0]}` was simulated, so there is nothing to compare it with."]
    if n == 1:
        return [
            f"A single replication was simulated under each of the {len(names)} policies.",
            "So nothing can be said about which of the differences below are more than luck.",
            "Simulate at least 10 replications before drawing a conclusion.",
        ]
    order = sorted(names, key=lambda name: -comparison.simulations[name].estimate(RETURN).mean)
    sentences = [_overall(comparison, order, metrics[RETURN])]
    told = [name for name in order if name != comparison.reference][:MOST_POLICIES]
    sentences += [_compared(comparison, name, metrics) for name in told]
    return [*sentences, _caution(comparison, n)]


def _overall(comparison: Comparison, order: Sequence[str], shown: Shown) -> str:
    """Which policy has the highest score, and whether it is clear that the next one has a lower one."""
    best, second = order[:2]
    lead = difference(comparison, best, second, RETURN)
    beaten = [name for name in order[1:] if certain(difference(comparison, best, name, RETURN))]
    points = f"against `{second}` {shown.spoken(lead)}"
    if len(beaten) == len(order) - 1:
        others = {1: "the other", 2: "both others"}.get(len(beaten), f"all {len(beaten)} others")
        return f"By the scenario's own score `{best}` is clearly better than {others} ({points})."
    rest = f"; it is clearly better than {_listed(beaten)}" if beaten else ""
    return (
        f"By the scenario's own score `{best}` comes out highest, but it cannot be told apart from "
        f"{_listed([name for name in order[1:] if name not in beaten])} ({points}){rest}."
    )


def _compared(comparison: Comparison, name: str, metrics: Mapping[str, Shown]) -> str:
    """In what a policy is better and worse than the reference, by how much."""
    found = {metric: estimate for metric, estimate in comparison.paired[name].items() if metric != RETURN}
    clear = sorted((metric for metric in found if certain(found[metric])), key=lambda m: -_size(comparison, name, m))
    better = [metric for metric in clear if metrics[metric].better(found[metric])]
    worse = [metric for metric in clear if metric not in better]
    parts = []
    for side, group in (("better", better), ("worse", worse)):
        if group:
            texts = [f"{_lower(metrics[m].label)} ({metrics[m].spoken(found[m])})" for m in group[:MOST_NAMED]]
            more = f" and {len(group) - MOST_NAMED} more" if len(group) > MOST_NAMED else ""
            parts.append(f"clearly {side} in {len(group)} of {len(found)} indicators: {', '.join(texts)}{more}")
    start = f"Compared with `{comparison.reference}`, `{name}` is "
    if not parts:
        return start + f"not clearly different in any of {len(found)} indicators."
    left = len(found) - len(clear)
    rest = f"; the other {left} show no clear difference" if left > 1 else "; one shows none" if left else ""
    return start + "; it is ".join(parts) + rest + "."


def _caution(comparison: Comparison, n: int) -> str:
    """How far the intervals carry."""
    intervals = sum(
        not math.isnan(found.low) for by_metric in comparison.paired.values() for found in by_metric.values()
    )
    chance = max(1, round(0.05 * intervals))
    few = "only " if n < FEW else ""
    return (
        f"All this rests on {few}{n} replications: of {intervals} intervals, about {chance} would leave out 'no "
        f"difference' by luck alone even if the policies did the same, so trust what is large and fits together."
    )


def difference(comparison: Comparison, name: str, other: str, metric: str) -> Estimate:
    """By how much a metric is larger under one policy than under another, replication by replication."""
    simulations = comparison.simulations
    return paired_difference(simulations[name].values(metric), simulations[other].values(metric))


def _size(comparison: Comparison, name: str, metric: str) -> float:
    """How large a difference is, as a share of the two levels, so that different units compare."""
    levels = [abs(comparison.simulations[each].estimate(metric).mean) for each in (name, comparison.reference)]
    return abs(comparison.paired[name][metric].mean) / sum(levels) if sum(levels) > 0 else 0.0


def _lower(label: str) -> str:
    """A label within a sentence; abbreviations stay."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _listed(names: Sequence[str]) -> str:
    """Names in a row."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
