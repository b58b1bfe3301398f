"""What a store knows of runs, as tables that a person reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from orchestration.commands.tables import CLEAR, interval, metric_label
from orchestration.errors import CommandError
from orchestration.evaluation.statistics import Estimate
from orchestration.output import console
from orchestration.store import Store

Facts = dict[str, Any]

STYLES = {"running": "cyan", "finished": "green", "failed": "red", "interrupted": "yellow"}
LOG_LINES = 10
SHOWN = ("id", "name", "experiment", "algorithm", "seed", "status", "reason", "env_steps", "attempts")
PROCESS = ("command", "code_version", "folder", "host", "pid")
TIMES = ("started_at", "heartbeat_at", "ended_at")


def run_named(store: Store, run: str) -> Facts:
    """The job of a number or a name; of several with one name, the newest.

    Raises:
        CommandError: there is none.
    """
    jobs = list(store.jobs(job=int(run))) if run.isdecimal() else [j for j in store.jobs() if j["name"] == run]
    if not jobs:
        from marl_health.spec.suggest import did_you_mean

        known = [] if run.isdecimal() else [job["name"] for job in store.jobs()]
        raise CommandError(f"{store.where}: there is no run {run}{did_you_mean(run, known)}")
    return jobs[-1]


def summary_of(store: Store, job: Facts) -> Facts:
    """What a list says of a job: the scenario that it met first, and the return of what it trained."""
    met = next(iter(store.environments(job["id"])), {})
    found = [_told(row) for row in store.kpis(job["id"], metric="return", policy=job["algorithm"])]
    final = next((row for row in reversed(found) if not row["reference"]), None)
    shown = {name: job[name] for name in SHOWN} | _times(job)
    return shown | {name: met.get(name) for name in ("scenario", "version", "hash")} | {"return": final}


def facts_of(store: Store, job: Facts) -> Facts:
    """All that is known of a job but for its single episodes and replications."""
    shown = {name: job[name] for name in (*SHOWN, *PROCESS, "configuration")} | _times(job)
    environments = [
        {name: row[name] for name in ("id", "scenario", "version", "hash", "stage", "split", "chosen", "file")}
        for row in store.environments(job["id"])
    ]
    counted = store.episodes(job["id"], purpose="training")
    columns = ("environment_id", "since_env_steps", "component", "measure", "role", "worth", "per", "unit", "attempt")
    weights = [{name: row[name] for name in columns} for row in store.weights(job["id"])]
    return shown | {
        "environments": environments,
        "reward_weights": weights,
        "training_episodes": sum(1 for _ in counted),
        "kpis": [_told(row) for row in store.kpis(job["id"])],
        "log": [
            {"at": _time(row["at"]), **{name: row[name] for name in ("level", "event", "message", "details")}}
            for row in store.logs(job["id"])
        ],
    }


def print_jobs(jobs: Sequence[Facts], where: str) -> None:
    """A row per job."""
    out = console()
    if not jobs:
        out.print(f"no such runs in {where}")
        return
    table = Table()
    for column in ("run", "started (UTC)", "name", "scenario", "algorithm", "seed", "steps", "return", "status"):
        table.add_column(column, justify="right" if column in ("run", "seed", "steps", "return") else "left")
    for job in jobs:
        scenario = "–" if job["scenario"] is None else f"{job['scenario']} v{job['version']} {job['hash']}"
        table.add_row(
            str(job["id"]),
            job["started_at"][:16].replace("T", " "),
            Text(job["name"]),
            Text(scenario),
            Text(job["algorithm"]),
            "–" if job["seed"] is None else str(job["seed"]),
            "–" if job["env_steps"] is None else f"{job['env_steps']:,}",
            "–" if job["return"] is None else interval(_estimate(job["return"])),
            Text(job["status"], style=STYLES[job["status"]]),
        )
    out.print(table)
    for job in jobs:
        if job["reason"]:
            out.print(Text(f"run {job['id']} {job['status']}: {job['reason']}"))


def print_job(job: Facts) -> None:
    """All that a person wants to know of a job."""
    out = console()
    out.print(Text(f"run {job['id']}: {job['name']}", style="bold"))
    for name in (*SHOWN[2:], *PROCESS, *TIMES):
        if job[name] not in (None, ""):
            out.print(Text(f"  {name.replace('_', ' '):14} {job[name]}"))
    for met in job["environments"]:
        stage = f", stage {met['stage']}" if met["stage"] else ""
        chosen = "".join(f" --with {name}={pick}" for name, pick in met["chosen"].items())
        out.print(Text(f"  scenario       {met['scenario']} v{met['version']}, hash {met['hash']}{chosen}{stage}"))
    for name, value in job["configuration"].items():
        out.print(Text(f"  configured     {name}: {value}"))
    _print_weights(job)
    latest: dict[tuple[str, int], list[Facts]] = {}
    for row in job["kpis"]:
        of_one = latest.setdefault((row["evaluation"], row["environment_id"]), [])
        if of_one and (of_one[0]["attempt"], of_one[0]["env_steps"]) != (row["attempt"], row["env_steps"]):
            of_one.clear()
        of_one.append(row)
    names = {met["id"]: " ".join(filter(None, (met["scenario"], met["stage"]))) for met in job["environments"]}
    for (evaluation, environment), rows in latest.items():
        steps = "" if rows[0]["env_steps"] is None else f" after {rows[0]['env_steps']:,} steps"
        _print_kpis(f"evaluation {evaluation} in {names[environment]}{steps}", rows)
    for line in job["log"][-LOG_LINES:]:
        out.print(Text(f"{line['at'][:19].replace('T', ' ')}  {line['level']:7} {line['message']}"))


def _print_weights(job: Facts) -> None:
    table = Table()
    for column in ("since step", "component", "measure", "to", "worth", "per"):
        table.add_column(column)
    for row in job["reward_weights"]:
        per = f"{row['per']:g} {row['unit']}".strip()
        named = (row["component"], row["measure"] or "(all of it)", row["role"] or "team")
        table.add_row(f"{row['since_env_steps']:,}", *map(Text, named), f"{row['worth']:g}", per)
    if table.row_count:
        out = console()
        out.print("reward weights")
        out.print(table)


def _print_kpis(title: str, rows: Sequence[Facts]) -> None:
    """A row per metric, a column per policy and per difference, of one evaluation."""
    columns = dict.fromkeys((row["policy"], row["reference"]) for row in rows)
    found = {(row["metric"], row["policy"], row["reference"]): row for row in rows}
    units = {row["metric"]: row["unit"] for row in rows}
    out = console()
    out.print(Text(title))
    table = Table()
    table.add_column("")
    for policy, reference in columns:
        table.add_column(f"{policy} - {reference}" if reference else policy, justify="right")
    for metric in units:
        cells = [_cell(found.get((metric, *column))) for column in columns]
        table.add_row(Text(metric_label(metric, units)), *cells)
    out.print(table)


def _cell(row: Facts | None) -> str:
    if row is None:
        return "–"
    estimate = _estimate(row)
    return interval(estimate) + (f" {CLEAR}" if row["reference"] and estimate.clear else "")


def _estimate(row: Mapping[str, Any]) -> Estimate:
    mean, low, high = (math.nan if row[name] is None else row[name] for name in ("value", "low", "high"))
    return Estimate(mean, low, high, row["replications"])


def _told(row: Mapping[str, Any]) -> Facts:
    columns = ("environment_id", "evaluation", "env_steps", "policy", "reference", "metric", "unit")
    return {name: row[name] for name in (*columns, "value", "low", "high", "level", "replications", "attempt")}


def _times(job: Facts) -> Facts:
    return {name: _time(job[name]) for name in TIMES}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
