"""Text of steps: entering them, being granted what was waited for, being done, and going on."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from marl_health.kernel.preemption import interrupt_for
from marl_health.worlds.flow.clocks import TimerSpec
from marl_health.worlds.flow.generate.lines import LineText
from marl_health.worlds.flow.generate.marks import MarkText
from marl_health.worlds.flow.generate.writer import Writer
from marl_health.worlds.flow.sources import let_go
from marl_health.worlds.flow.steps import Activity, Delay, FlowStep, Leave, Parallel
from marl_health.worlds.flow.ways import ByChance, ByCondition, CertainDeath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marl_health.worlds.flow.program import Program, Way

INLINED = 2
"""Steps ahead that are written into the function of a step instead of being called."""

MOST_WAYS = 4
"""Where there are more ways on, all of them are called, or the text would grow with the square of their number."""


class StepText:
    """Writes the functions of steps.

    In the text ``world`` and ``now`` are what they say; the entity has the name that is passed on here as ``who``.
    ``ahead`` counts how many steps lie between the function that is being written and what is written into it.
    """

    def __init__(self, program: Program, kinds_of: dict[str, tuple[int, ...]]) -> None:
        self.program = program
        self.kinds_of = kinds_of
        self.writer = Writer(program.sliced)
        self.lines = LineText(program, self.writer)
        self.marks = MarkText(program, self.writer)
        self.tokens = _where_tokens_come(program)

    # ------------------------------------------------------------ functions
    def write(self, step: FlowStep) -> None:
        """Write the functions of a step, if it is of a form that is written."""
        if not self.written(step):
            return
        with self._function("enter", step):
            self.enter(step, "entity", 0)
        if isinstance(step, Activity):
            with self._function("granted", step):
                self.granted(step, "entity", 0)
        if isinstance(step, Delay | Parallel) or (isinstance(step, Activity) and step.duration is not None):
            with self._function("done", step):
                if isinstance(step, Activity):
                    self.give_back(step)
                elif isinstance(step, Delay):
                    for roster in step.rosters:
                        self.writer.line(f"world.rosters[{roster}].remove(entity)")
                self.leave_behind(step, "entity", 0)

    @contextmanager
    def _function(self, act: str, step: FlowStep) -> Iterator[None]:
        """A function with its head; worlds with an event log go through the class."""
        writer = self.writer
        with writer.block(f"def {act}_{step.index}(world, entity):"):
            writer.line(f"# {step.name!r}")
            with writer.block("if world.log is not None:"):
                writer.line(f"return {self._method(act, step)}(world, entity)")
            writer.line("now = world._now")
            yield
        writer.line("")

    def _method(self, act: str, step: FlowStep) -> str:
        """The same act as the class of the step does it."""
        return self.writer.name(getattr(type(step), act).__get__(step))

    def written(self, step: Any) -> bool:
        """Whether a step is of a form that is written here."""
        return type(step) in (FlowStep, Activity, Delay, Parallel, Leave)

    # ------------------------------------------------------------ acts
    def enter(self, step: Any, who: str, ahead: int) -> None:
        """The entity arrives at a step."""
        writer = self.writer
        writer.line(f"{who}.step = {writer.name(step)}")
        if isinstance(step, Activity):
            self.request(step, who, ahead)
            return
        self.begin(step, who)
        if isinstance(step, Delay):
            writer.line(f"{who}.since = now")
            self.schedule(who, writer.value(step.duration, who))
            for roster in step.rosters:
                writer.line(f"world.rosters[{roster}].add(world, {who})")
        elif isinstance(step, Parallel):
            self.together(step, who)
        elif isinstance(step, Leave):
            self.leave(step, who)
        else:
            self.leave_behind(step, who, ahead)

    def begin(self, step: FlowStep, who: str) -> None:
        """Attributes and marks at the beginning of a step."""
        if step.sets:
            self.writer.line(f"world.assign({who}, {self.writer.name(step.sets)})")
        for mark in step.marks:
            self._mark(step, mark, who)
        if step.adds:
            with self.writer.block(f"if {who}.counted:"):
                for total, amount in step.adds:
                    self.writer.line(f"world.totals[{total}] += {self.writer.value(amount, who)}")

    def _mark(self, step: FlowStep, mark: int, who: str) -> None:
        self.marks.set(mark, who, self.kinds_of[step.name], token=step in self.tokens)

    def leave_behind(self, step: FlowStep, who: str, ahead: int) -> None:
        """Marks at the end of a step, then the way on."""
        for mark in step.marks_end:
            self._mark(step, mark, who)
        if step.way is not None:
            self.go(step.way, who, ahead)
        else:
            self.finish_branch(who)

    def schedule(self, who: str, minutes: str) -> None:
        """Work or wait for so many minutes from now on."""
        self.writer.line(f"{who}.until = until = now + {minutes}")
        self.writer.schedule("until", who, f"{who}.epoch")

    def request(self, step: Activity, who: str, ahead: int) -> None:
        """Take what is needed if it can be had, else wait for it."""
        writer, line, plain = self.writer, step.line, self.plain(step)
        writer.line(f"line = world.lines[{line}]")
        if step.same is not None:
            writer.line(f"unit = ({who}.root.units or EMPTY).get({step.same})")
            with writer.block(f"if unit is not None and unit in world.pools[{step.same}].on_duty:"):
                writer.line("line = line.for_unit(world, unit)")
        granted = f"line.request(world, {who})"
        if step.preempt:
            granted += f" or {writer.name(interrupt_for)}(line, world, {who}, {step.resume}, first={step.first})"
        if plain:
            writer.line(f"pool = world.pools[{self.lines.pool[line]}]")
            granted = "pool.free > 0 and not line.waiting"
        with writer.block(f"if {granted}:"):
            if plain:
                writer.lines("pool.free -= 1", "pool.used -= now", "line.grants += 1")
                if step.duration is not None:
                    writer.lines(f"{who}.held = line", f"{who}.began = now")
            self.granted(step, who, ahead)
        with writer.block("else:"):
            if plain:
                self.lines.join(line, who)
            else:
                writer.line(f"line.join(world, {who}, now)")
            if step.give_up is not None:
                writer.line(f"{writer.name(step.give_up)}.start(world, {who})")

    def granted(self, step: Activity, who: str, ahead: int) -> None:
        """Begin the work; those who move free their old place now that they have the new one."""
        writer = self.writer
        if step.give_up is not None:
            with writer.block(f"if {who}.clocks:"):
                writer.line(f"{writer.name(step.give_up)}.stop(world, {who})")
        if self.lines.interrupted(step.line):
            with writer.block(f"if {who}.remaining is None:"):
                self.begin(step, who)
                writer.line(f"minutes = {writer.value(step.duration, who) if step.duration is not None else None}")
            with writer.block("else:"):
                writer.line(f"minutes, {who}.remaining = {who}.remaining, None")
        else:
            self.begin(step, who)
            if step.duration is not None:
                writer.line(f"minutes = {writer.value(step.duration, who)}")
        if step.place is not None:
            writer.lines(f"vacated = {who}.place", f"{who}.place = world.pools[{step.place}]")
            with writer.block("if vacated is not None:"):
                writer.line(f"vacated.give_back(world, 1, {who})")
                if self.program.holding:
                    writer.line(f"world.vacated({who}, vacated)")
        if step.duration is not None:
            self.schedule(who, "minutes")
        if step.place is not None:
            with writer.block("if vacated is not None and vacated.free > 0 and vacated.wanted:"):
                writer.line("vacated.dispatch(world)")
        if step.duration is None:
            if len(self.program.lines[step.line].needs) > 1:
                writer.line(f"{who}.held.release(world, {who})")
            else:
                writer.line(f"{who}.held = None")
            self.leave_behind(step, who, ahead)

    def give_back(self, step: Activity) -> None:
        """Pass what was used on to whoever waits for it, or give it back."""
        writer, line = self.writer, step.line
        if not self.plain(step):
            writer.line("line = entity.held")
            with writer.block("if line is not None:"):
                writer.line("line.release(world, entity)")
            return
        writer.line(f"pool = world.pools[{self.lines.pool[line]}]")
        with writer.block("if pool.free < 0:"):  # overtime after a change of shift
            writer.line(f"return {self._method('done', step)}(world, entity)")
        writer.line("entity.held = None")
        if self.lines.hand_back(line):
            with writer.block("else:"):
                self.lines.pass_on(line)
                only = self.lines.only_step(line)
                if only is not None and only.duration is not None:
                    self.granted(only, "other", INLINED)
                else:
                    writer.line("other.step.granted(world, other)")

    def plain(self, step: Activity) -> bool:
        """Whether what a step takes and gives back can be written out: one unit that is only counted."""
        kept = self.program.lines[step.line].kept is not None
        return (
            step.same is None and not step.preempt and kept == (step.duration is None) and self.lines.plain(step.line)
        )

    def together(self, step: Parallel, who: str) -> None:
        """Send out the tokens of the branches that are done for this entity."""
        writer = self.writer
        writer.line("tokens = []")
        for steps, chance in step.branches:
            with writer.block("if True:" if chance is None else f"if {writer.value(chance, who)}:"):
                writer.line(f"token = {who}.child({writer.name(steps[0])})")
                if steps[1:]:
                    writer.line(f"token.route = {writer.name(steps[1:])}")
                writer.line("tokens.append(token)")
        with writer.block("if tokens:"):
            writer.line(f"{who}.children = tokens[:]")
            with writer.block("for token in tokens:"):
                writer.line("token.step.enter(world, token)")
        with writer.block("else:"):
            self.leave_behind(step, who, INLINED)

    def finish_branch(self, who: str) -> None:
        """A branch of parallel work made a step: on to its next one, or back to the patient."""
        writer = self.writer
        with writer.block(f"if {who}.route:"):
            writer.line(f"world.finish_branch({who})")
        with writer.block("else:"):
            writer.lines(f"parent = {who}.parent", "tokens = parent.children", f"tokens.remove({who})")
            with writer.block("if not tokens:"):
                writer.lines("parent.children = None", "parent.step.done(world, parent)")

    def leave(self, step: Leave, who: str) -> None:
        """Leave the world: what :meth:`FlowWorld.depart` does, if it is the same for all kinds that come here."""
        writer, program = self.writer, self.program
        kinds = self.kinds_of[step.name]
        with writer.block(f"if {who}.clocks:"), writer.block(f"for index in tuple({who}.clocks):"):
            writer.line(f"{writer.name(program.clocks)}[index].stop(world, {who})")
        mark = program.outcome_marks[step.outcome]
        if mark is not None:
            self._mark(step, mark, who)
        writer.line(f"number = {who}.id")
        for kind in kinds:
            sequel = None if mark is None else program.sequels[mark][kind]
            over = set() if sequel is None else set(sequel.ends) - {span for span, _, _ in sequel.begins}
            left = [span for span in program.spans_of[kind] if span not in over]
            with writer.block(f"if {who}.kind == {kind}:") if left and len(kinds) > 1 else nullcontext():
                for span in left:
                    self.marks.end(span, "")
        writer.line("del world.entities[number]")
        with writer.block(f"if {who}.counted:"):
            writer.line(f"world.left[{step.outcome}] += 1")
            self.marks.tally("left", step.outcome, f"{who}.values")
        with writer.block("else:"):
            writer.line(f"world.left_uncounted[{step.outcome}] += 1")
        writer.line(f"place = {who}.place")
        with writer.block("if place is not None:"):
            writer.lines(f"{who}.place = None", f"place.vacate(world, {who})")
        if step.again is not None:
            writer.line(f"{writer.name(let_go)}(world, {who}, {writer.name(step)})")

    # ------------------------------------------------------------ ways
    def go(self, way: Way, who: str, ahead: int) -> None:
        """Take a way on."""
        writer = self.writer
        if isinstance(way, CertainDeath):
            self._expect(who, "1.0")
            self.go(way.way, who, ahead)
        elif isinstance(way, ByCondition):
            self._by_condition(way, who, ahead)
        elif isinstance(way, ByChance):
            self._by_chance(way, who, ahead)
        elif isinstance(way, FlowStep) and self.written(way):
            if ahead < INLINED and not isinstance(way, Leave | Parallel):
                self.enter(way, who, ahead + 1)
            else:
                writer.line(f"enter_{way.index}(world, {who})")
        else:
            writer.line(f"{writer.name(way)}.enter(world, {who})")

    def _by_condition(self, way: ByCondition, who: str, ahead: int) -> None:
        """The first way whose condition holds."""
        writer = self.writer
        ahead = ahead if len(way.branches) <= MOST_WAYS else INLINED
        for number, (test, target) in enumerate(way.branches):
            holds = "True" if test is None else f"{writer.name(test)}({who}.values)"
            with writer.block("else:" if number and test is None else f"{'elif' if number else 'if'} {holds}:"):
                self.go(target, who, ahead)

    def _by_chance(self, way: ByChance, who: str, ahead: int) -> None:
        """A way by the entity's own luck."""
        writer, luck = self.writer, self.writer.value(way.uniform, who)
        if way.slot is not None or way.otherwise is None:
            cases = [*way.cases.values()] + ([] if way.otherwise is None else [way.otherwise])
            case = f"{writer.name(way.cases)}.get({who}.values[{way.slot}], {writer.name(way.otherwise)})"
            writer.line(f"tops, ways, deaths = {case}")
            if any(deaths for _, _, deaths in cases):
                with writer.block("if deaths:"):
                    self._expect(who, "deaths")
            writer.line(f"ways[bisect_right(tops, {luck})].enter(world, {who})")
            return
        tops, ways, deaths = way.otherwise
        if deaths:
            self._expect(who, repr(deaths))
        ahead = ahead if len(ways) <= MOST_WAYS else INLINED
        writer.line(f"luck = {luck}")
        for number, (top, target) in enumerate(zip(tops, ways, strict=True)):
            with writer.block(f"{'elif' if number else 'if'} luck < {top!r}:"):
                self.go(target, who, ahead)

    def _expect(self, who: str, deaths: str) -> None:
        """What :meth:`FlowWorld.expect` does."""
        with self.writer.block(f"if {who}.counted:"):
            self.writer.line(f"world.expected_deaths.add({deaths})")
            if self.program.groups is not None:
                self.writer.line(f"world.tally.expect({who}.values[{self.program.groups.slot}], {deaths})")


def _where_tokens_come(program: Program) -> set[Any]:
    """Steps to which tokens of parallel work may come: those of its branches, and what follows when they give up."""
    found: set[Any] = set()
    todo: list[Any] = [
        step
        for parallel in program.steps
        if isinstance(parallel, Parallel)
        for steps, _ in parallel.branches
        for step in steps
    ]
    while todo:
        way = todo.pop()
        if way is None or way in found:
            continue
        found.add(way)
        if isinstance(way, FlowStep):
            todo += [way.way, way.give_up.way if isinstance(way.give_up, TimerSpec) else None]
        else:
            todo += way.ways()
    return found
