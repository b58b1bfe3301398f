"""Event logs as CSV or Parquet, in the columns that vidigi reads."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from marl_health import Scenario
from orchestration.episodes import Event
from orchestration.errors import need
from orchestration.output import output_file
from orchestration.simulate import EventSink

COLUMNS = {
    "entity_id": "int64",
    "event_type": "string",
    "event": "string",
    "time": "float64",
    "resource_id": "int64",
    "run": "int64",
    "pathway": "string",
    "entity": "string",
    "resource": "string",
}
"""Columns of an event log. The first six are vidigi's, and so is ``pathway``, the kind of the entity: time in minutes
since the world began, ``resource_id`` the number of the unit (empty where no resource is used), ``run`` counted from 0.
``entity`` is the name that an entity has under every policy, ``resource`` what is used, or how an entity departs."""

PARQUET = ".parquet"


@contextmanager
def event_log(path: Path | None, scenario: Scenario) -> Iterator[EventSink | None]:
    """A file that takes the event log of one replication after the other; Parquet if it is named so, else CSV.

    Raises:
        CommandError: if it cannot be written, or the package for Parquet is not installed.
    """
    if path is not None and path.suffix == PARQUET:
        need("pyarrow")
    with output_file(path) as file:
        if file is None or path is None:
            yield None
        elif path.suffix == PARQUET:
            with _parquet(file, scenario) as sink:
                yield sink
        else:
            yield _csv(file, scenario)


def _rows(scenario: Scenario, run: int, events: list[Event], people: dict[int, Any]) -> Iterator[tuple[Any, ...]]:
    from orchestration.timeline import Timeline  # it knows the whole language, which other commands need not load

    timeline = Timeline(scenario, people)
    for event in events:
        time, entity, event_type, name, resource = event
        person = people[entity]
        unit = timeline.read(event)
        yield entity, event_type, name, time, unit or None, run, person.kind, person.name, resource


def _csv(file: TextIO, scenario: Scenario) -> EventSink:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)

    def write(run: int, events: list[Event], people: dict[int, Any]) -> None:
        writer.writerows(_rows(scenario, run, events, people))

    return write


@contextmanager
def _parquet(file: TextIO, scenario: Scenario) -> Iterator[EventSink]:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in COLUMNS.items()])
    # pyarrow would close the file that it writes to, and it is not pyarrow's.
    with ParquetWriter(pyarrow.PythonFile(file.buffer, mode="w"), schema) as writer:

        def write(run: int, events: list[Event], people: dict[int, Any]) -> None:
            columns = list(zip(*_rows(scenario, run, events, people), strict=True))
            writer.write_table(pyarrow.table([*map(list, columns)], schema=schema))

        yield write
