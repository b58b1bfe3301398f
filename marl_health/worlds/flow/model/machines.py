"""Words for machines and rooms as things with a state: how a vacated unit is made ready."""

from __future__ import annotations

from pydantic import Field

from marl_health.spec.numbers import Name, Sourced, Value


class Turnover(Sourced):
    """A vacated unit becomes a job: an entity that waits for its crew like any other, and frees the unit by leaving.

    So cleaning has a line with an order, agents see and choose among dirty units (a slot list of those who wait for the
    crew may show `wanted`, how many wait for the place, and `longest`, how long the first of them has waited), and
    measures between the job's marks tell how long turnovers take.
    """

    as_: Name = Field(alias="as", description="The entity type of the jobs, which nobody else belongs to")
    has: dict[Name, Value] = Field(
        {},
        description="Attributes of the job, by what whoever left the unit is like: `{ward: icu, isolation: isolation}`",
    )
