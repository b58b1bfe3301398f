"""Point 4, scarcity binds: the rule scores clearly better with ten times the resources."""

from __future__ import annotations

from orchestration.check.ample import TIMES
from orchestration.check.finding import Finding
from orchestration.check.sequential import better
from orchestration.check.trials import Trials

RULE = "rule"


def scarcity(trials: Trials) -> Finding:
    """Compare the rule with itself where nothing is scarce."""
    return better(trials, 4, f"{TIMES} times the resources", (RULE, True), (RULE, False))
