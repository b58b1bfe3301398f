"""Conditions of the scenario language, such as ``acuity <= 2 and not walks``.

A grammar of ours, parsed here and never evaluated as Python::

    condition  = conjunction {"or" conjunction}
    conjunction = negation {"and" negation}
    negation   = "not" negation | term
    term       = "(" condition ")" | name | name comparison value | name ["not"] "in" "[" value {"," value} "]"
    comparison = "==" | "!=" | "<" | "<=" | ">" | ">="
    value      = number | quantity (30 min, 9%, 400 usd) | yes | no | true | false | word | 'quoted text'

Names stand on the left, values on the right, so a bare word on the right is a text: ``speciality == orthopaedic``.
Quantities are kept in their base unit (minutes, dollars, fractions of 1).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, NoReturn

from marl_health.spec.errors import shown
from marl_health.spec.quantities import parse_quantity

MOST_CHARACTERS = 500
MOST_DEPTH = 20
MOST_TERMS = 60

Operator = Literal["==", "!=", "<", "<=", ">", ">="]
Value = float | str | bool
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
        return f"{self.name} {self.op} {self.written or _text(self.value)}"


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
        return f"{self.name} in [{', '.join(self.written or map(_text, self.values))}]"


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


# --------------------------------------------------------------------------------------------------- reading the text

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)
    |(?P<quoted>'[^']*'|"[^"]*")
    |(?P<sign>===|!==|==|!=|<=|>=|=>|=<|<>|&&|\|\||[<>=!&|()\[\],%/≤≥≠])
    )""",
    re.VERBOSE,
)
_SIGNS = {
    "=": "==",
    "===": "==",
    "!==": "!=",
    "=>": ">=",
    "=<": "<=",
    "<>": "!=",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
}
_OPERATORS: dict[str, Operator] = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_RESERVED = frozenset({"and", "or", "not", "in"})
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}
_PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")


class _Token(NamedTuple):
    kind: str  # number, word, quoted, sign or end
    text: str
    start: int
    end: int


def _text(value: Value) -> str:
    """Return a value as a condition would write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return repr(value)
    if _PLAIN_WORD.fullmatch(value) and value not in _RESERVED and value not in _TRUTH:
        return value
    return f'"{value}"' if "'" in value else f"'{value}'"


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens()
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

    def _tokens(self) -> list[_Token]:
        tokens: list[_Token] = []
        at = 0
        end = len(self.text.rstrip())
        while at < end:
            found = _TOKEN.match(self.text, at)
            if found is None:
                at += len(self.text[at:]) - len(self.text[at:].lstrip())
                sign = self.text[at]
                if sign in "'\"":
                    self._fail(at, "the quotation mark is never closed")
                self._fail(
                    at,
                    f"{shown(sign)} means nothing in a condition; write one such as acuity <= 2 and not walks",
                )
            kind = found.lastgroup or ""
            tokens.append(_Token(kind, found.group(kind), found.start(kind), found.end()))
            at = found.end()
        tokens.append(_Token("end", "", end, end))
        return tokens

    def _fail(self, start: int, message: str) -> NoReturn:
        raise ValueError(f"column {start + 1} of {shown(self.text, 80)}: {message}")

    def _peek(self) -> _Token:
        return self.tokens[self.at]

    def _take(self) -> _Token:
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

    def _deeper(self, token: _Token) -> None:
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
        if token.kind != "word" or token.text in _RESERVED:
            self._no_name(token)
        following = self._peek()
        if following.kind == "sign" and following.text in _OPERATORS:
            self.at += 1
            return self._compare(token.text, _OPERATORS[following.text], following)
        if self._takes("in"):
            return self._in(token.text)
        if following.text == "not" and following.kind == "word" and self.tokens[self.at + 1].text == "in":
            self.at += 2
            return Not(self._in(token.text))
        return Truth(token.text)

    def _compare(self, name: str, op: Operator, sign: _Token) -> Compare:
        start = self._peek().start
        value, written = self._value()
        if op not in ("==", "!=") and (isinstance(value, (str, bool))):
            self._fail(
                start, f"'{sign.text}' compares numbers; {shown(value)} is none (use == or != for words)"
            )
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
            return text, _text(text)
        if token.kind == "word" and token.text not in _RESERVED:
            value = _TRUTH.get(token.text, token.text)
            return value, _text(value)
        if token.kind == "number":
            return self._number(token)
        remedy = "a number, a word, or a quantity such as 30 min"
        if token.kind == "end":
            self._fail(token.start, f"the condition ends before a value; {remedy} is expected")
        if token.text in _SIGNS:
            self._unexpected(token)
        self._fail(token.start, f"'{token.text}' stands where a value is expected: {remedy}")

    def _number(self, token: _Token) -> tuple[Value, str]:
        """Return a number, in its base unit if words or signs of a unit follow it."""
        end = token.end
        while self._is_unit(self._peek()):
            end = self._take().end
        if end > token.end:
            written = self.text[token.start : end]
            try:
                return parse_quantity(written)[0], " ".join(written.split())
            except ValueError as error:
                self._fail(token.start, str(error))
        number = float(token.text)
        if not abs(number) <= 1e15:
            self._fail(token.start, f"the number {shown(token.text, 30)} is too large")
        value = int(number) if number.is_integer() and token.text.lstrip("+-").isdigit() else number
        return value, repr(value)

    @staticmethod
    def _is_unit(token: _Token) -> bool:
        if token.kind == "word":
            return token.text not in _RESERVED and token.text.lower() not in _RESERVED
        return token.kind == "sign" and token.text in "%/"

    def _no_name(self, token: _Token) -> NoReturn:
        """Say what is wrong with a token that stands where a name is expected."""
        if token.kind == "end":
            self._fail(token.start, "the condition ends too early; a name is expected here")
        if token.kind in ("number", "quoted"):
            message = (
                f"{token.text} stands where a name is expected; write the name first, such as acuity >= 2"
            )
            if self.at > 1 and self.tokens[self.at - 2].text == "or":
                message += ", and repeat it after 'or' (or write acuity in [1, 2])"
            self._fail(token.start, message)
        self._unexpected(token)

    def _unexpected(self, token: _Token) -> NoReturn:
        """Say what to write instead of a token that does not belong where it stands."""
        if token.kind == "sign" and token.text in _SIGNS:
            self._fail(token.start, f"write '{_SIGNS[token.text]}' instead of '{token.text}'")
        if token.kind == "sign" and token.text in _OPERATORS:
            self._fail(
                token.start,
                f"'{token.text}' is not expected here; compare one name with one value, join with 'and'",
            )
        if token.text == ")":
            self._fail(token.start, "this ')' closes nothing; remove it, or open one before")
        if token.kind == "word":
            low = token.text.lower()
            if low in _RESERVED and low != token.text:
                self._fail(token.start, f"write '{low}' in small letters")
            if low in ("is", "equals"):
                self._fail(token.start, f"write '==' instead of '{token.text}'")
            if token.text in _RESERVED:
                self._fail(token.start, f"a name is expected before '{token.text}'")
        self._fail(
            token.start,
            f"'{shown(token.text).strip(chr(39))}' is not expected here; join conditions with 'and' or 'or'",
        )
