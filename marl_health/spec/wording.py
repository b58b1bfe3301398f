"""Pydantic's complaints in the words of people who write scenarios."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic_core import core_schema

from marl_health.spec.errors import shown

_NUMBER = "a plain number"
_WHOLE = "a whole number"
_TEXT = "a text"
_MAPPING = "a mapping (lines of 'key: value')"
_LIST = "a list, such as [a, b]"
_YES_NO = "yes or no"

NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
"""How a name is spelled."""
WRITTEN = r"^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)?$"
"""How a file may write it: what a template lists is referred to as TEMPLATE.NAME, and settled before names are read."""

KIND_OF_VALUE = {
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "string_type": _TEXT,
    "bool_type": _YES_NO,
    "bool_parsing": _YES_NO,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dataclass_type": _MAPPING,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "none_required": "left out",
}
"""The errors that only say that a value is of the wrong kind, and the kind that was wanted."""

KNOWN = frozenset(get_args(core_schema.ErrorType)) - {"union_tag_not_found"}
"""Errors whose message is pydantic's; any other is one that a model of ours words itself."""

_BOUND = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}


def worded(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return one message for the errors of one value; several are the alternatives of a union.

    Args:
        entries: as `ValidationError.errors()` gives them; at least one. If there are several, each says only
            that the value is of the wrong kind.
    """
    entry = entries[0]
    value = shown(entry["input"])
    if entry["type"] in KIND_OF_VALUE:
        wanted = list(dict.fromkeys(KIND_OF_VALUE[other["type"]] for other in entries))
        wanted = [kind for kind in wanted if kind != "left out"] or wanted
        return f"should be {_either(wanted)}, not {value}"
    context: Mapping[str, Any] = entry.get("ctx", {})
    match entry["type"]:
        case "missing":
            field = entry["loc"][-1]
            return f"needs '{field}'" if isinstance(field, str) else f"needs an entry number {field + 1}"
        case "extra_forbidden":
            return f"unknown word '{entry['loc'][-1]}'"
        case "value_error" | "assertion_error":
            return str(context["error"]) if "error" in context else str(entry["msg"]).partition(", ")[2]
        case "literal_error" | "enum":
            return f"{value} is not allowed here; write {_quoteless(context.get('expected', ''))}"
        case "union_tag_invalid":
            tags = _quoteless(context.get("expected_tags", ""))
            return f"{shown(context.get('tag'))} is not allowed here; write one of {tags}"
        case "union_tag_not_found":
            discriminator = str(context.get("discriminator", "")).strip("'")
            return f"needs '{discriminator}'" if discriminator.isidentifier() else f"{value} fits nothing known here"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" | "multiple_of":
            words, bound = _BOUND[entry["type"]]
            return f"should be {words} {context.get(bound)}, not {value}"
        case "finite_number":
            return f"should be a finite number, not {value}"
        case "too_short" | "too_long":
            actual, least, most = (context.get(key) for key in ("actual_length", "min_length", "max_length"))
            limit = f"at least {least}" if entry["type"] == "too_short" else f"at most {most}"
            return f"needs {limit} entries" + (f", has {actual}" if actual is not None else "")
        case "string_too_short":
            return f"should be at least {context.get('min_length')} characters long, not {value}"
        case "string_too_long":
            return f"should be at most {context.get('max_length')} characters long, not {value}"
        case "string_pattern_mismatch":
            if context.get("pattern") == NAME:
                return f"{value} is no name: letters, digits and _ only, and no digit first{_respelled(entry['input'])}"
            return f"{value} is not spelled as it must be here (pattern {context.get('pattern')})"
        case "recursion_loop" | "recursion_depth_exceeded":
            return "is nested too deep"
    message = str(entry["msg"])
    if entry["type"] not in KNOWN:
        return message  # written by us, for the reader
    return f"{message.replace('Input should be', 'should be')}, not {value}"


def _respelled(text: str) -> str:
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:40]
    return f"; write {name}" if re.match(NAME, name) else ""


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _quoteless(expected: object) -> str:
    return str(expected).replace("'", "")
