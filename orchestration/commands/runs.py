"""`simulate` and `compare`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

import policies as policies_by_name
from marl_health import load
from orchestration.commands.events import event_log
from orchestration.commands.options import Chosen, Jobs, Json, NameOrFile, Replications, Seed, chosen_alternatives
from orchestration.commands.output import output_file, progress_bar, write_json
from orchestration.commands.tables import print_comparison, print_simulation
from orchestration.evaluation.compare import Comparison
from orchestration.evaluation.compare import compare as compare_policies
from orchestration.simulate import NOBODY, Simulation
from orchestration.simulate import simulate as simulate_policy
from orchestration.workers import cpus


def simulate(
    scenario: NameOrFile,
    policy: Annotated[
        str, typer.Option(help=f"{policies_by_name.FORMS}. A scenario without agents needs none.")
    ] = NOBODY,
    replications: Replications = 20,
    seed: Seed = 0,
    jobs: Jobs = None,
    json: Json = None,
    events: Annotated[
        Path | None,
        typer.Option("--events", metavar="FILE", help="Write the event logs, in vidigi's columns: .csv or .parquet."),
    ] = None,
    chosen: Chosen = None,
) -> None:
    """Run a policy in a scenario and say what came out."""
    loaded = load(scenario, chosen_alternatives(chosen))
    if json is not None and json == events:
        raise typer.BadParameter("names the same file as --json", param_hint="--events")
    simulation: Simulation | None = None
    try:
        with output_file(json) as json_file:
            with event_log(events, loaded) as sink, progress_bar(f"{loaded.name}, {policy}", replications) as progress:
                simulation = simulate_policy(
                    loaded,
                    policy,
                    replications,
                    seed,
                    jobs=jobs or cpus(),
                    events=sink,
                    progress=progress,
                )
            if json_file is not None:
                write_json(json_file, simulation.to_json())
    finally:  # what was simulated is told, even if it could not be written
        if simulation is not None:
            print_simulation(simulation)


def compare(
    scenario: NameOrFile,
    policies: Annotated[
        str, typer.Option(help="Policies, joined by commas; differences are against the first.")
    ] = "wait,random,rule",
    replications: Replications = 20,
    seed: Seed = 0,
    jobs: Jobs = None,
    json: Json = None,
    chosen: Chosen = None,
) -> None:
    """Run several policies on the same patients and compare them replication by replication."""
    loaded = load(scenario, chosen_alternatives(chosen))
    names = split_policies(policies)
    comparison: Comparison | None = None
    try:
        with output_file(json) as json_file:
            with progress_bar(f"{loaded.name}, {len(names)} policies", replications * len(names)) as progress:
                comparison = compare_policies(loaded, names, replications, seed, jobs=jobs or cpus(), progress=progress)
            if json_file is not None:
                write_json(json_file, comparison.to_json())
    finally:
        if comparison is not None:
            print_comparison(comparison)


def split_policies(text: str) -> list[str]:
    """Names of policies that commas join; a comma inside ``constant:a=1,b=2`` belongs to it."""
    names: list[str] = []
    for part in text.split(","):
        part = part.strip()
        if names and names[-1].startswith("constant:") and re.fullmatch(r"\w+\s*=.*", part):
            names[-1] += f",{part}"
        else:
            names.append(part)
    return names
