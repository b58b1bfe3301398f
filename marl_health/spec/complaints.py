"""Pydantic's complaints in plain words, at their place in the file."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import AliasChoices, BaseModel, RootModel, Tag
from typing_extensions import TypeAliasType

from marl_health.spec.errors import Problem, Where
from marl_health.spec.suggest import did_you_mean, nearest
from marl_health.spec.wording import KIND_OF_VALUE, KNOWN, worded

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic.fields import FieldInfo

    from marl_health.spec.document import Document

MOST_PROBLEMS = 200  # complaints kept of one validation


_Entry = Mapping[str, Any]
"""One of pydantic's errors, as a dictionary."""

Allowed = Callable[[Where], Iterable[str] | None]
"""For the `loc` of a model (as pydantic writes it, union tags included), the names of its fields, or None."""


def validation_problems(
    document: Document, error: ValidationError, allowed: Allowed | None = None, at: Where = ()
) -> list[Problem]:
    """Return pydantic's complaints about a document, in plain words, each at its place in the file.

    Args:
        document: what was validated.
        error: what pydantic raised.
        allowed: names the fields at a `loc`, for suggestions; see `allowed_fields`.
        at: path of the validated part, if it was not the whole document.

    Returns:
        The problems in the order of the file; of the alternatives of a union, only those that fit best.
    """
    part: Any = document.data
    for step in at:
        part = part[step]
    found: list[tuple[Where, _Entry]] = []
    for details in error.errors(include_url=False)[:MOST_PROBLEMS]:
        found.append((_path_in(part, details), details))
    problems: dict[tuple[Where, str], Problem] = {}
    kinds: dict[Where, list[Mapping[str, Any]]] = {}
    for path, entry in found:
        if entry["type"] not in KIND_OF_VALUE:
            if entry["type"] == "literal_error" and any(p[: len(path)] == path and p != path for p, _ in found):
                continue  # the word is an alternative to what was begun here
            message = _message(entry, allowed)
            problems[(path, message)] = document.problem((*at, *path), message)
        elif not any(_fits_better(other, other_path, path) for other_path, other in found):
            kinds.setdefault(path, []).append(entry)
    for path, entries in kinds.items():
        message = worded(entries)
        problems[(path, message)] = document.problem((*at, *path), message)
    return sorted(problems.values(), key=lambda problem: (problem.file, problem.line, problem.column))


def _fits_better(entry: Mapping[str, Any], path: Where, than: Where) -> bool:
    """Say whether an error at or below the place `than` is of an alternative that fits but for a detail."""
    return path[: len(than)] == than and (len(path) > len(than) or entry["type"] not in KIND_OF_VALUE)


def _message(entry: Mapping[str, Any], allowed: Allowed | None) -> str:
    loc: Where = entry["loc"]
    if entry["type"] == "extra_forbidden":
        names = allowed(loc[:-1]) if allowed is not None else None
        return f"unknown word '{str(loc[-1])[:60]}'{did_you_mean(str(loc[-1]), names or ())}"
    expected = worded([entry])
    if entry["type"] not in KNOWN and isinstance(entry["input"], dict) and allowed is not None:
        # A discriminator of ours found nothing it knows: most often one key is misspelt.
        names = set(allowed(loc) or ())
        slips = ((key, nearest(key, names)) for key in entry["input"] if key not in names)
        key, close = next((slip for slip in slips if slip[1] is not None), ("", None))
        return f"unknown word '{key[:60]}'; did you mean '{close}'? ({expected})" if close else expected
    if entry["type"] in ("literal_error", "enum", "union_tag_invalid"):
        names = _expected(entry)
        close = nearest(_given(entry), names) if len(names) > 1 else None
        return f"{expected}; did you mean '{close}'?" if close else expected
    return expected


def _expected(entry: _Entry) -> list[str]:
    context = entry.get("ctx", {})
    return str(context.get("expected", context.get("expected_tags", ""))).split("'")[1::2]


def _given(entry: _Entry) -> str:
    read = entry.get("ctx", {}).get("tag", entry["input"])
    return read if isinstance(read, str) else ""


def _path_in(data: Any, entry: Mapping[str, Any]) -> Where:
    """Return the path in the data that an error's `loc` means.

    A `loc` holds names that the data does not: tags of unions, names of validators. Each element is either a
    step into the data or such a name, and a tag may equal a key (``{use: nurse}`` read as the alternative
    ``use``), so the way is chosen that ends at the very value pydantic complains about, and among those the
    one with the most steps.
    """
    loc: Where = entry["loc"]
    missing = entry["type"] == "missing"
    if missing:
        loc = loc[:-1]
    ways: list[tuple[Any, Where]] = [(data, ())]
    for element in loc:
        further = []
        for value, path in ways:
            step = _step(value, element)
            if step is not None:
                further.append((value[step], (*path, step)))
        ways = [*further, *ways][:64]  # steps first: of equals, the first found is kept

    def fit(way: tuple[Any, Where]) -> tuple[bool, bool, int]:
        value, path = way
        same = value is entry["input"] or (not isinstance(value, (dict, list)) and value == entry["input"])
        return same, not missing or isinstance(value, dict), len(path)

    found, path = max(ways, key=fit)
    if entry["type"] == "union_tag_invalid":  # the word at fault is the value of the discriminating key
        step = _step(found, str(entry["ctx"]["discriminator"]).strip("'"))
        return path if step is None else (*path, step)
    return path


