"""The pathway as a graph: who can come where, which steps may come again, and whether everybody gets out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from marl_health.spec.errors import Where
from marl_health.worlds.flow import model
from marl_health.worlds.flow.names import Names

MOST_AT_ONCE = 60


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
    if isinstance(way, model.ByValue):
        cases = [*way.cases.items()] + ([("else", way.otherwise)] if way.otherwise is not None else [])
        return [target for key, case in cases for target in targets(case, (*path, key))]
    assert isinstance(way, model.Split)
    found = []
    for case, shares in way.cases.items():
        inside = (*path, "split", case) if case else (*path, "split")
        if isinstance(shares, dict):
            found.extend((name, (*inside, name)) for name in shares)
    return found


class Setting(NamedTuple):
    """A step's way on that an agent sets: the lever's number, counted over all moves, and the place it stands at."""

    lever: int
    move: model.SetNext
    path: Where


class Graph:
    """Edges between steps, by name.

    Attributes:
        settings: by step, the lever that sets its way on.
        detours: by kind, steps that timers and health send entities to, from wherever they are.
        kinds_of: for each step, indices of the entity kinds that can come there, ascending.
        repeats: steps that an entity may visit more than once.
        timeless, balking: as given to :meth:`check_time`.
        branch_only: steps that are only visited inside a branch of ``together``.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.scenario = names.scenario
        self.timeless: set[str] = set()
        self.balking: set[str] = set()
        self.complete = True  # until a way on is found to lead nowhere
        self.edges: dict[str, list[str]] = {}
        self.branches: dict[str, list[str]] = {}
        self.settings = self._settings()
        for name, step in self.scenario.pathway.items():
            self._add(name, step)
        self.kinds_of: dict[str, tuple[int, ...]] = dict.fromkeys(self.scenario.pathway, ())
        own = {name: list(following) for name, following in self.edges.items()}
        self.detours = self._side_ways()
        main: set[str] = set()
        reached: dict[frozenset[str], set[str]] = {}
        for number, kind in enumerate(self.scenario.entities.values()):
            starts = frozenset([kind.begins, *self.detours[number]])
            if starts not in reached:
                on_main = self._reachable(starts, branches=False)
                main |= on_main
                reached[starts] = self._reachable(on_main, branches=True)
            for name in reached[starts]:
                self.kinds_of[name] = (*self.kinds_of[name], number)
        everything = {name for name, kinds in self.kinds_of.items() if kinds}
        self.main = main
        self.branch_only = everything - main
        self.repeats = on_cycles(self._in_sequence()) & everything
        self._check_branches(own)
        self._check_exits(everything)

    def _settings(self) -> dict[str, Setting]:
        found: dict[str, Setting] = {}
        lever = 0
        for role, agent in self.scenario.agents.items():
            for number, move in enumerate(agent.can):
                if isinstance(move, model.SetNext):
                    setting = Setting(lever, move, ("agents", role, "can", number))
                    self._check_setting(setting, found)
                    found.setdefault(move.step, setting)
                lever += 1
        return found

    def _check_setting(self, setting: Setting, others: Mapping[str, Setting]) -> None:
        path, name, ways = setting.path, setting.move.step, setting.move.to
        if not self._known(name, (*path, "set")):
            return
        own = getattr(self.scenario.pathway[name], "next", None)
        first = next(iter(ways))
        if name in others:
            self.names.problem((*path, "set"), f"the way on from '{name}' is set by another move already")
        elif own is None:
            self.names.problem((*path, "set"), f"'{name}' has no next that could be set")
        elif ways[first] != own:
            self.names.problem(
                (*path, "to", first), f"the first way is in force at the start and must be the next of '{name}'"
            )

    def _ways_of(self, name: str, step: Any) -> list[tuple[str, Where]]:
        """Where a step's way on may lead, also when an agent sets it."""
        found = targets(getattr(step, "next", None), ("pathway", name, "next"))
        if name in self.settings:
            setting = self.settings[name]
            for position, way in list(setting.move.to.items())[1:]:
                found.extend(targets(way, (*setting.path, "to", position)))
        return found

    def _add(self, name: str, step: Any) -> None:
        path: Where = ("pathway", name)
        found = self._ways_of(name, step)
        if isinstance(step, model.Queued) and step.give_up is not None:
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
            self.complete = False
            return False
        return True

    def _side_ways(self) -> list[list[str]]:
        """By kind: steps that timers and health send entities to, from wherever they are."""
        detours: list[list[str]] = [[] for _ in self.names.kinds]
        for clock in (*self.scenario.timers.values(), *self.scenario.health.values()):
            assert isinstance(clock, model.Timer | model.HealthMachine)
            self.complete &= set(clock.applies_to) <= self.scenario.entities.keys()
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
                if not isinstance(move, model.Choose) or not isinstance(move.do, model.Go) or move.do.go is None:
                    continue
                if self._known(move.do.go, ("agents", role, "can", place, "do", "go")):
                    for step in self.steps_of(move.choose):
                        self.edges[step].append(move.do.go)
        return detours

    def steps_of(self, slots: str) -> list[str]:
        """Steps in which those in a slot list are."""
        spec = self.scenario.slots.get(slots)
        if spec is None:
            return []
        if spec.inside is not None:
            return [spec.inside] if spec.inside in self.scenario.pathway else []
        found = []
        for name, step in self.scenario.pathway.items():
            needs = resources_of(step)
            if isinstance(step, model.Queued) and (step.queue == spec.waiting or spec.waiting in needs):
                found.append(name)
        return found

    def _in_sequence(self) -> dict[str, set[str]]:
        """What an entity may visit next, as if the branches of parallel work came one after the other."""
        following = {name: set(targets) for name, targets in self.edges.items()}
        for name, inside in self.branches.items():
            following[name].update(inside)
            after: dict[str, set[str]] = {target: set() for target in inside}
            for target, then in pairwise([*inside, ""]):
                after[target].update([then] if then else self.edges[name])
            for target, ways in after.items():
                for step in self._reachable([target], branches=True):
                    following[step] |= ways
        for name, kinds in self.kinds_of.items():
            for kind in kinds:
                following[name].update(target for target in self.detours[kind] if target in self.edges)
        return following

    def _reachable(
        self, starts: Iterable[str], *, branches: bool, edges: dict[str, list[str]] | None = None
    ) -> set[str]:
        found: set[str] = set()
        edges = self.edges if edges is None else edges
        stack = [name for name in starts if name in edges]
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack.extend(edges[name])
                if branches:
                    stack.extend(self.branches[name])
        return found

    def _check_exits(self, everything: set[str]) -> None:
        steps = self.scenario.pathway
        for name in sorted(everything & self.main):
            if not isinstance(steps[name], model.Leave) and not getattr(steps[name], "next", None):
                self.complete = False
                self.names.problem(
                    ("pathway", name), "needs next: where do they go from here? (a leave step ends the pathway)"
                )
        if not self.complete:
            return  # what follows would only repeat that a way is missing
        reached = {self._in_template(name) for name in everything} - {None}  # elsewhere, if not at this site
        for name in steps:
            if name not in everything and self._in_template(name) not in reached:
                self.names.problem(
                    ("pathway", name), "nobody ever comes here; name it in a next, a begins or a do, or remove it"
                )
        trapped = sorted(everything - self._getting_out(everything))
        if trapped:
            self.names.problem(
                ("pathway", trapped[0]),
                "from here nobody ever leaves: "
                + (f"{', '.join(trapped[:8])} only lead to each other" if len(trapped) > 1 else "it leads to itself")
                + "; add a way to a leave step",
            )

    def _in_template(self, step: str) -> tuple[str, str] | None:
        """The template that a step is from, and its name there."""
        for site, spec in self.scenario.sites.items():
            name = step.removeprefix(f"{site}_")
            if spec.like is not None and name != step and name in self.scenario.templates[spec.like].pathway:
                return spec.like, name
        return None

    def _check_branches(self, own: dict[str, list[str]]) -> None:
        """Note branches that contain themselves, leave, or take a place that nobody would give back.

        Args:
            own: the ways on that steps themselves name; agents, timers and health act on the patient, not on a branch.
        """
        for name, step in self.scenario.pathway.items():
            for branch, parallel in step.together.items() if isinstance(step, model.Together) else ():
                path: Where = ("pathway", name, "together", branch, "do")
                inside = self._reachable(parallel.do, branches=True, edges=own)
                if name in inside:
                    self.names.problem(path, f"the branch leads back to '{name}', so it would never end")
                for target in sorted(inside - {name}):
                    if isinstance(self.scenario.pathway[target], model.Leave):
                        self.names.problem(
                            path,
                            f"the branch leads to '{target}', which leaves; end it with a step that has no next, "
                            f"and leave after '{name}'",
                        )
                    elif isinstance(self.scenario.pathway[target], model.MoveTo):
                        self.names.problem(
                            path, f"'{target}' moves to another place; beside other work write visit instead of move_to"
                        )
                    elif isinstance(self.scenario.pathway[target], model.TravelTo | model.Carry):
                        self.names.problem(path, f"'{target}' travels, and nobody can do part of their work elsewhere")

    def _getting_out(self, everything: set[str]) -> set[str]:
        """Steps from which some way leads to a leave step, or to the end of a branch."""
        backwards: dict[str, list[str]] = {name: [] for name in self.edges}
        for name, following in self.edges.items():
            for target in following:
                backwards[target].append(name)
        ends = [
            name for name in everything if isinstance(self.scenario.pathway[name], model.Leave) or not self.edges[name]
        ]
        found: set[str] = set()
        while ends:
            name = ends.pop()
            if name not in found:
                found.add(name)
                ends.extend(backwards[name])
        return found

    def check_time(self, timeless: set[str], balking: set[str]) -> None:
        """Note loops in which no time passes: the world would stand still in them.

        Args:
            timeless: steps that may be over at once.
            balking: steps whose ``or`` may be taken at once.
        """
        self.timeless, self.balking = timeless, balking
        following: dict[str, list[str]] = {}
        for name, step in self.scenario.pathway.items():
            ways = self._ways_of(name, step) if name in timeless else []
            found = [target for target, _ in ways if target in self.edges]
            if name in balking and isinstance(step, model.Queued) and step.give_up is not None:
                found.append(step.give_up.go)
            following[name] = [target for target in found if target in self.edges]
        depth: dict[str, int] = {}  # steps that may follow one another at once
        for start in sorted(following):
            trail: list[str] = []
            stack = [(start, 0)]
            while stack:
                name, position = stack.pop()
                if position == 0:
                    if name in depth:
                        continue
                    trail.append(name)
                if position == len(following[name]):
                    trail.pop()
                    depth[name] = 1 + max((depth[target] for target in following[name]), default=0)
                    continue
                stack.append((name, position + 1))
                target = following[name][position]
                if target in trail:
                    loop = [*trail[trail.index(target) :], target]
                    self.names.problem(
                        ("pathway", target),
                        f"no time need pass in the loop {' -> '.join(loop)}; give one step a duration",
                    )
                    return
                stack.append((target, 0))
        longest = max(depth, key=depth.__getitem__)
        if depth[longest] > MOST_AT_ONCE:
            self.names.problem(
                ("pathway", longest),
                f"{depth[longest]} steps in a row may take no time, at most {MOST_AT_ONCE} can; give one a duration",
            )


