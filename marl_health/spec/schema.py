"""The JSON schema of a kind of scenario, made from its models, and the tables of its words made from the schema.

An editor that reads the schema completes words, shows what they mean and marks what does not fit. What a schema cannot
say (names that refer to names, units that fit together) the library checks when it reads the file.

``python -m marl_health.spec.schema`` writes the schema of every kind and brings the tables up to date.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import override

from marl_health.spec.scalars import FORM
from marl_health.spec.scenario import KINDS, PACKAGED

FOLDER = PACKAGED / "schema"
MANUAL = PACKAGED / "README.md"
BEGIN, END = "<!-- the words begin -->", "<!-- the words end -->"
REFERENCE = "#/$defs/"
UNION = "x-union"
WHOLE = "Scenario"
EVERYWHERE = ("source", "note", "hidden")
"""Words that stand almost everywhere; the tables say so once."""


class _Generator(GenerateJsonSchema):
    """Marks the unions that have a name (number, next, step, move), so that each is written once."""

    @override
    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        made = super().tagged_union_schema(schema)
        name = str(schema.get("custom_error_type", "")).removesuffix("_form")
        return {**made, UNION: name.capitalize()} if name else made


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON schema of a kind of scenario.

    Args:
        kind: a key of ``KINDS``.

    Returns:
        A schema that shared unions and models are part of, under ``$defs``.
    """
    return {key: _without(value, FORM) for key, value in _annotated(kind).items()}


def _annotated(kind: str) -> dict[str, Any]:
    model = importlib.import_module(KINDS[kind]).MODEL
    raw = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    shared: dict[str, Any] = {}
    models = {
        name: {"title": _heading(name), **_clean(definition, shared)} for name, definition in raw.pop("$defs").items()
    }
    scenario = {**_clean(raw, shared), "title": WHOLE}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A scenario of the {kind} world",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {  # what it says is checked together with what it extends
            "properties": {word: {"description": node["description"]} for word, node in scenario["properties"].items()},
            "additionalProperties": False,
        },
        "else": {"$ref": REFERENCE + WHOLE},
        "$defs": dict(sorted({WHOLE: scenario, **models, **shared}.items())),
    }


def _clean(node: Any, shared: dict[str, Any]) -> Any:
    """A schema without what only clutters it; named unions are moved into ``shared``."""
    if isinstance(node, list):
        return [_clean(item, shared) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: _clean(value, shared) for key, value in node.items() if key not in ("title", "propertyNames", UNION)}
    if isinstance(node.get("title"), dict):  # a word of the language, not a title
        out["title"] = _clean(node["title"], shared)
    if "oneOf" in out:
        out["anyOf"] = out.pop("oneOf")
    if "anyOf" in out:
        ways = [way for way in out["anyOf"] if way != {"type": "null"}]
        if len(ways) == 1 and "properties" not in out:
            del out["anyOf"]
            out = {**ways[0], **out}
        else:
            out["anyOf"] = ways
    if not isinstance(out.get("default"), str | bool) and (FORM in out or not out.get("default")):
        out.pop("default", None)  # nothing, or a quantity in its base unit, which nobody would write
    if isinstance(out.get("description"), str):
        out["description"] = " ".join(out["description"].replace("``", "`").split())
    if "patternProperties" in out:
        out["additionalProperties"] = False
    if UNION in node:
        name = node[UNION]
        about = {key: out.pop(key) for key in ("description", "default") if key in out}
        shared[name] = {**out, "title": name}
        return {"$ref": REFERENCE + name, **about}
    return out


def _without(node: Any, unwanted: str) -> Any:
    if isinstance(node, list):
        return [_without(item, unwanted) for item in node]
    if isinstance(node, dict):
        return {key: _without(value, unwanted) for key, value in node.items() if key != unwanted}
    return node


