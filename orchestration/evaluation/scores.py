"""Scores of policies over training seeds and evaluation episodes in one scenario.

    scores = Scores.of({"mappo": mappo, "rule": rule, "random": random})  # each (runs, episodes)
    scores.iqm()["mappo"]  # value, low, high, runs
    scores.improvement(over="rule")["mappo"]

The episodes are the same for all: column `j` is the same patients. A policy that was not trained has one run.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from orchestration.evaluation.resampling import Array, Interval, Samples, better, bootstrap, iqm, pooled
from orchestration.evaluation.statistics import LEVEL, Estimate, paired_difference

ENOUGH_RUNS = 5
"""Training seeds below which an interval is not to be relied on."""

MANY_RUNS = 20
"""Training seeds from which on an interval holds the truth about as often as it says."""

LOW, HIGH = "random", "rule"
"""The policies whose scores become 0 and 1 when scores are normalised."""

_STARTED = " from "
_POINTS = 101


class ScoresError(ValueError):
    """Scores do not fit together, or what is asked cannot be said of them."""


class FewRunsWarning(UserWarning):
    """An interval is of fewer training seeds than it should be."""


@dataclass(frozen=True)
class Profile:
    """Performance profiles: the share of runs whose mean score is above each threshold.

    Attributes:
        thresholds: (points,).
        shares: policy to share, lower and upper edge of its band, each (points,); the band holds point by point.
    """

    thresholds: Array
    shares: Mapping[str, tuple[Array, Array, Array]]


@dataclass(frozen=True)
class Scores:
    """Of one metric in one scenario, of which more is better; make them with :meth:`of`.

    Attributes:
        values: policy to scores, (runs, episodes), equally many episodes for all.
        trained: the policies that were trained, and have a run per training seed.
    """

    values: Mapping[str, Array]
    trained: frozenset[str]

    @classmethod
    def of(cls, values: Mapping[str, Any], trained: Collection[str] | None = None) -> Scores:
        """Scores of policies.

        Args:
            values: policy to its scores, runs x episodes; a single row may come without its outer list.
            trained: policies that were trained; default: those with more than one run.

        Raises:
            ScoresError: there are none, they are not numbers, or policies differ in the number of episodes.
        """
        if not values:
            raise ScoresError("no policy has scores; give those of one at least")
        found = {policy: _matrix(policy, scores) for policy, scores in values.items()}
        lengths = {policy: scores.shape[1] for policy, scores in found.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{policy} {length}" for policy, length in lengths.items())
            raise ScoresError(f"numbers of episodes differ ({told}); evaluate all policies on the same seeds")
        if trained is None:
            trained = [policy for policy, scores in found.items() if len(scores) > 1]
        return cls(found, frozenset(trained))

    @property
    def episodes(self) -> int:
        """How many each run was evaluated on."""
        return int(next(iter(self.values.values())).shape[1])

    @property
    def few(self) -> list[str]:
        """Trained policies with fewer than :data:`ENOUGH_RUNS` runs."""
        return [
            policy for policy, scores in self.values.items() if policy in self.trained and len(scores) < ENOUGH_RUNS
        ]

    def mean(self) -> dict[str, Interval]:
        """Mean over all runs and episodes."""
        return self._intervals(lambda scores: pooled(scores).mean(axis=-1))

    def iqm(self) -> dict[str, Interval]:
        """Interquartile mean over all runs and episodes.

        It leaves out the worst quarter of days as well as the best: beside it, look at the mean.
        """
        return self._intervals(lambda scores: iqm(pooled(scores)))

    def difference(self, over: str = HIGH) -> dict[str, Interval]:
        """Mean score of a policy minus that of another on the same episodes, over all runs of both.

        Raises:
            ScoresError: the other policy has no scores.
        """
        self._need(over)

        def statistic(samples: Samples) -> dict[str, Array]:
            means = {policy: pooled(scores).mean(axis=-1) for (_, policy), scores in samples.items()}
            return {policy: found - means[over] for policy, found in means.items() if policy != over}

        return self._bootstrapped(statistic)

    def improvement(self, over: str = HIGH) -> dict[str, Interval]:
        """Probability that a run of a policy has a higher mean than a run of another; equal ones count half.

        Where all runs were better, or none, resampling them finds nothing else; then the interval of a trained policy
        is at least as wide as that of n successes in n trials (Clopper and Pearson): from 0.48 to 1 for 5 of 5.

        Raises:
            ScoresError: the other policy has no scores.
        """
        self._need(over)

        def statistic(samples: Samples) -> dict[str, Array]:
            means = {policy: scores.mean(axis=-1) for (_, policy), scores in samples.items()}
            return {policy: better(found, means[over]) for policy, found in means.items() if policy != over}

        found = self._bootstrapped(statistic)
        return {policy: self._not_too_sure(of, policy, over) for policy, of in found.items()}

    def _not_too_sure(self, found: Interval, policy: str, over: str) -> Interval:
        """Widen the interval of a probability of 0 or 1 to what so few training seeds can say."""
        runs = [len(self.values[name]) for name in (policy, over) if name in self.trained]
        if not runs:
            return found
        least = ((1 - LEVEL) / 2) ** (1 / min(runs))
        if found.value == 1:
            return replace(found, low=min(found.low, least))
        return replace(found, high=max(found.high, 1 - least)) if found.value == 0 else found

    def profile(self, thresholds: Sequence[float] | Array | None = None) -> Profile:
        """Share of runs with a mean score above each threshold.

        Args:
            thresholds: of scores; default: from below the lowest run to above the highest, evenly.
        """
        means = np.concatenate([scores.mean(axis=-1) for scores in self.values.values()])
        margin = 0.05 * (means.max() - means.min()) or 1.0
        tau = (
            np.linspace(means.min() - margin, means.max() + margin, _POINTS)
            if thresholds is None
            else np.asarray(thresholds, float)
        )

        def statistic(samples: Samples) -> dict[str, Array]:
            return {policy: share_above(scores.mean(axis=-1), tau) for (_, policy), scores in samples.items()}

        self._warn()
        return Profile(tau, bootstrap(self._samples, statistic))

    def span(self, low: str = LOW, high: str = HIGH) -> Estimate:
        """Mean of the one policy's scores minus the other's on the same episodes, which normalised scores are in.

        Raises:
            ScoresError: one of them has no scores.
        """
        for policy in (low, high):
            self._need(policy)
        over_runs = [self.values[policy].mean(axis=0).tolist() for policy in (high, low)]
        return paired_difference(*over_runs)

    def why_not_normalised(self, low: str = LOW, high: str = HIGH) -> str | None:
        """Why scores cannot be normalised, in a sentence; None if they can."""
        for policy in (low, high):
            if policy not in self.values:
                return f"{policy} has no scores here"
        span = self.span(low, high)
        if span.low > 0:
            return None
        between = f"{high} minus {low} is {span.mean:.4g} (95% {span.low:.4g} to {span.high:.4g})"
        if span.high < 0:
            return f"{high} is worse than {low}, so that higher normalised scores would be worse: {between}"
        return f"{high} and {low} cannot be told apart, so that there is nothing to measure by: {between}"

    def normalised(self, low: str = LOW, high: str = HIGH) -> dict[str, Interval]:
        """Interquartile mean over runs of their (mean score - low) / (high - low): 0 is the one policy, 1 the other.

        The interval includes that ``low`` and ``high`` are only known from the same episodes.

        Raises:
            ScoresError: ``high`` is not clearly above ``low``.
        """
        reason = self.why_not_normalised(low, high)
        if reason is not None:
            raise ScoresError(f"scores cannot be normalised: {reason}")

        def statistic(samples: Samples) -> dict[str, Array]:
            return {policy: iqm(runs) for (_, policy), runs in normalised_runs(samples, low, high).items()}

        return self._bootstrapped(statistic)

    @property
    def _samples(self) -> Samples:
        return {("", policy): scores for policy, scores in self.values.items()}

    def _intervals(self, of: Callable[[Array], Array]) -> dict[str, Interval]:
        return self._bootstrapped(lambda samples: {policy: of(scores) for (_, policy), scores in samples.items()})

    def _bootstrapped(self, statistic: Callable[[Samples], dict[str, Array]]) -> dict[str, Interval]:
        self._warn()
        return {
            policy: Interval(float(value), float(low), float(high), len(self.values[policy]))
            for policy, (value, low, high) in bootstrap(self._samples, statistic).items()
        }

    def _warn(self) -> None:
        if self.few:
            warnings.warn(few_runs(self.few), FewRunsWarning, stacklevel=4)

    def _need(self, policy: str) -> None:
        if policy not in self.values:
            raise ScoresError(f"'{policy}' has no scores; there are those of {', '.join(self.values)}")


def few_runs(policies: Collection[str]) -> str:
    """What to say of trained policies with too few runs."""
    return (
        f"fewer than {ENOUGH_RUNS} training seeds of {', '.join(policies)}: intervals say little of other seeds; "
        f"train at least {ENOUGH_RUNS}"
    )


def share_above(means: Array, thresholds: Array) -> Array:
    """Share of the last axis above each threshold, (..., thresholds)."""
    shares: Array = (means[..., None, :] > thresholds[:, None]).mean(axis=-1)
    return shares


def normalised_runs(samples: Samples, low: str, high: str) -> dict[tuple[str, str], Array]:
    """Mean scores of runs, (..., runs), as shares of the way from one policy to the other in the same scenario."""
    means = {key: scores.mean(axis=-1) for key, scores in samples.items()}
    found = {}
    for (scenario, policy), runs in means.items():
        zero = means[scenario, low].mean(axis=-1, keepdims=True)
        one = means[scenario, high].mean(axis=-1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):  # resamples of one episode only may have no span
            found[scenario, policy] = (runs - zero) / (one - zero)
    return found


def started_from(policy: str) -> str | None:
    """The policy that a learned one imitated before it learned on, by its name, as in `mappo from rule`."""
    return policy.partition(_STARTED)[2] or None


def without_start(policy: str) -> str:
    """A learned policy's name without what it imitated: its algorithm."""
    return policy.partition(_STARTED)[0]


def named(algorithm: str, init: str | None) -> str:
    """What a learned policy is called in every table: an algorithm that began as another policy says so."""
    return f"{algorithm}{_STARTED}{init}" if init and started_from(algorithm) is None else algorithm


def _matrix(policy: str, scores: Any) -> Array:
    try:
        found = np.atleast_2d(np.asarray(scores, dtype=float))
    except (TypeError, ValueError) as error:
        raise ScoresError(f"{policy}: scores are numbers, equally many in each run ({error})") from error
    if found.ndim != 2 or found.size == 0:
        raise ScoresError(f"{policy}: scores are runs x episodes, at least one of each, not {found.shape}")
    if not np.isfinite(found).all():
        raise ScoresError(f"{policy}: a score is missing or infinite; a return is always a number")
    return found
