"""`replications` and `select`: how to plan an experiment."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Annotated, Any

import typer

import policies as policies_by_name
from marl_health import load
from orchestration.commands.options import Chosen, Jobs, Json, NameOrFile, Replications, Seed, chosen_alternatives
from orchestration.commands.runs import note_trained, split_policies
from orchestration.errors import CommandError, need
from orchestration.output import output_file, picture_format, progress_bar, write_json
from orchestration.simulate import NOBODY
from orchestration.workers import cpus

Share = Annotated[
    float, typer.Option(min=0.0001, max=10, help="Half-width of the 95% interval, as a share of the mean.")
]


def replications(
    scenario: NameOrFile,
    policy: Annotated[
        str, typer.Option(help=f"{policies_by_name.FORMS}. A scenario without agents needs none.")
    ] = NOBODY,
    replications: Replications = 20,
    precision: Share = 0.05,
    window: Annotated[
        float | None, typer.Option(min=0.01, help="Hours of Welch's moving average (default: a day, in a long run).")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw Welch's plot: .png, .svg or .pdf.")] = None,
    seed: Seed = 0,
    jobs: Jobs = None,
    json: Json = None,
    chosen: Chosen = None,
) -> None:
    """Say how many replications a precision needs, and how long a warm-up."""
    loaded = load(scenario, chosen_alternatives(chosen))
    longest = loaded.program.horizon / 120.0
    if window is not None and window > longest:
        raise typer.BadParameter(f"is at most {longest:g} h here, half of the run", param_hint="--window")
    need("sim_tools")
    form = picture_format(plot)
    if json is not None and json == plot:
        raise typer.BadParameter("names the same file as --json", param_hint="--plot")
    from orchestration.commands.plans import plan_json, print_plan
    from orchestration.replications import replications_needed
    from orchestration.warm_up import warm_up

    with output_file(json) as json_file, output_file(plot) as plot_file:
        with progress_bar(f"{loaded.name}, {policy}", replications) as progress:
            found = warm_up(loaded, policy, replications, seed, window=window, jobs=jobs or cpus(), progress=progress)
        needed = replications_needed(found.simulation, precision)
        print_plan(found, needed, precision)
        if json_file is not None:
            write_json(json_file, plan_json(found, needed, precision))
        if plot_file is not None:
            from orchestration.plots.style import save
            from orchestration.plots.welch import welch_plot

            save(welch_plot(found), plot_file.buffer, form)


def select(
    scenario: NameOrFile,
    delta: Annotated[float, typer.Option(help="The smallest difference that matters, in the unit of the KPI.")],
    policies: Annotated[str, typer.Option(help="Policies, joined by commas.")] = "wait,random,rule",
    of: Annotated[str, typer.Option(metavar="KPI", help="What decides: a KPI, or return.")] = "return",
    at_most: Annotated[int, typer.Option(min=20, help="Replications of one policy after which it ends anyway.")] = 1000,
    seed: Seed = 0,
    jobs: Jobs = None,
    json: Json = None,
    chosen: Chosen = None,
) -> None:
    """Select the best of several policies with as few replications as that takes (Kim and Nelson)."""
    loaded = load(scenario, chosen_alternatives(chosen))
    names = split_policies(policies)
    if len(names) < 2 or len(set(names)) < len(names):
        raise typer.BadParameter("names two policies or more, each once", param_hint="--policies")
    if not 0 < delta < inf:
        raise typer.BadParameter("must be a number above 0", param_hint="--delta")
    if not loaded.roles:
        raise CommandError(f"nobody decides in '{loaded.name}', so there is nothing to select; add agents")
    need("sim_tools")
    note_trained(loaded, names)
    from orchestration.commands.plans import print_selection, selection_json
    from orchestration.replications import UnknownMetric
    from orchestration.selection import NotRecorded, select_best

    with output_file(json) as json_file:
        try:
            with progress_bar(f"{loaded.name}, {len(names)} policies", at_most * len(names)) as progress:
                found = select_best(
                    loaded, names, of, delta, seed, at_most=at_most, jobs=jobs or cpus(), progress=progress
                )
        except (UnknownMetric, NotRecorded) as error:
            raise CommandError(str(error)) from error
        print_selection(loaded, found, seed)
        if json_file is not None:
            write_json(json_file, _heading(loaded, seed) | selection_json(found))


def _heading(scenario: Any, seed: int) -> dict[str, Any]:
    return {"scenario": scenario.name, "version": scenario.version, "hash": scenario.hash, "seed": seed}
