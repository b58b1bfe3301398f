"""Numbers as data: quantities, distributions, and what a number may depend on.

Wherever the language takes a number, it takes one of these forms:

* a quantity with its unit (``30 min``, ``9%``, ``2400 usd``), a plain number where there is no unit, or the name of an
  attribute, of a ``vary`` draw or of a ``choose`` alternative;
* ``{by: attribute, 1: ..., else: ...}`` when it depends on an attribute, or ``{by: attribute, table: F, column: C}``;
* ``{times: [...]}``, ``{plus: [...]}``, ``{share: 14%, of: ...}``;
* ``{nearest: hospital, when: trauma == 1}``, the nearest site;
* ``{when: [{if: walks, is: green}, {else: red}]}`` for what follows from conditions on attributes;
* ``{since: MARK}`` for the time that has passed, ``{along: ..., table: F, column: C}`` for a curve;
* ``{choice: {a: 30%, b: else}}`` and ``{chance: 9%}`` for what is drawn among values;
* ``{signal_of: attribute, sensitivity: 90%, specificity: 80%}`` for what is seen of an attribute, with errors;
* a distribution, ``{lognormal: {mean: 6 min, sd: 3 min}}``, always with the parameters of the variable itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from marl_health.spec.condition_form import If
from marl_health.spec.distributions import (
    KINDS,
    Constant,
    Empirical,
    Erlang,
    ErlangParameters,
    Exponential,
    Form,
    Gamma,
    Lognormal,
    LognormalParameters,
    Mean,
    MeanSd,
    Normal,
    NormalParameters,
    TableColumn,
    Triangular,
    TriangularParameters,
    Uniform,
    Weibull,
    WeibullParameters,
)
from marl_health.spec.scalars import (
    Amount,
    ClockTime,
    Dimension,
    Flag,
    Minutes,
    Model,
    MoneyRate,
    Name,
    Quantity,
    Share,
    Sourced,
    WeekTime,
    form,
    read_flag,
    read_key,
    read_quantity,
)
from marl_health.spec.shares import Choice, add_up

__all__ = [
    "DISTRIBUTIONS",
    "KINDS",
    "STRUCTURES",
    "Along",
    "Amount",
    "By",
    "Chance",
    "Choice",
    "ClockTime",
    "Constant",
    "Dimension",
    "Empirical",
    "Erlang",
    "ErlangParameters",
    "Exponential",
    "Flag",
    "Form",
    "Gamma",
    "If",
    "Lognormal",
    "LognormalParameters",
    "Mean",
    "MeanSd",
    "Minutes",
    "Mixture",
    "Model",
    "MoneyRate",
    "Name",
    "Nearest",
    "Normal",
    "NormalParameters",
    "Part",
    "Plus",
    "Quantity",
    "Rule",
    "Rules",
    "Scalar",
    "Share",
    "ShareOf",
    "SignalOf",
    "Since",
    "Sourced",
    "TableColumn",
    "Times",
    "Triangular",
    "TriangularParameters",
    "Uniform",
    "Until",
    "Value",
    "WeekTime",
    "Weibull",
    "WeibullParameters",
    "read_flag",
    "read_key",
    "read_quantity",
]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Part(Model):
    """One component of a mixture."""

    share: Share = Field(description="Share of this component; all of them add up to 100%")
    of: Value = Field(description="A quantity or a distribution")


class Mixture(Form):
    """One of several distributions, by share."""

    mixture: list[Part] = Field(min_length=1, max_length=50, description="The components")


class By(Form):
    """A number that depends on an attribute: one case per value, ``else`` for the rest, or a column of a table."""

    model_config = ConfigDict(
        extra="allow", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False, defer_build=True
    )
    __pydantic_extra__: dict[str, Value]

    by: Name = Field(description="The attribute")
    table: str | None = Field(None, max_length=200, description="CSV file whose first column holds the attribute")
    column: str | None = Field(
        None, max_length=64, description="Column of the table that holds the number, or a `choose` name that picks it"
    )
    otherwise: Value | None = Field(None, alias="else", description="For values without a case")

    @property
    def cases(self) -> dict[str, Value]:
        """The number for each attribute value, by key as written."""
        return self.__pydantic_extra__ or {}


class Rule(Model):
    """One rule; the last one has only ``else``."""

    condition: If | None = Field(None, alias="if", description="For whom it holds")
    value: Value | None = Field(None, alias="is", description="What it is for them: a number or a word")
    otherwise: Value | None = Field(None, alias="else", description="What it is for everybody else")

    @model_validator(mode="after")
    def _if_or_else(self) -> Rule:
        if self.otherwise is not None and (self.condition is not None or self.value is not None):
            raise ValueError("write {if: condition, is: value}, and the last one {else: value}")
        if self.otherwise is None and (self.condition is None or self.value is None):
            raise ValueError("needs both if and is, or only else")
        return self


class Rules(Form):
    """What the first rule says whose condition holds: an algorithm of questions in order, a class, a label.

    A plain word that is neither an attribute nor another name here stands for itself.
    """

    when: list[Rule] = Field(min_length=1, max_length=50, description="Rules, tried in order")

    @model_validator(mode="after")
    def _ends_with_else(self) -> Rules:
        if self.when[-1].otherwise is None:
            raise ValueError("the last rule must be {else: value}, so that everybody has one")
        if any(rule.otherwise is not None for rule in self.when[:-1]):
            raise ValueError("else must come last")
        return self


class Since(Form):
    """The time since a mark was set on the entity, 0 before that; not among what it `has` when it comes."""

    since: Name = Field(description="The mark")


class Along(Form):
    """A curve: a column of a table, read along its first column with straight lines between the rows.

    Below the first row and above the last one the curve is flat. A duration is read in minutes.
    """

    along: Value = Field(description="Where on the curve: a number or a duration, such as `{since: arrival}`")
    table: str = Field(max_length=200, description="CSV file; its first column rises from row to row")
    column: str = Field(max_length=64, description="Column with the values, or a `choose` name that picks it")


class Times(Form):
    """A product."""

    times: list[Value] = Field(min_length=1, max_length=20, description="The factors; only one may have a unit")


class Plus(Form):
    """A sum."""

    plus: list[Value] = Field(min_length=1, max_length=20, description="The terms, of one kind of unit")


class ShareOf(Form):
    """A share of something."""

    share: Share = Field(description="The share")
    of: Value = Field(description="The whole")


class Until(Form):
    """The time from now until the next such time of the day; only in the `set` of a step."""

    until: ClockTime = Field(lt=1440, description="Time of the day")
    skip: Value = Field(0, description="How many such times to let pass before: 1 is a day later")


class Nearest(Form):
    """The site that is nearest by travel time to where the entity is; of equals the first."""

    nearest: Annotated[list[Name], BeforeValidator(_listed, json_schema_input_type=Name | list[Name])] = Field(
        min_length=1, max_length=500, description="A template, whose sites are meant, or sites"
    )
    when: If | None = Field(None, description="Only sites for whose parameters this holds, such as `trauma == 1`")


class Chance(Form):
    """Yes with this probability."""

    chance: Value = Field(description="The probability")


class SignalOf(Form):
    """What is seen of another attribute, most often a hidden one: the truth, with errors. In one of three ways.

    Of yes or no: `sensitivity`, the chance to see yes where it is yes, and `specificity`, the chance to see no where it
    is no. Of a word, or whatever has few values: `shows`, the share of what is seen for each true value. Of a number:
    `noise`, the standard deviation of a normal error. It stands alone as the value of an attribute, under `has` or
    where attributes are `set`; what its quality depends on stands inside, as in `sensitivity: {by: reader, ...}`.
    """

    signal_of: Name = Field(description="The attribute that it tells of")
    sensitivity: Value | None = Field(None, description="Chance to see yes where the truth is yes")
    specificity: Value | None = Field(None, description="Chance to see no where the truth is no")
    shows: dict[str, dict[str, Share | Literal["else"]]] | None = Field(
        None, min_length=1, max_length=200, description="For each true value, the share of each value that is seen"
    )
    noise: Value | None = Field(None, description="Standard deviation of the error, in the unit of the attribute")
    table: str | None = Field(
        None,
        max_length=200,
        description="CSV file whose first column holds the true value, in as many rows as it takes",
    )
    column: str | None = Field(None, max_length=64, description="Column of the table with what is seen, a number")
    share: str | None = Field(
        None, max_length=64, description="Column with its share among the rows of that value, or a `choose` name"
    )

    @model_validator(mode="after")
    def _one_way(self) -> SignalOf:
        if (self.sensitivity is None) != (self.specificity is None):
            raise ValueError("sensitivity and specificity go together")
        if not (self.table is None) == (self.column is None) == (self.share is None):
            raise ValueError("table, column and share go together")
        if sum(way is not None for way in (self.sensitivity, self.shows, self.noise, self.table)) != 1:
            raise ValueError(
                "needs exactly one of sensitivity with specificity, shows, noise, and table with column and share"
            )
        for truth, shares in (self.shows or {}).items():
            if not shares:
                raise ValueError(f"where the truth is {truth}: say what is seen, such as {{yes: 90%, no: else}}")
            add_up(shares, f"where the truth is {truth}: ")
        return self


STRUCTURES: dict[str, type[Sourced]] = {
    "nearest": Nearest,
    "by": By,
    "when": Rules,
    "since": Since,
    "along": Along,
    "times": Times,
    "plus": Plus,
    "of": ShareOf,
    "until": Until,
    "choice": Choice,
    "chance": Chance,
    "signal_of": SignalOf,
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

DISTRIBUTIONS = frozenset(STRUCTURES.values()) - {
    By,
    Rules,
    Since,
    Along,
    Times,
    Plus,
    ShareOf,
    Nearest,
    Choice,
    Chance,
    SignalOf,
}
"""The forms that are drawn from a quantile function."""


def _form(value: Any) -> str | None:
    if isinstance(value, dict):
        for word in STRUCTURES:
            if word in value:
                return f"<{word}>"
        return None
    if isinstance(value, Form):
        return next(f"<{word}>" for word, model in STRUCTURES.items() if type(value) is model)
    return None if isinstance(value, list) or value is None else "<scalar>"


def _scalar(value: Any) -> Any:
    if isinstance(value, str) and len(value) > 200:
        raise ValueError("this text is too long for a quantity or a name")
    return value


Scalar = Annotated[
    str | float | bool,
    BeforeValidator(_scalar),
    form("quantity, number, name, or yes or no", "30 min", 3, "acuity", type=["string", "number", "boolean"]),
]

Value = Annotated[
    Union[  # noqa: UP007 - a tagged union needs its members spelled out
        Annotated[Scalar, Tag("<scalar>")],
        Annotated[By, Tag("<by>")],
        Annotated[Rules, Tag("<when>")],
        Annotated[Since, Tag("<since>")],
        Annotated[Along, Tag("<along>")],
        Annotated[Times, Tag("<times>")],
        Annotated[Plus, Tag("<plus>")],
        Annotated[ShareOf, Tag("<of>")],
        Annotated[Until, Tag("<until>")],
        Annotated[Nearest, Tag("<nearest>")],
        Annotated[Choice, Tag("<choice>")],
        Annotated[Chance, Tag("<chance>")],
        Annotated[SignalOf, Tag("<signal_of>")],
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
