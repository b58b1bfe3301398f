"""Reads and writes the JSON of marl-eval, so that others' tools plot our results and ours theirs.

Its layout is environment, task, algorithm, run, then `step_1`, .. with a `step_count` and a list of values per metric,
and last `absolute_metrics` with a list per metric (github.com/instadeepai/marl-eval, after Gorsane et al. 2022, Towards
a standardised performance evaluation protocol for cooperative MARL, arXiv 2209.10485). A task is a scenario of ours.

marl-eval asks for the same runs, steps and metrics everywhere, and looks names up in lower case. Hence a policy that is
not trained, and does the same on the same seeds each time, is written as often as the trained ones have runs; runs
that are all alike are read as one. A metric that was not recorded in every episode is written as the mean of a run, and
of several scenarios only the metrics that all of them have: one file per scenario keeps the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from orchestration.evaluation.resampling import Array
from orchestration.evaluation.results import RETURN, Results
from orchestration.evaluation.scores import ScoresError

ENVIRONMENT = "marl_health"
ABSOLUTE = "absolute_metrics"
STEP_COUNT = "step_count"


def to_marl_eval(results: Iterable[Results], environment: str = ENVIRONMENT) -> dict[str, Any]:
    """Results as marl-eval's JSON; none of its numbers is nan.

    Args:
        results: of scenarios, each once.
        environment: what all of them belong to.

    Raises:
        ScoresError: trained policies differ in the number of runs, or policies differ between scenarios, which
            marl-eval cannot take.
    """
    every = list(results)
    if not every:
        raise ScoresError("there are no results to write")
    counts = {
        (found.scenario, policy): len(found.metrics[RETURN][policy]) for found in every for policy in found.policies
    }
    runs = {
        len(found.metrics[RETURN][policy]) for found in every for policy in found.policies if policy in found.trained
    } or {1}
    if len(runs) > 1:
        told = ", ".join(f"{policy} in {scenario} {count}" for (scenario, policy), count in counts.items())
        raise ScoresError(f"marl-eval takes equally many runs of every algorithm, not: {told}")
    for found in every:
        if set(found.policies) != set(every[0].policies):
            raise ScoresError(
                f"marl-eval takes the same algorithms in every task; {found.scenario} has {', '.join(found.policies)}, "
                f"{every[0].scenario} {', '.join(every[0].policies)}"
            )
    written = {found.scenario: _written(found) for found in every}
    common = [metric for metric in next(iter(written.values())) if all(metric in lists for lists in written.values())]
    tasks = {
        found.scenario.lower(): _task(found, {metric: written[found.scenario][metric] for metric in common}, max(runs))
        for found in every
    }
    return {environment.lower(): tasks}


def from_marl_eval(data: Mapping[str, Any]) -> list[Results]:
    """Results of what stands under `absolute_metrics`; which policies were trained is told by their runs' difference.

    Args:
        data: the JSON, read; the return is the metric `return`, in whatever case.

    Raises:
        ScoresError: it is not laid out so; the message names the place.
    """
    found = []
    environments = _folder(data, "the file")
    for environment, tasks in environments.items():
        for task, algorithms in _folder(tasks, environment).items():
            name = task if len(environments) == 1 else f"{environment}/{task}"
            found.append(_results(name, _folder(algorithms, f"{environment}/{task}")))
    if not found:
        raise ScoresError("there is no task in the file; marl-eval's layout is environment, task, algorithm, run")
    return found


def _written(found: Results) -> dict[str, dict[str, list[list[float]]]]:
    """Metric to policy to its runs' values, of the metrics that every policy has."""
    lists = {metric: _lists(by_policy) for metric, by_policy in found.metrics.items()}
    return {metric: by_policy for metric, by_policy in lists.items() if set(by_policy) == set(found.policies)}


def _task(found: Results, written: Mapping[str, Mapping[str, list[list[float]]]], runs: int) -> dict[str, Any]:
    task: dict[str, Any] = {}
    for policy in found.policies:
        steps = found.steps.get(policy, ())
        task[policy] = {}
        for run in range(runs):
            values = {metric.lower(): by[policy][min(run, len(by[policy]) - 1)] for metric, by in written.items()}
            count = int(steps[run]) if run < len(steps) else 0
            task[policy][f"run_{run + 1}"] = {"step_1": {STEP_COUNT: count, **values}, ABSOLUTE: values}
    return task


def _lists(by_policy: Mapping[str, Array]) -> dict[str, list[list[float]]]:
    """Policy to its runs' values; means where some are missing, nothing where all of a run's are."""
    values = dict(by_policy)
    if any(np.isnan(scores).any() for scores in values.values()):
        if any(np.isnan(scores).all(axis=1).any() for scores in values.values()):
            return {}
        values = {policy: np.nanmean(scores, axis=1, keepdims=True) for policy, scores in values.items()}
    return {policy: scores.tolist() for policy, scores in values.items()}


def _results(name: str, algorithms: Mapping[str, Any]) -> Results:
    metrics: dict[str, dict[str, Array]] = {}
    steps: dict[str, list[int]] = {}
    trained = set()
    for policy, runs in algorithms.items():
        where = f"{name}/{policy}"
        rows: dict[str, list[list[float]]] = {}
        for run, content in _folder(runs, where).items():
            inside = _folder(content, f"{where}/{run}")
            last = next((step for step in inside if "absolute" in step.lower()), None)
            if last is None:
                raise ScoresError(f"{where}/{run}: has no {ABSOLUTE}; they are what is scored")
            for metric, values in _folder(inside[last], f"{where}/{run}/{last}").items():
                rows.setdefault(metric.lower(), []).append(_numbers(values, f"{where}/{run}/{last}/{metric}"))
            counts = [step[STEP_COUNT] for step in inside.values() if isinstance(step, dict) and STEP_COUNT in step]
            steps.setdefault(policy, []).append(max(counts, default=0))
        if RETURN not in rows:
            raise ScoresError(f"{where}: has no metric '{RETURN}'; there are {', '.join(rows) or 'none'}")
        alike = all(row == values[0] for values in rows.values() for row in values)
        for metric, values in rows.items():
            if len({len(row) for row in values}) > 1 or len(values) != len(rows[RETURN]):
                raise ScoresError(f"{where}: its runs differ in how many values of {metric} they have")
            metrics.setdefault(metric, {})[policy] = np.array(values[:1] if alike else values)
        steps[policy] = steps[policy][:1] if alike else steps[policy]
        if not alike:
            trained.add(policy)
    return Results(name, metrics, frozenset(trained), steps)


def _folder(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ScoresError(f"{where}: is no object; marl-eval's layout is environment, task, algorithm, run")
    return value


def _numbers(values: Any, where: str) -> list[float]:
    found = values if isinstance(values, list) else [values]
    if not found or not all(isinstance(value, (int, float)) and math.isfinite(value) for value in found):
        raise ScoresError(f"{where}: is a list of numbers, at least one")
    return [float(value) for value in found]
