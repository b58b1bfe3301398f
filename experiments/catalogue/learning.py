"""PPO with the same small budget in every scenario, as an experiment of its own each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from marl_health import Scenario
from marl_health.spec.document import parse_document
from marl_health.spec.scenario import packaged_scenarios
from orchestration.experiment.reading import Experiment, read_experiment

if TYPE_CHECKING:
    from orchestration.store import Store

STEPS = 138_240
"""Decisions that are learned from, 30 times those of a batch; one to two minutes of a core."""

SETTINGS: dict[str, Any] = {
    "num_env_runners": 0,
    "num_envs_per_env_runner": 32,
    "same_patients": 8,
    "train_batch_size_per_learner": 4608,
    "minibatch_size": 1152,
    "num_epochs": 6,
    "gamma": 0.99,
}
"""One process; four groups of eight copies with the same patients each."""

OFTEN = {"lr": 0.0003, "lambda_": 1.0, "entropy_coeff": 0.001}
"""Where decisions are less than a quarter of an hour apart: what one does shows after tens of them."""

SELDOM = {"lr": 0.0005, "lambda_": 0.95, "entropy_coeff": 0.003}
"""Elsewhere twenty decisions last for hours, and a shorter trace is less noisy."""

QUARTER = 15.0
"""Minutes."""

CHOSEN_BY = 2_000_000
"""First seed of the 30 episodes by whose mean return the policy that is kept is chosen, while it trains."""


LABEL = "ppo from rule"
"""What tables call it: it began as the rule, so it was not learned from nothing."""


@dataclass(frozen=True)
class Learned:
    """What was trained: the experiment's hash, and the folder of the checkpoint."""

    hash: str
    checkpoint: Path


def settings(scenario: Scenario) -> dict[str, Any]:
    """What PPO is set to in a scenario: the same, but for what depends on how often there is something to decide."""
    return SETTINGS | (OFTEN if scenario.clock.decide_every < QUARTER else SELDOM)


def experiment(scenario: Scenario, steps: int = STEPS) -> Experiment:
    """The experiment that trains PPO in a scenario, from what its rule does."""
    data = {
        "schema": "marl_health/experiment/v1",
        "name": f"catalogue_{scenario.name}"[:64],
        "description": f"PPO from the rule in {scenario.name}, with the budget that all tasks of one agent have.",
        "scenarios": [_called(scenario)],
        "algorithm": {"name": "ppo", "init": "rule", "settings": settings(scenario)},
        "seeds": 1,
        "budget": {"steps": steps},
        "evaluation": {
            "every": 46_080,
            "replications": 30,
            "first_seed": CHOSEN_BY,
            "policies": ["wait"],
            # The table plays what was kept itself; experiments need an evaluation at the end all the same.
            "final": {"replications": 2, "first_seed": CHOSEN_BY + 100},
        },
        "log": [],
    }
    return read_experiment(parse_document(json.dumps(data), "experiments.catalogue"))


def _called(scenario: Scenario) -> str:
    """Its name, if that is enough: what was trained in one checkout is known in another."""
    file = Path(scenario.file).resolve()
    return scenario.name if packaged_scenarios().get(scenario.name) == file else str(file)


def known(scenario: Scenario, store: Store, steps: int = STEPS) -> Learned | None:
    """What was trained in a scenario, if it was."""
    from orchestration.experiment.running import finished_outcomes

    found = experiment(scenario, steps)
    outcomes = finished_outcomes(store, found)
    return Learned(found.hash, outcomes[0].checkpoint) if outcomes else None


def learn(scenario: Scenario, store: Store, out: Path, console: Console, steps: int = STEPS) -> Learned:
    """Train, or find what was trained.

    Raises:
        TrainingError: training failed.
    """
    from orchestration.experiment.running import run_experiment

    found = experiment(scenario, steps)
    (outcome,) = run_experiment(found, store, out, console=console)
    return Learned(found.hash, outcome.checkpoint)
