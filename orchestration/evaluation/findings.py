"""What a comparison found, as it stands in its JSON: means and paired differences, without single replications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.evaluation.statistics import NAN, Estimate


@dataclass(frozen=True)
class Findings:
    """Policies beside each other; the first is the reference.

    Attributes:
        seeds: of the replications.
        units: of the KPIs.
        means: policy to metric (`return` or a KPI) to its mean.
        paired: policy to metric to the mean difference from the reference: other minus reference.
        variance_ratios: policy to metric to how much the same patients gain over other patients for each policy.
    """

    seeds: list[int]
    units: dict[str, str]
    means: dict[str, dict[str, Estimate]]
    paired: dict[str, dict[str, Estimate]]
    variance_ratios: dict[str, dict[str, float]]

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Findings:
        """Of what ``marl-health compare --json`` writes, with null or nan for what was not recorded."""
        n = len(told.get("seeds", ()))
        policies = {name: {"return": each["return"], **each["kpis"]} for name, each in told.get("policies", {}).items()}
        paired = told.get("paired", {})
        return cls(
            seeds=list(told.get("seeds", ())),
            units={
                kpi: row.get("unit", "") for each in policies.values() for kpi, row in each.items() if "unit" in row
            },
            means=_estimates(policies, "mean", n),
            paired=_estimates(paired, "difference", n),
            variance_ratios={
                name: {metric: _number(row, "variance_ratio") for metric, row in each.items()}
                for name, each in paired.items()
            },
        )

    @property
    def reference(self) -> str:
        """The policy that the others are compared with."""
        return next(iter(self.means))

    @property
    def metrics(self) -> list[str]:
        """What is compared: the return and every KPI."""
        return list(self.means[self.reference])


def _estimates(rows: Mapping[str, Mapping[str, Any]], key: str, n: int) -> dict[str, dict[str, Estimate]]:
    return {
        name: {
            metric: Estimate(*(_number(row, part) for part in (key, "low", "high")), int(row.get("n", n)))
            for metric, row in each.items()
        }
        for name, each in rows.items()
    }


def _number(row: Mapping[str, Any], key: str) -> float:
    value = row.get(key)
    return NAN if value is None else float(value)
