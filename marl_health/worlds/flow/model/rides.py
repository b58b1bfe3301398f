"""Words for rides with a unit of a fleet."""

from __future__ import annotations

from pydantic import Field, model_validator

from marl_health.spec.common import Names
from marl_health.spec.numbers import Model, Name, Nearest, Value


class Ride(Model):
    """Who carries, and where to."""

    by: Names = Field([], max_length=10, description="The fleet; of several the one whose unit would be there first")
    race: Names = Field(
        [],
        max_length=10,
        description="Fleets of which a unit each is sent, if one is free (a name written twice sends two): the first "
        "to be there takes the entity, the others turn back",
    )
    to: Name | Nearest = Field(description="A site, an attribute that holds one, or `{nearest: TEMPLATE}`")
    load: Value = Field("0 min", description="Time from the arrival of the unit until it sets off with them")
    unload: Value = Field("0 min", description="Time at the destination until the step ends")
    mark_reached: Names = Field([], max_length=5, description="Time stamps when the unit is there")
    mark_off: Names = Field([], max_length=5, description="Time stamps when it sets off with them")

    @model_validator(mode="after")
    def _one_way(self) -> Ride:
        if bool(self.by) == bool(self.race):
            raise ValueError("needs exactly one of by and race")
        return self
