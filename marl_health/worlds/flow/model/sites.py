"""Words for where things are: sites, the way between them, and the journey from one to another."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from marl_health.spec.errors import shown
from marl_health.spec.numbers import ClockTime, Minutes, Model, Name, Nearest, Sourced, Value
from marl_health.spec.scalars import form, read_key, read_quantity

_SPEED = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?(km/h|km per hour|mph)")
_KILOMETRES = {"km/h": 1.0, "km per hour": 1.0, "mph": 1.609344}


def parse_speed(text: object) -> float:
    """Return a speed such as ``50 km/h`` in kilometres per minute."""
    found = _SPEED.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None or float(found[1]) <= 0:
        raise ValueError(f"{shown(text)} is not a speed; write one such as 50 km/h or 30 mph")
    return float(found[1]) * _KILOMETRES[found[2]] / 60.0


Speed = Annotated[float, BeforeValidator(parse_speed), form("speed", "50 km/h", type="string")]
Factor = Annotated[float, Field(gt=0, le=100)]


def read_parameter(value: Any) -> Any:
    """What a parameter of a site stands for: yes or no, a word, a number, or a quantity in its base unit."""
    if not isinstance(value, str):
        return value
    read = read_key(value)
    if isinstance(read, str) and re.match(r"[-+]?[.0-9]", read):
        return read_quantity(read).value
    return read


class Site(Sourced):
    """A place on the map; with ``like`` one that has all that a template says, and a value for all that it takes."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False, defer_build=True)
    __pydantic_extra__: dict[str, str | int | float | bool]

    at: tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]] | None = Field(
        None, description="Latitude and longitude in degrees"
    )
    like: Name | None = Field(None, description="The template that it is made from")

    @model_validator(mode="after")
    def _can_be_read(self) -> Site:
        for name, value in (self.__pydantic_extra__ or {}).items():
            try:
                read_parameter(value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return self

    @property
    def parameters(self) -> dict[str, Any]:
        """Its parameters by name, as numbers, words and yes or no."""
        return {name: read_parameter(value) for name, value in (self.__pydantic_extra__ or {}).items()}


Part = dict[Name, Any]


class Template(Sourced):
    """What every site has that is ``like`` it; names in it are local to the site.

    Numbers in it may depend on the parameters that it takes: ``{by: trauma, 1: 8, else: 2}``,
    ``{share: 8%, of: beds, at_least: 2}``, ``{times: [0.7, beds]}``, or a parameter by its name. ``here`` is the name
    of the site. From outside, TEMPLATE.NAME in a way on is the step of the site where the entity is, in a list those
    of all sites, and in what is seen, scored and reported the sum over all sites; SITE.NAME is that of one.
    """

    takes: dict[Name, Literal["number", "text"] | list[str | float | bool]] = Field(
        {},
        max_length=100,
        description="Parameters that each site gives: `number`, `text`, or a list of what they can be",
    )
    staff: Part = Field({}, max_length=100, description="As in a scenario")
    places: Part = Field({}, max_length=100, description="As in a scenario")
    stock: Part = Field({}, max_length=100, description="As in a scenario")
    queues: Part = Field({}, max_length=100, description="As in a scenario")
    entities: Part = Field({}, max_length=100, description="As in a scenario; they come into being at the site")
    health: Part = Field({}, max_length=100, description="As in a scenario")
    timers: Part = Field({}, max_length=100, description="As in a scenario")
    pathway: Part = Field({}, max_length=500, description="As in a scenario")
    slots: Part = Field({}, max_length=100, description="As in a scenario")
    measures: Part = Field({}, max_length=100, description="As in a scenario")


class Travel(Sourced):
    """How long it takes from site to site: by ``distance`` as the crow flies, or along ``roads``."""

    distance: Literal["great_circle"] | None = Field(None, description="Measured between the coordinates of the sites")
    detour: Annotated[float, Field(ge=1, le=10)] = Field(1.0, description="How much longer roads are than that")
    speed: Speed | None = Field(None, description="How fast one travels, such as 50 km/h")
    roads: dict[Name, dict[Name, Minutes]] | None = Field(
        None,
        min_length=1,
        max_length=2000,
        description="Minutes from each site, or crossing, to others, for both directions; the shortest way is taken",
    )
    times: dict[ClockTime, Factor] = Field(
        {}, max_length=96, description="What all travel times are multiplied by, from each time of the day on"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Travel:
        if (self.distance is None) == (self.roads is None):
            raise ValueError("needs exactly one of distance and roads")
        if (self.distance is None) != (self.speed is None):
            raise ValueError("speed goes with distance: {distance: great_circle, speed: 50 km/h}; roads are in minutes")
        if self.distance is None and self.detour != 1:
            raise ValueError("detour goes with distance; roads are as long as they are")
        if self.times and max(self.times) >= 1440:
            raise ValueError("times start at a time between 00:00 and 23:59")
        return self


class Journey(Model):
    """Where to, and how fast."""

    to: Name | Nearest = Field(description="A site, an attribute that holds one, or `{nearest: TEMPLATE}`")
    speed: Speed | None = Field(None, description="If it is not that of `travel`, which needs to say distance")
    times: Value | None = Field(None, description="What the travel time is multiplied by")
