"""`report`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import policies as policies_by_name
from marl_health import load
from orchestration.commands.documenting import HTML
from orchestration.commands.options import Chosen, Jobs, NameOrFile, Seed, chosen_alternatives
from orchestration.commands.runs import note_trained, split_policies
from orchestration.errors import CommandError, need
from orchestration.evaluation.compare import compare
from orchestration.output import output_file, progress_bar
from orchestration.workers import cpus

LONG = 30.0
"""Seconds from which on it is told beforehand how long it will take."""


def report(
    scenario: NameOrFile,
    policies: Annotated[
        str, typer.Option(help="Policies, joined by commas; the others are compared with the first.")
    ] = "wait,rule,lookahead",
    replications: Annotated[int, typer.Option(min=1, help="How many episodes of each policy.")] = 10,
    seed: Seed = 0,
    jobs: Jobs = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page, a name that ends in .html.")] = Path(
        "report.html"
    ),
    chosen: Chosen = None,
) -> None:
    """Write a page for those who run the hospital: what would change under which policy, and how certain that is."""
    loaded = load(scenario, chosen_alternatives(chosen))
    names = split_policies(policies)
    if out.suffix not in HTML:
        raise CommandError(f"{out}: the report is a page; let its name end in .html")
    if not loaded.roles:
        raise policies_by_name.PolicyError(
            f"nobody decides in '{loaded.name}', so there is nothing to compare; simulate it, or add agents"
        )
    need("matplotlib")
    note_trained(loaded, names)
    from orchestration.briefing.pace import seconds_needed
    from orchestration.briefing.report import report as blocks_of
    from orchestration.document.blocks import page

    processes = jobs or cpus()
    attributes = list(loaded.kind.make_game(loaded.program).groups())
    with output_file(out) as file:
        seconds = seconds_needed(loaded, names, replications, seed, processes)
        if seconds >= LONG:
            told = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
            print(f"{replications} replications of {len(names)} policies take about {told} here", file=sys.stderr)
        with progress_bar(f"{loaded.name}, {len(names)} policies", replications * len(names)) as progress:
            comparison = compare(
                loaded, names, replications, seed, jobs=processes, occupancy=True, by=attributes, progress=progress
            )
        assert file is not None
        file.write(page(blocks_of(comparison, attributes)))
    print(f"wrote {out}")
