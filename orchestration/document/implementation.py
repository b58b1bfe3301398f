"""How every scenario is implemented: sections 5 and 6 of the report."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
from collections.abc import Iterator
from pathlib import Path

from marl_health import Scenario
from marl_health.spec.scenario import packaged_scenarios
from orchestration.document.blocks import Block, Bullets, Heading, Paragraph

PACKAGES = ("numpy", "simpy", "pydantic", "pettingzoo")


def command(verb: str, scenario: Scenario) -> str:
    """A command on this scenario, as it is typed where its file lies; a packaged one is known by its name anywhere."""
    file = Path(scenario.file)
    packaged = packaged_scenarios().get(scenario.name) == file.resolve()
    words = [verb, scenario.name if packaged else file.name]
    for name, pick in scenario.chosen.items():
        words += ["--with", f"{name}={pick}"]
    return "marl-health " + shlex.join(words)


def implementation() -> Iterator[Block]:
    """Section 5."""
    versions = [f"{package} {importlib.metadata.version(package)}" for package in PACKAGES]
    yield Heading(2, "5. Implementation")
    yield Heading(3, "5.1 Software or programming language")
    yield Paragraph(
        f"marl-health {importlib.metadata.version('marl-health')} on Python {platform.python_version()}, with "
        f"{', '.join(versions)}. The scenario is data in YAML; the world is a subclass of `simpy.Environment`."
    )
    yield Heading(3, "5.2 Random sampling")
    yield Paragraph(
        "Every source of entities has a stream of its own (PCG64, from NumPy's `SeedSequence` of the replication's "
        "seed and the source's name). It gives each entity a row of uniforms, one for every purpose, from which "
        "attributes, durations and chances are found by inversion. The n-th entity of a source therefore has the same "
        "row under every policy. Steps that come again, and entities that return, take further uniforms from a hash "
        "(splitmix64) of the entity's key."
    )
    yield Heading(3, "5.3 Model execution")
    yield Paragraph(
        "Next-event time advance. Events at the same time happen in the order in which they were scheduled, changes of "
        "shift first. Decisions come after the events before them and before those at their own time. The same seed "
        "and actions give the same event log in every process."
    )
    yield Heading(3, "5.4 System specification")
    yield Paragraph(
        f"This report was made on {platform.system()} ({platform.machine()}). Results do not depend on the machine "
        "or on the number of processes."
    )


def access(scenario: Scenario) -> Iterator[Block]:
    """Section 6."""
    about = importlib.metadata.metadata("marl-health")
    licence = about.get("License-Expression") or about.get("License")
    yield Heading(2, "6. Code access")
    yield Heading(3, "6.1 Computer model sharing statement")
    yield Paragraph(
        f"The package `marl-health` ({licence}) holds the software. The model is the file "
        f"`{Path(scenario.file).name}`, version {scenario.version}, hash `{scenario.hash}`."
    )
    yield Bullets(
        [
            f"`{command('show', scenario)}` explains it on the command line,",
            f"`{command('simulate', scenario)}` runs it.",
        ]
    )
