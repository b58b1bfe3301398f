"""An experiment that is asked for on the command line, instead of being written in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from marl_health import load
from marl_health.spec.document import parse_document
from orchestration.experiment.reading import Experiment, read_experiment


def asked_for(
    scenario: str,
    *,
    algorithm: str,
    seeds: int | list[int],
    minutes: float,
    steps: int | None,
    replications: int,
    chosen: Mapping[str, str],
    log: Sequence[str] = (),
) -> Experiment:
    """One scenario, one algorithm, and what experiments have by default.

    Args:
        scenario: a packaged scenario's name or the path of a YAML file.
        algorithm: what learns.
        seeds: how many, or which.
        minutes: of training, of each of them.
        steps: the same, if they are limited.
        replications: of the evaluation at the end.
        chosen: alternatives of the scenario.
        log: where training is logged besides TensorBoard.

    Raises:
        ScenarioError: something of it cannot be.
    """
    loaded = load(scenario, dict(chosen))
    file = Path(scenario)
    entry = str(file.resolve()) if file.suffix in (".yaml", ".yml") or file.is_file() else scenario
    budget: dict[str, Any] = {"time": f"{minutes:g} min"}
    data: dict[str, Any] = {
        "schema": "marl_health/experiment/v1",
        "name": f"{algorithm}_on_{loaded.name}"[:64],
        "description": f"{algorithm} on {loaded.name}, as the command line asked for it.",
        "scenarios": [{"scenario": entry, "with": dict(chosen)}],
        "algorithm": {"name": algorithm},
        "seeds": seeds,
        "budget": budget if steps is None else {**budget, "steps": steps},
        "evaluation": {"final": {"replications": replications}},
    }
    if log:
        data["log"] = list(dict.fromkeys(["tensorboard", *log]))
    return read_experiment(parse_document(json.dumps(data), "command line"))
