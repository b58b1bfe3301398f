"""Numbers as data: quantities, distributions, and what a number may depend on.

Wherever the language takes a number, it takes one of these forms:

* a quantity with its unit (``30 min``, ``9%``, ``2400 usd``), a plain number where there is no unit, or the name of an
  attribute, of a ``vary`` draw or of a ``choose`` alternative;
* ``{by: attribute, 1: ..., else: ...}`` when it depends on an attribute, or ``{by: attribute, table: F, column: C}``;
* ``{times: [...]}``, ``{plus: [...]}``, ``{share: 14%, of: ...}``;
* ``{choice: {a: 30%, b: else}}`` and ``{chance: 9%}`` for what is drawn among values;
* a distribution, ``{lognormal: {mean: 6 min, sd: 3 min}}``, always with the parameters of the variable itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, Union

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from marl_health.spec.quantities import (
    parse_clock_time,
    parse_duration,
    parse_money_rate,
    parse_quantity,
    parse_share,
    parse_weekday_time,
)

Dimension = Literal["number", "time", "share", "money", "money_rate", "rate"]


class Model(BaseModel):
    """Base of every part of a scenario: nothing unknown is let through, nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, serialize_by_alias=True)


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
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


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
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]


class Sourced(Model):
    """Anything that may say where its numbers come from."""

    source: str | None = Field(None, description="Where the number comes from.")
    note: str | None = Field(None, description="A remark for the reader.")
    hidden: Flag = Field(False, description="Agents may not see it (attributes only).")


# ---------------------------------------------------------------- distributions
class Mean(Model):
    """Parameters of a one-parameter distribution."""

    mean: Amount


class MeanSd(Model):
    """Mean and standard deviation of the variable itself."""

    mean: Amount | None = None
    sd: Amount | None = None
    cv: float | None = Field(None, gt=0, description="sd / mean, instead of sd")

    @model_validator(mode="after")
    def _one_spread(self) -> MeanSd:
        if self.mean is None:
            raise ValueError("needs mean")
        if (self.sd is None) == (self.cv is None):
            raise ValueError("needs exactly one of sd and cv")
        if self.mean.value <= 0:
            raise ValueError("the mean must be above 0")
        if self.sd is not None and self.sd.value <= 0:
            raise ValueError("sd must be above 0; for no spread at all write the number itself")
        if self.sd is not None and self.sd.dimension != self.mean.dimension:
            raise ValueError("mean and sd need the same kind of unit")
        return self

    @property
    def deviation(self) -> float:
        """Standard deviation of the variable, in the mean's unit."""
        assert self.mean is not None
        return self.sd.value if self.sd is not None else self.mean.value * (self.cv or 0.0)


class LognormalParameters(Model):
    """Either mean with sd or cv (of the variable), or median with sigma (of its logarithm)."""

    mean: Amount | None = None
    sd: Amount | None = None
    cv: float | None = Field(None, gt=0)
    median: Amount | None = None
    sigma: float | None = Field(None, gt=0, description="standard deviation of the logarithm")

    @model_validator(mode="after")
    def _one_way(self) -> LognormalParameters:
        if self.mean is not None and self.median is None and self.sigma is None:
            MeanSd(mean=self.mean, sd=self.sd, cv=self.cv)
        elif (
            self.median is not None
            and self.sigma is not None
            and self.mean is None
            and self.sd is None
            and self.cv is None
        ):
            if self.median.value <= 0:
                raise ValueError("the median must be above 0")
        else:
            raise ValueError("needs mean with sd (or cv), or median with sigma")
        return self


class ErlangParameters(Model):
    """Sum of ``stages`` exponential stages with the given total mean."""

    mean: Amount
    stages: int = Field(ge=1, le=1000)


class WeibullParameters(Model):
    """Shape and mean (not scale)."""

    shape: float = Field(gt=0, le=50)
    mean: Amount


class TriangularParameters(Model):
    """Lowest, most likely and highest value."""

    low: Amount
    mode: Amount
    high: Amount

    @model_validator(mode="after")
    def _ordered(self) -> TriangularParameters:
        if not (self.low.value <= self.mode.value <= self.high.value and self.low.value < self.high.value):
            raise ValueError("needs low <= mode <= high, and low < high")
        return self


class NormalParameters(Model):
    """Normal with mean and sd before truncation to ``within`` (a duration is cut at 0 if nothing is said)."""

    mean: Amount
    sd: Amount
    within: tuple[Amount, Amount] | None = None

    @model_validator(mode="after")
    def _sensible(self) -> NormalParameters:
        if self.sd.value <= 0:
            raise ValueError("sd must be above 0")
        if self.within is not None and not self.within[0].value < self.within[1].value:
            raise ValueError("within needs [lowest, highest] with lowest < highest")
        return self


class TableColumn(Model):
    """A column of a CSV file beside the scenario or in the packaged data."""

    table: str = Field(max_length=200)
    column: str = Field(max_length=64)


class Part(Model):
    """One component of a mixture."""

    share: Share
    of: Value


class Constant(Sourced):
    """Always the same."""

    constant: Amount


class Exponential(Sourced):
    """Exponential with the given mean."""

    exponential: Mean


class Lognormal(Sourced):
    """Lognormal."""

    lognormal: LognormalParameters


class Gamma(Sourced):
    """Gamma with mean and sd (or cv)."""

    gamma: MeanSd


