"""Point 3: the rule beats the best policy that sees only the time, so that looking is worth something."""

from __future__ import annotations

from orchestration.check.finding import Finding
from orchestration.check.sequential import better
from orchestration.check.trials import Trials
from policies.clock import Blocks, spelled


def timetable(trials: Trials, blocks: Blocks) -> Finding:
    """Compare the rule with a timetable."""
    return better(trials, 3, "rule against the best clock-only policy", ("rule", False), (spelled(blocks), False))
