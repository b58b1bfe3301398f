"""Numbers that depend on parameters of a site: they are worked out when the site is made from its template."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, prod
from typing import Any

from marl_health.spec.errors import Where
from marl_health.spec.numbers import read_key
from marl_health.spec.quantities import parse_share
from marl_health.worlds.flow.model.sites import read_parameter

WHOLE = ("count", "units", "top", "at_most")
"""Words that take whole numbers: what is worked out for them is rounded."""
WHOLE_WITHIN = ("levels", "shifts")


class NoCase(Exception):
    """A parameter has a value for which nothing is said."""


def chosen(value: Mapping[str, Any], parameters: Mapping[str, Any]) -> str | None:
    """The key of the case that holds for a site in ``{by: PARAMETER, ...}``; ``None`` if it is by something else.

    Raises:
        NoCase: there is neither a case for the value of the parameter, nor else.
    """
    by = value.get("by")
    if not isinstance(by, str) or by not in parameters or "table" in value:
        return None
    given = read_parameter(parameters[by])
    for key in value:
        if key not in ("by", "else", "source", "note") and read_key(key) == given:
            return key
    if "else" in value:
        return "else"
    raise NoCase(f"no case for {by} = {parameters[by]}; add one, or else")


def worked_out(value: Any, parameters: Mapping[str, Any], path: Where) -> float | int | None:
    """The number that a product, a sum or a share of parameters is; ``None`` if no parameter is in it, or more."""
    if not isinstance(value, dict) or not _mentions(value, parameters):
        return None
    number = _number(value, parameters)
    if number is None:
        return None
    if path and (path[-1] in WHOLE or set(path) & set(WHOLE_WITHIN)):
        return floor(number + 0.5)
    return number


def _mentions(value: Any, parameters: Mapping[str, Any]) -> bool:
    if isinstance(value, str):
        return value in parameters
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_mentions(item, parameters) for item in items)


def _number(value: Any, parameters: Mapping[str, Any]) -> float | None:
    """A number, if nothing but numbers and parameters is in it."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        if value in parameters:
            return _number(read_parameter(parameters[value]), {})
        try:
            return parse_share(value) if value.endswith("%") else None
        except ValueError:
            return None
    if not isinstance(value, dict):
        return None
    said = {key: part for key, part in value.items() if key not in ("source", "note")}
    if said.keys() <= {"share", "of", "at_least"} and {"share", "of"} <= said.keys():
        share, whole, least = (_number(said.get(key, 0), parameters) for key in ("share", "of", "at_least"))
        if share is None or whole is None or least is None:
            return None
        return max(share * whole, least)
    for word, together in (("times", prod), ("plus", sum)):
        if said.keys() == {word} and isinstance(said[word], list):
            parts = [_number(part, parameters) for part in said[word]]
            return None if any(part is None for part in parts) else float(together(parts))  # type: ignore[arg-type]
    key = chosen(said, parameters)
    return None if key is None else _number(said[key], parameters)
