"""Logs that other programs show: TensorBoard, Weights & Biases and MLflow, written by Ray's own callbacks.

Ray hands its loggers a trial, of which RLlib's settings are part, and a result with hundreds of entries. Here they get
what describes the run, and the numbers that people look at.
"""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

PACKAGES = {"tensorboard": "tensorboardX", "wandb": "wandb", "mlflow": "mlflow"}
"""By log, the package that writes it."""

FOLDER = "tensorboard"
"""In a run's folder."""


class LogError(RuntimeError):
    """A log that cannot be written here."""


def check_logs(names: Sequence[str]) -> None:
    """Find out whether logs can be written.

    Raises:
        LogError: there is no such log, or its package is not installed.
    """
    for name in names:
        if name not in PACKAGES:
            raise LogError(f"there is no log '{name}'; there are {', '.join(PACKAGES)}")
        if importlib.util.find_spec(PACKAGES[name]) is None:
            raise LogError(f"the log '{name}' needs the package {PACKAGES[name]}: pip install {PACKAGES[name]}")


class Run:
    """A run, as Ray's loggers want a trial.

    Attributes:
        trial_id: under which it is gone on with. local_path: where files go.
        config: what it was set to. evaluated_params: nothing, since nothing is searched for.
    """

    evaluated_params: Mapping[str, Any] = {}

    def __init__(self, folder: Path, experiment: str, config: Mapping[str, Any]) -> None:
        self.trial_id = folder.name
        self.experiment_dir_name = experiment
        self.local_path = str(folder / FOLDER)
        self.config = dict(config)

    def __str__(self) -> str:
        return self.trial_id

    def init_local_path(self) -> None:
        """Make the folder for files."""
        Path(self.local_path).mkdir(exist_ok=True)


class Logs:
    """The logs of a run.

    Args:
        names: which, of `PACKAGES`.
        folder: of the run.
        experiment: its name; the project in Weights & Biases, the experiment in MLflow.
        config: what describes the run.
        iteration: that it goes on from; TensorBoard forgets what came after it before.

    Raises:
        LogError: one cannot be written.
    """

    def __init__(
        self, names: Sequence[str], folder: Path, experiment: str, config: Mapping[str, Any], iteration: int = 0
    ) -> None:
        check_logs(names)
        self._run = Run(folder, experiment, config)
        self._run.init_local_path()
        self._loggers = [_logger(name, experiment, iteration) for name in names]
        for logger in self._loggers:
            logger.setup()
            logger.log_trial_start(self._run)

    def write(self, row: Mapping[str, float], result: Mapping[str, Any]) -> None:
        """Log an iteration.

        Args:
            row: of the run's curve.
            result: of RLlib's.
        """
        shown = numbers(row, result)
        for logger in self._loggers:
            logger.log_trial_result(int(row["iteration"]), self._run, dict(shown))

    def close(self) -> None:
        """Finish; waits until everything is sent."""
        for logger in self._loggers:
            logger.log_trial_end(self._run)
            logger.on_experiment_end([self._run])


def numbers(row: Mapping[str, float], result: Mapping[str, Any]) -> dict[str, Any]:
    """What is logged of an iteration: its row, what learners say, and what an evaluation found; never nan."""
    training = {name: value for name, value in row.items() if name != "iteration" and math.isfinite(value)}
    shown: dict[str, Any] = {"training_iteration": int(row["iteration"]), "training": training}
    learners = {}
    for module, told in result.get("learners", {}).items():
        found = {key: float(value) for key, value in told.items() if _is_number(value)}
        if found and not module.startswith("__"):
            learners[module] = found
    if learners:
        shown["learners"] = learners
    if judged := result.get("judged"):
        means = {metric: mean for metric, (mean, *_) in judged["values"].items()}
        shown["evaluation"] = {metric: mean for metric, mean in means.items() if math.isfinite(mean)}
    return shown


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _logger(name: str, experiment: str, iteration: int) -> Any:
    if name == "wandb":
        from ray.air.integrations.wandb import WandbLoggerCallback

        return WandbLoggerCallback(project=experiment, resume="allow")
    if name == "mlflow":
        from ray.air.integrations.mlflow import MLflowLoggerCallback

        return MLflowLoggerCallback(os.environ.get("MLFLOW_TRACKING_URI"), experiment_name=experiment)
    from ray.tune.logger import TBXLoggerCallback

    logger = TBXLoggerCallback()
    if iteration:
        logger._summary_writer_cls = partial(logger._summary_writer_cls, purge_step=iteration + 1)
    return logger
