"""Where results go: files that are whole or not there, and a progress bar."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from orchestration.errors import CommandError, need, told

PICTURES = ("png", "svg", "pdf")
"""Formats of pictures."""

WIDE = 160
"""Columns of a table that goes into a file or a pipe."""


def console() -> Console:
    """For tables on stdout. Text is printed as it is: names hold brackets."""
    out = Console(markup=False, highlight=False, emoji=False)
    if not out.is_terminal:
        out.width = max(out.width, WIDE)
    return out


def near(path: Path) -> Path:
    """The path, relative to the current folder if it lies in it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


@contextmanager
def output_file(path: Path | None) -> Iterator[TextIO | None]:
    """A text file that appears, whole, when the block ends well, and does not change otherwise.

    It is opened before the work begins, so that no work is lost to a slip in its name. A device or pipe is written to
    as it is.

    Args:
        path: where to; None for no file.

    Raises:
        CommandError: if it cannot be written.
    """
    if path is None:
        yield None
        return
    try:
        target = path.resolve() if path.is_file() else path
        if path.is_dir():
            raise CommandError(f"{path}: is a folder; name a file in it")
        if target.is_file() and not os.access(target, os.W_OK):
            raise CommandError(f"{path}: may not be written; change its permissions or name another file")
        if path.parent.is_file():
            raise CommandError(f"{path}: {path.parent} is a file and holds no others; name a folder")
        if not path.parent.is_dir():
            raise CommandError(f"{path}: there is no folder {path.parent}; make it first")
        plain = target.exists() and not target.is_file()
        draft = target if plain else target.with_name(f".{target.name}.{os.getpid()}.part")
        file = draft.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{path}: cannot be written: {told(_about(error, path))}") from error
    try:
        with file:
            yield file
            file.flush()
            if not plain:
                os.fsync(file.fileno())
        if not plain:
            draft.replace(target)
    except OSError as error:
        if error.filename is not None and error.filename != str(draft):
            raise
        raise CommandError(told(_about(error, path))) from error
    finally:
        if not plain:
            draft.unlink(missing_ok=True)


def picture_format(path: Path | None) -> str:
    """The format of a picture by its file's name, once it is clear that one can be drawn.

    Raises:
        CommandError: if it is none that we draw, or matplotlib is not installed.
    """
    if path is None:
        return ""
    form = path.suffix[1:]
    if form not in PICTURES:
        raise CommandError(f"{path}: a picture's name ends in {', '.join('.' + known for known in PICTURES)}")
    need("matplotlib")
    return form


def _about(error: OSError, path: Path) -> OSError:
    """The same error, said of the file that the user named."""
    return OSError(error.errno, error.strerror, str(path))


def write_json(file: TextIO, value: Any) -> None:
    """Write a value as JSON; numbers that JSON cannot say (nan, infinities) as null."""
    json.dump(_sayable(value), file, indent=2, allow_nan=False)
    file.write("\n")


def _sayable(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _sayable(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_sayable(part) for part in value]
    return value


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr while the block runs, if somebody is there to see it; call what it yields after each part."""
    err = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)
