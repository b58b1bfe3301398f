"""`plot`."""

from __future__ import annotations

from contextlib import ExitStack
from math import ceil
from pathlib import Path
from typing import Annotated

import typer

import policies as policies_by_name
from marl_health import load
from orchestration.commands.options import Chosen, Jobs, NameOrFile, Replications, Seed, chosen_alternatives
from orchestration.errors import CommandError, need, told
from orchestration.output import PICTURES, output_file, progress_bar
from orchestration.simulate import NOBODY
from orchestration.workers import cpus

DAY = 1440.0


def plot(
    scenario: NameOrFile,
    policy: Annotated[
        str, typer.Option(help=f"{policies_by_name.FORMS}. A scenario without agents needs none.")
    ] = NOBODY,
    replications: Replications = 20,
    day: Annotated[int | None, typer.Option(min=1, help="Day of the episode for the chart of one day.")] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the pictures go.")] = Path("plots"),
    form: Annotated[str, typer.Option("--format", help="png, svg or pdf.")] = "png",
    seed: Seed = 0,
    jobs: Jobs = None,
    chosen: Chosen = None,
) -> None:
    """Draw queues, occupancy, one day and the flow of patients."""
    loaded = load(scenario, chosen_alternatives(chosen))
    days = ceil((loaded.program.horizon - loaded.program.warm_up) / DAY)
    if day is not None and day > days:
        raise CommandError(f"an episode of '{loaded.name}' has {days} day{'s' * (days > 1)}, so there is no day {day}")
    if form not in PICTURES:
        raise typer.BadParameter(f"'{form}' is none of {', '.join(PICTURES)}", param_hint="--format")
    need("matplotlib")
    policies_by_name.check(policy)
    files = {what: out / f"{loaded.name}_{what}.{form}" for what in ("queues", "occupancy", "day", "flow")}
    if out.is_file():
        raise CommandError(f"{out}: is a file; name a folder for the pictures")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"the folder cannot be made: {told(error)}") from error
    from orchestration.plots.gantt import day_chart
    from orchestration.plots.observe import observe
    from orchestration.plots.over_time import occupancy, queues
    from orchestration.plots.sankey import patient_flow
    from orchestration.plots.style import save

    with ExitStack() as stack:
        opened = {what: stack.enter_context(output_file(file)) for what, file in files.items()}
        with progress_bar(f"{loaded.name}, {policy}", replications) as progress:
            found = observe(loaded, policy, replications, seed, jobs=jobs or cpus(), progress=progress)
        figures = {
            "queues": lambda: queues(found),
            "occupancy": lambda: occupancy(found),
            "day": lambda: day_chart(found, day or min(2, days)),
            "flow": lambda: patient_flow(found),
        }
        for what, file in opened.items():
            assert file is not None
            save(figures[what](), file.buffer, form)
    print("\n".join(map(str, files.values())))