def resources_of(step: Any) -> list[str]:
    """Names of the resources that a step needs, the place first."""
    if isinstance(step, model.Use):
        return list(step.use)
    if isinstance(step, model.MoveTo):
        return [step.move_to, *step.staff]
    if isinstance(step, model.Visit):
        return [step.visit, *step.staff]
    if isinstance(step, model.Take):
        return list(step.take)
    if isinstance(step, model.Meet):
        return [step.meet]
    if isinstance(step, model.Carry):
        return [*step.carry.by, *step.carry.race]
    return []


def on_cycles(following: Mapping[str, Iterable[str]]) -> set[str]:
    """The nodes of a graph from which a way leads back to them (Tarjan's strongly connected components)."""
    found: set[str] = set()
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    for start in following:
        work = [] if start in order else [(start, iter(following[start]))]
        while work:
            node, ways = work[-1]
            if node not in order:
                order[node] = low[node] = len(order)
                path.append(node)
                on_path.add(node)
            for target in ways:
                if target not in order:
                    work.append((target, iter(following[target])))
                    break
                if target in on_path:
                    low[node] = min(low[node], order[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    part = [path.pop()]
                    while part[-1] != node:
                        part.append(path.pop())
                    on_path.difference_update(part)
                    if len(part) > 1 or node in following[node]:
                        found.update(part)
    return found
