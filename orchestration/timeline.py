"""What an event log says as spans of time: who waits where, who works with what, who is in which place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from math import inf
from typing import Any, Literal

from marl_health import Scenario
from marl_health.worlds.flow import model
from marl_health.worlds.flow.graph import resources_of, targets
from orchestration.episodes import Event

What = Literal["wait", "work", "place", "delay"]


@dataclass(slots=True)
class Span:
    """A stretch of an entity's time. Times are minutes since the world began.

    Attributes:
        entity: its number in the event log.
        what: it waits for resources, it has staff or a place for as long as work lasts, it is in its place, or time
            passes without anybody's help.
        step: the step of the pathway.
        resource, unit: what it has and which of them, counted from 1; empty and 0 where it has none.
        start, end: infinity if the log ends first.
        served: whether a wait ended with what was waited for.
    """

    entity: int
    what: What
    step: str
    resource: str
    unit: int
    start: float
    end: float = inf
    served: bool = False


class Steps:
    """What a scenario says about each step, as far as a reader of its event logs must know it."""

    def __init__(self, scenario: Scenario) -> None:
        self.spec = scenario.spec
        self.pathway: dict[str, Any] = scenario.spec.pathway

    @cached_property
    def places(self) -> dict[str, str]:
        """Step to the place that it moves to."""
        return {name: step.move_to for name, step in self.pathway.items() if isinstance(step, model.MoveTo)}

    @cached_property
    def work(self) -> dict[str, Counter[str]]:
        """Step to what it takes until its work is done: staff, the place of a visit, or nothing but time (empty)."""
        found = {}
        for name, step in self.pathway.items():
            needs = resources_of(step)
            if isinstance(step, model.MoveTo):
                needs = [] if step.duration is None else list(step.staff) or [""]
            found[name] = Counter(needs)
        return found

    @cached_property
    def rides(self) -> frozenset[str]:
        """Steps in which somebody is carried: the log tells by which of the fleets."""
        return frozenset(name for name, step in self.pathway.items() if isinstance(step, model.Carry))

    @cached_property
    def filled(self) -> dict[str, str]:
        """Kind to the place in which its entities are when the world begins."""
        return {
            name: kind.arrive.at_start.fill
            for name, kind in self.spec.entities.items()
            if kind.arrive is not None and kind.arrive.at_start is not None and kind.arrive.at_start.fill is not None
        }

    @cached_property
    def branches(self) -> dict[str, frozenset[str]]:
        """Step to the branches of parallel work that it belongs to; none if it is on the main way."""
        found: dict[str, set[str]] = {name: set() for name in self.pathway}
        for name, step in self.pathway.items():
            for branch, parallel in step.together.items() if isinstance(step, model.Together) else ():
                for inside in self._closure(parallel.do):
                    found[inside].add(f"{name}.{branch}")
        return {name: frozenset(branches) for name, branches in found.items()}

    def _closure(self, starts: Iterable[str]) -> set[str]:
        found: set[str] = set()
        stack = list(starts)
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                step = self.pathway[name]
                stack.extend(target for target, _ in targets(getattr(step, "next", None), ()))
                if isinstance(step, model.Queued) and step.give_up is not None:
                    stack.append(step.give_up.go)
                for parallel in step.together.values() if isinstance(step, model.Together) else ():
                    stack.extend(parallel.do)
        return found


class Timeline:
    """Reads an event log row by row, in its order.

    Units are numbered here, not in the world: whoever takes one gets the lowest number that is free.

    Args:
        scenario: what was simulated.
        people: who is who in the log, as a game tells it.

    Attributes:
        spans: everything that has begun, in the order in which it began.
    """

    def __init__(self, scenario: Scenario, people: Mapping[int, Any]) -> None:
        self.steps = Steps(scenario)
        self.people = people
        self.spans: list[Span] = []
        self._open: dict[int, list[Span]] = {}
        self._free: dict[str, list[int]] = {}
        self._most: Counter[str] = Counter()

    @classmethod
    def of(cls, scenario: Scenario, people: Mapping[int, Any], events: Iterable[Event]) -> Timeline:
        """Read a whole log."""
        timeline = cls(scenario, people)
        for event in events:
            timeline.read(event)
        return timeline

    def read(self, event: Event) -> int:
        """Take in the next row. Returns the number of the unit that it is about, 0 if it is about none."""
        time, entity, event_type, step, resource = event
        if event_type == "unit":  # a machine goes out or comes back, and nobody moves with it
            return 0
        if event_type == "arrival_departure":
            if step == "depart":
                for span in self._open.pop(entity, ()):
                    self._end(span, time)
                return 0
            self._open[entity] = []
            place = self.steps.filled.get(self.people[entity].kind)
            return self._begin(entity, "place", step, place, time).unit if place is not None else 0
        if event_type == "resource_use_end":
            return self._finish(entity, step, time)
        needed = self.steps.work[step] if step not in self.steps.rides else Counter([resource])
        served = event_type == "resource_use"
        self._move_on(entity, step, time, served)
        if served:
            return self._use(entity, step, needed, time)
        waits = isinstance(self.steps.pathway[step], model.Queued)
        self._begin(entity, "wait" if waits else "delay", step, "", time)
        return 0

    def _use(self, entity: int, step: str, needed: Counter[str], time: float) -> int:
        """What is needed was granted: the old place goes when the new one comes."""
        units = []
        place = self.steps.places.get(step)
        if place is not None:
            old = [span for span in self._open[entity] if span.what == "place"]
            units.append(self._begin(entity, "place", step, place, time).unit)
            for span in old:
                self._close(span, time)
        for resource, count in needed.items():
            units += [self._begin(entity, "work", step, resource, time).unit for _ in range(count)]
        return units[0]

    def _finish(self, entity: int, step: str, time: float) -> int:
        """Work is over, or broken off. Tokens of one entity do the same work in the order in which they began it."""
        needed = self.steps.work[step]
        if step in self.steps.rides:  # one unit, of whichever of the fleets
            needed = Counter(dict.fromkeys(needed, 1))
        unit = 0
        for resource, count in needed.items():
            same = [
                span
                for span in self._open[entity]
                if span.what == "work" and (span.step, span.resource) == (step, resource)
            ]
            for span in same[:count]:
                unit = unit or span.unit
                self._close(span, time)
        if step in self.steps.places:
            unit = next((span.unit for span in self._open[entity] if span.what == "place"), unit)
        return unit

    def _move_on(self, entity: int, step: str, time: float, served: bool) -> None:
        """Whoever begins a step no longer waits, or lets time pass, in another one of the same branch."""
        branches = self.steps.branches
        mine = branches[step]
        for span in list(self._open[entity]):
            if span.what in ("wait", "delay"):
                theirs = branches[span.step]
                if span.step == step and span.what == "wait":
                    if served:
                        span.served = True
                        self._close(span, time)
                        served = False  # a second one in the same step still waits
                elif not mine or not theirs or mine & theirs:
                    self._close(span, time)

    def _begin(self, entity: int, what: What, step: str, resource: str, time: float) -> Span:
        unit = 0
        if resource:
            free = self._free.setdefault(resource, [])
            if free:
                unit = heappop(free)
            else:
                self._most[resource] += 1
                unit = self._most[resource]
        span = Span(entity, what, step, resource, unit, time)
        self.spans.append(span)
        self._open[entity].append(span)
        return span

    def _close(self, span: Span, time: float) -> None:
        self._open[span.entity].remove(span)
        self._end(span, time)

    def _end(self, span: Span, time: float) -> None:
        span.end = time
        if span.resource:
            heappush(self._free[span.resource], span.unit)
