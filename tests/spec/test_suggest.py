"""Slips and pydantic's complaints: the nearest name, plain words, and the right place."""

# ruff: noqa: E501 - a message stands on one line here as it does on the screen

from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    ValidationError,
    field_validator,
)

from marl_health.spec.complaints import allowed_fields, validation_problems
from marl_health.spec.document import parse_document
from marl_health.spec.suggest import did_you_mean, nearest


class Base(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Lognormal(Base):
    mean: float
    sd: float


class Draw(Base):
    lognormal: Lognormal


class By(Base):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, "Value"]

    by: str
    otherwise: "Value | None" = Field(None, alias="else")


def _form(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((word for word in ("by", "lognormal") if word in value), None)
    return "plain"


Value = Annotated[
    Annotated[float, Tag("plain")] | Annotated[By, Tag("by")] | Annotated[Draw, Tag("lognormal")],
    Discriminator(_form, custom_error_type="form", custom_error_message="a number is needed here"),
]
By.model_rebuild()


class Use(Base):
    kind: Literal["use"]
    use: str | list[str]
    length: Value = Field(alias="for")
    again: bool = False


class Wait(Base):
    kind: Literal["wait"]
    wait: Value


class Names(RootModel[dict[str, Annotated[int, Field(ge=0)]]]):
    pass


class World(Base):
    name: str
    steps: dict[str, Annotated[Use | Wait, Field(discriminator="kind")]] = {}
    order: Literal["fifo", "acuity"] = "fifo"
    beds: Names = Names({})
    pair: tuple[int, int] = (1, 2)
    some: float | Lognormal | None = None
    tags: Annotated[list[str], Field(min_length=1)] = ["a"]

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        if len(name) > 5:
            raise ValueError("the name is too long; shorten it")
        return name


def told(text: str) -> list[str]:
    document = parse_document(text, "f.yaml")
    with pytest.raises(ValidationError) as caught:
        World.model_validate(document.data)
    problems = validation_problems(document, caught.value, lambda loc: allowed_fields(World, loc))
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nam: x", "f.yaml:1:1: nam: unknown word 'nam'; did you mean 'name'? (known: beds, name, order, pair, some, steps, tags)"),
        ("name: [x]", "f.yaml:1:1: name: should be a text, not a list"),
        ("name: far_too_long", "f.yaml:1:1: name: the name is too long; shorten it"),
        ("name: x\norder: fifu", "f.yaml:2:1: order: 'fifu' is not allowed here; write fifo or acuity; did you mean 'fifo'?"),
        ("name: x\nsteps:\n  t: {use: n}", "f.yaml:3:3: steps.t: needs 'kind'"),
        ("name: x\nsteps:\n  t: {kind: uze}", "f.yaml:3:7: steps.t.kind: 'uze' is not allowed here; write one of use, wait; did you mean 'use'?"),
        ("name: x\nsteps:\n  t: {kind: use, use: n}", "f.yaml:3:3: steps.t: needs 'for'"),
        ("name: x\nsteps: {use: {kind: use, use: n}}", "f.yaml:2:9: steps.use: needs 'for'"),
        ("name: x\nsteps: {t: {kind: use, use: n, for: 3, agian: no}}", "f.yaml:2:40: steps.t.agian: unknown word 'agian'; did you mean 'again'? (known: again, for, kind, use)"),
        ("name: x\nsteps: {t: {kind: use, use: n, for: 3, again: perhaps}}", "f.yaml:2:40: steps.t.again: should be yes or no, not 'perhaps'"),
        ("name: x\nsteps: {t: {kind: use, use: 3, for: 3}}", "f.yaml:2:24: steps.t.use: should be a text or a list, such as [a, b], not 3"),
        ("name: x\nsteps: {t: {kind: wait, wait: {lognormal: {mean: six, sd: 1}}}}", "f.yaml:2:44: steps.t.wait.lognormal.mean: should be a plain number, not 'six'"),
        ("name: x\nsteps: {t: {kind: wait, wait: {lognormal: {mean: 6, ds: 1}}}}", "f.yaml:2:53: steps.t.wait.lognormal.ds: unknown word 'ds'; did you mean 'sd'? (known: mean, sd)"),
        ("name: x\nsteps: {t: {kind: wait, wait: {lognorml: {mean: 6, sd: 1}}}}", "f.yaml:2:25: steps.t.wait: unknown word 'lognorml'; did you mean 'lognormal'? (a number is needed here)"),
        ("name: x\nsteps: {t: {kind: wait, wait: {by: a, 1: {lognormal: {mean: 6, sd: 1, s: 2}}, else: 3}}}", "f.yaml:2:71: steps.t.wait.1.lognormal.s: unknown word 's'; did you mean 'sd'? (known: mean, sd)"),
        ("name: x\nbeds: {icu: -1}", "f.yaml:2:8: beds.icu: should be at least 0, not -1"),
        ("name: x\nbeds: {icu: 1.5}", "f.yaml:2:8: beds.icu: should be a whole number, not 1.5"),
        ("name: x\nbeds: 3", "f.yaml:2:1: beds: should be a mapping (lines of 'key: value'), not 3"),
        ("name: x\npair: [1]", "f.yaml:2:1: pair: needs an entry number 2"),
        ("name: x\npair: [1, b]", "f.yaml:2:11: pair.1: should be a whole number, not 'b'"),
        ("name: x\nsome: [1]", "f.yaml:2:1: some: should be a plain number or a mapping (lines of 'key: value'), not a list"),
        ("name: x\nsome: {mean: 3, sd: b}", "f.yaml:2:17: some.sd: should be a plain number, not 'b'"),
        ("name: x\ntags: []", "f.yaml:2:1: tags: needs at least 1 entries, has 0"),
    ],
)  # fmt: skip
def test_complaints_are_plain_and_placed(text: str, message: str) -> None:
    assert message in told(text)


