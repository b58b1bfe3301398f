"""A scenario with other numbers in it: in memory, or in its file with everything else left as it stands."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from marl_health import Scenario, ScenarioError
from marl_health.spec.errors import Problem
from marl_health.spec.reading import compiled, parse
from marl_health.spec.scenario import find
from marl_health.spec.suggest import did_you_mean

Changes = Mapping[str, Any]
"""By dotted path, what stands there instead; a path that ends in a new key adds it."""


def changed(name_or_path: str, changes: Changes) -> Scenario:
    """A scenario with other numbers.

    Raises:
        ScenarioError: it cannot be read, has no such path, or makes no sense with these numbers.
    """
    file = find(name_or_path)
    return _changed(str(file), json.dumps(changes), file.stat().st_mtime_ns if file.is_file() else 0)


@lru_cache(maxsize=64)
def _changed(file: str, changes: str, stamp: int) -> Scenario:
    document, files = parse(Path(file))
    document.data = copy.deepcopy(document.data)
    for path, value in json.loads(changes).items():
        keys = path.split(".")
        place: Any = document.data
        for depth, key in enumerate(keys[:-1]):
            place = _inside(place, key, file, ".".join(keys[: depth + 1]))
        if isinstance(place, list):
            _inside(place, keys[-1], file, path)
            place[int(keys[-1])] = value
        elif isinstance(place, dict):
            place[keys[-1]] = value
        else:
            raise _nothing(file, path, "")
    return compiled(document, files, {})


def value_at(name_or_path: str, path: str) -> Any:
    """What stands at a dotted path of a scenario as its file says it.

    Raises:
        ScenarioError: there is no such path.
    """
    file = str(find(name_or_path))
    place: Any = parse(Path(file))[0].data
    keys = path.split(".")
    for depth, key in enumerate(keys):
        place = _inside(place, key, file, ".".join(keys[: depth + 1]))
    return place


def _inside(place: Any, key: str, file: str, path: str) -> Any:
    if isinstance(place, dict) and key in place:
        return place[key]
    if isinstance(place, list) and key.isdigit() and int(key) < len(place):
        return place[int(key)]
    raise _nothing(file, path, did_you_mean(key, place) if isinstance(place, dict) else "")


def _nothing(file: str, path: str, hint: str) -> ScenarioError:
    message = f"the scenario has nothing here, so it cannot be set{hint}"
    return ScenarioError([Problem(file, 1, 1, path, message)])


def write(name_or_path: str, changes: Changes) -> Path:
    """Set numbers in the scenario's own file; comments, order and layout stay.

    Raises:
        ScenarioError: the file has no such path of its own (what it extends is not changed).
    """
    file = find(name_or_path)
    text = file.read_text(encoding="utf-8")
    root = YAML().compose(text)
    cuts = []
    for path, value in changes.items():
        node = _node(root, path.split("."))
        if not isinstance(node, ScalarNode):
            raise _nothing(str(file), path, "")
        cuts.append((node.start_mark.index, node.end_mark.index, str(value)))
    for start, end, value in sorted(cuts, reverse=True):
        text = text[:start] + value + text[end:]
    file.write_text(text, encoding="utf-8")
    return file


def _node(node: Node | None, keys: list[str]) -> Node | None:
    for key in keys:
        if isinstance(node, MappingNode):
            node = next((value for name, value in node.value if name.value == key), None)
        elif isinstance(node, SequenceNode) and key.isdigit() and int(key) < len(node.value):
            node = node.value[int(key)]
        else:
            return None
    return node
