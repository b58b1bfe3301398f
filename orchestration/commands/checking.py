"""`check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from marl_health import load
from orchestration.commands.options import Jobs
from orchestration.commands.tables import BETTER, WORSE
from orchestration.output import console, output_file, progress_bar, write_json
from orchestration.workers import cpus
from policies.clock import result_file

if TYPE_CHECKING:
    from orchestration.check.whole import Result


def check(
    scenarios: Annotated[
        list[str], typer.Argument(metavar="NAME_OR_FILE...", help="Packaged scenarios' names, or paths of YAML files.")
    ],
    jobs: Jobs = None,
) -> None:
    """Check that scenarios are worth having: actions matter, looking pays, no trick wins, and all is reproducible.

    The result is written to scenarios/checks/NAME.json, or for a file of your own to FILE.check.json beside it; the
    policy `clock` is the best one found that sees only the time. The exit code is 1 if a point fails.
    """
    from orchestration.check.whole import check_scenario, must_have_rule, stages

    loaded = [load(name) for name in scenarios]
    for scenario in loaded:
        must_have_rule(scenario)
    passed = True
    for scenario in loaded:
        written = result_file(scenario)
        written.parent.mkdir(exist_ok=True)  # there is none before the first packaged scenario was checked
        with output_file(written) as file:
            with progress_bar(f"{scenario.name}, six points", stages(scenario)) as progress:
                result = check_scenario(scenario, jobs or cpus(), progress)
            if file is not None:
                write_json(file, result.to_json())
        print_result(result)
        passed = passed and result.passed
    if not passed:
        raise typer.Exit(1)


def print_result(result: Result) -> None:
    """A row per finding, and a line that says it all."""
    out = console()
    scenario = result.scenario
    out.print(Text(f"{scenario.name}, version {scenario.version}, hash {scenario.hash}", style="bold"))
    table = Table()
    for column in ("point", "what", "figure", ""):
        table.add_column(column, overflow="fold")
    for finding in result.findings:
        mark = Text("pass", style=BETTER) if finding.passed else Text("FAIL", style=WORSE)
        table.add_row(str(finding.point), Text(finding.what), Text(finding.figure), mark)
    out.print(table)
    failed = sorted({finding.point for finding in result.findings if not finding.passed})
    searched = f"{result.search['episodes']:,} episodes searched; written to {result_file(scenario)}"
    verdict = f"fails point {', '.join(map(str, failed))}" if failed else "passes all six points"
    out.print(f"{scenario.name} {verdict} ({searched})")