def test_all_at_once_in_the_order_of_the_file() -> None:
    lines = told("tags: []\norder: 3\nname: 4\nbeds: {a: x, b: y}\n")
    assert [line.split(": ")[1] for line in lines] == ["tags", "order", "name", "beds.a", "beds.b"]


def test_a_part_of_a_document() -> None:
    document = parse_document("a:\n  b: {mean: 1, sd: x}", "f.yaml")
    with pytest.raises(ValidationError) as caught:
        Lognormal.model_validate(document.data["a"]["b"])
    (problem,) = validation_problems(document, caught.value, at=("a", "b"))
    assert str(problem).startswith("f.yaml:2:16: a.b.sd: ")


@pytest.mark.parametrize(
    ("loc", "names"),
    [
        ((), ["beds", "name", "order", "pair", "some", "steps", "tags"]),
        (("steps", "t", "use"), ["again", "for", "kind", "use"]),
        (("steps", "t", "wait"), ["kind", "wait"]),
        (("steps", "t"), ["again", "for", "kind", "use", "wait"]),
        (("steps", "t", "wait", "wait", "lognormal", "lognormal"), ["mean", "sd"]),
        (("steps", "t", "wait", "wait", "by", "1", "by"), ["by", "else"]),
        (("some", "Lognormal"), ["mean", "sd"]),
        (("beds", "icu"), []),
        (("name", "x", 0, "y"), []),
    ],
)
def test_allowed_fields(loc: tuple[str | int, ...], names: list[str]) -> None:
    assert allowed_fields(World, loc) == names


def test_nearest() -> None:
    names = ["ward_bed", "ed_bay", "ct_scanner"]
    assert nearest("ward_beds", names) == "ward_bed"
    assert nearest("Ward-Bed", names) == "ward_bed"
    assert nearest("bay_ed", ["ed_bay"]) == "ed_bay"
    assert nearest("xyz", names) is None
    assert nearest("", []) is None
    assert nearest("x" * 10_000, names) is None


def test_did_you_mean_lists_at_most_twelve() -> None:
    assert did_you_mean("bed", []) == ""
    assert did_you_mean("bedd", ["bed", "bay"]) == "; did you mean 'bed'? (known: bay, bed)"
    many = did_you_mean("q", [f"n{n:02}" for n in range(20)])
    assert many.endswith("n11, ...)")
    assert "n12" not in many
