"""Normalised scores over several scenarios: mean, median, interquartile mean and optimality gap."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from orchestration.evaluation.resampling import Array, Interval, Samples, bootstrap, iqm
from orchestration.evaluation.scores import (
    HIGH,
    LOW,
    FewRunsWarning,
    Profile,
    Scores,
    ScoresError,
    few_runs,
    normalised_runs,
    share_above,
)

STATISTICS = ("mean", "median", "iqm", "optimality gap")
"""Of the normalised scores of runs in scenarios; the gap is how far short of ``high`` they stay, 0 if never."""


@dataclass(frozen=True)
class Suite:
    """Scores of the same policies in several scenarios, of the same metric.

    Attributes:
        scores: scenario to its scores.
        low, high: the policies whose mean score is 0 and 1 in each.
    """

    scores: Mapping[str, Scores]
    low: str = LOW
    high: str = HIGH

    @property
    def left_out(self) -> dict[str, str]:
        """Scenarios in which scores cannot be normalised, and why."""
        reasons = {name: found.why_not_normalised(self.low, self.high) for name, found in self.scores.items()}
        return {name: reason for name, reason in reasons.items() if reason is not None}

    @property
    def scenarios(self) -> list[str]:
        """The scenarios in which they can."""
        left_out = self.left_out
        return [name for name in self.scores if name not in left_out]

    @property
    def policies(self) -> list[str]:
        """Those that have scores in every one of them."""
        inside = [self.scores[name].values for name in self.scenarios]
        return [policy for policy in (inside[0] if inside else ()) if all(policy in values for values in inside)]

    def runs(self, policy: str) -> int:
        """How many a policy has in every scenario.

        Raises:
            ScoresError: they differ, and scenarios would not weigh the same.
        """
        counts = {name: len(self.scores[name].values[policy]) for name in self.scenarios}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{count} in {name}" for name, count in counts.items())
            raise ScoresError(f"{policy} has {told} runs; give as many training seeds in every scenario")
        return next(iter(counts.values()))

    def aggregate(self) -> dict[str, dict[str, Interval]]:
        """Policy to statistic (see :data:`STATISTICS`) to its value.

        Raises:
            ScoresError: no scenario's scores can be normalised, or a policy has more runs in one than in another.
        """
        counts = self._checked()

        def statistic(samples: Samples) -> dict[str, Array]:
            found = {}
            for policy, scores in self._normalised(samples).items():
                flat = scores.reshape(*scores.shape[:-2], -1)
                by_scenario = scores.mean(axis=-1)
                gap = np.maximum(1 - flat, 0).mean(axis=-1)
                parts = (by_scenario.mean(axis=-1), np.median(by_scenario, axis=-1), iqm(flat), gap)
                found[policy] = np.stack(parts, axis=-1)
            return found

        return {
            policy: {
                name: Interval(float(value), float(low), float(high), counts[policy])
                for name, value, low, high in zip(STATISTICS, *ends, strict=True)
            }
            for policy, ends in bootstrap(self._samples, statistic).items()
        }

    def profile(self, thresholds: Array | None = None) -> Profile:
        """Share of runs, over all scenarios, with a normalised score above each threshold (default: 0 to 1.5).

        Raises:
            ScoresError: as :meth:`aggregate`.
        """
        self._checked()
        tau = np.linspace(0, 1.5, 151) if thresholds is None else thresholds

        def statistic(samples: Samples) -> dict[str, Array]:
            return {
                policy: share_above(scores.reshape(*scores.shape[:-2], -1), tau)
                for policy, scores in self._normalised(samples).items()
            }

        return Profile(tau, bootstrap(self._samples, statistic))

    @property
    def _samples(self) -> Samples:
        return {
            (name, policy): self.scores[name].values[policy]
            for name in self.scenarios
            for policy in dict.fromkeys((*self.policies, self.low, self.high))
        }

    def _normalised(self, samples: Samples) -> dict[str, Array]:
        """Policy to normalised scores, (..., scenarios, runs)."""
        found = normalised_runs(samples, self.low, self.high)
        return {policy: np.stack([found[name, policy] for name in self.scenarios], axis=-2) for policy in self.policies}

    def _checked(self) -> dict[str, int]:
        """How many runs each policy has."""
        if not self.scenarios:
            told = "; ".join(f"{name}: {reason}" for name, reason in self.left_out.items())
            raise ScoresError(f"scores can be normalised in no scenario: {told or 'there is none'}")
        few = dict.fromkeys(policy for name in self.scenarios for policy in self.scores[name].few)
        if few:
            warnings.warn(few_runs(few), FewRunsWarning, stacklevel=3)
        return {policy: self.runs(policy) for policy in self.policies}
