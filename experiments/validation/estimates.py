"""Replications of the systems that theory solves, and what they say against it.

The estimates are adjusted by control variates whose means are known beforehand (arrivals, and the load that work
conservation implies), which narrows the intervals and biases nothing that matters: see Lavenberg and Welch, A
perspective on the use of control variables to increase the efficiency of Monte Carlo simulations, Management Science 27
(1981) 322-335.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import marl_health
from experiments.validation.table import Row, Told, judged
from experiments.validation.theory import FOLDER, SYSTEMS, System
from orchestration.workers import in_order

HOUR = 60.0


def replicate(task: tuple[str, int]) -> dict[str, float]:
    """KPIs of one replication of a system, by its name and the seed.

    Those named ``arrived...`` are per hour; ``clocked`` is how many hours were measured.

    Raises:
        RuntimeError: if not everybody who came has left or is still there.
    """
    name, seed = task
    system, (scenario, game) = SYSTEMS[name], _game(name)
    game.reset(seed, events=False)
    while not game.finished:
        game.advance()
    kpis: dict[str, float] = game.kpis()
    hours = scenario.clock.episode / HOUR
    kpis |= {kpi: value / hours for kpi, value in kpis.items() if kpi.startswith("arrived")}
    kpis["clocked"] = hours
    kpis |= {kpi: formula(kpis) for kpi, formula in system.derived.items()}
    found = game.conservation()
    if found["arrived"] != sum(count for where, count in found.items() if where != "arrived"):
        raise RuntimeError(f"{name}, seed {seed}: somebody was lost or came twice: {found}")
    return kpis


@cache
def _game(name: str) -> tuple[Any, Any]:
    scenario = marl_health.load(FOLDER / f"{name}.yaml")
    return scenario, scenario.kind.make_game(scenario.program)


def compare(system: System, replications: Sequence[dict[str, float]]) -> list[Row]:
    """The rows of a system: its quantities against theory, and any control that does not have its known mean."""
    found = {name: np.array([kpis[name] for kpis in replications]) for name in replications[0]}
    controls = np.column_stack([found[name] - mean for name, mean in system.known.items()])
    rows = []
    for quantity in system.quantities:
        estimate, error, degrees = controlled(found[quantity.kpi] / quantity.per, controls)
        label = f"{quantity.label}: {quantity.formula}"
        rows.append(judged(system.title, label, quantity.value, estimate, error, degrees, precise=quantity.precise))
    for name, mean in system.known.items():
        estimate, error, degrees = controlled(found[name], np.empty((len(replications), 0)))
        control = judged(system.title, f"{name}: known beforehand", mean, estimate, error, degrees)
        if not control.passes:
            rows.append(control)
    return rows


def controlled(values: NDArray[np.float64], controls: NDArray[np.float64]) -> tuple[float, float, int]:
    """(estimate, standard error, degrees of freedom) of a mean after regression on controls of mean zero.

    Args:
        values: one for each replication.
        controls: shape (replications, controls), possibly without columns.
    """
    design = np.column_stack([np.ones(len(values)), controls])
    solution = np.linalg.lstsq(design, values, rcond=None)[0]
    degrees = len(values) - design.shape[1]
    variance = ((values - design @ solution) ** 2).sum() / degrees
    spread = np.linalg.inv(design.T @ design)[0, 0]
    return float(solution[0]), float(np.sqrt(variance * spread)), degrees


def rows(jobs: int, told: Told) -> list[Row]:
    """Every quantity of every system."""
    tasks = [(system.name, seed) for system in SYSTEMS.values() for seed in range(system.replications)]
    return list(_rows(in_order(replicate, tasks, jobs), told, len(tasks)))


def _rows(replications: Iterator[dict[str, float]], told: Told, total: int) -> Iterator[Row]:
    done = 0
    for system in SYSTEMS.values():
        found = []
        for _ in range(system.replications):
            found.append(next(replications))
            done += 1
            told(done / total)
        yield from compare(system, found)
