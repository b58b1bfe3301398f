"""Compiles what agents do not know: attributes that steps reveal, and what a redrawn future needs to guess the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Value
from marl_health.spec.errors import Where
from marl_health.spec.suggest import did_you_mean
from marl_health.worlds.flow import model
from marl_health.worlds.flow.numbers import BROKEN, Number
from marl_health.worlds.flow.values import fixed

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.program import Program

Changes = tuple[Where, dict[str, Any], tuple[int, ...], bool]
"""Where attribute changes stand, what they are, whom they befall, whether they may befall anybody again."""


def chosen_changes(compiler: Compiler) -> list[Changes]:
    """The attribute changes that agents can make."""
    found: list[Changes] = []
    for role, agent in compiler.scenario.agents.items():
        for number, move in enumerate(agent.can):
            if isinstance(move, model.Choose) and isinstance(move.do, model.Go) and move.do.set:
                steps = compiler.graph.steps_of(move.choose)
                kinds = sorted({kind for step in steps for kind in compiler.graph.kinds_of[step]})
                found.append((("agents", role, "can", number, "do", "set"), move.do.set, tuple(kinds), True))
    return found


def word(
    compiler: Compiler, value: Any, possible: frozenset[Any] | None, path: Where, kinds: tuple[int, ...]
) -> Number | None:
    """A word that an attribute is set to, one of those that it can take; ``None`` if it is no word."""
    names = compiler.names
    words = sorted(known for known in possible or () if isinstance(known, str))
    if not words or not isinstance(value, str) or names.look_up(value, kinds) is not None:
        return None
    if value not in words:
        names.problem(path, f"it is never '{value}'{did_you_mean(value, words)}; list all its values under has")
        return BROKEN
    return Number(fixed(value), "text", frozenset([value]))


def compile_reveals(compiler: Compiler) -> None:
    """Give each attribute that some step reveals a slot that tells whether it was, and have the step set it."""
    names = compiler.names
    for name, step in compiler.scenario.pathway.items():
        for number, attribute in enumerate(step.reveal if isinstance(step, model.StepBase) else ()):
            path: Where = ("pathway", name, "reveal", number)
            kinds = compiler.graph.kinds_of[name]
            if names.attribute(attribute, path, kinds) is None:
                continue
            if not all(is_hidden(compiler.scenario, names.kinds[kind], attribute) for kind in kinds):
                names.problem(path, f"'{attribute}' is not hidden, so there is nothing to reveal; remove it here")
                continue
            slot = names.slots.setdefault(f"{attribute}.known", len(names.slots))
            compiler.program.known[names.slots[attribute]] = slot
            place: Where = ("pathway", name, "set")
            compiler.sets[place] = (*compiler.sets.get(place, ()), (slot, fixed(True)))


def is_hidden(scenario: model.FlowScenario, kind: str, attribute: str) -> bool:
    """Whether entities of a kind have an attribute that agents may not see."""
    return bool(getattr(scenario.entities[kind].has.get(attribute), "hidden", False))


def hidden_slots(program: Program, kind: int) -> frozenset[int]:
    """Slots of the hidden attributes of a kind."""
    name = program.kinds[kind]
    has = program.scenario.entities[name].has
    return frozenset(program.slots_of_values[word] for word in has if is_hidden(program.scenario, name, word))


def follow_changes(compiler: Compiler) -> None:
    """Note which attribute changes entities must remember: those of what is hidden, and the signals among them."""
    program = compiler.program
    program.signals = compiler.numbers.signals
    program.hidden = [hidden_slots(program, kind) for kind in range(len(program.kinds))]
    hidden = frozenset[int]().union(*program.hidden)

    def matters(changes: tuple[tuple[int, Value], ...]) -> bool:
        return any(slot in hidden or value in program.signals for slot, value in changes)

    program.changes = [changes for changes in compiler.sets.values() if hidden and matters(changes)]
    program.followed = {id(changes): number for number, changes in enumerate(program.changes)}
    if program.followed:
        program.trail = len(program.slots_of_values) + (program.groups is not None)
