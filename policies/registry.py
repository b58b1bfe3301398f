"""Policies by name."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marl_health import HealthParallelEnv, Scenario
from marl_health.spec.scenario import packaged_scenarios
from marl_health.spec.suggest import nearest
from policies import rules
from policies.base import ADVERSARIAL, Policy, PolicyError
from policies.clock import CLOCK, make_clock
from policies.lookahead.policy import Budget, LookaheadPolicy
from policies.simple import ConstantPolicy, RandomPolicy, WaitPolicy
from policies.trained import MANIFEST, TrainedPolicy, load_checkpoint, trained
from policies.variants import VariantPolicy, check_variant, makers_of, modules_of, variants

NAMES = ("wait", "random", "rule")
FORMS = (
    "wait, random, rule, lookahead (or lookahead:NAME=NUMBER,..), constant:ROLE=ACTION, clock (or clock:FILE), "
    "adversarial:WAY, a variant that the scenario's rules offer, a trained one such as mappo, or the folder of a "
    "checkpoint"
)
CONSTANT = "constant:"
LOOKAHEAD = "lookahead"


def make(spec: str) -> Policy:
    """Make the policy that ``spec`` names.

    Args:
        spec: ``wait``, ``random``, ``rule``, ``lookahead`` (its budget may follow, as in
            ``lookahead:futures=4,horizon=48``), ``constant:ROLE=ACTION`` (several joined by commas), ``clock`` (a file
            or blocks of the day may follow), ``adversarial:WAY``, what the rules of a scenario offer besides the
            reference rule, such as ``threshold:25``, what was trained in the scenario, such as ``mappo``, or the folder
            of a checkpoint, such as ``runs/<id>/checkpoint``.

    Raises:
        PolicyError: if there is no such policy.
    """
    found = _made(spec)
    if found is not None:
        return found
    check(spec)
    return load_checkpoint(spec)


def _made(spec: str) -> Policy | None:
    """The policy of a form that is known by its name alone; ``None`` if it is of no such form.

    Raises:
        PolicyError: for a slip in what follows the name.
    """
    if spec == "wait":
        return WaitPolicy()
    if spec == "random":
        return RandomPolicy()
    if spec == "rule":
        return RulePolicy()
    if spec.startswith(CONSTANT):
        return ConstantPolicy(_constants(spec))
    if spec.startswith(ADVERSARIAL):
        from policies.adversarial import AdversarialPolicy  # which knows the moves of a world, and loads it

        return AdversarialPolicy(spec)
    name, _, rest = spec.partition(":")
    if name == CLOCK:
        return make_clock(spec)
    if name == LOOKAHEAD:
        return LookaheadPolicy(spec, Budget.read(rest), (RulePolicy, WaitPolicy))
    makers = makers_of(spec)
    if makers:
        check_variant(spec, makers)
        return VariantPolicy(spec)
    if spec in trained():
        return TrainedPolicy(spec)
    return None


def check(spec: str) -> None:
    """Find a slip in the name of a policy without loading anything.

    Raises:
        PolicyError: if there is no such policy; it names the known ones and the nearest.
    """
    if _made(spec) is not None:
        return
    folder = Path(spec)
    if spec and (folder / MANIFEST).is_file():
        return
    if spec and folder.exists():
        hint = f"; did you mean {folder / 'checkpoint'}?" if (folder / "checkpoint" / MANIFEST).is_file() else ""
        raise PolicyError(f"'{spec}' holds no checkpoint ({MANIFEST} not found){hint}")
    if "/" in spec:
        raise PolicyError(
            f"there is no checkpoint at '{spec}'; name the folder that training wrote, runs/<id>/checkpoint"
        )
    close = nearest(
        spec.partition(":")[0], [*NAMES, LOOKAHEAD, "constant", CLOCK, "adversarial", *variants(), *trained()]
    )
    hint = f"; did you mean '{close}'?" if close else ""
    raise PolicyError(f"there is no policy '{spec}'{hint} (known: {FORMS})")


def _constants(spec: str) -> dict[str, str]:
    """Role to action, from ``constant:ROLE=ACTION,ROLE=ACTION``."""
    wanted: dict[str, str] = {}
    for part in spec.removeprefix(CONSTANT).split(","):
        role, equals, action = (word.strip() for word in part.partition("="))
        if not (role and equals and action):
            raise PolicyError(f"policy '{spec}': '{part}' should read ROLE=ACTION, as in constant:bed_manager=3")
        if role in wanted:
            raise PolicyError(f"policy '{spec}': the role '{role}' is named twice")
        wanted[role] = action
    return wanted


class RulePolicy:
    """The reference rule of whatever scenario it is reset in: the module of that name in ``policies.rules``.

    A variant that ``extends`` another scenario uses the other's rule, unless it has one of its own. Each episode gets
    a rule made anew, so nothing is carried over.
    """

    name = "rule"

    def __init__(self) -> None:
        self._rule: Policy | None = None

    def reset(self, env: HealthParallelEnv, seed: int) -> None:
        """Find and prepare the scenario's rule.

        Raises:
            PolicyError: if it has none.
        """
        rule: Policy = importlib.import_module(f"policies.rules.{rule_of(env.scenario)}").make()
        rule.reset(env, seed)
        self._rule = rule

    def act(
        self, env: HealthParallelEnv, observations: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, int]:
        """Do what the rule says."""
        if self._rule is None:
            raise RuntimeError("call reset() first")
        return self._rule.act(env, observations, infos)


def rule_of(scenario: Scenario) -> str:
    """Name of the module in ``policies.rules`` with the reference rule of a scenario.

    Raises:
        PolicyError: if there is none.
    """
    known = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
    for name in modules_of(scenario):
        if name in known:
            return name
    ruled = [name for name in known if name in packaged_scenarios()]
    listed = f"rules exist for {', '.join(ruled)}" if ruled else "no packaged one has"
    raise PolicyError(
        f"the scenario '{scenario.name}' has no reference rule ({listed}); use another policy, or write "
        f"policies/rules/{scenario.name}.py with a function make()"
    )


def why_no_rule(scenario: Scenario) -> str | None:
    """Why a scenario has no reference rule; None if it has one."""
    try:
        rule_of(scenario)
    except PolicyError as error:
        return str(error)
    return None
