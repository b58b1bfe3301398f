"""The JSON schema of experiments, by which an editor completes their words; made from the models.

``python -m orchestration.experiment.schema`` writes it.
"""

from __future__ import annotations

import json
from typing import Any

from marl_health.spec.scalars import FORM
from orchestration.experiment.model import ExperimentModel
from orchestration.experiment.reading import PACKAGED

FILE = PACKAGED / "schema" / "experiment.json"


def schema_text() -> str:
    """What stands in the file."""
    made = ExperimentModel.model_json_schema(by_alias=True)
    return json.dumps(_cleaned(made), indent=1, ensure_ascii=False) + "\n"


def _cleaned(node: Any) -> Any:
    """Without the titles that pydantic makes of names, and the forms that only our tables of words show."""
    if isinstance(node, list):
        return [_cleaned(part) for part in node]
    if not isinstance(node, dict):
        return node
    names = node.get("properties") if isinstance(node.get("properties"), dict) else None
    kept = {key: _cleaned(value) for key, value in node.items() if key not in (FORM, "title", "properties")}
    if names is not None:
        kept["properties"] = {name: _cleaned(value) for name, value in names.items()}
    return kept


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(schema_text(), encoding="utf-8")
    print(f"wrote {FILE}")
