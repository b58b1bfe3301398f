"""Paired comparisons that end as soon as they are clear, without being fooled by looking often.

The interval is looked at after 20, 40, 80, ... and at last 1,000 pairs. Looking seven times would find a difference
where there is none far more often than one look does, so the error is shared out beforehand: equal parts to the looks
(Bonferroni), and to a family of forty comparisons, which together err in one of a hundred scenarios at most. A single
look at one of forty comparisons would have z = 3.66; one of seven looks has 4.13. Student's t takes the place of z.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from orchestration.check.finding import Finding
from orchestration.check.trials import Trials
from orchestration.evaluation.statistics import Estimate, mean_interval

LOOKS = (20, 40, 80, 160, 320, 640, 1000)
FAMILY = 40
ERROR = 0.01
LEVEL = 1 - ERROR / FAMILY / len(LOOKS)
"""Coverage of the interval at each look."""

JUDGED = 3_000_000
"""First seed of the pairs that decide; nothing is searched, trained or tuned on those that follow."""

KEPT = 3
"""Differences that the result keeps one by one, so that a test can play them again."""


def until_clear(differences: Callable[[int], Sequence[float]], looks: Sequence[int] = LOOKS) -> Estimate:
    """Mean difference with its interval at the first look at which that excludes 0, else at the last.

    Args:
        differences: the differences of the first so many pairs.
        looks: numbers of pairs after which to look.
    """
    found = mean_interval(differences(looks[0]), LEVEL)
    for pairs in looks[1:]:
        if found.clear:
            break
        found = mean_interval(differences(pairs), LEVEL)
    return found


def better(
    trials: Trials, point: int, what: str, good: tuple[str, bool], bad: tuple[str, bool], looks: Sequence[int] = LOOKS
) -> Finding:
    """Whether one policy clearly scores above another on the same patients.

    Args:
        trials: where they play.
        point: of the check.
        what: is compared.
        good: the policy that should score higher, and whether it has ten times the resources.
        bad: the other, in the same form.
        looks: numbers of pairs after which to look.
    """

    def differences(pairs: int) -> list[float]:
        seeds = range(JUDGED, JUDGED + pairs)
        (above,), (below,) = (trials.returns([policy], seeds, ample=ample) for policy, ample in (good, bad))
        return [a - b for a, b in zip(above, below, strict=True)]

    found = until_clear(differences, looks)
    return Finding(
        point,
        what,
        f"{found.mean:+.4g} ({found.low:.4g} to {found.high:.4g}), {found.n} pairs",
        found.low > 0,
        _data(found, good, bad, differences(min(looks[0], found.n))),
    )


def _data(
    found: Estimate, good: tuple[str, bool], bad: tuple[str, bool], differences: Sequence[float]
) -> dict[str, Any]:
    return {
        "policies": [good[0], bad[0]],
        "ample": [good[1], bad[1]],
        "difference": found.mean,
        "low": found.low,
        "high": found.high,
        "pairs": found.n,
        "first_differences": list(differences[:KEPT]),
        "first_look": {"pairs": len(differences), "difference": sum(differences) / len(differences)},
    }
