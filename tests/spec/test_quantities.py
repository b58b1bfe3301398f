"""Quantities: what they are worth in base units, and what a slip is told."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marl_health.spec.quantities import (
    parse_clock_time,
    parse_duration,
    parse_money,
    parse_money_rate,
    parse_quantity,
    parse_rate,
    parse_share,
    parse_weekday_time,
)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30 min", 30.0),
        ("30min", 30.0),
        (" 30  min ", 30.0),
        ("2 h", 120.0),
        ("1 hour", 60.0),
        ("1.5 hours", 90.0),
        ("45 s", 0.75),
        ("1 day", 1440.0),
        ("3 days", 4320.0),
        ("4.7 days", 6768.0),
        ("2 weeks", 20160.0),
        ("0 min", 0.0),
        ("1e2 min", 100.0),
        (".5 h", 30.0),
        ("2 H", 120.0),
    ],
)
def test_durations_are_minutes(text: str, minutes: float) -> None:
    assert parse_duration(text) == pytest.approx(minutes, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("9%", 0.09),
        ("9 %", 0.09),
        ("1.1%", 0.011),
        ("100%", 1.0),
        ("0%", 0.0),
        (0.09, 0.09),
        (1, 1.0),
        ("0.25", 0.25),
    ],
)
def test_shares_are_exact_fractions(text: object, share: float) -> None:
    assert parse_share(text) == share


def test_a_share_may_exceed_one_where_that_is_asked_for() -> None:
    assert parse_share("110%", most=1.5) == pytest.approx(1.1)
    with pytest.raises(ValueError, match="more than 150%"):
        parse_share("160%", most=1.5)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("38 usd per bed_hour", 38 / 60),
        ("38 usd/bed_hour", 38 / 60),
        ("32 usd per hour", 32 / 60),
        ("1440 usd / day", 1.0),
        ("60 USD per ward_bed_hour", 1.0),
    ],
)
def test_money_rates_are_dollars_per_minute(text: str, rate: float) -> None:
    assert parse_money_rate(text) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("4 per_hour", 4 / 60),
        ("4 per hour", 4 / 60),
        ("0.12/h", 0.002),
        ("210 per day", 210 / 1440),
        ("1 / min", 1.0),
    ],
)
def test_rates_are_per_minute(text: str, rate: float) -> None:
    assert parse_rate(text) == pytest.approx(rate)


def test_money_and_times() -> None:
    assert parse_money("2400 usd") == 2400.0
    assert parse_clock_time("07:30") == 450.0
    assert parse_clock_time("24:00") == 1440.0
    assert parse_weekday_time("Monday 00:00") == 0.0
    assert parse_weekday_time("sunday 23:59") == 7 * 1440.0 - 1


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("30 min", 30.0, "time"),
        ("9%", 0.09, "share"),
        ("400 usd", 400.0, "money"),
        ("60 usd per bed_hour", 1.0, "money_rate"),
        ("60 per_hour", 1.0, "rate"),
    ],
)
def test_any_quantity_tells_its_dimension(text: str, value: float, dimension: str) -> None:
    assert parse_quantity(text) == (value, dimension)


@pytest.mark.parametrize(
    ("parse", "text", "words"),
    [
        (parse_duration, 30, "30 has no unit; write a unit, such as 30 min or 2 h"),
        (parse_duration, "30", "no unit"),
        (parse_duration, True, "true: write a unit"),
        (parse_duration, None, "nothing: write a unit"),
        (parse_duration, ["30 min"], "a list"),
        (parse_duration, "-3 min", "negative"),
        (parse_duration, "30 minuets", "did you mean minutes?"),
        (parse_duration, "3 huors", "did you mean hours?"),
        (parse_duration, "1,5 h", "a point for decimals"),
        (parse_duration, "1 h 30 min", "one number and one unit"),
        (parse_duration, "5 m", "minutes or months"),
        (parse_duration, "2 months", "number of days"),
        (parse_duration, "9%", "'9%' is a share; write a duration"),
        (parse_duration, "4 per_hour", "is a rate; write a duration"),
        (parse_duration, "half an hour", "does not begin with a number"),
        (parse_duration, "never", "does not begin with a number"),
        (parse_duration, "inf min", "does not begin with a number"),
        (parse_duration, "1e400 min", "too large"),
        (parse_duration, "2e9 s", "too large"),
        (parse_duration, "1e8 weeks", "too large"),
        (parse_duration, "1" * 300 + " min", "too long"),
        (parse_duration, "1_000 min", "without anything between"),
        (parse_share, 9, "did you mean 9%?"),
        (parse_share, "110%", "more than 100%"),
        (parse_share, "-4%", "negative"),
        (parse_share, -0.1, "between 0% and 100%"),
        (parse_share, math.nan, "too large"),
        (parse_share, math.inf, "too large"),
        (parse_share, True, "write a share"),
        (parse_share, "9 percent", "write the sign"),
        (parse_money, "$5", "unit after the number"),
        (parse_money, "2,400 usd", "without anything between"),
        (parse_money, "5 eur", "US dollars"),
        (parse_money, "5 usdd", "did you mean usd?"),
        (parse_money, "5 usd per hour", "is a cost over time; write an amount"),
        (parse_money_rate, "38 usd", "is an amount of money; write a cost over time"),
        (parse_money_rate, "38 usd per bed", "not a unit of time"),
        (parse_rate, "4 per houre", "did you mean hour?"),
        (parse_rate, "4 per bed_hour", "not a unit of time"),
        (parse_rate, "4 h", "is a duration; write a rate"),
        (parse_clock_time, "24:01", "00:00 to 24:00"),
        (parse_clock_time, "07:60", "00:00 to 24:00"),
        (parse_clock_time, "7 am", "24-hour clock"),
        (parse_clock_time, 450, "such as 07:30"),
        (parse_weekday_time, "Tusday 01:00", "did you mean Tuesday?"),
        (parse_weekday_time, "Mon 00:00", "did you mean Monday?"),
        (parse_weekday_time, "Friday", "Monday 00:00"),
        (parse_weekday_time, "Sunday 24:00", "write Monday 00:00"),
        (parse_weekday_time, "00:00", "not a weekday"),
        (parse_weekday_time, 3, "not a time of the week"),
        (parse_quantity, "5 parsecs", "is not a unit"),
        (parse_quantity, "7", "no unit"),
    ],
)
def test_slips_are_told_how_to_mend(parse: Callable[[object], object], text: object, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    message = str(caught.value)
    assert words in message
    assert "\n" not in message
    assert len(message) < 300


PARSERS = [
    parse_duration,
    parse_share,
    parse_money,
    parse_money_rate,
    parse_rate,
    parse_clock_time,
    parse_weekday_time,
    parse_quantity,
]
_TEXTS = st.one_of(
    st.text(max_size=120),
    st.lists(
        st.sampled_from(["1", "-", ".", "e9", " ", "min", "h", "usd", "per", "_", "/", "%", ":", "Monday", "٣"])
    ).map("".join),
    st.floats(),
    st.integers(),
    st.none(),
    st.lists(st.integers(), max_size=2),
)


@settings(max_examples=500, deadline=None)
@given(_TEXTS, st.sampled_from(PARSERS))
def test_any_value_gives_a_number_or_a_value_error(text: object, parse: Callable[[object], object]) -> None:
    try:
        value = parse(text)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    number = value[0] if isinstance(value, tuple) else value
    assert isinstance(number, float)
    assert 0.0 <= number <= 1e9


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 1e5), st.sampled_from(["s", "min", "h", "days", "weeks"]))
def test_durations_read_back(value: float, unit: str) -> None:
    minutes = {"s": 1 / 60, "min": 1, "h": 60, "days": 1440, "weeks": 10080}[unit]
    assert parse_duration(f"{value!r} {unit}") == pytest.approx(value * minutes, rel=1e-12)
