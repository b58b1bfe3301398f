"""Run every validation and print one table; the exit code is 1 if any row fails."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from experiments.validation import estimates, treatment_centre, two_ed
from experiments.validation.table import Group, Row, as_data, summary, table
from orchestration.errors import CommandError
from orchestration.output import console, output_file, write_json
from orchestration.workers import WorkerError, cpus

GROUPS: tuple[Group, ...] = (
    Group("Queueing theory", estimates.rows),
    Group("Published models: the treatment centre of treat-sim", treatment_centre.rows),
    Group("Published models: two emergency departments with diversion", two_ed.rows),
)
"""What is validated, in the order of the table."""


def run(groups: Sequence[Group], jobs: int) -> dict[str, Sequence[Row]]:
    """The rows of each group by its title, with a bar on stderr if somebody is there to see it."""
    err = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    found: dict[str, Sequence[Row]] = {}
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        tasks = [progress.add_task(group.title, total=1.0) for group in groups]
        for group, task in zip(groups, tasks, strict=True):
            found[group.title] = group.rows(jobs, partial(_move, progress, task))
            progress.update(task, completed=1.0)
    return found


def _move(progress: Progress, task: TaskID, share: float) -> None:
    progress.update(task, completed=share)


def main(arguments: Sequence[str] | None = None) -> int:
    """Validate, print, write; 1 if any row fails, 2 if a file cannot be written or a process was killed."""
    parser = argparse.ArgumentParser(prog="python -m experiments.validation", description=__doc__)
    parser.add_argument("--jobs", type=int, default=cpus(), help="processes (default: one per CPU); no result changes")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the rows to this file")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs must be at least 1")
    try:
        with output_file(options.json) as file:
            found = run(GROUPS, options.jobs)
            if file is not None:
                write_json(file, as_data(found))
    except (CommandError, WorkerError) as error:
        print(error, file=sys.stderr)
        return 2
    console().print(table(found))
    rows = [row for group in found.values() for row in group]
    failed = any(not row.passes for row in rows)
    print(summary(rows))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
