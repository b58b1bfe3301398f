"""Where a run keeps its files: `runs/<time>-<scenario>-<what>-s<seed>/`."""

from __future__ import annotations

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
