"""`train` and `evaluate`."""

from __future__ import annotations

import json as json_format
import sys
from pathlib import Path
from typing import Annotated

import typer

from marl_health import Scenario, load
from orchestration.commands.options import Chosen, Jobs, Json, Replications, chosen_alternatives
from orchestration.commands.runs import note_trained
from orchestration.commands.store import Address
from orchestration.commands.tables import print_findings, standing
from orchestration.errors import CommandError
from orchestration.evaluation.compare import Comparison, compare
from orchestration.evaluation.findings import Findings
from orchestration.output import output_file, progress_bar, write_json
from orchestration.workers import cpus
from policies.registry import MANIFEST, check, why_no_rule

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
    replications: Annotated[
        int, typer.Option(min=2, help="How many episodes of each policy, when training has ended.")
    ] = 50,
    jobs: Jobs = None,
    store: Address = None,
    chosen: Chosen = None,
    algorithm: Annotated[
        str, typer.Option(metavar="NAME", help="What learns: ppo, mappo, qmix, vdn, dqn, sac or maddpg.")
    ] = "mappo",
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
    log: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Log to wandb or mlflow too, besides TensorBoard.")
    ] = None,
) -> None:
    """Train one policy per role, then compare it with wait, random and the rule on held-out replications.

    MAPPO starts from what the rule does, if the scenario has one. What was interrupted, by Ctrl-C for instance, is gone
    on with by the same command; what was finished is shown again.
    """
    from orchestration.commands.experiments import train_experiment

    train_experiment(context, names, out=out, jobs=jobs, store=store)


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
        note_trained(loaded, [str(checkpoint)])
        comparison = _evaluate(loaded, checkpoint, replications, seed, jobs)
        if file is not None:
            write_json(file, comparison.to_json())


def _evaluate(scenario: Scenario, checkpoint: Path, replications: int, seed: int, jobs: int | None) -> Comparison:
    """Compare a checkpoint with the baselines and print the tables."""
    facts = _manifest(checkpoint)
    name = str(facts.get("algorithm", "trained"))
    if facts.get("init"):
        name += f" from {facts['init']}"
    named = {name: str(checkpoint), "wait": "wait", "random": "random"}
    if (reason := why_no_rule(scenario)) is None:
        named["rule"] = "rule"
    else:
        print(f"note: without the rule: {reason}", file=sys.stderr)
    with progress_bar(f"evaluating {len(named)} policies", replications * len(named)) as progress:
        comparison = compare(scenario, named, replications, seed, jobs=jobs or cpus(), progress=progress)
    found = Findings.read(comparison.to_json())
    print_findings(scenario, found)
    for other in found.paired:
        print(standing(found, other))
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
