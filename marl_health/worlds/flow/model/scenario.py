"""A scenario of the flow world."""

from __future__ import annotations

from pydantic import Field

from marl_health.spec.common import Heading
from marl_health.spec.numbers import (
    Name,
)
from marl_health.worlds.flow.model.arrivals import EntityType
from marl_health.worlds.flow.model.pathway import AnyStep, HealthMachine, Timer
from marl_health.worlds.flow.model.resources import Place, Staff
from marl_health.worlds.flow.model.roles import Agent, Measure, Queue, Slots


class FlowScenario(Heading):
    """A scenario of the flow world: entities that move along a pathway and compete for resources."""

    staff: dict[Name, Staff] = {}
    places: dict[Name, Place] = {}
    entities: dict[Name, EntityType] = Field(min_length=1, max_length=200)
    health: dict[Name, HealthMachine] = {}
    timers: dict[Name, Timer] = {}
    pathway: dict[Name, AnyStep] = Field(min_length=1, max_length=2000)
    queues: dict[Name, Queue] = {}
    slots: dict[Name, Slots] = {}
    agents: dict[Name, Agent] = Field({}, max_length=100)
    measures: dict[Name, Measure] = {}
