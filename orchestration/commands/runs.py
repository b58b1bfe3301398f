"""`simulate` and `compare`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import policies as policies_by_name
from marl_health import Scenario, load
from orchestration.commands.events import event_log
from orchestration.commands.groups import print_groups, print_groups_compared
from orchestration.commands.options import By, Chosen, Jobs, Json, NameOrFile, Replications, Seed, chosen_alternatives
from orchestration.commands.tables import print_comparison, print_simulation
from orchestration.errors import CommandError, need
from orchestration.evaluation.compare import Comparison
from orchestration.evaluation.compare import compare as compare_policies
from orchestration.evaluation.equity import UnknownGroups, check_groups
from orchestration.output import output_file, progress_bar, write_json
from orchestration.simulate import NOBODY, Simulation
from orchestration.simulate import simulate as simulate_policy
from orchestration.workers import cpus
from policies.trained import trained_elsewhere

if TYPE_CHECKING:
    from orchestration.replications import Precision


def simulate(
    scenario: NameOrFile,
    policy: Annotated[
        str, typer.Option(help=f"{policies_by_name.FORMS}. A scenario without agents needs none.")
    ] = NOBODY,
    replications: Replications = 20,
    seed: Seed = 0,
    jobs: Jobs = None,
    by: By = None,
    json: Json = None,
    events: Annotated[
        Path | None,
        typer.Option("--events", metavar="FILE", help="Write the event logs, in vidigi's columns: .csv or .parquet."),
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            min=0.0001,
            max=10,
            help="Go on after --replications until the half-width of every KPI's 95% interval is within this share of "
            "its mean.",
        ),
    ] = None,
    of: Annotated[
        list[str] | None, typer.Option(metavar="KPI", help="With --precision: look at this KPI only; repeatable.")
    ] = None,
    at_most: Annotated[
        int, typer.Option(min=1, help="With --precision: replications after which it ends anyway.")
    ] = 1000,
    chosen: Chosen = None,
) -> None:
    """Run a policy in a scenario and say what came out."""
    loaded = load(scenario, chosen_alternatives(chosen))
    if json is not None and json == events:
        raise typer.BadParameter("names the same file as --json", param_hint="--events")
    if precision is not None:
        need("sim_tools")
    _check_by(loaded, by)
    note_trained(loaded, [policy])
    total = replications if precision is None else at_most
    simulation: Simulation | None = None
    reached: Precision | None = None
    try:
        with output_file(json) as json_file:
            with event_log(events, loaded) as sink, progress_bar(f"{loaded.name}, {policy}", total) as progress:
                how: dict[str, Any] = {"jobs": jobs or cpus(), "by": by, "events": sink, "progress": progress}
                if precision is None:
                    simulation = simulate_policy(loaded, policy, replications, seed, **how)
                else:
                    how |= {"metrics": of or (), "at_least": replications, "at_most": at_most}
                    simulation, reached = _until(loaded, policy, precision, seed, how)
            if json_file is not None:
                write_json(
                    json_file, simulation.to_json() | ({} if reached is None else {"precision": asdict(reached)})
                )
    finally:  # what was simulated is told, even if it could not be written
        if simulation is not None:
            print_simulation(simulation)
            print_groups(simulation)
    if simulation is not None and reached is not None:
        from orchestration.commands.plans import precision_lines

        print("\n".join(precision_lines(reached, len(simulation.replications))))


def _check_by(scenario: Scenario, by: str | None) -> None:
    """Tell before the work begins if KPIs cannot be split so."""
    if by is None:
        return
    try:
        check_groups(scenario, by)
    except UnknownGroups as error:
        raise CommandError(str(error)) from error


def _until(
    scenario: Scenario, policy: str, precision: float, seed: int, how: dict[str, Any]
) -> tuple[Simulation, Precision]:
    """Simulate until a precision is reached."""
    from orchestration.replications import UnknownMetric, check_bounds, simulate_until

    try:
        check_bounds(how["at_least"], how["at_most"])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--replications / --at-most") from error
    try:
        return simulate_until(scenario, policy, precision, seed, **how)
    except UnknownMetric as error:
        raise CommandError(str(error)) from error


def compare(
    scenario: NameOrFile,
    policies: Annotated[
        str, typer.Option(help="Policies, joined by commas; differences are against the first.")
    ] = "wait,random,rule",
    replications: Replications = 20,
    seed: Seed = 0,
    jobs: Jobs = None,
    by: By = None,
    json: Json = None,
    chosen: Chosen = None,
) -> None:
    """Run several policies on the same patients and compare them replication by replication."""
    loaded = load(scenario, chosen_alternatives(chosen))
    names = split_policies(policies)
    _check_by(loaded, by)
    note_trained(loaded, names)
    comparison: Comparison | None = None
    try:
        with output_file(json) as json_file:
            with progress_bar(f"{loaded.name}, {len(names)} policies", replications * len(names)) as progress:
                settings: dict[str, Any] = {"jobs": jobs or cpus(), "by": by, "progress": progress}
                comparison = compare_policies(loaded, names, replications, seed, **settings)
            if json_file is not None:
                write_json(json_file, comparison.to_json())
    finally:
        if comparison is not None:
            print_comparison(comparison)
            print_groups_compared(comparison)


def note_trained(scenario: Scenario, names: Iterable[str]) -> None:
    """Say which of the policies were trained on something else than they act in."""
    for name in names:
        if note := trained_elsewhere(name, scenario):
            print(f"note: {note}", file=sys.stderr)


def split_policies(text: str) -> list[str]:
    """Names of policies that commas join; a comma inside ``constant:a=1,b=2`` or ``lookahead:..`` belongs to it."""
    names: list[str] = []
    for part in text.split(","):
        part = part.strip()
        if names and names[-1].startswith(("constant:", "lookahead:")) and re.fullmatch(r"\w+\s*=.*", part):
            names[-1] += f",{part}"
        else:
            names.append(part)
    return names
