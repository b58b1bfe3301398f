"""Compiles the pathway: steps, ways on, and the attribute changes they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from marl_health.kernel.entity import Value
from marl_health.spec.errors import Where
from marl_health.spec.numbers import Share, read_key
from marl_health.worlds.flow import model
from marl_health.worlds.flow.clocks import TimerSpec
from marl_health.worlds.flow.compile_fleets import make_carry
from marl_health.worlds.flow.compile_hidden import chosen_changes, compile_reveals, word
from marl_health.worlds.flow.compile_machines import prepare
from marl_health.worlds.flow.compile_meetings import make_meet
from marl_health.worlds.flow.compile_sites import compile_journey
from marl_health.worlds.flow.compile_stock import make_give, make_take
from marl_health.worlds.flow.compile_totals import compile_adds
from marl_health.worlds.flow.conditions import compile_test
from marl_health.worlds.flow.dimensions import DIMENSIONS
from marl_health.worlds.flow.numbers import BROKEN
from marl_health.worlds.flow.program import Test, Way
from marl_health.worlds.flow.shares import cumulative
from marl_health.worlds.flow.steps import (
    Activity,
    Delay,
    FlowStep,
    Leave,
    Parallel,
)
from marl_health.worlds.flow.switched import Switched
from marl_health.worlds.flow.travelling import SITE
from marl_health.worlds.flow.values import happens, uniform
from marl_health.worlds.flow.ways import ByAttribute, ByChance, ByCondition, CertainDeath
from marl_health.worlds.flow.whereabouts import whereabouts

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.compile_lines import LineTable

_SHARE: TypeAdapter[float] = TypeAdapter(Share)
OUTCOME_MARKS = {"discharged": "discharge", "died": "death"}


def compile_sets(compiler: Compiler) -> None:
    """Compile attribute changes first of all: they add to the values that an attribute can take."""
    places: list[tuple[Where, dict[str, Any], tuple[int, ...], bool]] = []
    for name, step in compiler.scenario.pathway.items():
        if isinstance(step, model.StepBase):
            places.append((("pathway", name, "set"), step.set, compiler.graph.kinds_of[name], True))
        if isinstance(step, model.Stay) and step.shorten is not None:
            place: Where = ("pathway", name, "shorten", "set")
            places.append((place, step.shorten.set, compiler.graph.kinds_of[name], True))
    for name, machine in compiler.scenario.health.items():
        kinds = tuple(compiler.kinds_named(machine.applies_to, ("health", name, "for")))
        for state, transitions in machine.states.items():
            for to, transition in transitions.items():
                places.append((("health", name, "states", state, to, "set"), transition.set, kinds, True))
    places.extend(chosen_changes(compiler))
    for path, changes, kinds, repeats in places:
        compiled: list[tuple[int, Value]] = []
        for name, value in changes.items():
            known = compiler.names.attribute(name, (*path, name), kinds)
            if known is None:
                continue
            where: Where = (*path, name)
            number = word(compiler, value, known[1], where, kinds)
            if number is None:
                number = compiler.numbers.compile(value, where, None, kinds=kinds, repeats=repeats)
            for kind in kinds:
                before = compiler.names.attributes[kind][name]
                if "any" not in (before.dimension, number.dimension) and before.dimension != number.dimension:
                    was, becomes = DIMENSIONS[before.dimension], DIMENSIONS[number.dimension]
                    compiler.names.problem((*path, name), f"'{name}' is {was}, so it cannot become {becomes}")
                    compiler.names.attributes[kind][name] = BROKEN
                else:
                    compiler.names.attributes[kind][name] = before.or_else(number)
            compiled.append((known[0], number.value))
        compiler.sets[path] = tuple(compiled)
    compile_reveals(compiler)


class StepCompiler:
    """Makes the steps, then connects them."""

    def __init__(self, compiler: Compiler, lines: LineTable) -> None:
        self.compiler = compiler
        self.names = compiler.names
        self.program = compiler.program
        self.graph = compiler.graph
        self.lines = lines
        self.steps: dict[str, FlowStep] = {}
        self.timeless: set[str] = set()
        self.balking: set[str] = set()
        self.whereabouts: dict[int, set[str]] | None = None

    def compile(self) -> None:
        """Compile the whole pathway."""
        for name, spec in self.compiler.scenario.pathway.items():
            step = self._make(name, spec, len(self.program.steps))
            self.program.step_index[name] = step.index
            self.program.steps.append(step)
            self.steps[name] = step
            self._decorate(name, spec, step)
        self.lines.finish()
        for name, spec in self.compiler.scenario.pathway.items():
            path: Where = ("pathway", name)
            way = getattr(spec, "next", None)
            if way is not None:
                self.steps[name].way = self._settled(self.way(way, (*path, "next"), name), name)
            if isinstance(spec, model.Queued) and spec.give_up is not None:
                self._give_up(name, spec.give_up, (*path, "or"))
            if isinstance(spec, model.Together):
                self._branches(name, spec, path)
        self.graph.check_time(self._without_time(), self.balking)

    # ------------------------------------------------------------ making
    def _make(self, name: str, spec: Any, index: int) -> FlowStep:
        path: Where = ("pathway", name)
        if isinstance(spec, model.Use | model.MoveTo | model.Visit):
            return self._activity(name, spec, index, path)
        if isinstance(spec, model.Take):
            self.timeless.add(name)
            return make_take(self.compiler, self.lines, name, spec, index)
        if isinstance(spec, model.Give):
            self.timeless.add(name)
            return make_give(self.compiler, name, spec, index)
        if isinstance(spec, model.Meet):
            self.timeless.add(name)
            return make_meet(self.program, self.lines, name, spec, index)
        if isinstance(spec, model.Carry):
            self.timeless.add(name)  # a unit may be there, and so may they
            carry = make_carry(self.compiler, self.lines, name, spec, index)
            carry.reached_marks = self._marks(spec.carry.mark_reached, (*path, "carry", "mark_reached"))
            carry.off_marks = self._marks(spec.carry.mark_off, (*path, "carry", "mark_off"))
            return carry
        if isinstance(spec, model.Stay | model.Wait):
            verb = "stay" if isinstance(spec, model.Stay) else "wait"
            return self._delay(name, getattr(spec, verb), index, (*path, verb))
        if isinstance(spec, model.TravelTo):
            self.timeless.add(name)  # somebody may be there already
            return compile_journey(self.compiler, name, spec, index)
        if isinstance(spec, model.Together):
            return Parallel(self.program, name, index)
        if isinstance(spec, model.Leave):
            return self._leave(name, spec, index, path)
        self.timeless.add(name)
        return FlowStep(self.program, name, index)

    def _activity(self, name: str, spec: Any, index: int, path: Where) -> Activity:
        step = Activity(self.program, name, index)
        step.line = self.lines.line_for(name, spec, path)
        kinds, repeats = self.graph.kinds_of[name], name in self.graph.repeats
        if spec.duration is None:
            self.timeless.add(name)
        else:
            number = self.compiler.numbers.compile(spec.duration, (*path, "for"), "time", kinds=kinds, repeats=repeats)
            step.duration = number.value
            if number.may_be_zero:
                self.timeless.add(name)
        prepare(self.compiler, step, spec, path)
        if isinstance(spec, model.MoveTo):
            step.place = self.program.pool_index.get(spec.move_to)
        step.preempt = spec.preempt is not None
        step.resume = spec.preempt != "restart"
        step.first = spec.preempt == "resume_first"
        if isinstance(spec, model.Use) and spec.same:
            step.same = self.program.pool_index.get(spec.use[0])
        return step

    def _delay(self, name: str, value: Any, index: int, path: Where) -> Delay:
        kinds, repeats = self.graph.kinds_of[name], name in self.graph.repeats
        numbers = self.compiler.numbers
        number = numbers.compile(value, path, "time", kinds=kinds, repeats=repeats)
        if number.may_be_zero:
            self.timeless.add(name)
        step = Delay(self.program, name, index, number.value)
        present = any(
            kind.arrive is not None and kind.arrive.at_start is not None and kind.begins == name
            for kind in self.compiler.scenario.entities.values()
        )
        if present:
            biased = numbers.compile(value, path, "time", kinds=kinds, repeats=repeats, length_biased=True)
            step.length_biased = biased.value
        return step

    def _leave(self, name: str, spec: model.Leave, index: int, path: Where) -> Leave:
        program = self.program
        if spec.leave not in program.outcome_names:
            program.outcome_names.append(spec.leave)
            mark = OUTCOME_MARKS.get(spec.leave)
            program.outcome_marks.append(None if mark is None else program.marks[mark])
        step = Leave(program, name, index, program.outcome_names.index(spec.leave))
        step.marks = self._marks(spec.mark, (*path, "mark"))
        if spec.again is not None:
            where: Where = (*path, "again")
            kinds = self.graph.kinds_of[name]
            if spec.again.as_ not in self.names.kinds:
                self.names.unknown((*where, "as"), "entity type", spec.again.as_, self.names.kinds)
                return step
            kept = []
            target = self.names.kinds.index(spec.again.as_)
            for number, attribute in enumerate(spec.again.keeps):
                if self.names.attribute(attribute, (*where, "keeps", number), (*kinds, target)) is not None:
                    slot = self.names.slots[attribute]
                    kept += [slot] if slot not in program.known else [slot, program.known[slot]]
            numbers = self.compiler.numbers
            step.again = (
                numbers.compile(spec.again.chance, (*where, "chance"), "share", kinds=kinds).value,
                numbers.compile(spec.again.after, (*where, "after"), "time", kinds=kinds).value,
                target,
                tuple(kept),
            )
            step.again = (happens(uniform(numbers.column(), False), step.again[0]), *step.again[1:])
        return step

    def _decorate(self, name: str, spec: Any, step: FlowStep) -> None:
        path: Where = ("pathway", name)
        if isinstance(spec, model.StepBase):
            step.sets += self.compiler.sets.get((*path, "set"), ())
            step.adds = compile_adds(self.compiler, name, spec.adds)
            step.marks = self._marks(spec.mark, (*path, "mark"))
            step.marks_end = self._marks(spec.mark_end, (*path, "mark_end"))
        if isinstance(spec, model.Stay) and spec.shorten is not None:
            assert isinstance(step, Delay)
            step.sets_if_shortened = self.compiler.sets.get((*path, "shorten", "set"), ())
            self._marks(spec.shorten.mark, (*path, "shorten", "mark"))

    def _marks(self, names: list[str], path: Where) -> tuple[int, ...]:
        return tuple(self._mark(name, path) for name in names)

    def _mark(self, name: str, path: Where) -> int:
        if name in ("arrival", "discharge", "death"):
            self.names.problem(path, f"the mark '{name}' is set by itself when it happens; choose another name")
        return self.compiler.mark(name)

    # ------------------------------------------------------------ connecting
    def way(self, way: Any, path: Where, step: str, *, by_chance: bool = False) -> Way:
        """Compile a way on, for the entities that come to a step."""
        if isinstance(way, str):
            target: Way | None = self.steps.get(way)
            if target is None:
                return FlowStep(self.program, way, -1)  # the graph has told that there is no such step
            return CertainDeath(target) if self._is_death(way) and not by_chance else target
        if isinstance(way, model.When):
            branches: list[tuple[Test | None, Way]] = []
            for number, branch in enumerate(way.when):
                where: Where = (*path, "when", number)
                if branch.otherwise is not None:
                    branches.append((None, self.way(branch.otherwise, (*where, "else"), step)))
                elif branch.condition is not None:
                    test = compile_test(self.names, branch.condition, (*where, "if"), self.graph.kinds_of[step])
                    branches.append((test, self.way(branch.go, (*where, "go"), step)))
            return ByCondition(branches)
        if isinstance(way, model.ByValue):
            return self._by_value(way, path, step)
        assert isinstance(way, model.Split)
        return self._split(way, (*path, "split"), step)

    def _by_value(self, way: model.ByValue, path: Where, step: str) -> Way:
        """A way on for each value of an attribute; what they draw is drawn from the same columns."""
        numbers = self.compiler.numbers
        first = last = numbers.columns
        ways: dict[str, Way] = {}
        for key, case in [*way.cases.items(), *([] if way.otherwise is None else [("else", way.otherwise)])]:
            numbers.columns = first
            ways[key] = self.way(case, (*path, key), step)
            last = max(last, numbers.columns)
        numbers.columns = last
        found = self.names.attribute(way.by, (*path, "by"), self.graph.kinds_of[step])
        otherwise = ways.pop("else", None)
        if found is None:
            return ByAttribute(0, {}, otherwise)
        slot, possible = found
        if way.by == SITE and self.program.sites:
            self._check_sites(way, path)
        else:
            self.names.covers(ways, otherwise is not None, possible, way.by, path)
        return ByAttribute(slot, {read_key(key): case for key, case in ways.items()}, otherwise)

    def _check_sites(self, way: model.ByValue, path: Where) -> None:
        """Note sites at which somebody may be who takes a way on by site that has no step for there."""
        for name in way.cases:
            if name not in self.program.sites:
                self.names.unknown((*path, name), "site", name, self.program.sites)
        if self.whereabouts is None:
            self.whereabouts = whereabouts(self.graph)
        missing = sorted(self.whereabouts.get(id(way), set()) - way.cases.keys())
        if missing and way.otherwise is None:
            listed = ", ".join(missing[:8])
            self.names.problem(
                path,
                f"somebody may be at {listed} here, where this way has no step; let them travel first, or add else",
            )

    def _settled(self, own: Way, step: str) -> Way:
        """A step's own way on, or the ways among which an agent sets it."""
        setting = self.graph.settings.get(step)
        if setting is None:
            return own
        others = list(setting.move.to.items())[1:]
        return Switched(
            setting.lever, [own, *(self.way(way, (*setting.path, "to", name), step) for name, way in others)]
        )

    def _split(self, way: model.Split, path: Where, step: str) -> Way:
        kinds, repeats = self.graph.kinds_of[step], step in self.graph.repeats
        draw = uniform(self.compiler.numbers.column(), repeats)
        slot = None
        compiled: dict[str, tuple[list[float], list[Way], float]] = {}
        for key, shares in way.cases.items():
            where = (*path, key) if key else path
            case = self._case(shares, where, step)
            if case is not None:
                compiled[key] = case
        if way.by is None:
            return ByChance(draw, None, {}, compiled.get("", ([2.0], [self.steps[step]], 0.0)))
        found = self.names.attribute(way.by, (*path, "by"), kinds)
        if found is not None:
            slot, possible = found
            keys = [key for key in way.cases if key != "else"]
            self.names.covers(keys, "else" in way.cases, possible, way.by, path)
        cases = {read_key(key): case for key, case in compiled.items() if key != "else"}
        return ByChance(draw, slot, cases, compiled.get("else"))

    def _case(self, shares: Any, path: Where, step: str) -> tuple[list[float], list[Way], float] | None:
        if not isinstance(shares, dict) or not shares:
            self.names.problem(path, "shares of steps are needed here, such as {imaging: 35%, home: else}")
            return None
        read: dict[str, Any] = {}
        for name, share in shares.items():
            if share == "else":
                read[name] = "else"
                continue
            try:
                read[name] = _SHARE.validate_python(share)
            except ValidationError as error:
                self.names.problem((*path, name), error.errors()[0]["msg"].removeprefix("Value error, "))
                return None
        total = sum(share for share in read.values() if share != "else")
        open_ones = sum(1 for share in read.values() if share == "else")
        if open_ones > 1:
            self.names.problem(path, "only one of the ways can be else")
        elif total > 1 + 1e-6 or (not open_ones and abs(total - 1) > 1e-6):
            self.names.problem(path, f"the shares add up to {100 * total:.6g}%, not to 100%; make one of them else")
        tops, _ = cumulative(read)
        ways = [self.way(name, (*path, name), step, by_chance=True) for name in read]
        deaths = sum((1 - total if share == "else" else share) for name, share in read.items() if self._is_death(name))
        return tops, ways, deaths

    def _is_death(self, name: str) -> bool:
        spec = self.compiler.scenario.pathway.get(name)
        return isinstance(spec, model.Leave) and spec.leave == "died"

    def _give_up(self, name: str, spec: model.GiveUp, path: Where) -> None:
        kinds, repeats = self.graph.kinds_of[name], name in self.graph.repeats
        after = self.compiler.numbers.compile(
            spec.after, (*path, "after"), "time", kinds=kinds, repeats=repeats, never=True
        )
        if after.may_be_zero:
            self.balking.add(name)
        timer = TimerSpec(len(self.program.clocks), after.value, self.way(spec.go, (*path, "go"), name))
        self.program.clocks.append(timer)
        self.steps[name].give_up = timer

    def _branches(self, name: str, spec: model.Together, path: Where) -> None:
        step = self.steps[name]
        assert isinstance(step, Parallel)
        kinds, repeats = self.graph.kinds_of[name], name in self.graph.repeats
        branches = []
        for branch, parallel in spec.together.items():
            steps = tuple(self.steps[target] for target in parallel.do if target in self.steps)
            where = (*path, "together", branch, "chance")
            chance = self.compiler.numbers.compile(parallel.chance, where, "share", kinds=kinds, repeats=repeats)
            always = chance.possible == frozenset([1])
            done = None
            if not always:
                done = happens(uniform(self.compiler.numbers.column(), repeats), chance.value)
            branches.append((steps, done))
        step.branches = tuple(branches)

    def _without_time(self) -> set[str]:
        """Steps that may take no time at all; a together step does unless some branch is always done and takes time."""
        timeless = {name for name in self.timeless if not isinstance(self.steps[name], Leave)}
        for name, spec in self.compiler.scenario.pathway.items():
            if isinstance(spec, model.Together):
                step = self.steps[name]
                assert isinstance(step, Parallel)
                timed = any(
                    done is None and any(inner.name not in self.timeless for inner in steps)
                    for steps, done in step.branches
                )
                if not timed:
                    timeless.add(name)
        return timeless