def _step(value: Any, element: str | int) -> str | int | None:
    """Return the key or index by which an element of a `loc` leads into a value, or None."""
    if isinstance(value, dict) and str(element) in value:
        return str(element)
    if isinstance(value, list) and isinstance(element, int) and 0 <= element < len(value):
        return element
    return None


# ---------------------------------------------------------------- the fields that a model allows at a place


def allowed_fields(model: type[BaseModel], loc: Where) -> list[str]:
    """Return the names that may be written in the mapping at `loc`, by walking the annotations of a model.

    Args:
        model: the model of the whole document.
        loc: as pydantic gives it: keys (aliases), indices, and tags of unions.

    Returns:
        Aliases where there are any, sorted; of all alternatives if the tags do not tell them apart.
    """
    kinds = _members(model)
    for element in loc:
        chosen = [(kind, tags - {element}) for kind, tags in kinds if element in tags]
        below = [member for kind, _ in kinds for member in _below(kind, element)]
        # Among alternatives a name is a tag, in one type a key, though the two may be spelled alike; what is
        # neither (a validator's name) leads nowhere.
        kinds = (chosen or below if len(kinds) > 1 else below or chosen) or kinds
    names = {name for kind, _ in kinds if _is_model(kind) for name in _names(kind)}
    return sorted(names)


_Kind = tuple[Any, frozenset[str]]
"""A type and the tags that a union knows it by."""


def _members(annotation: Any, tags: frozenset[str] = frozenset()) -> list[_Kind]:
    """Return the alternatives of an annotation, with Annotated, unions, aliases and root models opened."""
    origin = get_origin(annotation)
    if isinstance(annotation, TypeAliasType):
        return _members(annotation.__value__, tags)
    if isinstance(origin, TypeAliasType):
        return _members(origin.__value__, tags)
    if isinstance(annotation, TypeVar):
        return _members(annotation.__bound__ or object, tags)
    if origin is Annotated:
        inner, *extras = get_args(annotation)
        return _members(inner, tags | {extra.tag for extra in extras if isinstance(extra, Tag)})
    if origin in (Union, types.UnionType):
        return [kind for member in get_args(annotation) for kind in _members(member, tags)]
    if _is_model(annotation):
        if issubclass(annotation, RootModel):
            return _members(_fields(annotation)["root"].annotation, tags | {annotation.__name__})
        return [(annotation, tags | {annotation.__name__} | _literals(annotation))]
    return [] if annotation in (None, types.NoneType) else [(annotation, tags)]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and not get_origin(kind) and issubclass(kind, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model, with annotations that were written before their types resolved."""
    if not model.__pydantic_fields_complete__:
        model.model_rebuild()
    return model.model_fields


def _literals(model: type[BaseModel]) -> frozenset[str]:
    """Return the values of a model's Literal fields, which a union may use as its tag."""
    fields = _fields(model).values()
    literals = (get_args(field.annotation) for field in fields if get_origin(field.annotation) is Literal)
    return frozenset(str(value) for values in literals for value in values)


def _below(annotation: Any, element: str | int) -> list[_Kind]:
    """Return the alternatives that stand under a key or index of a type."""
    if _is_model(annotation):
        for name, field in _fields(annotation).items():
            if element == _alias(name, field):
                extras = frozenset(extra.tag for extra in field.metadata if isinstance(extra, Tag))
                return _members(field.annotation, extras)
        return _members(_extra(annotation))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not isinstance(origin, type) or not arguments:
        return []
    if issubclass(origin, Mapping):
        return _members(arguments[-1])
    if issubclass(origin, (Sequence, set, frozenset)) and isinstance(element, int):
        position = element if origin is tuple and arguments[-1] is not Ellipsis and element < len(arguments) else 0
        return _members(arguments[position])
    return []


def _extra(model: type[BaseModel]) -> Any:
    """Return the annotation of the values that a model takes under names that are not its fields, or None."""
    for base in model.__mro__:
        annotation = inspect.get_annotations(base).get("__pydantic_extra__")
        if annotation is not None and base is not BaseModel:
            holder = types.SimpleNamespace(__annotations__={"extra": annotation})
            hints = get_type_hints(holder, vars(sys.modules[base.__module__]), include_extras=True)
            return (get_args(hints["extra"]) or (None,))[-1]
    return None


def _names(model: type[BaseModel]) -> list[str]:
    return [_alias(name, field) for name, field in _fields(model).items()]


def _alias(name: str, field: FieldInfo) -> str:
    """Return the key that a scenario writes for a field."""
    alias = field.validation_alias or field.alias
    if isinstance(alias, AliasChoices):
        alias = next((choice for choice in alias.choices if isinstance(choice, str)), None)
    return alias if isinstance(alias, str) else name
