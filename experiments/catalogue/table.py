"""The table: means, paired differences from the rule, and shares of the way from random to the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import nan
from typing import Any

from experiments.catalogue.cells import Played
from experiments.catalogue.columns import RANDOM, RULE, Column
from marl_health import Scenario
from orchestration.commands.tables import CLEAR, interval, number
from orchestration.evaluation.resampling import Interval
from orchestration.evaluation.scores import Scores
from orchestration.evaluation.statistics import LEVEL, Estimate, mean_interval, paired_difference

SHOWN_KPIS = 2
"""So many KPIs of a scenario stand beside its returns; each puts those first that matter most to patients."""


@dataclass(frozen=True)
class Row:
    """What a policy reached in a scenario.

    Attributes:
        label: what the table calls it. policy: its name. note: what to know of it.
        gained: the return. minus_rule: paired with the rule's; of the rule itself, nothing.
        share: of the way from random to the rule, in returns on the same seeds; None where that way cannot be told.
        kpis: their means, nan where none was recorded.
    """

    label: str
    policy: str
    note: str
    gained: Estimate
    minus_rule: Estimate | None
    share: Interval | None
    kpis: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """As the file has it."""
        return {
            "policy": self.policy,
            "note": self.note,
            "return": asdict(self.gained),
            "minus_rule": None if self.minus_rule is None else asdict(self.minus_rule),
            "share": None if self.share is None else {key: asdict(self.share)[key] for key in ("value", "low", "high")},
            "kpis": self.kpis,
        }


def row(column: Column, played: Mapping[str, Played]) -> Row:
    """What came out for one of the policies that were played.

    Args:
        column: which of them.
        played: by label; rule and random have at least as many episodes as any other.
    """
    label = column.label
    mine = played[label]
    n = len(mine.returns)
    same = {name: played[name].returns[:n] for name in (RANDOM, RULE)} | {label: mine.returns}
    scores = Scores.of(same)
    names = mine.kpis[0]
    return Row(
        label,
        column.policy,
        column.note,
        mean_interval(mine.returns),
        None if label == RULE else paired_difference(mine.returns, same[RULE]),
        None if scores.why_not_normalised() else scores.normalised()[label],
        {name: mean_interval(_number(kpis[name]) for kpis in mine.kpis).mean for name in names},
    )


def _number(value: float | None) -> float:
    return nan if value is None else value


def to_json(facts: Mapping[str, Any], found: Mapping[str, tuple[Scenario, Sequence[Row]]]) -> dict[str, Any]:
    """The whole as a file has it."""
    return {
        **facts,
        "scenarios": {
            name: {
                "version": scenario.version,
                "hash": scenario.hash,
                "policies": {each.label: each.to_json() for each in rows},
            }
            for name, (scenario, rows) in found.items()
        },
    }


def summary(found: Mapping[str, tuple[Scenario, Sequence[Row]]]) -> list[list[str]]:
    """Shares of the way from random to the rule, in per cent, and what PPO gains: headings first."""
    longest = sorted(found.values(), key=lambda each: len(each[1]), reverse=True)  # whoever has all says in which order
    labels = list(dict.fromkeys(each.label for _, rows in longest for each in rows if each.label != RANDOM))
    lines = [["task", *(label for label in labels if label != RULE)]]
    for name, (_, rows) in found.items():
        by_label = {each.label: each for each in rows}
        lines.append([name, *(_verdict(by_label.get(label)) for label in labels if label != RULE)])
    return lines


def _verdict(row: Row | None) -> str:
    if row is None or row.minus_rule is None:
        return ""
    sign = "" if not row.minus_rule.clear else " +" if row.minus_rule.low > 0 else " -"
    return f"{_share(row)}{sign}"


def _share(row: Row) -> str:
    return "–" if row.share is None else f"{100 * row.share.value:.0f}"


def beaten(found: Mapping[str, tuple[Scenario, Sequence[Row]]], label: str) -> list[str]:
    """Scenarios in which a policy is above the rule by an interval clear of 0."""
    return [
        name
        for name, (_, rows) in found.items()
        if any(each.label == label and each.minus_rule is not None and each.minus_rule.low > 0 for each in rows)
    ]


def details(rows: Sequence[Row], units: Mapping[str, str]) -> list[list[str]]:
    """One scenario's table: headings first."""
    kpis = list(rows[0].kpis)[:SHOWN_KPIS]
    headings = [f"{name} ({units[name]})" if units.get(name) else name for name in kpis]
    lines = [["policy", "episodes", "return", "minus the rule", "share of the way, %", *headings]]
    for each in rows:
        difference = each.minus_rule
        share = each.share
        lines.append(
            [
                each.label,
                str(each.gained.n),
                interval(each.gained),
                "" if difference is None else interval(difference) + (f" {CLEAR}" if difference.clear else ""),
                "–"
                if share is None
                else f"{100 * share.value:.0f}"
                + ("" if each.label in (RULE, RANDOM) else f" ({100 * share.low:.0f} to {100 * share.high:.0f})"),
                *(number(each.kpis[name]) for name in kpis),
            ]
        )
    return lines


def markdown(lines: Sequence[Sequence[str]]) -> list[str]:
    """A table of Markdown, the first column to the left."""
    return [
        f"| {' | '.join(lines[0])} |",
        f"|---{'|---:' * (len(lines[0]) - 1)}|",
        *(f"| {' | '.join(line)} |" for line in lines[1:]),
    ]


EXPLAINED = (
    f"Intervals hold with {LEVEL:.0%}. Differences are paired: both policies meet the same patients. {CLEAR} marks "
    "those that exclude 0. The share is (policy - random) / (rule - random), in mean returns on the same seeds, with a "
    "bootstrap interval over episodes."
)
