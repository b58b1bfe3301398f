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
from marl_health.spec.wording import NAME

Dimension = Literal["number", "time", "share", "money", "money_rate", "rate"]


_WHOLE = re.compile(r"[-+]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]{1,15}\.[0-9]*|\.[0-9]+)")


class Model(BaseModel):
    """Base of every part of a scenario: nothing unknown is let through, nothing changes once read."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, serialize_by_alias=True, allow_inf_nan=False
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


def _text(examples: list[Any], description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "number"], "examples": examples, "description": description})


Amount = Annotated[Quantity, BeforeValidator(read_quantity), _text(["6 min", 3, "9%"], "a number or a quantity")]
Minutes = Annotated[float, BeforeValidator(parse_duration), _text(["30 min", "2 h"], "a duration with its unit")]
Share = Annotated[float, BeforeValidator(parse_share), _text(["9%", 0.09], "a share between 0 and 1")]
ClockTime = Annotated[float, BeforeValidator(parse_clock_time), _text(["07:30"], "a time of day")]
WeekTime = Annotated[float, BeforeValidator(parse_weekday_time), _text(["Monday 00:00"], "a day and time of the week")]
MoneyRate = Annotated[
    float,
    BeforeValidator(parse_money_rate),
    _text(["38 usd per bed_hour"], "US dollars for one unit and an hour"),
]
Flag = Annotated[bool, BeforeValidator(read_flag), WithJsonSchema({"enum": ["yes", "no", True, False]})]
Name = Annotated[str, Field(pattern=NAME, max_length=64)]


class Sourced(Model):
    """Anything that may say where its numbers come from."""

    source: str | None = Field(None, description="Where the number comes from.")
    note: str | None = Field(None, description="A remark for the reader.")
