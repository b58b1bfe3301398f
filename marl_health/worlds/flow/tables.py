"""Tables: CSV files beside a scenario or in the packaged data. A scenario is untrusted, so paths stay inside."""

from __future__ import annotations

import csv
from collections.abc import Callable
from math import isfinite
from pathlib import Path

from marl_health.spec.errors import Where
from marl_health.spec.numbers import read_key
from marl_health.spec.suggest import did_you_mean

MOST_BYTES = 4_000_000


class Tables:
    """Reads columns of CSV files; ``files`` lists those that were read.

    Args:
        folders: where tables may lie, in order of preference; a path may not lead out of them.
        problem: takes a place in the scenario and a message.
    """

    def __init__(self, folders: list[Path], problem: Callable[[Where, str], None]) -> None:
        self.folders = [folder.resolve() for folder in folders]
        self.problem = problem
        self.files: list[Path] = []
        self._read: dict[str, tuple[list[str], list[list[str]]] | None] = {}

    def column(self, table: str, column: str, path: Where) -> list[float] | None:
        """The numbers of one column, or ``None`` after a problem."""
        content = self._content(table, path)
        if content is None:
            return None
        header, rows = content
        return self._numbers(table, column, header, rows, path)

    def first(self, table: str, path: Where) -> list[str] | None:
        """What stands in the first column, as text, or ``None`` after a problem."""
        content = self._content(table, path)
        return None if content is None else [row[0] for row in content[1]]

    def keyed(self, table: str, column: str, path: Where) -> dict[object, float] | None:
        """The numbers of one column by the value in the first column, or ``None`` after a problem."""
        numbers = self.column(table, column, path)
        content = self._content(table, path)
        if numbers is None or content is None:
            return None
        keyed: dict[object, float] = {}
        for line, (row, number) in enumerate(zip(content[1], numbers, strict=True), start=2):
            key = read_key(row[0])
            if key in keyed:
                self.problem(path, f"line {line} of {table} is the second for '{row[0]}'; keep one")
                return None
            keyed[key] = number
        return keyed

    def _numbers(
        self, table: str, column: str, header: list[str], rows: list[list[str]], path: Where
    ) -> list[float] | None:
        if column not in header:
            self.problem(path, f"{table} has no column '{column}'{did_you_mean(column, header)}")
            return None
        place = header.index(column)
        numbers = []
        for line, row in enumerate(rows, start=2):
            cell = row[place] if place < len(row) else ""
            try:
                number = float(cell)
            except ValueError:
                number = float("nan")
            if not isfinite(number):
                self.problem(path, f"line {line} of {table} has {cell!r} in column '{column}', which is not a number")
                return None
            numbers.append(number)
        return numbers

    def _content(self, table: str, path: Where) -> tuple[list[str], list[list[str]]] | None:
        if table not in self._read:
            self._read[table] = self._load(table, path)
        return self._read[table]

    def _load(self, table: str, path: Where) -> tuple[list[str], list[list[str]]] | None:
        if Path(table).is_absolute() or "\x00" in table:
            self.problem(path, "a table's path is relative to the scenario's folder or to the packaged data")
            return None
        for folder in self.folders:
            file = (folder / table).resolve()
            if not file.is_relative_to(folder):
                self.problem(path, f"'{table}' leads out of the folder; tables lie beside the scenario or below it")
                return None
            if file.is_file():
                self.files.append(file)
                return self._parse(file, table, path)
        places = " or ".join(sorted({f"{folder.name}/" for folder in self.folders}))
        self.problem(path, f"there is no table '{table}' in {places}")
        return None

    def _parse(self, file: Path, table: str, path: Where) -> tuple[list[str], list[list[str]]] | None:
        try:
            if file.stat().st_size > MOST_BYTES:
                self.problem(path, f"'{table}' is larger than {MOST_BYTES // 1_000_000} MB")
                return None
            with file.open(encoding="utf-8-sig", newline="") as stream:
                rows = csv.reader(line for line in stream if not line.startswith("#"))
                lines = [[cell.strip() for cell in row] for row in rows if row]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self.problem(path, f"'{table}' cannot be read as CSV ({error})")
            return None
        if len(lines) < 2:
            self.problem(path, f"'{table}' needs a line of column names and at least one line of data")
            return None
        return lines[0], lines[1:]
