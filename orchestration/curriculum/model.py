"""How a curriculum is written down: stages in YAML, read and checked as a scenario is.

scenario: hospital_throughput
stages:
  - name: quiet
    changes: {vary: {demand: {uniform: [0.6, 0.8]}}}
    success: {of: return, at_least: -40, in_a_row: 3}
    steps: {at_least: 20000, at_most: 200000}
  - name: usual
    success: {of: boarding_hours, at_most: 40 h}
    back: {worse_than: 120 h, in_a_row: 3}
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from marl_health.spec.scalars import Amount, Model, Name

MOST_STEPS = 10**12
MOST_IN_A_ROW = 100


class Success(Model):
    """When a stage is mastered: as many evaluations in a row as it asks for reach a level."""

    of: str = Field(min_length=1, max_length=64, description="A KPI of the stage's scenario, or `return`")
    at_least: Amount | None = Field(None, description="The level, where higher is better")
    at_most: Amount | None = Field(None, description="The level, where lower is better")
    in_a_row: int = Field(2, ge=1, le=MOST_IN_A_ROW, description="Evaluations in a row that have to reach it")

    @model_validator(mode="after")
    def _one_level(self) -> Success:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("needs one of at_least (higher is better) and at_most (lower is better)")
        return self


class Back(Model):
    """When training goes back to the stage before: enough evaluations in a row are worse than a level."""

    worse_than: Amount = Field(description="The level, of the same KPI as the success and worse than that")
    in_a_row: int = Field(2, ge=1, le=MOST_IN_A_ROW, description="Evaluations in a row that have to be worse")


class Steps(Model):
    """How long a stage lasts, in joint steps of the environment."""

    at_least: int = Field(
        0, ge=0, le=MOST_STEPS, description="Steps before it is left, counted from each time it begins"
    )
    at_most: int | None = Field(
        None, ge=1, le=MOST_STEPS, description="Steps, of all the times together, after which it is left anyway"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Steps:
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(f"at_most {self.at_most} is less than at_least {self.at_least}")
        return self


class StageModel(Model):
    """One stage: what is trained on, and when it is left."""

    name: Name = Field(description="Name of the stage")
    scenario: str | None = Field(None, max_length=500, description="What is trained on, if it is not the curriculum's")
    chosen: dict[Name, Name] = Field({}, alias="with", description="Alternatives of the scenario, by name")
    changes: dict[str, Any] = Field(
        {}, description="What this stage says otherwise; laid over the scenario as by extends"
    )
    success: Success | None = Field(None, description="When it is mastered; without it, it lasts for its steps")
    back: Back | None = Field(None, description="When training goes back to the stage before")
    steps: Steps = Field(Steps(), description="How long it lasts")

    @model_validator(mode="after")
    def _back_needs_success(self) -> StageModel:
        if self.back is not None and self.success is None:
            raise ValueError("back is judged by the KPI of success; say what success is")
        return self


class CurriculumModel(Model):
    """Stages of training, in order."""

    scenario: str | None = Field(None, max_length=500, description="What the stages train on unless they say otherwise")
    stages: list[StageModel] = Field(min_length=1, max_length=50, description="The stages, the easiest first")
