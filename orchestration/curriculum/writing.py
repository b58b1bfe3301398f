"""A scenario that exists only in memory, written down so that every process can load it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from marl_health import Scenario, load
from marl_health.spec.scenario import PACKAGED


def write_scenario(scenario: Scenario, folder: Path) -> Scenario:
    """Write a scenario, with the tables that it reads, into a folder, and load it from there.

    Args:
        scenario: what is written.
        folder: where to; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beside = [file.parent for file in scenario.read_from if file.suffix in (".yaml", ".yml")]
    for table in scenario.kind.tables_read(scenario.program):
        if not table.is_relative_to(PACKAGED):  # those are found from everywhere
            base = next(parent for parent in beside if table.is_relative_to(parent))
            copy = folder / table.relative_to(base)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(table, copy)
    file = folder / f"{scenario.name}.yaml"
    # JSON is YAML, and says exactly what it was given.
    text = json.dumps({name: part for name, part in scenario.data.items() if name != "extends"}, indent=1)
    file.write_text(f"# One stage of a curriculum, made of {scenario.name}.\n{text}\n", encoding="utf-8")
    return load(file, scenario.chosen)
