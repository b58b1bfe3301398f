"""The pictures of the report: differences, how full and how long over time, what managers did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from matplotlib.axes import Axes

from orchestration.briefing.words import Shown, heading, move_words
from orchestration.evaluation.compare import Comparison
from orchestration.figures import Bands, bands_over_time, bars, forest
from orchestration.plots.style import clock_axis

LEAST_QUEUE = 0.05
"""Queues that are shorter than this on average under every policy are left out."""
MOST_QUEUES = 10
LEAST_MOVES = 0.005
"""Moves a day below which a move is left out of the picture; the table has all that happened."""

Moves = dict[str, dict[str, dict[str, float]]]
"""Manager to move to policy to how often a day."""


def differences(comparison: Comparison, metrics: Mapping[str, Shown]) -> str:
    """A panel per metric with the difference of every policy from the reference."""
    paired: dict[str, dict[str, dict[str, float]]] = {}
    for name, by_metric in comparison.paired.items():
        paired[name] = {}
        for metric, found in by_metric.items():
            scaled = metrics[metric].scaled(found)
            paired[name][metrics[metric].label] = {
                "difference": scaled.mean, "low": scaled.low, "high": scaled.high
            }  # fmt: skip
    units = {
        shown.label: {"percentage points": "% points"}.get(shown.of_change, shown.of_change)
        for shown in metrics.values()
    }
    return forest(paired, units, {shown.label for shown in metrics.values() if shown.higher})


def fullness(comparison: Comparison) -> str:
    """A panel per place: the share of it that is taken, in percent."""
    bands = {
        name: {
            heading(place): {
                key: values if key == "hours" else [100.0 * v for v in values] for key, values in band.items()
            }
            for place, band in by_place.items()
        }
        for name, by_place in comparison.occupancy().items()
    }
    return bands_over_time(bands, _clock(comparison))


def queues(comparison: Comparison) -> str:
    """A panel for each of the longest queues; empty if nobody waits anywhere."""
    found = comparison.waiting()
    size: Counter[str] = Counter()
    for by_queue in found.values():
        for queue, band in by_queue.items():
            size[queue] = max(size[queue], sum(band["mean"]) / len(band["mean"]))
    chosen = [queue for queue, length in size.most_common(MOST_QUEUES) if length >= LEAST_QUEUE]
    bands: Bands = {name: {heading(queue): by_queue[queue] for queue in chosen} for name, by_queue in found.items()}
    return bands_over_time(bands, _clock(comparison)) if chosen else ""


def moves_of(comparison: Comparison) -> Moves:
    """How often a day each manager did what, under each policy."""
    scenario = comparison.scenario
    game = scenario.kind.make_game(scenario.program)
    days = scenario.clock.episode / 1440.0
    found: Moves = {}
    for agent in game.agents:
        names = [move_words(action) for action in game.action_names(agent)]
        manager = heading(agent.rpartition("_")[0])  # agents of one role are counted together
        rows = found.setdefault(manager, {name: {} for name in names[1:]})
        for policy, simulation in comparison.simulations.items():
            for replication in simulation.replications:
                for action, count in replication.moves.get(agent, {}).items():
                    row = rows[names[action]]
                    row[policy] = row.get(policy, 0.0) + count / days / len(simulation.replications)
    return found


def moves(found: Moves, policies: list[str]) -> str:
    """Bars of how often a day each manager did what; empty if nobody did anything."""
    seen = {
        manager: {move: row for move, row in rows.items() if any(count >= LEAST_MOVES for count in row.values())}
        for manager, rows in found.items()
    }
    seen = {manager: rows for manager, rows in seen.items() if rows}
    return bars(seen, policies, "moves a day") if seen else ""


def _clock(comparison: Comparison) -> Callable[[Axes, float], None]:
    """Labels an axis in hours since the first decision with days and times."""
    program = comparison.scenario.program
    first = program.start + program.warm_up

    def label(axes: Axes, hours: float) -> None:
        clock_axis(axes, 0.0, 60.0 * hours, first, 7, unit=60.0)

    return label
