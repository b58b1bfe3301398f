"""Conditions of the scenario language, such as ``acuity <= 2 and not walks``.

A grammar of ours, parsed here and never evaluated as Python::

    condition  = conjunction {"or" conjunction}
    conjunction = negation {"and" negation}
    negation   = "not" negation | term
    term       = "(" condition ")" | name | name comparison value | name ["not"] "in" list
    list       = "[" value {"," value} "]"
    comparison = "==" | "!=" | "<" | "<=" | ">" | ">="
    value      = number | quantity (30 min, 9%, 400 usd) | yes | no | true | false | word | 'quoted text'

Names stand on the left, values on the right, so a bare word on the right is a text, as in
``speciality == orthopaedic``. Quantities are kept in their base unit (minutes, dollars, fractions of 1).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from marl_health.spec.condition_tokens import (
    MOST_NUMBER,
    OPERATORS,
    RESERVED,
    SIGNS,
    TRUTH,
    Operator,
    Token,
    Value,
    fail,
    is_unit,
    remedy,
    tokens_of,
    written_as,
)
from marl_health.spec.errors import shown
from marl_health.spec.quantities import parse_quantity

MOST_CHARACTERS = 500
MOST_DEPTH = 20
MOST_TERMS = 60

Test = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True)
class Compare:
    """``name op value``; a quantity is in its base unit, and `written` keeps how it was written."""

    name: str
    op: Operator
    value: Value
    written: str = field(default="", compare=False)

    def names(self) -> set[str]:
        """Return the names that the condition reads."""
        return {self.name}

    def __str__(self) -> str:
        return f"{self.name} {self.op} {self.written or written_as(self.value)}"


@dataclass(frozen=True)
class In:
    """``name in [values]``."""

    name: str
    values: tuple[Value, ...]
    written: tuple[str, ...] = field(default=(), compare=False)

    def names(self) -> set[str]:
        """Return the names that the condition reads."""
        return {self.name}

    def __str__(self) -> str:
        return f"{self.name} in [{', '.join(self.written or map(written_as, self.values))}]"


@dataclass(frozen=True)
class Truth:
    """A name alone: true if its value is."""

    name: str

    def names(self) -> set[str]:
        """Return the names that the condition reads."""
        return {self.name}

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Not:
    """``not part``."""

    part: Condition

    def names(self) -> set[str]:
        """Return the names that the condition reads."""
        return self.part.names()

    def __str__(self) -> str:
        return f"not ({self.part})" if isinstance(self.part, (And, Or)) else f"not {self.part}"


@dataclass(frozen=True)
class And:
    """All parts hold; at least two."""

    parts: tuple[Condition, ...]

    def names(self) -> set[str]:
        """Return the names that the condition reads."""
        return set().union(*(part.names() for part in self.parts))

    def __str__(self) -> str:
        return " and ".join(f"({part})" if isinstance(part, (And, Or)) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Or:
    """At least one part holds; at least two."""

    parts: tuple[Condition, ...]

    def names(self) -> set[str]:
        """Return the names that the condition reads."""
        return set().union(*(part.names() for part in self.parts))

    def __str__(self) -> str:
        return " or ".join(f"({part})" if isinstance(part, Or) else str(part) for part in self.parts)


Condition = Compare | In | Truth | Not | And | Or


def parse_condition(text: object) -> Condition:
    """Return the condition that a text states.

    Raises:
        ValueError: with the column in the text and the remedy, if it states none.
    """
    if isinstance(text, bool) or not isinstance(text, str):
        raise ValueError(f"{shown(text)} is not a condition; write one such as acuity <= 2")
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the condition has {len(text)} characters; at most {MOST_CHARACTERS} are allowed")
    if not text.strip():
        raise ValueError("the condition is empty; write one such as acuity <= 2")
    return _Parser(text).parse()


def compile_condition(condition: Condition, slot_of: Callable[[str], int]) -> Callable[[Sequence[Any]], bool]:
    """Return a fast test over a list of values.

    Args:
        condition: what to test.
        slot_of: the place of a name's value in the list.

    Returns:
        A function of the list of values; its result is true or false.
    """
    test = _test(condition, slot_of)
    if isinstance(condition, Truth):
        return lambda values: bool(test(values))
    return test


def _test(condition: Condition, slot_of: Callable[[str], int]) -> Test:
    """Return a test whose result may be any value that is true or false."""
    if isinstance(condition, Truth):
        return operator.itemgetter(slot_of(condition.name))
    if isinstance(condition, Compare):
        return _comparison(slot_of(condition.name), condition.op, condition.value)
    if isinstance(condition, In):
        return _membership(slot_of(condition.name), frozenset(condition.values))
    if isinstance(condition, Not):
        inner = _test(condition.part, slot_of)
        return lambda values: not inner(values)
    tests = [_test(part, slot_of) for part in condition.parts]
    test = tests.pop()
    join = _both if isinstance(condition, And) else _either
    while tests:
        test = join(tests.pop(), test)
    return test


def _comparison(slot: int, op: Operator, value: Value) -> Test:
    """One closure per operator: a generic one would cost a second call per test."""
    if op == "==":
        return lambda values: values[slot] == value
    if op == "!=":
        return lambda values: values[slot] != value
    number: Any = value
    if op == "<":
        return lambda values: values[slot] < number
    if op == "<=":
        return lambda values: values[slot] <= number
    if op == ">":
        return lambda values: values[slot] > number
    return lambda values: values[slot] >= number


def _membership(slot: int, allowed: frozenset[Value]) -> Test:
    return lambda values: values[slot] in allowed


def _both(first: Test, second: Test) -> Test:
    return lambda values: first(values) and second(values)


def _either(first: Test, second: Test) -> Test:
    return lambda values: first(values) or second(values)


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.at = 0
        self.depth = 0
        self.terms = 0

    def parse(self) -> Condition:
        """Read the whole text."""
        condition = self._or()
        token = self._peek()
        if token.kind != "end":
            self._unexpected(token)
        return condition

    def _fail(self, start: int, message: str) -> NoReturn:
        fail(self.text, start, message)

    def _peek(self) -> Token:
        return self.tokens[self.at]

    def _take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def _takes(self, text: str) -> bool:
        token = self._peek()
        if token.kind in ("word", "sign") and token.text == text:
            self.at += 1
            return True
        return False

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._takes("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self) -> Condition:
        parts = [self._not()]
        while self._takes("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self) -> Condition:
        token = self._peek()
        if self._takes("not"):
            self._deeper(token)
            part = self._not()
            self.depth -= 1
            return Not(part)
        return self._term()

    def _deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            self._fail(token.start, f"nested more than {MOST_DEPTH} deep; write a simpler condition")

    def _term(self) -> Condition:
        token = self._take()
        self.terms += 1
        if self.terms > MOST_TERMS:
            self._fail(token.start, f"more than {MOST_TERMS} parts; write a simpler condition")
        if token.text == "(" and token.kind == "sign":
            self._deeper(token)
            inner = self._or()
            self.depth -= 1
            if not self._takes(")"):
                if self._peek().kind == "end":
                    self._fail(token.start, "this '(' is never closed; add a ')'")
                self._unexpected(self._peek())
            return inner
        if token.kind != "word" or token.text.lower() in RESERVED:
            self._no_name(token)
        following = self._peek()
        if following.kind == "sign" and following.text in OPERATORS:
            self.at += 1
            return self._compare(token.text, OPERATORS[following.text], following)
        if self._takes("in"):
            return self._in(token.text)
        if following.text == "not" and following.kind == "word" and self.tokens[self.at + 1].text == "in":
            self.at += 2
            return Not(self._in(token.text))
        return Truth(token.text)

    def _compare(self, name: str, op: Operator, sign: Token) -> Compare:
        start = self._peek().start
        value, written = self._value()
        if op not in ("==", "!=") and (isinstance(value, (str, bool))):
            self._fail(start, f"'{sign.text}' compares numbers; {shown(value)} is none (use == or != for words)")
        return Compare(name, op, value, written)

    def _in(self, name: str) -> In:
        opening = self._peek()
        if not self._takes("["):
            self._fail(opening.start, f"a list follows 'in'; write {name} in [1, 2]")
        values: list[Value] = []
        written: list[str] = []
        while True:
            value, text = self._value()
            values.append(value)
            written.append(text)
            if self._takes("]"):
                return In(name, tuple(values), tuple(written))
            if self._peek().kind == "end":
                self._fail(opening.start, "this '[' is never closed; add a ']'")
            if not self._takes(","):
                self._fail(self._peek().start, "a ',' or ']' is expected here")
            if len(values) >= MOST_TERMS:
                self._fail(opening.start, f"more than {MOST_TERMS} values in a list")

    def _value(self) -> tuple[Value, str]:
        """Return the value that comes next, and how a condition writes it."""
        token = self._take()
        if token.kind == "quoted":
            text = token.text[1:-1]
            return text, written_as(text)
        if token.kind == "word" and token.text not in RESERVED:
            value = TRUTH.get(token.text, token.text)
            return value, written_as(value)
        if token.kind == "number":
            return self._number(token)
        wanted = "a number, a word, or a quantity such as 30 min"
        if token.kind == "end":
            self._fail(token.start, f"the condition ends before a value; {wanted} is expected")
        if token.text in SIGNS:
            self._unexpected(token)
        self._fail(token.start, f"'{token.text}' stands where a value is expected: {wanted}")

    def _number(self, token: Token) -> tuple[Value, str]:
        """Return a number, in its base unit if words or signs of a unit follow it."""
        end = token.end
        while is_unit(self._peek()):
            end = self._take().end
        if end > token.end:
            written = self.text[token.start : end]
            try:
                return parse_quantity(written)[0], " ".join(written.split())
            except ValueError as error:
                self._fail(token.start, str(error))
        number = float(token.text)
        if not abs(number) <= MOST_NUMBER:
            self._fail(token.start, f"the number {shown(token.text, 30)} is too large")
        value = int(number) if number.is_integer() and token.text.lstrip("+-").isdigit() else number
        return value, repr(value)

    def _no_name(self, token: Token) -> NoReturn:
        """Say what is wrong with a token that stands where a name is expected."""
        if token.kind == "end":
            self._fail(token.start, "the condition ends too early; a name is expected here")
        if token.kind in ("number", "quoted"):
            message = f"{token.text} stands where a name is expected; write the name first, such as acuity >= 2"
            if self.at > 1 and self.tokens[self.at - 2].text == "or":
                message += ", and repeat it after 'or' (or write acuity in [1, 2])"
            self._fail(token.start, message)
        self._unexpected(token)

    def _unexpected(self, token: Token) -> NoReturn:
        self._fail(token.start, remedy(token))
