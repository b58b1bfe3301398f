"""Runs that left a folder and that a store does not know: made before there was one, or copied from elsewhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from orchestration.evaluation.findings import Findings
from orchestration.store import rows
from orchestration.store.claim import note
from orchestration.store.errors import told
from orchestration.store.store import Store
from orchestration.store.tables import EnvironmentConfig, KpiMetric, TrainingJob

SUMMARY = "training.json"
RESULTS = "comparison.json"


def unknown_runs(store: Store | None, runs: Path) -> list[Path]:
    """Folders of finished runs in a folder that a store does not know, in order of their names."""
    known = set() if store is None else {job["name"] for job in store.jobs()}
    return [file.parent for file in sorted(runs.glob(f"*/{SUMMARY}")) if file.parent.name not in known]


def index(store: Store, runs: Path) -> list[int]:
    """Store the finished runs of a folder that the store does not know yet; their ids.

    What was evaluated is stored as far as the folder tells: means and differences, no single replications. A folder
    whose files are damaged is left out.
    """
    made = []
    for folder in unknown_runs(store, runs):
        facts = _read(folder / SUMMARY)
        if facts is None:
            continue
        with told(store.where), store.writing() as connection:
            made.append(_stored(connection, store.now(), folder, facts, _read(folder / RESULTS)))
    return made


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _stored(
    connection: Connection, now: datetime, folder: Path, facts: Mapping[str, Any], results: Mapping[str, Any] | None
) -> int:
    ended = datetime.fromtimestamp((folder / SUMMARY).stat().st_mtime, UTC)
    row: rows.Row = {
        "name": folder.name,
        "experiment": "",
        "algorithm": str(facts.get("algorithm", "")),
        "seed": facts.get("seed"),
        "configuration": {},
        "command": str(facts.get("command", "")),
        "code_version": "",
        "folder": str(folder.absolute()),
        "status": "finished",
        "env_steps": facts.get("env_steps"),
        "attempts": 1,
        "claim": uuid.uuid4().hex,
        "started_at": ended - timedelta(seconds=float(facts.get("seconds", 0.0))),
        "heartbeat_at": ended,
        "ended_at": ended,
    }
    job: int = connection.execute(insert(TrainingJob).values(row).returning(TrainingJob.id)).scalar_one()
    note(connection, job, 1, now, "info", "indexed", f"found in {folder.absolute()}")
    met = {
        "job_id": job,
        "scenario": str(facts.get("scenario", "")),
        "version": int(facts.get("version", 0)),
        "hash": str(facts.get("hash", "")),
        "stage": "",
        "split": "",
        "chosen": {},
        "roles": list(dict.fromkeys(str(agent).rpartition("_")[0] for agent in facts.get("agents", ()))),
    }
    where = connection.execute(insert(EnvironmentConfig).values(met).returning(EnvironmentConfig.id)).scalar_one()
    common = {"job_id": job, "environment_id": where, "attempt": 1, "evaluation": "final", "recorded_at": ended}
    common["env_steps"] = row["env_steps"]
    if kpis := list(_kpis(results or {})):
        connection.execute(insert(KpiMetric), [{**kpi, **common} for kpi in kpis])
    return job


def _kpis(results: Mapping[str, Any]) -> Iterator[rows.Row]:
    """The rows of a comparison as `marl-health compare --json` writes it."""
    found = Findings.read(results)
    for policy, means in found.means.items():
        for metric, mean in means.items():
            row = rows.kpi(metric, mean, found.units.get(metric, ""))
            yield {**row, "policy": policy, "reference": ""}
    for policy, differences in found.paired.items():
        for metric, difference in differences.items():
            row = rows.kpi(metric, difference, found.units.get(metric, ""))
            yield {**row, "policy": policy, "reference": found.reference}
