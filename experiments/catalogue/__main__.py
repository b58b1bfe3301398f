"""Play, train, and write the table of the catalogue; goes on where it was killed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from experiments.catalogue.cells import Cell, Played, play
from experiments.catalogue.columns import LOOKAHEAD, RULE, Column, columns, one_agent_tasks
from experiments.catalogue.learning import LABEL, STEPS, Learned, known, learn, settings
from experiments.catalogue.page import page
from experiments.catalogue.table import Row, details, row, to_json
from marl_health import Scenario, ScenarioError, load, parallel_env
from orchestration.errors import CommandError
from orchestration.output import output_file, progress_bar, write_json
from orchestration.workers import WorkerError, Workers, cpus
from policies import PolicyError

RESULTS = Path(__file__).resolve().parent.parent / "results"
HELD_OUT = 9_000_000
"""First seed of the table: nothing else in this project is played on those that follow."""


def make(options: argparse.Namespace, console: Console) -> dict[str, tuple[Scenario, list[Row]]]:
    """Play and train what was not yet; rows by scenario."""
    scenarios = [load(name) for name in options.scenarios or one_agent_tasks()]
    panels = {each.name: columns(each, options.lookahead) for each in scenarios}
    seeds = range(HELD_OUT, HELD_OUT + options.replications)
    total = sum(len(_seeds(column, seeds)) for panel in panels.values() for column in panel)
    played: dict[str, dict[str, Played]] = {each.name: {} for each in scenarios}

    def fill(scenario: Scenario, column: Column, called: str, workers: Workers, progress: Callable[[], None]) -> None:
        cell = Cell(scenario, column.policy, called, _seeds(column, seeds))
        played[scenario.name][column.label] = play(cell, workers, options.out / "cells", progress)

    with Workers(options.jobs) as workers:
        with progress_bar("what is not trained", total) as progress:
            for place in range(max(map(len, panels.values()))):  # slow ones last, so that slips are seen early
                for scenario in scenarios:
                    for column in panels[scenario.name][place : place + 1]:
                        fill(scenario, column, column.policy, workers, progress)
                        console.print(f"played: {scenario.name}, {column.label}", highlight=False)
        with progress_bar("what is trained", len(scenarios) * options.replications) as progress:
            for scenario, learned in zip(scenarios, _learned(scenarios, options, console), strict=True):
                if learned is None:
                    continue
                column = Column(LABEL, str(learned.checkpoint))
                fill(scenario, column, f"{LABEL} {learned.hash}", workers, progress)
                panels[scenario.name].append(Column(LABEL, LABEL))
                difference = details(_rows(panels[scenario.name], played[scenario.name])[-1:], {})[1][3]
                console.print(f"{scenario.name}: {LABEL} minus {RULE} {difference}", highlight=False)
    return {each.name: (each, _rows(panels[each.name], played[each.name])) for each in scenarios}


def _seeds(column: Column, seeds: range) -> range:
    return seeds[: column.replications]


def _rows(panel: Sequence[Column], played: dict[str, Played]) -> list[Row]:
    """The rows of a scenario, those that are dear last."""
    return [row(column, played) for column in panel]


def _learned(scenarios: Sequence[Scenario], options: argparse.Namespace, console: Console) -> Iterator[Learned | None]:
    """What is trained in each scenario, one after the other; None where it is not, and is not to be."""
    from orchestration.local_ray import local_ray, quiet, quiet_loggers
    from orchestration.store import FILE, open_store

    options.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        store = stack.enter_context(open_store(options.out / FILE))
        if not options.as_it_is and any(known(each, store, options.steps) is None for each in scenarios):
            quiet()
            quiet_loggers()
            stack.enter_context(local_ray(1, options.out))
        for scenario in scenarios:
            found = known(scenario, store, options.steps)
            if found is None and not options.as_it_is:
                found = learn(scenario, store, options.out, console, options.steps)
            yield found


def main(arguments: Sequence[str] | None = None) -> int:
    """Read what to do, and do it; 2 if it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m experiments.catalogue", description=__doc__)
    parser.add_argument("scenarios", nargs="*", help="names or files (default: all tasks of one agent)")
    parser.add_argument("--replications", type=int, default=200, help="episodes of each policy (default 200)")
    parser.add_argument("--lookahead", type=int, default=12, help="episodes of the look-ahead (default 12)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"decisions PPO learns from (default {STEPS})")
    parser.add_argument("--as-it-is", action="store_true", help="train nothing; leave out what is not trained yet")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/catalogue"), help="where to go on from, and to keep runs"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for catalogue.md and catalogue.json")
    parser.add_argument("--jobs", type=int, default=cpus(), help="processes that play episodes")
    options = parser.parse_args(arguments)
    from orchestration.experiment.errors import TrainingError

    console = Console(stderr=True, soft_wrap=True)
    try:
        found = make(options, console)
        facts = {
            "first_seed": HELD_OUT,
            "replications": options.replications,
            "lookahead": LOOKAHEAD,
            "lookahead_replications": options.lookahead,
            "ppo_steps": options.steps,
            "ppo_settings": {scenario.name: settings(scenario) for scenario, _ in found.values()},
        }
        units = {name: parallel_env(scenario).kpi_units() for name, (scenario, _) in found.items()}
        text = page(facts, found, units)
        with output_file(options.results / "catalogue.md") as file:
            assert file is not None
            file.write(text)
        with output_file(options.results / "catalogue.json") as file:
            assert file is not None
            write_json(file, to_json(facts, found))
    except (ScenarioError, PolicyError, WorkerError, TrainingError, CommandError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"written to {options.results / 'catalogue.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
