"""A scenario of the flow world."""

from __future__ import annotations

from pydantic import Field

from marl_health.spec.common import Heading
from marl_health.spec.numbers import (
    Name,
)
from marl_health.worlds.flow.model.arrivals import EntityType
from marl_health.worlds.flow.model.fleets import Fleet
from marl_health.worlds.flow.model.pathway import AnyStep, HealthMachine, Timer
from marl_health.worlds.flow.model.resources import Place, Staff
from marl_health.worlds.flow.model.roles import Agent, Measure, Queue, Slots
from marl_health.worlds.flow.model.sites import Site, Template, Travel
from marl_health.worlds.flow.model.stock import Stock


class FlowScenario(Heading):
    """A scenario of the flow world: entities that move along a pathway and compete for resources."""

    sites: dict[Name, Site] = Field({}, max_length=500, description="Where things are: hospitals, scenes, by name")
    templates: dict[Name, Template] = Field({}, max_length=50, description="What sites have that are alike, by name")
    travel: Travel | None = Field(None, description="How long it takes from site to site")
    staff: dict[Name, Staff] = Field({}, max_length=500, description="People and crews, by name")
    places: dict[Name, Place] = Field({}, max_length=500, description="Beds, bays, scanners, by name")
    fleets: dict[Name, Fleet] = Field({}, max_length=100, description="Vehicles that carry entities, by name")
    stock: dict[Name, Stock] = Field({}, max_length=200, description="What is used up, by name")
    entities: dict[Name, EntityType] = Field(min_length=1, max_length=200, description="Who comes, by name")
    health: dict[Name, HealthMachine] = Field({}, max_length=100, description="What befalls them beside the pathway")
    timers: dict[Name, Timer] = Field({}, max_length=200, description="Clocks beside the pathway")
    pathway: dict[Name, AnyStep] = Field(
        min_length=1, max_length=2000, description="The steps, by name; their order in the file means nothing"
    )
    queues: dict[Name, Queue] = Field({}, max_length=500, description="Lines with classes or an order of their own")
    slots: dict[Name, Slots] = Field({}, max_length=200, description="Lists of candidates that agents see and point at")
    agents: dict[Name, Agent] = Field({}, max_length=100, description="Who decides")
    measures: dict[Name, Measure] = Field({}, max_length=500, description="Times between marks")
    groups: list[Name] = Field(
        [], max_length=10, description="Attributes (or `kind`) by whose values every KPI of entities can be split"
    )
