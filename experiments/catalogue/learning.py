"""PPO with the same small budget in every scenario, as an experiment of its own each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from marl_health import Scenario
from marl_health.spec.document import parse_document
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
    "lr": 0.0003,
    "gamma": 0.99,
    "lambda_": 1.0,
    "entropy_coeff": 0.001,
}
"""One process; four groups of eight copies with the same patients each."""

CHOSEN_BY = 2_000_000
"""First seed of the 30 episodes by whose mean return the policy that is kept is chosen, while it trains."""


@dataclass(frozen=True)
class Learned:
    """What was trained: what tables call it, the experiment's hash, and the folder of the checkpoint."""

    label: str
    hash: str
    checkpoint: Path


def experiment(scenario: Scenario, steps: int = STEPS) -> Experiment:
    """The experiment that trains PPO in a scenario, from what its rule does."""
    data = {
        "schema": "marl_health/experiment/v1",
        "name": f"catalogue_{scenario.name}"[:64],
        "description": f"PPO from the rule in {scenario.name}, with the budget that all tasks of one agent have.",
        "scenarios": [str(Path(scenario.file).resolve())],
        "algorithm": {"name": "ppo", "init": "rule", "settings": SETTINGS},
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


def learn(scenario: Scenario, store: Store, out: Path, console: Console, steps: int = STEPS) -> Learned:
    """Train, or find what was trained.

    Raises:
        TrainingError: training failed.
    """
    from orchestration.experiment.running import run_experiment

    found = experiment(scenario, steps)
    (outcome,) = run_experiment(found, store, out, console=console)
    return Learned(outcome.label, found.hash, outcome.checkpoint)
