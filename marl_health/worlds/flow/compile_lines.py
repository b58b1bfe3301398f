"""Compiles lines: who waits together for the same things, in which classes and order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from marl_health.kernel.disciplines import Ageing, ByClass, Discipline, FirstCome
from marl_health.kernel.line import Line
from marl_health.kernel.rising import RisingLine
from marl_health.spec.errors import Where
from marl_health.spec.numbers import read_key
from marl_health.worlds.flow import model
from marl_health.worlds.flow.compile_fleets import fleet_line, fleet_needs
from marl_health.worlds.flow.compile_machines import check_classes, check_order
from marl_health.worlds.flow.compile_meetings import meeting_of
from marl_health.worlds.flow.graph import resources_of
from marl_health.worlds.flow.program import LineSpec
from marl_health.worlds.flow.set_up_order import SetUpFirst

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler

MOST_CLASSES = 50


class LineTable:
    """Makes the lines of a scenario: one for each named queue, and one for each other set of needs.

    Attributes:
        of_queue, of_pool: indices of lines by queue name and by resource name.
        broken: queues whose classes have a problem, which was told.
    """

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler
        self.of_queue: dict[str, list[int]] = {}
        self.of_pool: dict[str, list[int]] = {}
        self.broken: set[str] = set()
        self._by_needs: dict[Any, int] = {}
        self._named: dict[str, tuple[Any, int, str]] = {}
        self._misspelt = False  # whether a step names a queue that there is not

    def line_for(self, name: str, step: Any, path: Where) -> int:
        """Index of the line in which the entities of a step wait; a new line if there is none like it."""
        scenario, program = self.compiler.scenario, self.compiler.program
        needs = self._needs(step, path)
        kept = program.pool_index.get(step.move_to) if isinstance(step, model.MoveTo) else None
        priority, rises = (step.priority, step.rises) if isinstance(step, model.Ranked) else (0.0, None)
        make: Any = Line if rises is None else partial(RisingLine, after=rises.after, to=rises.to)
        if isinstance(step, model.Carry):
            make = fleet_line(step)
        race = isinstance(step, model.Carry) and bool(step.carry.race)
        key = (needs, kept, priority, rises, race)
        if step.queue is not None:
            if step.queue not in scenario.queues:
                self.compiler.names.unknown((*path, "queue"), "queue", step.queue, scenario.queues)
                self._misspelt = True
                return 0
            known = self._named.get(step.queue)
            if known is not None:
                if known[0] != key:
                    self.compiler.names.problem(
                        (*path, "queue"),
                        f"steps that share the queue '{step.queue}' need the same resources and priority, "
                        f"but '{known[2]}' differs",
                    )
                return known[1]
            index = self._make(step.queue, needs, kept, priority, make, rises is not None)
            self._named[step.queue] = (key, index, name)
            self.of_queue.setdefault(step.queue, []).append(index)
            return index
        party = name if isinstance(step, model.Meet) else ""
        if (*key, party) not in self._by_needs:
            title = "+".join(dict.fromkeys(resources_of(step)))
            self._by_needs[*key, party] = self._make(title, needs, kept, priority, make, rises is not None)
        return self._by_needs[*key, party]

    def _needs(self, step: Any, path: Where) -> tuple[tuple[int, int], ...]:
        if isinstance(step, model.Meet):
            return meeting_of(self.compiler, step.meet)
        if isinstance(step, model.Carry):
            return fleet_needs(self.compiler, step, path)
        scenario, program = self.compiler.scenario, self.compiler.program
        counts = Counter(resources_of(step))
        needs = []
        for verb, allowed, what in (
            ("use", scenario.staff, "staff"),
            ("move_to", scenario.places, "place"),
            ("visit", scenario.places, "place"),
            ("staff", scenario.staff, "staff"),
            ("take", scenario.stock, "stock"),
        ):
            value = getattr(step, verb, None)
            for name in [value] if isinstance(value, str) else value or []:
                if name in allowed:
                    continue
                word = "with" if verb == "staff" else verb
                if verb == "take":
                    self.compiler.names.unknown((*path, word), what, name, allowed)
                elif name in scenario.stock:
                    self.compiler.names.problem((*path, word), f"'{name}' is stock; write take: {name} in a step")
                elif name in scenario.places:
                    remedy = f"write move_to: {name} to stay there from now on, or visit: {name} for this step only"
                    self.compiler.names.problem((*path, word), f"'{name}' is a place and {word} takes staff; {remedy}")
                elif name in scenario.staff:
                    remedy = f"write with: {name} beside a place, or use: {name} without one"
                    self.compiler.names.problem((*path, word), f"'{name}' is staff and {word} takes a place; {remedy}")
                else:
                    self.compiler.names.unknown((*path, word), what, name, allowed)
        for name, units in counts.items():
            if name not in program.pool_index:
                continue
            index = program.pool_index[name]
            most = max(count for _, count in program.pools[index].shifts)
            if units > most:
                self.compiler.names.problem(path, f"needs {units} of {name}, but there are never more than {most}")
            needs.append((index, units))
        return tuple(needs)

    def _make(
        self,
        title: str,
        needs: tuple[tuple[int, int], ...],
        kept: int | None,
        priority: float,
        make: Callable[..., Line],
        rises: bool,
    ) -> int:
        program = self.compiler.program
        index = len(program.lines)
        program.lines.append(LineSpec(title, needs, kept, None, {}, FirstCome(), priority, make, rises))
        for pool, _ in needs:
            self.of_pool.setdefault(program.pools[pool].name, []).append(index)
        return index

    def finish(self) -> None:
        """Give the named queues their classes and orders, now that it is known who waits there."""
        compiler, program = self.compiler, self.compiler.program
        for name, queue in compiler.scenario.queues.items():
            path: Where = ("queues", name)
            known = self._named.get(name)
            if known is None:
                if not self._misspelt:
                    compiler.names.problem(
                        path, f"no step waits in '{name}'; add queue: {name} to a step, or remove it"
                    )
                continue
            index = known[1]
            slot: int | None = None
            classes: dict[Any, int] = {}
            if queue.classes is not None:
                found = self._classes(name, queue.classes, (*path, "classes"))
                if found is None:
                    self.broken.add(name)
                    continue
                slot, classes = found
            line = program.lines[index]
            check_classes(compiler, line, queue.classes, path)
            if queue.order == "set_up":
                check_order(compiler, line, queue.classes, (*path, "order"))
            discipline = self.discipline(queue.order, classes, (*path, "order"))
            program.lines[index] = replace(line, slot=slot, classes=classes, discipline=discipline)

    def _classes(self, queue: str, attribute: str, path: Where) -> tuple[int, dict[Any, int]] | None:
        """Slot of the attribute that divides a queue, and the number of each class; ``None`` after a problem."""
        names, graph = self.compiler.names, self.compiler.graph
        steps = [step for step, spec in names.scenario.pathway.items() if getattr(spec, "queue", None) == queue]
        kinds = sorted({kind for step in steps for kind in graph.kinds_of[step]})
        found = names.attribute(attribute, path, kinds)
        if found is None:
            return None
        slot, possible = found
        if possible is None or len(possible) > MOST_CLASSES:
            names.problem(path, f"'{attribute}' takes too many values to be classes of a queue")
            return None
        ordered = sorted(possible, key=lambda value: (isinstance(value, str), value))
        return slot, {value: number for number, value in enumerate(ordered)}

    def discipline(self, order: Any, classes: dict[Any, int], path: Where) -> Discipline:
        """The discipline for an order, for a queue with these classes."""
        if order == "arrival":
            return FirstCome()
        if not classes:
            self.compiler.names.problem(path, "this order needs classes: name an attribute, such as classes: acuity")
            return FirstCome()
        if order == "set_up":
            return SetUpFirst(classes)
        if order == "class":
            return ByClass(tuple(float(number) for number in range(len(classes))))
        if isinstance(order, model.ByClassOrder):
            ranks = [float(len(classes))] * len(classes)
            for rank, value in enumerate(order.first):
                key = read_key(str(value))
                if self._class(key, classes, (*path, "first", rank)):
                    ranks[classes[key]] = float(rank)
            return ByClass(tuple(ranks))
        rates = [0.0] * len(classes)
        for text, rate in order.ageing.items():
            key = read_key(text)
            if self._class(key, classes, (*path, "ageing", text)):
                rates[classes[key]] = rate / 60.0
        return Ageing(tuple(rates))

    def _class(self, key: Any, classes: dict[Any, int], path: Where) -> bool:
        if key not in classes:
            self.compiler.names.unknown(path, "class", str(key), [str(value) for value in classes])
            return False
        return True
