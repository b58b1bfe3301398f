"""`train` and `evaluate`."""

from __future__ import annotations

import importlib.util
import json as json_format
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from marl_health import Scenario, load, parallel_env
from orchestration.commands.options import Chosen, Jobs, Json, Replications, chosen_alternatives
from orchestration.commands.store import Address, recorded
from orchestration.commands.tables import print_comparison, standing
from orchestration.errors import CommandError, missing
from orchestration.evaluation.compare import Comparison, compare
from orchestration.output import output_file, progress_bar, write_json
from orchestration.workers import cpus
from policies import PolicyError
from policies.registry import MANIFEST, check, rule_of

HELD_OUT_SEED = 1_000_000
"""First seed of held-out replications. Training draws its own from 2**31 upwards: it never meets these patients."""

HeldOutSeed = Annotated[
    int, typer.Option(min=0, help="Seed of the first held-out replication; training uses seeds from 2**31 upwards.")
]


def train(
    context: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="EXPERIMENT_OR_SCENARIO...",
            help="The name, or the YAML file, of either; several scenarios need a --strategy.",
        ),
    ],
    seed: Annotated[int, typer.Option(min=0, help="Starts weights, exploration and training episodes.")] = 0,
    minutes: Annotated[float, typer.Option(min=0.5, help="Time for training; the evaluation comes on top.")] = 7.0,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The run's folder is made in this one.")] = Path("runs"),
    replications: Replications = 50,
    jobs: Jobs = None,
    store: Address = None,
    chosen: Chosen = None,
    algorithm: Annotated[
        str | None, typer.Option(metavar="NAME", help="What learns: ppo, mappo, qmix, vdn, dqn, sac or maddpg.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Train so many seeds: 0, 1, ..; each of them as long as it says.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Train for so many steps, if that is sooner.")] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How several scenarios are trained: independent, sequential, hierarchical or coordinated.",
        ),
    ] = None,
) -> None:
    """Train one policy per role, then compare it with wait, random and the rule on held-out replications.

    With an experiment, several scenarios, --algorithm, --seeds or --steps, what was interrupted is gone on with by the
    same command, and what was finished is not done again.
    """
    from orchestration.commands.experiments import asks_for_experiment, train_experiment

    if len(names) > 1 or asks_for_experiment(names[0], algorithm, seeds, steps, strategy):
        train_experiment(context, names, out=out, jobs=jobs, store=store)
        return
    scenario = names[0]
    loaded = load(scenario, chosen_alternatives(chosen))
    _need_agents(loaded)
    for package in ("ray", "torch", "matplotlib", "sqlalchemy", "alembic"):
        if importlib.util.find_spec(package) is None:
            raise CommandError(missing(package))
    from orchestration.report import write_report
    from orchestration.training import TrainingError
    from orchestration.training import train as train_policy

    file = str(Path(loaded.file).resolve())
    settings = {"minutes": minutes, "replications": replications}
    with recorded(store, out, scenario=loaded, algorithm="ppo", seed=seed, configuration=settings) as job:
        try:
            result = train_policy(
                file,
                seed=seed,
                minutes=minutes,
                out=out,
                make_env=partial(parallel_env, file, chosen=loaded.chosen),
                job=job,
            )
        except TrainingError as error:
            raise CommandError(str(error)) from error
        comparison = _evaluate(loaded, result.checkpoint, replications, HELD_OUT_SEED, jobs, occupancy=True)
        with output_file(result.run_dir / "comparison.json") as json_file:
            assert json_file is not None
            write_json(json_file, comparison.to_json())
        report = write_report(result.run_dir, comparison.to_json(), result.curve, comparison.occupancy())
        job.comparison(comparison, env_steps=result.env_steps)
    print(f"\nreport: {_near(report)}\ncheckpoint: {_near(result.checkpoint)}\nrun {job.id} in marl-health runs")


def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="The folder that training wrote, runs/<id>/checkpoint.")],
    scenario: Annotated[
        str | None,
        typer.Option(metavar="NAME_OR_FILE", help="Where to evaluate it (default: where it was trained)."),
    ] = None,
    replications: Replications = 50,
    seed: HeldOutSeed = HELD_OUT_SEED,
    jobs: Jobs = None,
    json: Json = None,
    chosen: Chosen = None,
) -> None:
    """Compare a trained policy with wait, random and the rule on held-out replications."""
    check(str(checkpoint) if "/" in str(checkpoint) else f"./{checkpoint}")
    facts = _manifest(checkpoint)
    loaded = load(scenario or _trained_on(checkpoint, facts), chosen_alternatives(chosen))
    _need_agents(loaded)
    with output_file(json) as file:
        if facts.get("hash") != loaded.hash:
            trained = f"{facts.get('scenario')} version {facts.get('version')} (hash {facts.get('hash')})"
            here = f"{loaded.name} version {loaded.version} (hash {loaded.hash})"
            print(f"note: trained on {trained}, evaluated on {here}", file=sys.stderr)
        comparison = _evaluate(loaded, checkpoint, replications, seed, jobs)
        if file is not None:
            write_json(file, comparison.to_json())


def _evaluate(
    scenario: Scenario, checkpoint: Path, replications: int, seed: int, jobs: int | None, *, occupancy: bool = False
) -> Comparison:
    """Compare a checkpoint with the baselines and print the tables."""
    name = str(_manifest(checkpoint).get("algorithm", "trained"))
    named = {name: str(checkpoint), "wait": "wait", "random": "random"}
    try:
        rule_of(scenario)
        named["rule"] = "rule"
    except PolicyError as error:
        print(f"note: without the rule: {error}", file=sys.stderr)
    with progress_bar(f"evaluating {len(named)} policies", replications * len(named)) as progress:
        comparison = compare(
            scenario, named, replications, seed, jobs=jobs or cpus(), occupancy=occupancy, progress=progress
        )
    print_comparison(comparison)
    for other in comparison.paired:
        print(standing(comparison, other))
    return comparison


def _need_agents(scenario: Scenario) -> None:
    if not scenario.roles:
        raise CommandError(
            f"nobody decides in '{scenario.name}', so nothing can be trained; add agents to the scenario"
        )


def _manifest(checkpoint: Path) -> dict[str, object]:
    """What a checkpoint says of itself; whether its files are whole is checked when it is loaded."""
    try:
        facts = json_format.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
    except ValueError as error:
        raise CommandError(f"{checkpoint / MANIFEST}: damaged; train again, or copy the checkpoint again") from error
    if not isinstance(facts, dict):
        raise CommandError(f"{checkpoint / MANIFEST}: damaged; train again, or copy the checkpoint again")
    return facts


def _trained_on(checkpoint: Path, facts: dict[str, object]) -> str:
    """The scenario that a checkpoint was trained on, if it is a packaged one."""
    from marl_health.spec.scenario import packaged_scenarios

    name = str(facts.get("scenario"))
    if name not in packaged_scenarios():
        raise CommandError(
            f"{checkpoint}: was trained on '{name}', which is no packaged scenario; name its file: --scenario FILE"
        )
    return name


def _near(path: Path) -> Path:
    """The path, relative to the current folder if it lies in it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
