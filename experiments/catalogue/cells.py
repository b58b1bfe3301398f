"""Episodes that were played, kept in files: each is played once, however often the command is killed and started."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marl_health import Scenario
from orchestration.episodes import Replication, ScenarioRef, Task, run
from orchestration.workers import Workers

AT_ONCE = 20
"""Episodes after which what was played is kept."""


@dataclass(frozen=True)
class Cell:
    """A policy in a scenario, on seeds.

    Attributes:
        scenario: where it acts. policy: by the name that makes it. called: what it is kept under: its name, unless that
            is the path of something learned.
        seeds: of the episodes.
    """

    scenario: Scenario
    policy: str
    called: str
    seeds: range

    @property
    def file(self) -> Path:
        """Where it is kept, below a folder."""
        told = json.dumps([self.called, self.seeds.start])
        digest = hashlib.sha256(told.encode()).hexdigest()[:12]
        return Path(f"{self.scenario.name}-{self.scenario.hash}") / f"{digest}.json"


@dataclass(frozen=True)
class Played:
    """What came out: the team's return and KPIs of each episode, in the order of the seeds."""

    returns: list[float]
    kpis: list[dict[str, float | None]]


def play(cell: Cell, workers: Workers, folder: Path, progress: Callable[[], None]) -> Played:
    """Play what of a cell was not played yet.

    Args:
        cell: which.
        workers: who plays.
        folder: what was played is kept here.
        progress: called for each episode.

    Raises:
        PolicyError: the policy cannot act in the scenario.
        WorkerError: a process was killed.
    """
    file = folder / cell.file
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["episodes"] if file.is_file() else []
    for _ in rows[: len(cell.seeds)]:
        progress()
    ref = ScenarioRef.of(cell.scenario)
    while len(rows) < len(cell.seeds):
        part = cell.seeds[len(rows) : len(rows) + AT_ONCE]
        for episode in workers.in_order(run, [Task(ref, cell.policy, seed) for seed in part]):
            rows.append(_row(episode))
            progress()
        _keep(file, cell, rows)
    rows = rows[: len(cell.seeds)]
    return Played([row["return"] for row in rows], [row["kpis"] for row in rows])


def _row(episode: Replication) -> dict[str, Any]:
    kpis = {name: value if value == value else None for name, value in episode.kpis.items()}  # nan is not JSON
    return {"seed": episode.seed, "return": episode.gained, "kpis": kpis}


def _keep(file: Path, cell: Cell, rows: Sequence[dict[str, Any]]) -> None:
    """Put the file in place whole, so that a kill leaves the one before."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".part")
    draft.write_text(json.dumps({"policy": cell.called, "episodes": rows}), encoding="utf-8")
    os.replace(draft, file)
