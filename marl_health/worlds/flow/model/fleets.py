"""Words for vehicles: fleets."""

from __future__ import annotations

from pydantic import Field, model_validator

from marl_health.spec.common import Names
from marl_health.spec.numbers import Flag, Name
from marl_health.worlds.flow.model.base import If
from marl_health.worlds.flow.model.resources import Resource
from marl_health.worlds.flow.model.sites import Speed


class Fleet(Resource):
    """Vehicles that carry entities from site to site, and are somewhere themselves.

    The free unit that is nearest by travel time is sent. Whoever was carried keeps it until their next place is taken
    (`move_to`) or they leave: at a full door it waits with them. Then it is free, and drives back. On the way it can be
    sent again, from where it is: it turns round, or goes on to the next site, whatever is shorter. Units whose shift
    ends (`shifts`) while they are on a job finish it. Whoever must not fly by night has a shift that ends at dusk.
    """

    based: Names = Field(
        min_length=1,
        max_length=100,
        description="Sites, or a template, where units are at the start, in turn; one written twice gets two turns",
    )
    returns: Name | None = Field(None, description="The site to which free units drive, instead of their base")
    carries: int = Field(1, ge=1, le=20, description="How many ride together, from the same site to the same site")
    at_most_one: If | None = Field(
        None, description="Of those who ride together only one may be so, such as `colour == red`"
    )
    speed: Speed | None = Field(None, description="If it is not that of `travel`, which needs to say distance")

    flies: Flag = Field(False, description="In a straight line, whatever the `detour` and the `times` of `travel`")

    @model_validator(mode="after")
    def _some(self) -> Fleet:
        if self.count == "unlimited":
            raise ValueError("a fleet has a limited count: its units are somewhere")
        if self.at_most_one is not None and self.carries == 1:
            raise ValueError("at_most_one says who may ride together; it goes with carries: 2 or more")
        return self
