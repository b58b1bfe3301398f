"""The pathway as a graph: who can come where, which steps may come again, and whether everybody gets out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.names import Names


def targets(way: Any, path: Where) -> list[tuple[str, Where]]:
    """Names of the steps that a way may lead to, with the place where each stands."""
    if way is None:
        return []
    if isinstance(way, str):
        return [(way, path)]
    if isinstance(way, model.When):
        found = []
        for number, branch in enumerate(way.when):
            key = "else" if branch.otherwise is not None else "go"
            inner = branch.otherwise if branch.otherwise is not None else branch.go
            found.extend(targets(inner, (*path, "when", number, key)))
        return found
    assert isinstance(way, model.Split)
    found = []
    for case, shares in way.cases.items():
        inside = (*path, "split", case) if case else (*path, "split")
        if isinstance(shares, dict):
            found.extend((name, (*inside, name)) for name in shares)
    return found


class Graph:
    """Edges between steps, by name.

    Attributes:
        kinds_of: for each step, indices of the entity kinds that can come there, ascending.
        repeats: steps that an entity may visit more than once.
        branch_only: steps that are only visited inside a branch of ``together``.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.scenario = names.scenario
        self.edges: dict[str, list[str]] = {}
        self.branches: dict[str, list[str]] = {}
        for name, step in self.scenario.pathway.items():
            self._add(name, step)
        self.kinds_of: dict[str, tuple[int, ...]] = dict.fromkeys(self.scenario.pathway, ())
        self._detours = self._side_ways()
        main: set[str] = set()
        for number, kind in enumerate(self.scenario.entities.values()):
            starts = [kind.begins, *self._detours[number]]
            on_main = self._reachable(starts, branches=False)
            main |= on_main
            for name in self._reachable(on_main, branches=True):
                self.kinds_of[name] = (*self.kinds_of[name], number)
        everything = {name for name, kinds in self.kinds_of.items() if kinds}
        self.main = main
        self.branch_only = everything - main
        self.repeats = {name for name in everything if name in self._reachable(self._after(name), branches=True)}
        self._check_exits(everything)

    def _add(self, name: str, step: Any) -> None:
        path: Where = ("pathway", name)
        found = targets(getattr(step, "next", None), (*path, "next"))
        if isinstance(step, model.Waiting) and step.give_up is not None:
            found.append((step.give_up.go, (*path, "or", "go")))
        inside: list[str] = []
        if isinstance(step, model.Together):
            for branch, parallel in step.together.items():
                for number, target in enumerate(parallel.do):
                    if self._known(target, (*path, "together", branch, "do", number)):
                        inside.append(target)
        self.edges[name] = [target for target, where in found if self._known(target, where)]
        self.branches[name] = inside

    def _known(self, name: str, path: Where) -> bool:
        if name not in self.scenario.pathway:
            self.names.unknown(path, "step", name, self.scenario.pathway)
            return False
        return True

    def _side_ways(self) -> list[list[str]]:
        """By kind: steps that timers and health send entities to, from wherever they are."""
        detours: list[list[str]] = [[] for _ in self.names.kinds]
        for number, (name, kind) in enumerate(self.scenario.entities.items()):
            self._known(kind.begins, ("entities", name, "begins"))
            for timer_name, timer in self.scenario.timers.items():
                if name in timer.applies_to and self._known(timer.go, ("timers", timer_name, "go")):
                    detours[number].append(timer.go)
            for machine_name, machine in self.scenario.health.items():
                for state, transitions in machine.states.items():
                    for to, transition in transitions.items():
                        path: Where = ("health", machine_name, "states", state, to, "go")
                        if name in machine.applies_to and transition.go and self._known(transition.go, path):
                            detours[number].append(transition.go)
        for role, agent in self.scenario.agents.items():
            for place, move in enumerate(agent.can):
                if not isinstance(move, model.Choose) or not isinstance(move.do, model.Go):
                    continue
                if self._known(move.do.go, ("agents", role, "can", place, "do", "go")):
                    for step in self._steps_of(move.choose):
                        self.edges[step].append(move.do.go)
        return detours

    def _steps_of(self, slots: str) -> list[str]:
        spec = self.scenario.slots.get(slots)
        if spec is None:
            return []
        if spec.inside is not None:
            return [spec.inside] if spec.inside in self.scenario.pathway else []
        found = []
        for name, step in self.scenario.pathway.items():
            needs = resources_of(step)
            if isinstance(step, model.Waiting) and (step.queue == spec.waiting or spec.waiting in needs):
                found.append(name)
        return found

    def _after(self, name: str) -> list[str]:
        after = [*self.edges[name], *self.branches[name]]
        for kind in self.kinds_of[name]:
            after.extend(self._detours[kind])
        return after

    def _reachable(self, starts: Iterable[str], *, branches: bool) -> set[str]:
        found: set[str] = set()
        stack = [name for name in starts if name in self.edges]
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack.extend(self.edges[name])
                if branches:
                    stack.extend(self.branches[name])
        return found

    def _check_exits(self, everything: set[str]) -> None:
        steps = self.scenario.pathway
        for name in steps:
            if name not in everything:
                self.names.problem(
                    ("pathway", name),
                    "nobody ever comes here; name it in a next, a begins or a do, or remove it",
                )
        for name in sorted(everything):
            step = steps[name]
            ends_here = isinstance(step, model.Leave) or not getattr(step, "next", None)
            if name in self.main and ends_here and not isinstance(step, model.Leave):
                self.names.problem(
                    ("pathway", name),
                    "needs next: where do they go from here? (a leave step ends the pathway)",
                )
            if name in self.branch_only and isinstance(step, model.Leave):
                self.names.problem(
                    ("pathway", name),
                    "a branch of together cannot leave; leave after the together step instead",
                )
        backwards: dict[str, list[str]] = {name: [] for name in steps}
        for name, following in self.edges.items():
            for target in following:
                backwards[target].append(name)
        ends = [name for name in everything if isinstance(steps[name], model.Leave) or not self.edges[name]]
        gets_out: set[str] = set()
        while ends:
            name = ends.pop()
            if name not in gets_out:
                gets_out.add(name)
                ends.extend(backwards[name])
        trapped = sorted(everything - gets_out)
        if trapped:
            self.names.problem(
                ("pathway", trapped[0]),
                f"from here nobody ever leaves: {', '.join(trapped[:8])} only lead to each other; "
                "add a way to a leave step",
            )

    def check_time(self, timeless: set[str]) -> None:
        """Note loops in which no time passes: the world would stand still in them."""
        done: set[str] = set()
        for start in sorted(timeless):
            trail: list[str] = []
            stack = [(start, 0)]
            while stack:
                name, position = stack.pop()
                if position == 0:
                    if name in done:
                        continue
                    trail.append(name)
                following = [target for target in self.edges[name] if target in timeless]
                if position < len(following):
                    stack.append((name, position + 1))
                    target = following[position]
                    if target in trail:
                        loop = [*trail[trail.index(target) :], target]
                        self.names.problem(
                            ("pathway", target),
                            f"no time passes in the loop {' -> '.join(loop)}; give one step a duration",
                        )
                        return
                    stack.append((target, 0))
                else:
                    trail.pop()
                    done.add(name)


def resources_of(step: Any) -> list[str]:
    """Names of the resources that a step needs, the place first."""
    if isinstance(step, model.Use):
        return list(step.use)
    if isinstance(step, model.MoveTo):
        return [step.move_to, *step.staff]
    if isinstance(step, model.Visit):
        return [step.visit, *step.staff]
    return []
