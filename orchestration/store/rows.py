"""What is told to a job, as rows of the tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestration.evaluation.statistics import LEVEL, Estimate

if TYPE_CHECKING:
    from marl_health import Scenario
    from orchestration.simulate import Simulation

Row = dict[str, Any]

UNITS = {"time": "min", "money": "usd"}
"""Of what a weight is per, in base units."""


@dataclass(frozen=True)
class Episode:
    """What came of one episode.

    Attributes:
        gained: the team's return, not discounted.
        seed: of the episode, if it is known.
        env_steps: joint steps of training when it was played.
        length: decisions in it.
        terms: the return by component. conservation: where everybody is who ever came.
        policy: who acted. purpose: `training` or `evaluation`.
    """

    gained: float
    seed: int | None = None
    env_steps: int | None = None
    length: int | None = None
    terms: Mapping[str, float] = field(default_factory=dict)
    conservation: Mapping[str, int] = field(default_factory=dict)
    policy: str = "trained"
    purpose: str = "training"


def environment(scenario: Scenario, stage: str) -> Row:
    """The row of a scenario."""
    return {
        "scenario": scenario.name,
        "version": scenario.version,
        "hash": scenario.hash,
        "stage": stage,
        "split": scenario.split,
        "chosen": dict(scenario.chosen),
        "content": plain(scenario.data),
        "file": str(scenario.file),
        "roles": list(scenario.roles),
    }


def weights(scenario: Scenario, env_steps: int) -> Iterator[Row]:
    """The rows of a scenario's score."""
    score = scenario.spec.score
    for component in type(score).model_fields:
        for line in getattr(score, component):
            yield {
                "since_env_steps": env_steps,
                "component": component,
                "measure": line.of,
                "role": line.to or "",
                "worth": line.worth,
                "per": 1.0 if line.per is None else line.per.value,
                "unit": "" if line.per is None else UNITS.get(line.per.dimension, ""),
            }


def component_weights(worth: Mapping[str, float], env_steps: int, role: str) -> list[Row]:
    """The rows of weights that were given to whole components.

    Raises:
        ValueError: there is no such component.
    """
    from marl_health.spec.components import COMPONENTS
    from marl_health.spec.suggest import did_you_mean

    for component in worth:
        if component not in COMPONENTS:
            raise ValueError(f"there is no component '{component}'{did_you_mean(component, COMPONENTS)}")
    common = {"since_env_steps": env_steps, "measure": "", "role": role, "per": 1.0, "unit": ""}
    return [{**common, "component": component, "worth": float(value)} for component, value in worth.items()]


def episode(told: Episode) -> Row:
    """The row of an episode, but for when it ended."""
    return {
        "purpose": told.purpose,
        "policy": told.policy,
        "seed": whole(told.seed),
        "env_steps": whole(told.env_steps),
        "length": whole(told.length),
        "gained": number(told.gained),
        "terms": plain(told.terms),
        "conservation": plain(told.conservation),
    }


def kpi(metric: str, value: float | Estimate, unit: str = "", seed: int | None = None) -> Row:
    """The row of a KPI: a number, or a mean with its interval."""
    found = value if isinstance(value, Estimate) else Estimate(float(value), math.nan, math.nan, 1)
    low, high = number(found.low), number(found.high)
    return {
        "metric": metric,
        "unit": unit,
        "seed": whole(seed),
        "value": number(found.mean),
        "low": low,
        "high": high,
        "level": None if low is None else LEVEL,
        "replications": found.n if number(found.mean) is not None else 0,
    }


def kpis_of(simulation: Simulation) -> Iterator[Row]:
    """The rows of a policy's replications, one by one and over all."""
    units = {"return": "", **simulation.units}
    for metric, unit in units.items():
        for replication, value in zip(simulation.replications, simulation.values(metric), strict=True):
            yield kpi(metric, value, unit, replication.seed)
        yield kpi(metric, simulation.estimate(metric), unit)


def episodes_of(simulation: Simulation, env_steps: int | None) -> Iterable[Row]:
    """The rows of a policy's replications as episodes."""
    for one in simulation.replications:
        length = one.decisions or simulation.scenario.clock.steps
        yield episode(
            Episode(
                one.gained, one.seed, env_steps, length, one.terms, one.conservation, simulation.policy, "evaluation"
            )
        )


def number(value: float) -> float | None:
    """A number as every database keeps it: nan is NULL."""
    value = float(value)
    return None if math.isnan(value) else value


def whole(value: int | None) -> int | None:
    """A whole number as every driver takes it: numpy's become Python's."""
    return None if value is None else int(value)


def plain(value: Any) -> Any:
    """A value as JSON keeps it: nan and the infinities as null, what JSON does not know as text."""
    return json.loads(json.dumps(_sayable(value), allow_nan=False, default=str))


def _sayable(value: Any) -> Any:
    value = value.item() if getattr(value, "ndim", None) == 0 else value  # a number of numpy's
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.replace("\0", "")  # PostgreSQL keeps no such character
    if isinstance(value, Mapping):
        return {str(key): _sayable(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_sayable(part) for part in value]
    return value
