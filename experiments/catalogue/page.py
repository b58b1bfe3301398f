"""The page that is committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.catalogue.learning import LABEL, OFTEN, QUARTER, SELDOM, SETTINGS
from experiments.catalogue.table import EXPLAINED, Row, beaten, details, markdown, summary
from marl_health import Scenario
from marl_health.spec.document import load_document

NOTES = Path(__file__).resolve().parent / "notes.yaml"
"""What is to be said of a scenario's results: they were written by somebody who looked at them."""

Found = Mapping[str, tuple[Scenario, Sequence[Row]]]


def notes() -> dict[str, dict[str, str]]:
    """By scenario: the hash it had, and what was said of it."""
    return dict(load_document(NOTES).data["notes"])


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def page(facts: Mapping[str, Any], found: Found, units: Mapping[str, Mapping[str, str]]) -> str:
    """Markdown.

    Args:
        facts: seeds and budgets.
        found: rows by scenario.
        units: of KPIs, by scenario.
    """
    first, count = facts["first_seed"], facts["replications"]
    better = beaten(found, LABEL)
    trained = [name for name, (_, rows) in found.items() if any(each.label == LABEL for each in rows)]
    lines = [
        "# The tasks of one agent",
        "",
        "Made by `python -m experiments.catalogue`.",
        "",
        f"Held-out seeds {first:,} to {first + count - 1:,}, the same for all policies (look-ahead: the first "
        f"{facts['lookahead_replications']}). None of them was used before, but where a note says so: the checks "
        f"search on seeds from 2,000,000 and judge on seeds from 3,000,000, PPO learns on seeds from 2**31, and keeps "
        f"the best of its evaluations on seeds from 2,000,000. {EXPLAINED}",
        "",
        f"Every interval stands for itself: of so many, one or the other may be clear of 0 by chance. "
        f"PPO: {facts['ppo_steps']:,} decisions in each task, one training seed, started from the rule by imitation: "
        "where its row is no better than the rule's, it has learned nothing beyond it. Intervals are over patients, "
        f"and say nothing of other training seeds. Settings: {_listed(SETTINGS)}; where decisions are less than "
        f"{QUARTER:g} minutes apart {_listed(OFTEN)}, elsewhere {_listed(SELDOM)}. They were looked for in "
        "emergency_triage, or_utilization and staffing_allocation, on seeds from 2,000,000 and from 2,500,000.",
        "",
        "## Summary",
        "",
        "Share of the way from random to the rule, in per cent: 100 is as good as the rule, 0 as bad as random. `+`: "
        "above the rule by an interval clear of 0; `-`: below.",
        "",
        *markdown(summary(found)),
        "",
        f"{LABEL} is above the rule in {len(better)} of {len(trained)} tasks: {', '.join(better) or 'none'}."
        + ("" if len(trained) == len(found) else f" It is not trained yet in the other {len(found) - len(trained)}."),
    ]
    said = notes()
    for name, (scenario, rows) in found.items():
        lines += ["", f"## {name}", "", f"Version {scenario.version}, hash {scenario.hash}.", ""]
        lines += markdown(details(rows, units[name]))
        remarks = [f"{each.label}: {each.note}." for each in rows if each.note]
        if said.get(name, {}).get("hash") == scenario.hash:
            remarks.append(said[name]["note"])
        for remark in remarks:
            lines += ["", remark]
    return "\n".join(lines) + "\n"
