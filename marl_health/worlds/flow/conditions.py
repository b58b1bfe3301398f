"""Compiles conditions on an entity's attributes, and notes comparisons that make no sense."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from marl_health.spec.conditions import And, Compare, Condition, In, Not, Or, compile_condition
from marl_health.spec.errors import Where
from marl_health.spec.quantities import parse_quantity
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow.asked import holds
from marl_health.worlds.flow.dimensions import DIMENSIONS
from marl_health.worlds.flow.names import Names, shown_value
from marl_health.worlds.flow.program import Test

LISTED = 12


def compile_test(names: Names, condition: Condition, path: Where, kinds: Sequence[int]) -> Test:
    """Compile a condition on the attributes of entities of these kinds.

    Args:
        names: what names stand for, and where problems are collected.
        condition: as parsed.
        path: where it stands.
        kinds: indices of the entity types it is asked of; each needs every attribute that it reads.

    Returns:
        A test over an entity's values; after a problem one that never holds.
    """
    condition = settled(names, condition, path)
    sound = True
    for part in _parts(condition):
        if "." in part.name:
            allowed = ", ".join(sorted(slot for slot in names.slots if "." not in slot)[:LISTED])
            names.problem(
                path, f"'{part.name}' is no attribute; a condition asks what the entity has (known: {allowed})"
            )
            sound = False
            continue
        found = names.attribute(part.name, path, kinds)
        if found is None:
            sound = False
            continue
        complaint = _complaint(part, names.attributes[kinds[0]][part.name].dimension, found[1])
        if complaint:
            names.problem(path, complaint)
            sound = False
    if not sound:
        return lambda values: False
    return compile_condition(condition, lambda name: names.slots[name])


def settled(names: Names, condition: Condition, path: Where) -> Condition:
    """A condition in which ``site.trauma == 1`` lists the sites for whose parameter that holds."""
    sites = names.scenario.sites
    if not sites or not any("." in name for name in condition.names()):
        return condition
    if isinstance(condition, And | Or):
        return type(condition)(tuple(settled(names, part, path) for part in condition.parts))
    if isinstance(condition, Not):
        return Not(settled(names, condition.part, path))
    name, _, word = condition.name.partition(".")
    if not word or name not in names.slots:
        return condition
    if not any(word in site.parameters for site in sites.values()):
        known = dict.fromkeys(parameter for site in sites.values() for parameter in site.parameters)
        names.problem(path, f"no site has a parameter '{word}'{did_you_mean(word, known)}")
    asked = replace(condition, name=word)
    return In(name, tuple(site for site, spec in sites.items() if holds(asked, spec.parameters)))


def _complaint(part: Any, dimension: str, possible: frozenset[Any] | None) -> str:
    """What is wrong with comparing an attribute so; empty if nothing is."""
    if dimension == "any":
        return ""
    name = part.name
    if not isinstance(part, Compare | In):
        if dimension == "flag":
            return ""
        example = "30 min" if dimension == "time" else _example(possible)
        what = DIMENSIONS[dimension].partition(",")[0]
        return f"{name} is {what}, not yes or no; compare it, as in {name} == {example}"
    if isinstance(part, Compare) and part.op not in ("==", "!="):
        if dimension in ("text", "flag"):
            what = "yes or no" if dimension == "flag" else "a word"
            remedy = f"{name} or not {name}" if dimension == "flag" else f"{name} == {_example(possible)}"
            return f"{name} is {what} and has no order; write {remedy}"
        return _other_dimension(name, part.value, part.written, dimension)
    values, texts = (part.values, part.written) if isinstance(part, In) else ((part.value,), (part.written,))
    for value, text in zip(values, texts or [""] * len(values), strict=True):
        if possible is not None and value in possible:
            continue
        if possible is not None:
            allowed = [shown_value(other) for other in possible]
            listed = ", ".join(sorted(allowed)[:LISTED])
            hint = did_you_mean(shown_value(value), allowed).partition(" (")[0]
            return f"{name} is never '{shown_value(value)}' (it is one of {listed}){hint}"
        complaint = _other_dimension(name, value, text, dimension)
        if complaint:
            return complaint
    return ""


def _other_dimension(name: str, value: Any, text: str, dimension: str) -> str:
    """What to say if a value is of another kind than the attribute it is compared with."""
    if isinstance(value, str | bool):
        given = "flag" if isinstance(value, bool) else "text"
    else:
        try:
            given = str(parse_quantity(text)[1])
        except ValueError:
            given = "number"
    if given == dimension or {given, dimension} == {"number", "share"}:
        return ""
    return f"{name} is compared with {text or shown_value(value)}, but it is {DIMENSIONS[dimension]}"


def _example(possible: frozenset[Any] | None) -> str:
    return shown_value(min(possible, key=str)) if possible else "2"


def _parts(condition: Condition) -> list[Any]:
    """The comparisons and bare names in a condition."""
    if isinstance(condition, And | Or):
        return [found for part in condition.parts for found in _parts(part)]
    if isinstance(condition, Not):
        return _parts(condition.part)
    return [condition]
