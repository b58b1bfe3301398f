"""Conditions: what they mean (against Python's own reading of the same text) and what a slip is told."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marl_health.spec.conditions import (
    And,
    Compare,
    Condition,
    In,
    Not,
    Or,
    Truth,
    compile_condition,
    parse_condition,
)

NAMES = ["acuity", "age", "walks", "speciality"]


def holds(text: str, **values: Any) -> bool:
    names = list(values)
    return compile_condition(parse_condition(text), names.index)(list(values.values()))


def test_the_tree() -> None:
    assert parse_condition("acuity <= 2 and not walks") == And((Compare("acuity", "<=", 2), Not(Truth("walks"))))
    assert parse_condition("speciality == orthopaedic or (age > 65 and acuity != 1)") == Or(
        (
            Compare("speciality", "==", "orthopaedic"),
            And((Compare("age", ">", 65), Compare("acuity", "!=", 1))),
        )
    )
    assert parse_condition("a in [1, b, 'two words', 30 min, no]") == In("a", (1, "b", "two words", 30.0, False))
    assert parse_condition("a not in [1]") == Not(In("a", (1,)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a > 30 min", 30.0),
        ("a > 2 h", 120.0),
        ("a >= 90%", 0.9),
        ("a < 400 usd", 400.0),
        ("a < 60 usd per bed_hour", 1.0),
        ("a < 60 usd/bed_hour", 1.0),
        ("a < 60 per_hour", 1.0),
        ("a == -1.5e1", -15.0),
        ("a == yes", True),
        ("a == false", False),
        ("a == ward_bed.free", "ward_bed.free"),
        ('a == "it\'s"', "it's"),
    ],
)
def test_values(text: str, value: object) -> None:
    condition = parse_condition(text)
    assert isinstance(condition, Compare)
    assert condition.value == value
    assert type(condition.value) is type(value)


def test_a_quantity_may_be_followed_by_more() -> None:
    assert parse_condition("(a > 30 min) and b < 2 h or c in [1 day, 5%]").names() == {"a", "b", "c"}


def test_names() -> None:
    assert parse_condition("a == b and (not this.payer or c in [d]) and e").names() == {
        "a",
        "this.payer",
        "c",
        "e",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acuity <= 2 and not walks", True),
        ("acuity < 2 or walks", False),
        ("acuity > 1 and age >= 70 and speciality == general", True),
        ("acuity > 1 and age > 70 and speciality == general", False),
        ("speciality != general", False),
        ("speciality in [orthopaedic, general]", True),
        ("acuity not in [1, 2]", False),
        ("not (walks or acuity == 2)", False),
        ("walks == no", True),
        ("not walks", True),
        ("walks", False),
        ("walks or age", True),
    ],
)
def test_meaning(text: str, expected: bool) -> None:
    result = holds(text, acuity=2, age=70.0, walks=False, speciality="general")
    assert bool(result) is expected


def test_names_alone_give_truth_values() -> None:
    assert holds("a", a=1.0) is True
    assert holds("a", a=0) is False


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("a = 1", 3, "write '==' instead of '='"),
        ("a === 1", 3, "write '=='"),
        ("a => 1", 3, "write '>='"),
        ("a <> 1", 3, "write '!='"),
        ("a ≤ 1", 3, "write '<='"),
        ("a && b", 3, "write 'and'"),
        ("a & b", 3, "write 'and'"),
        ("a || b", 3, "write 'or'"),
        ("a | b", 3, "write 'or'"),
        ("!a", 1, "write 'not'"),
        ("a and !b", 7, "write 'not'"),
        ("a AND b", 3, "small letters"),
        ("NOT a", 1, "small letters"),
        ("a is 1", 3, "write '=='"),
        ("(a or b", 1, "never closed"),
        ("((a) or b", 1, "never closed"),
        ("a) or b", 2, "closes nothing"),
        ("a in [1, 2", 6, "never closed"),
        ("a in 1", 6, "a list follows 'in'"),
        ("a in [1 2]", 9, "',' or ']'"),
        ("a in []", 7, "value is expected"),
        ("acuity == 1 or 2", 16, "repeat it after 'or'"),
        ("1 < a", 1, "name first"),
        ("a < 3 < 4", 7, "one name with one value"),
        ("a < b", 5, "compares numbers"),
        ("a >= yes", 6, "compares numbers"),
        ("a ==", 5, "ends before a value"),
        ("a == and", 6, "value is expected"),
        ("a and", 6, "too early"),
        ("and a", 1, "a name is expected before 'and'"),
        ("not", 4, "too early"),
        ("a b", 3, "join conditions with 'and' or 'or'"),
        ("a == 30 minuets", 6, "did you mean minutes?"),
        ("a == 30 min x", 6, "is not a unit"),
        ("a + 1 == 2", 3, "computes"),
        ("a * 2 > 3", 3, "computes"),
        ("a; b", 2, "means nothing"),
        ("__import__('os')", 11, "not expected"),
        ("a == 'x", 6, "quotation mark is never closed"),
        ("a == 1e400", 6, "too large"),
        ("()", 2, "closes nothing"),
    ],
)
def test_slips_are_told_how_to_mend(text: str, column: int, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_condition(text)
    message = str(caught.value)
    assert words in message
    assert message.startswith(f"column {column} of "), message


@pytest.mark.parametrize("text", ["", "   ", None, True, 3, ["a"], "a " * 300])
def test_what_is_no_condition_at_all(text: object) -> None:
    with pytest.raises(ValueError, match=r"condition"):
        parse_condition(text)


@pytest.mark.parametrize(
    "text", ["(" * 400, "not " * 120 + "a", "(" * 100 + "a" + ")" * 100, "a or " * 99 + "a", "[" * 500]
)
def test_depth_and_length_are_bounded(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError):
        parse_condition(text)
    assert time.process_time() - began < 0.5


_VALUES = st.one_of(st.integers(-5, 5), st.sampled_from(["red", "two words", "and", "it's", "yes"]), st.booleans())
_COMPARE = st.one_of(
    st.builds(Compare, st.sampled_from(NAMES), st.sampled_from(["==", "!="]), _VALUES),
    st.builds(
        Compare,
        st.sampled_from(["acuity", "age"]),
        st.sampled_from(["<", "<=", ">", ">="]),
        st.integers(-5, 5),
    ),
    st.builds(In, st.sampled_from(NAMES), st.lists(_VALUES, min_size=1, max_size=3).map(tuple)),
    st.builds(Truth, st.sampled_from(NAMES)),
)
_CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    _COMPARE,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


def python_says(condition: Condition, values: dict[str, Any]) -> bool:
    """The meaning, written as plainly as possible."""
    match condition:
        case Truth(name):
            return bool(values[name])
        case Not(part):
            return not python_says(part, values)
        case And(parts):
            return all(python_says(part, values) for part in parts)
        case Or(parts):
            return any(python_says(part, values) for part in parts)
        case In(name, allowed):
            return any(values[name] == value for value in allowed)
        case Compare(name, op, value):
            return bool(eval("left " + op + " right", {"left": values[name], "right": value}))
    raise AssertionError(condition)


@settings(max_examples=300, deadline=None)
@given(
    _CONDITIONS,
    st.fixed_dictionaries(
        {"acuity": st.integers(-5, 5), "age": st.floats(-6, 6), "walks": st.booleans(), "speciality": _VALUES}
    ),
)
def test_text_and_meaning_agree(condition: Condition, values: dict[str, Any]) -> None:
    again = parse_condition(str(condition))
    assert str(again) == str(condition)
    assert again == condition
    assert again.names() == condition.names()
    test = compile_condition(again, NAMES.index)
    assert bool(test([values[name] for name in NAMES])) == python_says(condition, values)


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    "a",
                    "b.c",
                    " ",
                    "and",
                    "or",
                    "not",
                    "in",
                    "(",
                    ")",
                    "[",
                    "]",
                    ",",
                    "==",
                    "<",
                    "=",
                    "1",
                    "30 min",
                    "%",
                    "'",
                    "!",
                ]
            ),
            max_size=25,
        ).map(" ".join),
    )
)
def test_any_text_gives_a_condition_or_a_value_error(text: str) -> None:
    try:
        condition = parse_condition(text)
    except ValueError as error:
        assert "\n" not in str(error)
    else:
        assert parse_condition(str(condition)) == condition
        compile_condition(condition, lambda name: 0)
