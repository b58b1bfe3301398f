"""How an experiment is written down: one YAML file, read and checked as a scenario is.

schema: marl_health/experiment/v1
name: mappo_in_the_hospital
description: MAPPO against the rules of the hospital.
scenarios: [hospital_throughput]
algorithm: {name: mappo, settings: {lr: 0.0003}}
seeds: 5
budget: {steps: 2000000, time: 15 min}
evaluation: {every: 50000, final: {replications: 200}}
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from marl_health.spec.scalars import Minutes, Model, Name
from orchestration.curriculum.model import MOST_STEPS, CurriculumModel, Success

MOST_SEED = 2**31 - 1
"""Evaluations have seeds up to here; training draws its own from above."""

AlgorithmName = Literal["ppo", "mappo", "qmix", "vdn", "dqn", "sac", "maddpg"]
"""As their folders in `policies/rllib` are called."""

LogName = Literal["tensorboard", "wandb", "mlflow"]
"""TensorBoard, Weights & Biases, MLflow; Ray writes all three."""

FOR_A_TEAM = ("vdn", "qmix")
"""Those that learn what one reward, which all agents share, is worth."""


def _entry(value: Any) -> Any:
    """Let a name stand for a scenario without alternatives."""
    return {"scenario": value} if isinstance(value, str) else value


class ScenarioEntry(Model):
    """A scenario to train on, or to be judged in."""

    scenario: str = Field(min_length=1, max_length=500, description="A packaged scenario's name, or a YAML file")
    chosen: dict[Name, Name] = Field({}, alias="with", description="Alternatives of the scenario, by name")


Entry = Annotated[ScenarioEntry, BeforeValidator(_entry, json_schema_input_type=str | ScenarioEntry)]


class Algorithm(Model):
    """What learns, and how it is set."""

    name: AlgorithmName = Field(description="The algorithm")
    share: Literal["role", "shape"] = Field(
        "role", description="Who shares a network: the agents of a role, or all that see and can as much"
    )
    init: str | None = Field(
        None, max_length=200, description="A policy that is imitated first, such as `rule`; tables say so"
    )
    settings: dict[Name, Any] = Field({}, max_length=100, description="Settings of RLlib's that are not the default's")


class Budget(Model):
    """When the training of a seed ends, whichever comes first."""

    steps: int | None = Field(None, ge=1, le=MOST_STEPS, description="Joint steps of the environment")
    time: Minutes | None = Field(None, description="Wall clock")

    @model_validator(mode="after")
    def _is_one(self) -> Budget:
        if self.steps is None and self.time is None:
            raise ValueError("needs steps or time, or training would never end")
        if self.time is not None and self.time <= 0:
            raise ValueError("the time has to be longer than 0")
        return self


class Stop(Model):
    """When the training of a seed ends before its budget does."""

    success: Success | None = Field(None, description="When evaluations are good enough")
    without_progress: int | None = Field(
        None, ge=1, le=10_000, description="After so many evaluations in a row without a new best"
    )

    @model_validator(mode="after")
    def _is_one(self) -> Stop:
        if self.success is None and self.without_progress is None:
            raise ValueError("needs success, without_progress, or both")
        return self


class Final(Model):
    """How what was trained is judged, once, on patients that nothing was chosen by."""

    replications: int = Field(50, ge=2, le=100_000, description="Paired replications per policy")
    first_seed: int = Field(1_000_000, ge=0, le=MOST_SEED, description="Seed of the first replication")
    scenarios: list[Entry] = Field([], max_length=50, description="Where besides the scenarios it was trained on")


class EvaluationModel(Model):
    """How policies are judged, during training and at its end."""

    every: int = Field(50_000, ge=1, le=MOST_STEPS, description="Steps of training between two evaluations")
    replications: int = Field(20, ge=2, le=10_000, description="Replications of each evaluation during training")
    first_seed: int = Field(2_000_000, ge=0, le=MOST_SEED, description="Seed of the first of them")
    policies: list[str] = Field(
        ["wait", "random", "rule"], min_length=1, max_length=20, description="What is compared with at the end"
    )
    final: Final = Field(Final(), description="The evaluation at the end")

    @field_validator("policies")
    @classmethod
    def _named_once(cls, policies: list[str]) -> list[str]:
        for policy in policies:
            if policies.count(policy) > 1:
                raise ValueError(f"'{policy}' is named twice")
        return policies

    @model_validator(mode="after")
    def _other_patients(self) -> EvaluationModel:
        for part in (self, self.final):
            if part.first_seed + part.replications - 1 > MOST_SEED:
                raise ValueError(f"seeds of evaluations end at {MOST_SEED}; training has those above")
        during, last = self.first_seed, self.final.first_seed
        if during < last + self.final.replications and last < during + self.replications:
            raise ValueError(
                "the final evaluation has patients whom evaluations during training chose by; give it a first_seed "
                "whose replications do not overlap"
            )
        return self


class ExperimentModel(Model):
    """An experiment."""

    format: Literal["marl_health/experiment/v1"] = Field(alias="schema", description="The version of the language")
    name: Name = Field(description="Name of the experiment, as the file is called")
    description: str = Field(min_length=1, max_length=2000, description="What it is about, in a paragraph")
    scenarios: list[Entry] = Field(min_length=1, max_length=50, description="What is trained on")
    strategy: Literal["independent", "sequential", "hierarchical", "coordinated"] | None = Field(
        None, description="How several scenarios are trained together"
    )
    algorithm: Algorithm = Field(description="What learns")
    seeds: int | list[int] = Field(5, description="How many seeds of training (0, 1, ..), or which")
    budget: Budget = Field(description="How long each of them trains")
    stop: Stop | None = Field(None, description="When training ends before its budget does")
    curriculum: CurriculumModel | None = Field(None, description="Stages of training, the easiest first")
    evaluation: EvaluationModel = Field(EvaluationModel(), description="How what was trained is judged")
    log: list[LogName] = Field(
        ["tensorboard"], max_length=3, description="Where training is logged for other programs to show"
    )

    @field_validator("description")
    @classmethod
    def _one_paragraph(cls, text: str) -> str:
        return " ".join(text.split())

    @field_validator("seeds")
    @classmethod
    def _seeds(cls, seeds: int | list[int]) -> int | list[int]:
        if isinstance(seeds, int):
            if not 1 <= seeds <= 1000:
                raise ValueError(f"needs 1 to 1000 seeds, not {seeds}")
            return seeds
        if not seeds:
            raise ValueError("needs at least one seed")
        for seed in seeds:
            if not 0 <= seed <= MOST_SEED:
                raise ValueError(f"{seed} is no seed; they go from 0 to {MOST_SEED}")
            if seeds.count(seed) > 1:
                raise ValueError(f"the seed {seed} is named twice")
        return seeds

    @model_validator(mode="after")
    def _fit_together(self) -> ExperimentModel:
        if len(self.scenarios) > 1 and self.strategy is None:
            raise ValueError("several scenarios need a strategy: independent, sequential, hierarchical or coordinated")
        if len(self.scenarios) == 1 and self.strategy is not None:
            raise ValueError("a strategy is for several scenarios; leave it out, or name more scenarios")
        if len(self.scenarios) > 1 and self.curriculum is not None:
            raise ValueError("a curriculum is for one scenario; write an experiment for each")
        return self

    @property
    def all_seeds(self) -> list[int]:
        """The seeds of training."""
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)