class Erlang(Sourced):
    """Erlang."""

    erlang: ErlangParameters


class Weibull(Sourced):
    """Weibull."""

    weibull: WeibullParameters


class Triangular(Sourced):
    """Triangular."""

    triangular: TriangularParameters


class Uniform(Sourced):
    """Uniform between two values."""

    uniform: tuple[Amount, Amount]

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if not self.uniform[0].value < self.uniform[1].value:
            raise ValueError("uniform needs [lowest, highest] with lowest < highest")
        return self


class Normal(Sourced):
    """Truncated normal."""

    normal: NormalParameters


class Empirical(Sourced):
    """One of the observed values, each as likely as the next."""

    empirical: list[Amount] | TableColumn


class Mixture(Sourced):
    """One of several distributions, by share."""

    mixture: list[Part] = Field(min_length=1, max_length=50)


# ---------------------------------------------------------------- dependence
class By(Sourced):
    """A number that depends on an attribute: one case per value, ``else`` for the rest, or a column of a table."""

    model_config = ConfigDict(extra="allow", frozen=True, arbitrary_types_allowed=True)
    __pydantic_extra__: dict[str, Value]

    by: Name
    table: str | None = Field(None, max_length=200, description="CSV file whose first column holds the attribute")
    column: str | None = Field(None, max_length=64)
    otherwise: Value | None = Field(None, alias="else")

    @property
    def cases(self) -> dict[str, Value]:
        """The number for each attribute value, by key as written."""
        return self.__pydantic_extra__ or {}


class Times(Sourced):
    """A product."""

    times: list[Value] = Field(min_length=1, max_length=20)


class Plus(Sourced):
    """A sum."""

    plus: list[Value] = Field(min_length=1, max_length=20)


class ShareOf(Sourced):
    """A share of something."""

    share: Share
    of: Value


class Choice(Sourced):
    """One of several values, by share; one of them may be ``else``."""

    choice: dict[str, Share | Literal["else"]] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _sums_to_one(self) -> Choice:
        total = sum(share for share in self.choice.values() if share != "else")
        open_ones = sum(1 for share in self.choice.values() if share == "else")
        if open_ones > 1:
            raise ValueError("only one of the values can be else")
        if open_ones == 0 and abs(total - 1) > 1e-6:
            raise ValueError(f"the shares add up to {100 * total:.6g}%, not to 100%")
        if total > 1 + 1e-6:
            raise ValueError(f"the shares add up to {100 * total:.6g}%, more than 100%")
        return self


class Chance(Sourced):
    """Yes with this probability."""

    chance: Value


STRUCTURES: dict[str, type[Sourced]] = {
    "by": By,
    "times": Times,
    "plus": Plus,
    "of": ShareOf,
    "choice": Choice,
    "chance": Chance,
    "constant": Constant,
    "exponential": Exponential,
    "lognormal": Lognormal,
    "gamma": Gamma,
    "erlang": Erlang,
    "weibull": Weibull,
    "triangular": Triangular,
    "uniform": Uniform,
    "normal": Normal,
    "empirical": Empirical,
    "mixture": Mixture,
}
"""Every structured form of a number, by the key that tells it."""


def _form(value: Any) -> str | None:
    if isinstance(value, dict):
        for word in STRUCTURES:
            if word in value:
                return f"<{word}>"
        return None
    if isinstance(value, Sourced):
        return next(f"<{word}>" for word, model in STRUCTURES.items() if type(value) is model)
    return None if isinstance(value, list) or value is None else "<scalar>"


def _scalar(value: Any) -> Any:
    if isinstance(value, str) and len(value) > 200:
        raise ValueError("this text is too long for a quantity or a name")
    return value


Scalar = Annotated[str | float | bool, BeforeValidator(_scalar)]

Value = Annotated[
    Union[  # noqa: UP007 - a tagged union needs its members spelled out
        Annotated[Scalar, Tag("<scalar>")],
        Annotated[By, Tag("<by>")],
        Annotated[Times, Tag("<times>")],
        Annotated[Plus, Tag("<plus>")],
        Annotated[ShareOf, Tag("<of>")],
        Annotated[Choice, Tag("<choice>")],
        Annotated[Chance, Tag("<chance>")],
        Annotated[Constant, Tag("<constant>")],
        Annotated[Exponential, Tag("<exponential>")],
        Annotated[Lognormal, Tag("<lognormal>")],
        Annotated[Gamma, Tag("<gamma>")],
        Annotated[Erlang, Tag("<erlang>")],
        Annotated[Weibull, Tag("<weibull>")],
        Annotated[Triangular, Tag("<triangular>")],
        Annotated[Uniform, Tag("<uniform>")],
        Annotated[Normal, Tag("<normal>")],
        Annotated[Empirical, Tag("<empirical>")],
        Annotated[Mixture, Tag("<mixture>")],
    ],
    Discriminator(
        _form,
        custom_error_type="number_form",
        custom_error_message="a number is needed here: a quantity such as 30 min, a name, {by: attribute, ...}, "
        "{times: [...]}, {choice: {...}}, or a distribution such as {lognormal: {mean: 6 min, sd: 3 min}} (one of "
        + ", ".join(STRUCTURES)
        + ")",
    ),
]

for _model in (Part, By, Times, Plus, ShareOf, Chance, Mixture):
    _model.model_rebuild()
