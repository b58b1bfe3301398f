"""Distributions as data, with the parameters of the variable itself: ``{lognormal: {mean: 6 min, sd: 3 min}}``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from marl_health.spec.scalars import Amount, Flag, Model, Sourced

KINDS = {
    "number": "a plain number",
    "time": "a duration",
    "share": "a share",
    "money": "an amount of money",
    "money_rate": "money per time",
    "rate": "a rate",
}
"""What a dimension is called."""

LEAST_CV, MOST_CV = 0.0001, 100.0
"""Bounds of sd / mean: what lies beyond them is a slip, and would overflow."""


class Form(Sourced):
    """A structured form of a number."""

    hidden: Flag = Field(False, description="Agents may not see this attribute, nor choose by it")


class Mean(Model):
    """Parameters of a one-parameter distribution."""

    mean: Amount = Field(description="Mean")


class MeanSd(Model):
    """Mean and standard deviation of the variable itself."""

    mean: Amount | None = Field(None, description="Mean")
    sd: Amount | None = Field(None, description="Standard deviation")
    cv: float | None = Field(None, ge=LEAST_CV, le=MOST_CV, description="sd / mean, instead of sd")

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
            units = [f"{name} is {KINDS[amount.dimension]}" for name, amount in (("mean", self.mean), ("sd", self.sd))]
            raise ValueError(f"mean and sd need the same kind of unit, but {' and '.join(units)}")
        if self.sd is not None and not LEAST_CV <= self.sd.value / self.mean.value <= MOST_CV:
            raise ValueError(f"sd should be between {LEAST_CV:g} and {MOST_CV:g} times the mean")
        return self

    @property
    def deviation(self) -> float:
        """Standard deviation of the variable, in the mean's unit."""
        assert self.mean is not None
        return self.sd.value if self.sd is not None else self.mean.value * (self.cv or 0.0)


class LognormalParameters(Model):
    """Either mean with sd or cv (of the variable), or median with sigma (of its logarithm)."""

    mean: Amount | None = Field(None, description="Mean")
    sd: Amount | None = Field(None, description="Standard deviation")
    cv: float | None = Field(None, ge=LEAST_CV, le=MOST_CV, description="sd / mean, instead of sd")
    median: Amount | None = Field(None, description="Median, with sigma")
    sigma: float | None = Field(None, ge=LEAST_CV, le=10, description="standard deviation of the logarithm")

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

    mean: Amount = Field(description="Mean of the sum")
    stages: int = Field(ge=1, le=1000, description="Number of exponential stages")


class WeibullParameters(Model):
    """Shape and mean (not scale)."""

    shape: float = Field(ge=0.1, le=50, description="Shape: below 1 the hazard falls, above 1 it rises")
    mean: Amount = Field(description="Mean")


class TriangularParameters(Model):
    """Lowest, most likely and highest value."""

    low: Amount = Field(description="Lowest value")
    mode: Amount = Field(description="Most likely value")
    high: Amount = Field(description="Highest value")

    @model_validator(mode="after")
    def _ordered(self) -> TriangularParameters:
        if not (self.low.value <= self.mode.value <= self.high.value and self.low.value < self.high.value):
            raise ValueError("needs low <= mode <= high, and low < high")
        return self


class NormalParameters(Model):
    """Normal with mean and sd before truncation to ``within`` (a duration is cut at 0 if nothing is said)."""

    mean: Amount = Field(description="Mean before truncation")
    sd: Amount = Field(description="Standard deviation before truncation")
    within: tuple[Amount, Amount] | None = Field(None, description="Lowest and highest value")

    @model_validator(mode="after")
    def _sensible(self) -> NormalParameters:
        if self.sd.value <= 0:
            raise ValueError("sd must be above 0")
        if self.within is not None and not self.within[0].value < self.within[1].value:
            raise ValueError("within needs [lowest, highest] with lowest < highest")
        return self


class TableColumn(Model):
    """A column of a CSV file beside the scenario or in the packaged data."""

    table: str = Field(
        max_length=200, description="Path of a CSV file, from the scenario's folder or the packaged data"
    )
    column: str = Field(max_length=64, description="Name of the column")


class Constant(Form):
    """Always the same."""

    constant: Amount = Field(description="The value")


class Exponential(Form):
    """Exponential with the given mean."""

    exponential: Mean = Field(description="Its mean")


class Lognormal(Form):
    """Lognormal."""

    lognormal: LognormalParameters = Field(description="Its parameters")


class Gamma(Form):
    """Gamma with mean and sd (or cv)."""

    gamma: MeanSd = Field(description="Its parameters")


class Erlang(Form):
    """Erlang."""

    erlang: ErlangParameters = Field(description="Its parameters")


class Weibull(Form):
    """Weibull."""

    weibull: WeibullParameters = Field(description="Its parameters")


class Triangular(Form):
    """Triangular."""

    triangular: TriangularParameters = Field(description="Its parameters")


class Uniform(Form):
    """Uniform between two values."""

    uniform: tuple[Amount, Amount] = Field(description="Lowest and highest value")

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if not self.uniform[0].value < self.uniform[1].value:
            raise ValueError("uniform needs [lowest, highest] with lowest < highest")
        return self


class Normal(Form):
    """Truncated normal."""

    normal: NormalParameters = Field(description="Its parameters")


class Empirical(Form):
    """One of the observed values, each as likely as the next."""

    empirical: Annotated[list[Amount], Field(min_length=1, max_length=10_000)] | TableColumn = Field(
        description="The observed values, or a column of a table"
    )
