"""Point 2: the rule beats random, waiting, and whatever is done without looking and without the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestration.check.finding import Finding
from orchestration.check.search import Joint, constant
from orchestration.check.sequential import better
from orchestration.check.trials import Trials


def constants(trials: Trials, singles: Mapping[str, str], joint: Joint) -> Iterator[Finding]:
    """Compare the rule with each.

    Args:
        trials: where they play.
        singles: role to its best constant while the others wait.
        joint: the best constant of all roles together.
    """
    against = {"random": "random", "wait": "wait"}
    against |= {f"best constant of {role}: {action}": constant({role: action}) for role, action in singles.items()}
    against[f"best joint constant: {constant(joint)}"] = constant(joint)
    for what, policy in against.items():
        yield better(trials, 2, f"rule against {what}", ("rule", False), (policy, False))
