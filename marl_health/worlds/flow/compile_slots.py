"""Compiles slot lists: who stands in them, in which order, and what is shown of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from marl_health.kernel.entity import Entity, Value
from marl_health.kernel.formula import constant, formula_of, value_of
from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.compile_hidden import is_hidden
from marl_health.worlds.flow.compile_machines import shown_of_waiting
from marl_health.worlds.flow.conditions import compile_test, settled
from marl_health.worlds.flow.program import RosterSpec, SlotsSpec, Test
from marl_health.worlds.flow.steps import Delay
from marl_health.worlds.flow.turnover import SHOWN_OF_WAITING
from marl_health.worlds.flow.values import fixed, of_slot

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.compile_lines import LineTable


class SlotTable:
    """Slot lists and the rosters behind them.

    Attributes:
        index: number of each slot list by name.
    """

    def __init__(self, compiler: Compiler, lines: LineTable) -> None:
        self.compiler = compiler
        self.index: dict[str, int] = {}
        self.shortened: dict[str, int] = {}
        for name, slots in compiler.scenario.slots.items():
            self._compile(name, slots, lines)

    def _compile(self, name: str, slots: model.Slots, lines: LineTable) -> None:
        compiler, program = self.compiler, self.compiler.program
        path: Where = ("slots", name)
        step = None
        waiting: tuple[int, ...] = ()
        kinds: tuple[int, ...] = ()
        if slots.inside is not None:
            step = program.step_index.get(slots.inside)
            if step is None:
                compiler.names.unknown((*path, "in"), "step", slots.inside, compiler.scenario.pathway)
                return
            if not isinstance(program.steps[step], Delay):
                compiler.names.problem(
                    (*path, "in"), f"'{slots.inside}' is no stay or wait step; nobody can be picked there"
                )
                return
            kinds = compiler.graph.kinds_of[slots.inside]
        else:
            assert slots.waiting is not None
            waiting = tuple(lines.of_queue.get(slots.waiting) or lines.of_pool.get(slots.waiting) or ())
            if not waiting and slots.waiting in compiler.scenario.queues:
                return  # a queue in which nobody waits, which was told
            if not waiting:
                known = [*lines.of_queue, *lines.of_pool]
                compiler.names.unknown((*path, "waiting"), "queue or resource", slots.waiting, known)
                return
            kinds = self._kinds_waiting(waiting)
        roster = len(program.rosters)
        program.rosters.append(RosterSpec(waiting, step, self._key(slots, kinds, path)))
        if step is not None:
            program.steps[step].rosters = (*program.steps[step].rosters, roster)
        test = None
        if slots.when is not None:
            test = self._test(slots.when, (*path, "when"), kinds)
        shown = tuple(
            found
            for number, what in enumerate(slots.show)
            for found in self._shown(what, kinds, (*path, "show", number))
        )
        self.index[name] = len(program.slot_lists)
        program.slot_lists.append(SlotsSpec(name, roster, slots.top, test, shown))  # type: ignore[arg-type]

    def _kinds_waiting(self, waiting: tuple[int, ...]) -> tuple[int, ...]:
        found: set[int] = set()
        for name, index in self.compiler.program.step_index.items():
            if getattr(self.compiler.program.steps[index], "line", None) in waiting:
                found.update(self.compiler.graph.kinds_of[name])
        return tuple(sorted(found))

    def _key(self, slots: model.Slots, kinds: tuple[int, ...], path: Where) -> Value:
        if slots.by == "waited":
            return lambda world, entity: entity.since
        if isinstance(slots.by, model.Left):
            left = self._visible(slots.by.left, kinds, (*path, "by", "left"))
            if left is None:
                return fixed(0.0)
            slot = left
            return lambda world, entity: entity.since + entity.values[slot]
        found = self._visible(slots.by, kinds, (*path, "by"))
        if found is None:
            return fixed(0.0)
        by = found
        return lambda world, entity: entity.values[by]

    def _visible(self, name: str, kinds: tuple[int, ...], path: Where) -> int | None:
        """Slot of an attribute that agents may see, or ``None`` after a problem."""
        attribute = self.compiler.names.attribute(name, path, kinds)
        if attribute is None:
            return None
        for kind in kinds:
            spec = self.compiler.scenario.entities[self.compiler.names.kinds[kind]].has.get(name)
            if getattr(spec, "hidden", False):
                self.compiler.names.problem(path, f"'{name}' is hidden, so agents may not see it or choose by it")
                return None
        return attribute[0]

    def _test(self, condition: Any, path: Where, kinds: tuple[int, ...]) -> Test:
        condition = settled(self.compiler.names, condition, path)
        for name in sorted(condition.names()):
            if self._visible(name, kinds, path) is None:
                return lambda values: False
        return compile_test(self.compiler.names, condition, path, kinds)

    def _shown(self, what: str, kinds: tuple[int, ...], path: Where) -> list[tuple[str, Value, float]]:
        """What is shown of an attribute; of one that may be revealed also whether it was, and else 0."""
        if what == "waited":
            return [(what, value_of("world._now - entity.since"), 120.0)]
        if what == "stayed":
            return [(what, value_of("world._now - (entity.marks[0] or 0.0)"), 1440.0)]
        if what in SHOWN_OF_WAITING:
            return shown_of_waiting(self.compiler, what, kinds, path)
        names, program = self.compiler.names, self.compiler.program
        known = program.known.get(names.slots.get(what, -1))
        if known is None or not all(is_hidden(self.compiler.scenario, names.kinds[kind], what) for kind in kinds):
            slot = self._visible(what, kinds, path)
            return [] if slot is None else [self._of_slot(what, slot, kinds)]
        if names.attribute(what, path, kinds) is None:
            return []
        _, value, scale = self._of_slot(what, names.slots[what], kinds)
        told = formula_of(of_slot(known))
        return [
            (f"{what}.known", value_of("(1.0 if {0} else 0.0)", told), 0.0),
            (what, value_of("({0} if {1} else 0.0)", formula_of(value), told), scale),
        ]

    def _of_slot(self, what: str, slot: int, kinds: tuple[int, ...]) -> tuple[str, Value, float]:
        numbers = [self.compiler.names.attributes[kind][what] for kind in kinds]
        possible: set[Any] = set()
        for number in numbers:
            possible |= set(number.possible or ())
        if numbers[0].dimension == "text":
            order = {value: float(place) for place, value in enumerate(sorted(possible, key=str))}
            place = value_of("{0}.get({1}, 0.0)", constant(order), formula_of(of_slot(slot)))
            return what, place, max(1.0, len(order) / 2)
        scale = 1440.0 if numbers[0].dimension == "time" else max([1.0, *(abs(float(v)) for v in possible)]) / 2
        return what, of_slot(slot), scale

    def finish(self) -> None:
        """Those whose stay was shortened are no candidates any more; slot lists that nobody uses are told."""
        program, agents = self.compiler.program, self.compiler.scenario.agents.values()
        used = {sight if isinstance(sight, str) else sight.see for agent in agents for sight in agent.sees}
        used |= {move.choose for agent in agents for move in agent.can if isinstance(move, model.Choose)}
        for name, index in self.index.items():
            spec = program.slot_lists[index]
            accepts = _accepts(spec.accepts, self.shortened.get(name))
            program.slot_lists[index] = replace(spec, accepts=accepts)
            if name not in used:
                remedy = f"add {name} to the sees of an agent, or remove it"
                self.compiler.names.problem(("slots", name), f"no agent sees or chooses from '{name}'; {remedy}")


def _accepts(test: Any, unmarked: int | None) -> Any:
    if test is None and unmarked is None:
        return None

    def accepts(entity: Entity) -> bool:
        return (unmarked is None or entity.marks[unmarked] is None) and (test is None or test(entity.values))

    return accepts
