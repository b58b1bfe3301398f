"""How long a world takes to forget how it began: Welch's plot, and where the marginal standard error is least."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import policies as policies_by_name
from marl_health import Scenario
from orchestration.episodes import Replication, Task, run, tasks
from orchestration.simulate import NOBODY, Progress, Simulation, seeds_from
from orchestration.timeline import Timeline
from orchestration.workers import in_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DAY = 1440.0
WIDTHS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 240.0, 720.0, DAY)
"""Widths in minutes of the intervals over which a series is averaged."""

LEAST = 60
"""Intervals that there are at least, if a minute is short enough."""

DRIFT = 0.25
"""What is left of a series may differ between its halves by this share of its mean."""


@dataclass(frozen=True)
class Warming:
    """One series of a Welch plot.

    Attributes:
        name: of a resource (units in use), of a queue (``waiting for ...``), or ``inside`` for everybody.
        hours: since the world began, the middle of each interval.
        mean: over replications, by interval.
        smooth: its moving average, shorter by half a window at both ends. smooth_hours: where.
        settled: hours to cut off, by the marginal standard error rule on the moving average; None if the series does
            not settle in the first half of the run.
    """

    name: str
    hours: NDArray[np.float64]
    mean: NDArray[np.float64]
    smooth_hours: NDArray[np.float64]
    smooth: NDArray[np.float64]
    settled: float | None


@dataclass(frozen=True)
class WarmUp:
    """What Welch's plot shows.

    Attributes:
        simulation: the replications that were averaged.
        present: hours of warm-up that the scenario has. window: hours of the moving average.
        series: what was looked at; what nobody ever used or waited for is left out.
    """

    simulation: Simulation
    present: float
    window: float
    series: list[Warming]

    @property
    def suggestion(self) -> float | None:
        """Hours of warm-up after which every series has settled; None if one does not."""
        settled = [warming.settled for warming in self.series]
        return None if None in settled or not settled else max(value for value in settled if value is not None)


def warm_up(
    scenario: Scenario,
    policy: str,
    replications: int,
    seed: int,
    *,
    window: float | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> WarmUp:
    """Look at how resources and queues fill up from the beginning of the world, warm-up included.

    Args:
        scenario: what is simulated, to the end of the episode; the run-out is left out.
        policy: a name that :func:`policies.make` knows. It acts from the first decision on.
        replications: how many are averaged.
        seed: of the first replication.
        window: hours of the moving average; a day if the run lasts three or more, since demand has a daily rhythm that
            is no part of warming up, else a tenth of the run.
        jobs: processes to share the work; the result does not depend on it.
        progress: called after each replication.

    Raises:
        PolicyError: there is no such policy, or it cannot act here.
    """
    import numpy as np

    policies_by_name.check(policy)
    horizon = scenario.program.horizon
    width = max((width for width in WIDTHS if horizon / width >= LEAST), default=WIDTHS[0])
    if window is None:
        window = 24.0 if horizon >= 3 * DAY else horizon / 600.0
    half = max(1, round(window * 60.0 / width / 2))
    name = policy if scenario.roles else NOBODY
    totals: dict[str, NDArray[np.float64]] = {}
    episodes = []
    todo = tasks(scenario, [name], seeds_from(seed, replications), events=True)
    with closing(in_order(_observe, ((task, width) for task in todo), min(jobs, replications))) as finished:
        for episode, series in finished:
            episodes.append(episode)
            for label, values in series.items():
                totals[label] = totals.get(label, 0.0) + np.array(values)
            if progress is not None:
                progress()
    found = []
    for label in sorted(totals, key=lambda label: (label != "inside", label)):
        if not totals[label].any():
            continue
        mean = totals[label] / replications
        hours = (np.arange(len(mean)) + 0.5) * width / 60.0
        smooth = moving_average(mean, half)
        settled = truncation(smooth)
        hours_settled = None if settled is None else settled * width / 60.0
        found.append(Warming(label, hours, mean, hours[: len(smooth)], smooth, hours_settled))
    return WarmUp(Simulation(scenario, name, episodes), scenario.program.warm_up / 60.0, half * 2 * width / 60.0, found)


def moving_average(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Welch's moving average: over ``2 half + 1`` values, over fewer near the beginning, none for the last ``half``."""
    import numpy as np

    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values) - half)
    reach = np.minimum(at, half)
    averages: NDArray[np.float64] = (sums[at + reach + 1] - sums[at - reach]) / (2 * reach + 1)
    return averages


def truncation(values: Sequence[float] | NDArray[np.float64]) -> int | None:
    """How many values to cut off so that the marginal standard error of the rest is least (White 1997).

    Returns:
        None if the series does not settle: that is half of them, or the two halves of the rest still differ by more
        than a quarter of its mean.
    """
    import numpy as np

    series = np.asarray(values, float)
    n = len(series)
    half = n // 2
    if n < 4 or np.ptp(series) < 1e-9:
        return 0
    errors = [np.var(series[cut:]) / (n - cut) for cut in range(half + 1)]
    best = int(np.argmin(errors))
    rest = series[best:]
    drift = abs(rest[: len(rest) // 2].mean() - rest[len(rest) // 2 :].mean())
    return None if best == half or drift > DRIFT * abs(rest.mean()) else best


def _observe(given: tuple[Task, float]) -> tuple[Replication, dict[str, list[float]]]:
    """Time averages over intervals: who is inside, units in use, who waits; from the beginning of the world."""
    import numpy as np

    task, width = given
    scenario = task.scenario.load()
    episode = run(task)
    program = scenario.program
    edges = np.arange(0.0, program.horizon + 1e-9, width)
    queues = {step.name: program.lines[step.line].name for step in program.steps if hasattr(step, "line")}
    stretches: dict[str, list[tuple[float, float]]] = {"inside": []}
    for pool in program.pools:
        if not pool.unlimited:
            stretches[pool.name] = []
    for name in dict.fromkeys(line.name for line in program.lines):
        stretches[f"waiting for {name}"] = []
    for span in Timeline.of(scenario, episode.people, episode.events).spans:
        label = f"waiting for {queues[span.step]}" if span.what == "wait" else span.resource
        if label in stretches:
            stretches[label].append((span.start, span.end))
    came: dict[int, float] = {}
    for time, entity, event_type, event, _ in episode.events:
        if event_type == "arrival_departure" and event == "arrival":
            came[entity] = time
        elif event_type == "arrival_departure":
            stretches["inside"].append((came.pop(entity), time))
    stretches["inside"].extend((time, np.inf) for time in came.values())
    episode.events, episode.people = [], {}
    return episode, {label: _averages(found, edges) for label, found in stretches.items()}


def _averages(stretches: list[tuple[float, float]], edges: NDArray[np.float64]) -> list[float]:
    """How many stretches there are on average in each interval between edges."""
    import numpy as np

    if not stretches:
        return [0.0] * (len(edges) - 1)
    starts, ends = np.array(stretches).T
    # Up to each edge: the total time of all stretches. Its increase is the time in the interval.
    total = np.array([np.clip(np.minimum(ends, edge) - starts, 0.0, None).sum() for edge in edges])
    averages: list[float] = (np.diff(total) / np.diff(edges)).tolist()
    return averages
