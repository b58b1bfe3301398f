"""Point 5: no policy that games, spends or refuses blindly scores as high as the rule."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.check.finding import Finding
from orchestration.check.sequential import better
from orchestration.check.trials import Trials
from policies.adversarial import ADVERSARIAL, PICKS

ADVERSARIES = tuple(ADVERSARIAL + name for name in PICKS)
"""Beside these stands doing nothing, which point 2 compares with the rule."""


def adversaries(trials: Trials) -> Iterator[Finding]:
    """Compare the rule with each."""
    for policy in ADVERSARIES:
        yield better(trials, 5, f"rule against {policy}", ("rule", False), (policy, False))
