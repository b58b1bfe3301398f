"""KPIs by group over replications, and the gaps between groups.

The gap of one replication is too large by noise: even groups that are alike differ in it. Here the groups' means over
all replications are compared, and the noise goes away as replications are added. That is the gap to report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from marl_health import Scenario
from orchestration.evaluation.statistics import LEVEL, Estimate, mean_interval, paired_difference

Values = Mapping[str, Sequence[float]]
"""By group, a KPI of every replication; nan where nothing was recorded."""


class UnknownGroups(ValueError):
    """A scenario is not split by such an attribute."""


def check_groups(scenario: Scenario, by: str) -> None:
    """Make sure that KPIs of a scenario can be split by an attribute.

    Raises:
        UnknownGroups: naming those by which they can.
    """
    known = scenario.kind.make_game(scenario.program).groups()
    if by in known:
        return
    if known:
        raise UnknownGroups(f"'{scenario.name}' has no groups by '{by}'; it has {', '.join(known)}")
    raise UnknownGroups(
        f"'{scenario.name}' has no groups; name attributes of its entities in the scenario, as in groups: [{by}]"
    )


def adds_up(scenario: Scenario) -> dict[str, bool]:
    """KPI to whether its groups add up to the whole, so that it is larger where the group is."""
    return {kpi.name: kpi.per is None and kpi.reading.cumulative for kpi in scenario.program.kpis}


@dataclass(frozen=True)
class Gap:
    """The largest difference between the means of two groups.

    Attributes:
        above, below: the two groups.
        difference: its mean over replications. The two were picked because they differ most, so the interval is one
            that holds for all pairs of groups at once (Bonferroni).
        pairs: how many pairs there are.
    """

    above: str
    below: str
    difference: Estimate
    pairs: int


def largest_gap(values: Values) -> Gap | None:
    """The largest gap between groups; ``None`` where fewer than two have a value."""
    means = {group: mean_interval(each).mean for group, each in values.items()}
    known = [group for group, mean in means.items() if mean == mean]
    pairs = list(combinations(known, 2))
    if not pairs:
        return None
    level = 1 - (1 - LEVEL) / len(pairs)
    found = []
    for one, other in pairs:
        above, below = (one, other) if means[one] >= means[other] else (other, one)
        found.append(Gap(above, below, paired_difference(values[above], values[below], level), len(pairs)))
    # The differences are of replications with both groups in them, so they may lack one that both means have.
    return max(found, key=lambda gap: (gap.difference.mean == gap.difference.mean, gap.difference.mean))


def change_of_gap(gap: Gap, other: Values, reference: Values) -> Estimate:
    """By how much a gap of the reference is larger under another policy, on the same replications."""
    between = [
        [above - below for above, below in zip(values[gap.above], values[gap.below], strict=True)]
        for values in (other, reference)
    ]
    return paired_difference(between[0], between[1])
