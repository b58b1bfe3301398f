"""What a scenario is calibrated to: the YAML file with runs, targets and free parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from experiments.calibration.measures import Measure
from marl_health.spec.complaints import allowed_fields, validation_problems
from marl_health.spec.document import Document, load_document
from marl_health.spec.errors import ScenarioError
from marl_health.spec.numbers import Model, Name
from marl_health.spec.quantities import parse_quantity

HERE = Path(__file__).parent

UNITS = {"%": 0.01, "min": 1.0, "h": 60.0, "d": 1440.0, "day": 1440.0, "days": 1440.0}
"""Units in which figures are shown; others are shown in minutes."""


def _figure(value: Any) -> tuple[float, str, str]:
    """(value in the base unit, its dimension, its unit as written) of ``9%``, ``80 min``, ``2 days`` or a number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value), "number", ""
    number, dimension = parse_quantity(value)
    if dimension not in ("time", "share"):
        raise ValueError("needs a duration, a share or a plain number, such as 30 min, 9% or 2.5")
    return number, dimension, str(value).lstrip("0123456789.+- ").strip()


class Range(Model):
    """A published range, its ends in base units (minutes, fractions)."""

    low: float
    high: float
    dimension: str
    unit: str

    @property
    def centre(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        """Half of the width."""
        return (self.high - self.low) / 2

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def shown(self, value: float) -> str:
        """A value in the unit of the range, without it."""
        number = value / UNITS.get(self.unit, 1.0)
        return f"{number:.3g}" if abs(number) < 999.5 else f"{number:.0f}"

    def __str__(self) -> str:
        return f"{self.shown(self.low)} to {self.shown(self.high)} {self.unit}".strip()


def _range(value: Any) -> Any:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("needs two figures, as in [110 min, 182 min]")
    (low, kind, unit), (high, other, _) = _figure(value[0]), _figure(value[1])
    if kind != other:
        raise ValueError(f"'{value[0]}' and '{value[1]}' are not of one kind; write both with units of one kind")
    if not low < high:
        raise ValueError(f"'{value[0]}' is not below '{value[1]}'; write the lower figure first")
    return Range(low=low, high=high, dimension=kind, unit=unit)


class Run(Model):
    """How the scenario is simulated for some of the targets."""

    what: str = Field(min_length=1, description="What its replications stand for")
    replications: int = Field(ge=2, le=100_000, description="For the table")
    while_fitting: int | None = Field(None, ge=2, le=100_000, description="While fitting; the same if absent")
    set: dict[str, Any] = Field({}, description="What it changes in the scenario, by dotted path")


class Target(Model):
    """A published figure."""

    what: str = Field(min_length=1, description="What is measured, in words")
    column: Literal["fitted", "by_hand", "held_out"] = Field(
        description="Whether parameters are fitted to it, the structure was chosen so that it comes out, or neither"
    )
    run: Name = Field(description="The run that it is measured in")
    measure: Measure = Field(description="How")
    range: Annotated[Range, BeforeValidator(_range)] = Field(description="Lowest and highest figure that is accepted")
    source: str = Field(min_length=1, description="Who published it")
    why: str = Field(min_length=1, description="Why the range is what it is")
    missed: str | None = Field(None, min_length=1, description="If it is known to be missed: why")

    @model_validator(mode="after")
    def _of_one_kind(self) -> Target:
        wanted = self.measure.dimension
        if wanted not in ("any", self.range.dimension):
            example = {"time": "[110 min, 182 min]", "share": "[1%, 5%]", "number": "[2, 5]"}[wanted]
            raise ValueError(f"the measure is a {wanted}, so the range must be one, as in {example}")
        return self


class Parameter(Model):
    """A free parameter: a factor, to be found, on what some numbers of the scenario are before."""

    sets: dict[str, str | float] = Field(
        min_length=1, description="Dotted path to what stands there before, such as 90 min"
    )
    between: tuple[float, float] = Field((0.5, 2.0), description="Least and greatest factor")
    why: str = Field(min_length=1, description="Why it may be moved")

    @model_validator(mode="after")
    def _around_one(self) -> Parameter:
        low, high = self.between
        if not 0 < low < 1 < high:
            raise ValueError("between needs a factor above 0 and below 1, and one above 1, as in [0.5, 2]")
        return self

    def values(self, factor: float) -> dict[str, str | float]:
        """What stands at each path with this factor: three significant digits, in the unit that it is written in."""
        return {path: scaled(value, factor) for path, value in self.sets.items()}


class Seeds(Model):
    """Seeds of the first replications; the runs of a fit and of a check never meet the same patients."""

    fit: int = Field(ge=0)
    check: int = Field(ge=0)


class Goals(Model):
    """What a scenario is calibrated to."""

    scenario: str = Field(description="A packaged scenario's name, or the path of a file, seen from this one")
    policy: str = Field("rule", description="Who decides")
    runs: dict[Name, Run] = Field(min_length=1)
    seeds: Seeds
    free: dict[Name, Parameter] = Field({}, description="What is fitted")
    targets: dict[Name, Target] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> Goals:
        for name, target in self.targets.items():
            if target.run not in self.runs:
                raise ValueError(f"target '{name}' has the run '{target.run}'; there are {', '.join(self.runs)}")
        most = max(run.replications for run in self.runs.values())
        if abs(self.seeds.fit - self.seeds.check) < most:
            raise ValueError(f"seeds of fit and check lie less than {most} apart, so that some would be used for both")
        paths = [path for parameter in self.free.values() for path in parameter.sets]
        twice = next((path for path in paths if paths.count(path) > 1), None)
        if twice:
            raise ValueError(f"'{twice}' is set by two free parameters; let one of them set it")
        return self

    def of(self, column: str) -> dict[str, Target]:
        """The targets of a column."""
        return {name: target for name, target in self.targets.items() if target.column == column}


def scaled(value: str | float, factor: float) -> str | float:
    """A quantity times a factor, to three significant digits, in the unit that it is written in."""
    if isinstance(value, (int, float)):
        return float(f"{value * factor:.3g}")
    number, _, unit = str(value).partition(" ") if " " in value else (value.rstrip("%"), "", "%" * value.endswith("%"))
    space = " " if " " in value else ""
    return f"{float(f'{float(number) * factor:.3g}'):g}{space}{unit}"


def read(name_or_path: str) -> tuple[Goals, Document]:
    """Read the goals of a packaged scenario by its name, or those in a file; and the file with the place of each value.

    Raises:
        ScenarioError: with every problem found, each at its line.
    """
    packaged = HERE / f"{name_or_path}.yaml"
    path = packaged if "/" not in name_or_path and packaged.is_file() else Path(name_or_path)
    document = load_document(path)
    try:
        return Goals.model_validate(document.data), document
    except ValidationError as error:
        problems = validation_problems(document, error, lambda where: allowed_fields(Goals, where))
        raise ScenarioError(problems) from None
