"""Where a run keeps its files, `runs/<time>-<scenario>-<what>-s<seed>/`, and the command that it says it came from."""

from __future__ import annotations

import re
import shlex
import sys
import time
from pathlib import Path


def new_run_dir(out: Path, scenario: str, what: str, seed: int) -> Path:
    """Make and return a fresh folder for a run, named so that a listing is in order of time."""
    stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{Path(scenario).stem}-{what}-s{seed}"
    attempt = 0
    while True:
        path = out / (f"{stem}-{attempt}" if attempt else stem)
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            attempt += 1
            continue
        return path


def command_line() -> str:
    """The command that is running, as a shell takes it on any machine where the program is installed.

    The password of a database is left out: it is kept nowhere.
    """
    program, *words = sys.argv
    return re.sub(r"(://[^:/@\s]*:)[^@\s]*@", r"\1***@", shlex.join([Path(program).name, *words]))
