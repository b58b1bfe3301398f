"""The words and signs of a condition, and what to write instead of those that mean nothing."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, NoReturn

from marl_health.spec.errors import shown

Operator = Literal["==", "!=", "<", "<=", ">", ">="]
Value = float | str | bool

MOST_NUMBER = 1e15
OPERATORS: dict[str, Operator] = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
RESERVED = frozenset({"and", "or", "not", "in"})
TRUTH = {"yes": True, "true": True, "no": False, "false": False}
SIGNS = {
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
"""Signs of other languages, and what to write here instead."""

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)
    |(?P<quoted>'[^']*'|"[^"]*")
    |(?P<sign>===|!==|==|!=|<=|>=|=>|=<|<>|&&|\|\||[<>=!&|()\[\],%/≤≥≠])
    )""",
    re.VERBOSE,
)
_PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")


class Token(NamedTuple):
    """A word or sign and where it stands in the text; `kind` is number, word, quoted, sign or end."""

    kind: str
    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a condition; the last one is of the kind ``end``.

    Raises:
        ValueError: at a sign that no condition holds.
    """
    tokens: list[Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            sign = text[at]
            if sign in "'\"":
                fail(text, at, "the quotation mark is never closed")
            if sign in "+-*^":
                fail(text, at, f"'{sign}' computes; a condition only compares a name with a value")
            fail(text, at, f"{shown(sign)} means nothing here; write one such as acuity <= 2 and not walks")
        kind = found.lastgroup or ""
        tokens.append(Token(kind, found.group(kind), found.start(kind), found.end()))
        at = found.end()
    tokens.append(Token("end", "", end, end))
    return tokens


def fail(text: str, start: int, message: str) -> NoReturn:
    """Raise the error about the place `start` of a condition."""
    raise ValueError(f"column {start + 1} of {shown(text, 80)}: {message}")


def is_unit(token: Token) -> bool:
    """Say whether a token may belong to the unit of the number before it."""
    if token.kind == "word":
        return token.text.lower() not in RESERVED
    return token.kind == "sign" and token.text in "%/"


def written_as(value: Value) -> str:
    """Return a value as a condition writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return repr(value)
    if _PLAIN_WORD.fullmatch(value) and value not in RESERVED and value not in TRUTH:
        return value
    return f'"{value}"' if "'" in value else f"'{value}'"


def remedy(token: Token) -> str:
    """Return what to write instead of a token that does not belong where it stands."""
    text = token.text
    low = text.lower()
    if token.kind == "end":
        return "the condition ends too early"
    if token.kind == "sign" and text in SIGNS:
        return f"write '{SIGNS[text]}' instead of '{text}'"
    if token.kind == "sign" and text in OPERATORS:
        return f"'{text}' is not expected here; compare one name with one value, and join with 'and' or 'or'"
    if text == ")":
        return "this ')' closes nothing; remove it, or open one before"
    if token.kind == "word" and low in RESERVED:
        return f"write '{low}' in small letters" if low != text else f"a name is expected before '{text}'"
    if token.kind == "word" and low in ("is", "equals"):
        return f"write '==' instead of '{text}'"
    return f"'{text[:40]}' is not expected here; join conditions with 'and' or 'or'"
