"""The smallest parts of a scenario: quantities, times, shares, names, and what every part of one shares."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from marl_health.spec.quantities import (
    parse_clock_time,
    parse_duration,
    parse_money_rate,
    parse_quantity,
    parse_share,
    parse_weekday_time,
)
from marl_health.spec.wording import NAME, WRITTEN

Dimension = Literal["number", "time", "share", "money", "money_rate", "rate"]


_WHOLE = re.compile(r"[-+]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]{1,15}\.[0-9]*|\.[0-9]+)")


class Model(BaseModel):
    """Base of every part of a scenario: nothing unknown is let through, nothing changes once read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        serialize_by_alias=True,
        allow_inf_nan=False,
        defer_build=True,
    )


class Quantity(NamedTuple):
    """A value in its base unit (minutes, fraction, US dollars, usd or events per minute) and its dimension."""

    value: float
    dimension: Dimension


def read_quantity(value: Any) -> Quantity:
    """Read a plain number or a text with a unit. Raises ValueError with the remedy."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool) or value is None:
        raise ValueError(f"a number or a quantity such as 30 min is needed here, not {value!r}")
    if isinstance(value, int | float):
        return Quantity(float(value), "number")
    if isinstance(value, str):
        number, dimension = parse_quantity(value)
        return Quantity(number, dimension)
    raise ValueError("a number or a quantity such as 30 min is needed here")


def read_flag(value: Any) -> bool:
    """Read yes or no (YAML 1.2 knows only true and false as booleans; people write yes)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("yes", "no", "true", "false"):
        return value.lower() in ("yes", "true")
    raise ValueError(f"write yes or no here, not {value!r}")


def read_key(text: str) -> Any:
    """What a mapping key stands for: a whole number, a number, yes/no, or a text."""
    if text in ("yes", "true", "True"):
        return True
    if text in ("no", "false", "False"):
        return False
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


FORM = "x-form"
"""Key under which a generated schema says in a few words what a scalar looks like; the reference shows it."""


def form(words: str, *examples: Any, **schema: Any) -> WithJsonSchema:
    """The schema of a scalar that people write with a unit or in a grammar of ours."""
    return WithJsonSchema({"type": ["string", "number"], **schema, "examples": list(examples), FORM: words})


Amount = Annotated[Quantity, BeforeValidator(read_quantity), form("quantity", "6 min", 3, "9%")]
Minutes = Annotated[float, BeforeValidator(parse_duration), form("duration", "30 min", "2 h", type="string")]
Share = Annotated[float, BeforeValidator(parse_share), form("share", "9%", 0.09)]
ClockTime = Annotated[float, BeforeValidator(parse_clock_time), form("time of day", "07:30", type="string")]
WeekTime = Annotated[
    float, BeforeValidator(parse_weekday_time), form("day and time of the week", "Monday 00:00", type="string")
]
MoneyRate = Annotated[
    float, BeforeValidator(parse_money_rate), form("money per time", "38 usd per bed_hour", type="string")
]
Flag = Annotated[
    bool,
    BeforeValidator(read_flag),
    form("yes or no", "yes", type=["string", "boolean"], enum=["yes", "no", True, False]),
]
Name = Annotated[str, Field(pattern=NAME, max_length=64, json_schema_extra={FORM: "name", "pattern": WRITTEN})]


class Sourced(Model):
    """Anything that may say where its numbers come from."""

    source: str | None = Field(None, description="Where the number comes from.")
    note: str | None = Field(None, description="A remark for the reader.")
