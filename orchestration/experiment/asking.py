"""An experiment that is asked for on the command line, instead of being written in a file.

On-policy learning of one scenario starts from what its rule does, if it has one, with settings that suit it; whoever
wants something else writes an experiment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from marl_health import load
from marl_health.spec.document import parse_document
from orchestration.experiment.reading import Experiment, read_experiment
from orchestration.experiment.suited import EPISODES, EVERY, FROM_A_RULE, SUITED, settings_for
from policies.registry import why_no_rule


def asked_for(
    *names: str,
    algorithm: str,
    seeds: int | list[int],
    minutes: float,
    steps: int | None,
    replications: int,
    chosen: Mapping[str, str],
    strategy: str | None = None,
    log: Sequence[str] = (),
    processors: int = 1,
) -> Experiment:
    """One algorithm on one scenario, or on several by a strategy, and what experiments have by default.

    Args:
        names: of packaged scenarios, or the paths of YAML files.
        algorithm: what learns.
        seeds: how many, or which.
        minutes: of training, of each of them.
        steps: the same, if they are limited.
        replications: of the evaluation at the end.
        chosen: alternatives of the scenarios.
        strategy: by which several are trained.
        log: where training is logged besides TensorBoard.
        processors: that training may use.

    Raises:
        ScenarioError: something of it cannot be.
    """
    loaded = [load(name, dict(chosen)) for name in names]
    called = "_".join(scenario.name for scenario in loaded)
    budget: dict[str, Any] = {"time": f"{minutes:g} min"}
    learns: dict[str, Any] = {"name": algorithm}
    evaluation: dict[str, Any] = {"final": {"replications": replications}}
    if len(loaded) == 1 and loaded[0].roles and algorithm in SUITED:
        learns["settings"] = settings_for(loaded[0], processors)
        if why_no_rule(loaded[0]) is None:
            learns["init"] = "rule"
            learns["settings"] |= FROM_A_RULE
        evaluation["every"] = EVERY * learns["settings"]["train_batch_size_per_learner"]
        evaluation["replications"] = EPISODES
    data: dict[str, Any] = {
        "schema": "marl_health/experiment/v1",
        "name": f"{algorithm}_on_{called}"[:64],
        "description": f"{algorithm} on {called}, as the command line asked for it.",
        "scenarios": [{"scenario": _entry(name), "with": dict(chosen)} for name in names],
        **({} if strategy is None else {"strategy": strategy}),
        "algorithm": learns,
        "seeds": seeds,
        "budget": budget if steps is None else {**budget, "steps": steps},
        "evaluation": evaluation,
    }
    if log:
        data["log"] = list(dict.fromkeys(["tensorboard", *log]))
    return read_experiment(parse_document(json.dumps(data), "command line"))


def _entry(name: str) -> str:
    """The scenario as it is found from anywhere."""
    file = Path(name)
    return str(file.resolve()) if file.suffix in (".yaml", ".yml") or file.is_file() else name
