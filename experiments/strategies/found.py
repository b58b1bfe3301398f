"""What the strategies came to: a mean return for every training seed, and paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from orchestration.evaluation.statistics import LEVEL, Estimate, mean_interval, paired_difference

if TYPE_CHECKING:
    from orchestration.experiment.reading import Experiment
    from orchestration.experiment.running import Outcome
    from orchestration.store import Store

ALL = "all together"
"""The workflows' returns, added up."""


@dataclass(frozen=True)
class Found:
    """Mean returns on the same held-out patients.

    Attributes:
        means: strategy to workflow to the mean return of every training seed, in the order of the seeds.
        others: workflow to policy to its mean return, of those that were not trained.
    """

    means: Mapping[str, Mapping[str, Sequence[float]]]
    others: Mapping[str, Mapping[str, float]]

    @property
    def workflows(self) -> list[str]:
        """What there are returns of, all together last."""
        return list(next(iter(self.means.values())))

    def estimate(self, strategy: str, workflow: str) -> Estimate:
        """Mean over training seeds with its interval."""
        return mean_interval(self.means[strategy][workflow])

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Strategies that are compared: each with each."""
        return list(combinations(self.means, 2))

    def difference(self, one: str, other: str, workflow: str) -> Estimate:
        """The other strategy's return minus the one's, paired by training seed.

        Its interval is so wide that those of all pairs hold together as often as one alone would (Bonferroni).
        """
        level = 1 - (1 - LEVEL) / len(self.pairs)
        return paired_difference(self.means[other][workflow], self.means[one][workflow], level)

    @property
    def verdict(self) -> str:
        """Which strategies differ in the return of all workflows, in a sentence."""
        clear = []
        for one, other in self.pairs:
            found = self.difference(one, other, ALL)
            if found.clear:
                better, worse = (other, one) if found.mean > 0 else (one, other)
                clear.append(f"{better} is better than {worse} by {abs(found.mean):.1f}")
        if clear:
            return f"All workflows together: {'; '.join(clear)}. No other pair can be told apart."
        return "No two strategies can be told apart: all workflows together, every interval includes 0."


def means_of(store: Store, experiment: Experiment, outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """Workflow, and :data:`ALL`, to the mean return at the end of every training seed.

    Args:
        store: where the results are.
        experiment: that has run.
        outcomes: what came of it.
    """
    seeds = experiment.model.all_seeds
    found = {}
    for name, scenario in experiment.workflows.items():
        by_seed = {}
        for outcome in outcomes:
            if name in outcome.reports:
                by_seed[outcome.seed] = _mean(store, outcome.job, scenario.hash, outcome.label)
        found[name] = [by_seed[seed] for seed in seeds]
    return found | {ALL: [sum(returns) for returns in zip(*found.values(), strict=True)]}


def others_of(store: Store, experiment: Experiment, outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Workflow, and :data:`ALL`, to the mean return of policies that were not trained, on the same patients."""
    found: dict[str, dict[str, float]] = {}
    for name, scenario in experiment.workflows.items():
        job = next(outcome.job for outcome in outcomes if name in outcome.reports)
        found[name] = {
            policy: _mean(store, job, scenario.hash, policy) for policy in experiment.model.evaluation.policies
        }
    together = {policy: sum(each[policy] for each in found.values()) for policy in experiment.model.evaluation.policies}
    return found | {ALL: together}


def _mean(store: Store, job: int, hash: str, policy: str) -> float:
    where = next(row["id"] for row in store.environments(job) if row["hash"] == hash and not row["stage"])
    rows = store.kpis(job, metric="return", evaluation="final", policy=policy)
    return next(row["value"] for row in rows if row["environment_id"] == where and not row["reference"])