# ---------------------------------------------------------------- the reference
def reference_of(kind: str) -> str:
    """Every word of a kind of scenario in Markdown: a table for the scenario and for each part of it."""
    parts: dict[str, Any] = _annotated(kind)["$defs"]
    order = [WHOLE]
    for name in order:  # grows while it is walked: in the order in which a reader meets them
        order.extend(found for found in _mentioned(parts[name]) if found not in order)
    return "\n\n".join(_section(name, parts[name]) for name in order)


def _mentioned(part: dict[str, Any]) -> list[str]:
    found = re.findall(r"#/\$defs/(\w+)", json.dumps(part))
    return list(dict.fromkeys(found))


def _section(name: str, part: dict[str, Any]) -> str:
    lines = [f"### {_heading(name)}", "", str(part.get("description", "One of these forms."))]
    if "properties" not in part:
        return "\n".join([*lines, "", *(f"* {_form(way)}" for way in part["anyOf"])])
    required = part.get("required", ())
    lines += ["", "| word | form | meaning |", "| --- | --- | --- |"]
    for word, node in part["properties"].items():
        if word not in EVERYWHERE:
            needed = " (needed)" if word in required else ""
            default = node.get("default")
            otherwise = f"; otherwise `{_shown(default)}`" if isinstance(default, str | bool | int) else ""
            lines.append(f"| `{word}`{needed} | {_form(node)} | {node.get('description', '')}{otherwise} |")
    if part.get("additionalProperties"):
        lines.append(f"| any value of the attribute | {_form(part['additionalProperties'])} | The number for it |")
    return "\n".join(lines)


def _heading(name: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return words[:1].upper() + words[1:].lower()


def _form(node: dict[str, Any]) -> str:
    """What stands at a place, in a few words and links."""
    if FORM in node:
        return str(node[FORM])
    if "$ref" in node:
        heading = _heading(node["$ref"].removeprefix(REFERENCE))
        return f"[{heading.lower()}](#{heading.lower().replace(' ', '-')})"
    if "anyOf" in node:
        return " or ".join(dict.fromkeys(_form(way) for way in node["anyOf"]))
    if "const" in node or "enum" in node:
        return " or ".join(f"`{_shown(value)}`" for value in node.get("enum", [node.get("const")]))
    if node.get("type") == "array":
        if "prefixItems" in node:
            return f"[{', '.join(_form(item) for item in node['prefixItems'])}]"
        item = _form(node["items"])
        return f"list of {item}{'s' if item.isalpha() else ''}"
    if "patternProperties" in node:
        return f"for each name: {_form(next(iter(node['patternProperties'].values())))}"
    if node.get("type") == "object":
        inner = node.get("additionalProperties")
        return f"for each key: {_form(inner)}" if isinstance(inner, dict) else "mapping"
    words = {"integer": "whole number", "number": "number", "boolean": "yes or no"}.get(str(node.get("type")), "text")
    least = node.get("minimum", node.get("exclusiveMinimum"))
    if least is not None and "maximum" in node:
        return f"{words} {_shown(least)} to {_shown(node['maximum'])}"
    return words


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


# ---------------------------------------------------------------- files
def schema_text(kind: str) -> str:
    """The schema file of a kind."""
    return json.dumps(schema_of(kind), indent=1, ensure_ascii=False) + "\n"


def manual_text(manual: str) -> str:
    """The manual with its tables brought up to date."""
    before, _, rest = manual.partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n\n".join(reference_of(kind) for kind in KINDS)
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def write(folder: Path, manual: Path) -> None:
    """Write the schema of every kind into a folder, and the tables into the manual."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / f"{kind}.json").write_text(schema_text(kind), encoding="utf-8")
    manual.write_text(manual_text(manual.read_text(encoding="utf-8")), encoding="utf-8")


def main() -> None:
    """Write schemas and tables, or print the tables with ``--reference``."""
    parser = argparse.ArgumentParser(description="Bring the schema of scenarios and the tables of words up to date.")
    parser.add_argument("--reference", action="store_true", help="print the tables instead")
    if parser.parse_args().reference:
        print("\n\n".join(reference_of(kind) for kind in KINDS))
    else:
        write(FOLDER, MANUAL)


if __name__ == "__main__":
    main()
