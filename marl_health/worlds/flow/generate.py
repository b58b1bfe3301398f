"""Writes the pathway as Python: one function for what happens when an entity enters, is granted and is done with a step.

The classes in ``steps.py`` say what steps do. For the common forms the same is written out here with everything that the
compiled scenario fixes (which line, how many classes, which marks matter, where to go on) already decided, and handed to
the interpreter: on the way of every patient through every step, looking such things up and calling from one small
function to the next costs several times the work itself. What is not of a common form, and every world that keeps an event
log, takes the way through the classes. Tests hold both to the same events, bit for bit.
"""

from __future__ import annotations

import linecache
from heapq import heappop, heappush
from typing import Any

from marl_health.worlds.flow.decisions import GoFirst, OrderLever
from marl_health.worlds.flow.program import Program, Way
from marl_health.worlds.flow.sources import let_go
from marl_health.worlds.flow.steps import Activity, Delay, FlowStep, Leave, Parallel
from marl_health.worlds.flow.ways import ByChance, ByCondition, CertainDeath
from marl_health.worlds.flow.writer import Writer

INLINED = 2
"""Steps ahead that are written into the function of a step instead of being called."""


def generate(program: Program, kinds: dict[str, tuple[int, ...]]) -> None:
    """Give the steps of a program their generated functions.

    Args:
        program: complete. Its steps are changed.
        kinds: the kinds of entities that come to each step.
    """
    pathway = Pathway(program, kinds)
    for step in program.steps:
        pathway.write(step)
    writer = pathway.writer
    file = f"<pathway of {program.scenario.name}>"
    linecache.cache[file] = (len(writer.text), None, writer.text.splitlines(keepends=True), file)
    names = {**writer.names, "heappop": heappop, "heappush": heappush}
    exec(compile(writer.text, file, "exec"), names)
    for step in program.steps:
        for act in ("enter", "granted", "done"):
            function = names.get(f"{act}_{step.index}")
            if function is not None:
                setattr(step, act, function)


class Pathway:
    """The functions of a pathway being written.

    In the text ``world`` and ``now`` are what they say; entities have the names that are passed on here as ``who``.
    """

    def __init__(self, program: Program, kinds: dict[str, tuple[int, ...]]) -> None:
        self.program = program
        self.kinds = kinds
        self.writer = Writer()
        self.lines = LineFacts(program)

    # ------------------------------------------------------------ functions
    def write(self, step: FlowStep) -> None:
        """Write the functions of a step, if it is of a form that is written."""
        if not self.written(step):
            return
        with self.function("enter", step):
            self.enter(step, "entity", 0)
        if isinstance(step, Activity):
            with self.function("granted", step):
                self.granted(step, "entity", 0)
        if isinstance(step, Activity | Delay) and not (isinstance(step, Activity) and step.duration is None):
            with self.function("done", step):
                if isinstance(step, Activity):
                    self.give_back(step)
                self.marks(step, step.marks_end, "entity")
                self.go(step.way, "entity", 0)

    def function(self, act: str, step: FlowStep) -> Any:
        """The head of a function; worlds with an event log go through the class."""
        writer = self.writer
        block = writer.block(f"def {act}_{step.index}(world, entity):")
        plain = writer.name(getattr(type(step), act).__get__(step))
        return _Function(writer, block, plain, step.name)

    def written(self, step: Any) -> bool:
        """Whether a step is of a form that is written here."""
        if type(step) is Activity:
            moves = step.place is not None
            return (
                not step.preempt and step.same is None and moves == (step.duration is None)
                and self.lines.plain(step.line)
            )  # fmt: skip
        if type(step) is Delay:
            return not step.rosters
        return type(step) in (FlowStep, Parallel, Leave)

    # ------------------------------------------------------------ entering
    def enter(self, step: Any, who: str, ahead: int) -> None:
        """The entity arrives at a step."""
        line = self.writer.line
        line(f"{who}.step = {self.writer.name(step)}")
        if isinstance(step, Activity):
            self.request(step, who, ahead)
            return
        self.begin(step, who)
        if isinstance(step, Delay):
            line(f"{who}.since = now")
            self.schedule(step, who)
        elif isinstance(step, Parallel):
            self.together(step, who)
        elif isinstance(step, Leave):
            self.leave(step, who)
        else:
            self.marks(step, step.marks_end, who)
            self.go(step.way, who, ahead)

    def begin(self, step: FlowStep, who: str) -> None:
        """Attributes and marks at the beginning of a step."""
        if step.sets:
            self.writer.line(f"world.assign({who}, {self.writer.name(step.sets)})")
        self.marks(step, step.marks, who)

    def schedule(self, step: Any, who: str) -> None:
        """Work or wait for a while from now on."""
        self.writer.lines(
            f"{who}.until = until = now + {self.writer.value(step.duration, who)}",
            f"heappush(world.agenda, (until, 1, next(world.numbers), {who}, {who}.epoch))",
        )

    # ------------------------------------------------------------ lines
    def request(self, step: Activity, who: str, ahead: int) -> None:
        """Take what is needed if it is free, else wait for it."""
        writer, line, pool = self.writer, step.line, self.lines.pool[step.line]
        writer.lines(f"line = world.lines[{line}]", f"pool = world.pools[{pool}]")
        with writer.block("if line.waiting or pool.free <= 0:"):
            writer.lines(
                "line.stood -= now",
                f"{who}.line = line",
                f"{who}.since = {who}.joined = now",
                f"{who}.ticket = ticket = (now, next(world.numbers), {who})",
            )
            cls = self.lines.class_of(line, who, writer)
            if cls != "0":
                writer.line(f"cls = {cls}")
                cls = "cls"
            writer.lines(
                f"heappush(line.heaps[{cls}], ticket)",
                f"line.count[{cls}] += 1",
                "line.waiting += 1",
                "pool.waiting += 1",
            )
            for roster in self.lines.rosters[line]:
                writer.line(f"world.rosters[{roster}].add(world, {who})")
            if step.give_up is not None:
                writer.line(f"{writer.name(step.give_up)}.start(world, {who})")
        with writer.block("else:"):
            writer.lines("pool.free -= 1", "pool.used -= now", "line.grants += 1")
            if step.duration is not None:
                writer.lines(f"{who}.held = line", f"{who}.began = now")
            self.granted(step, who, ahead)

    def granted(self, step: Activity, who: str, ahead: int) -> None:
        """Begin the work, or take the new place and go on."""
        writer = self.writer
        if step.give_up is not None:
            with writer.block(f"if {who}.clocks:"):
                writer.line(f"{writer.name(step.give_up)}.stop(world, {who})")
        self.begin(step, who)
        if step.duration is not None:
            self.schedule(step, who)
            return
        writer.lines(
            f"{who}.held = None",
            f"vacated = {who}.place",
            f"{who}.place = world.pools[{step.place}]",
        )
        with writer.block("if vacated is not None:"):
            writer.line(f"vacated.give_back(world, 1, {who})")
            if self.program.holding:
                writer.line(f"world.vacated({who}, vacated)")
            with writer.block("if vacated.waiting and vacated.free > 0:"):
                writer.line("vacated.dispatch(world)")
        self.marks(step, step.marks_end, who)
        self.go(step.way, who, ahead)

    def give_back(self, step: Activity) -> None:
        """Pass the unit on to whoever waits for it, or give it back."""
        writer, line = self.writer, step.line
        pool = self.lines.pool[line]
        writer.line(f"pool = world.pools[{pool}]")
        with writer.block("if pool.free < 0:"):
            writer.line(f"return {writer.name(type(step).done.__get__(step))}(world, entity)")
        writer.line("entity.held = None")
        if not self.lines.passes_on(line):
            writer.lines("pool.free += 1", "pool.used += now")
            with writer.block("if pool.waiting:"):
                writer.line("pool.dispatch(world)")
            return
        writer.line(f"line = world.lines[{line}]")
        called = line in self.lines.called
        with writer.block("if line.called:" if called else "if not line.waiting:"):
            writer.lines("pool.free += 1", "pool.used += now")
            if called:
                with writer.block("if line.waiting:"):
                    writer.line("pool.dispatch(world)")
        with writer.block("elif line.waiting:" if called else "else:"):
            self.pass_on(line)
        if called:
            with writer.block("else:"):
                writer.lines("pool.free += 1", "pool.used += now")

    def pass_on(self, line: int) -> None:
        """Grant the unit in hand to whoever is next in a line where somebody waits."""
        writer, sequence = self.writer, self.lines.sequence(line)
        cls = "0"
        if len(sequence) > 1:
            cls = "cls"
            writer.line("count = line.count")
            with writer.block(f"for cls in {sequence!r}:"), writer.block("if count[cls]:"):
                writer.line("break")
        writer.lines(f"heap = line.heaps[{cls}]", "ticket = heappop(heap)")
        with writer.block("while ticket[2].ticket is not ticket:"):
            writer.line("ticket = heappop(heap)")
        writer.lines(
            "other = ticket[2]",
            "other.ticket = other.line = None",
            f"line.count[{cls}] -= 1",
            "line.waiting -= 1",
            "pool.waiting -= 1",
            "line.stood += now",
            "line.waited += now - other.joined",
            "line.grants += 1",
        )
        for roster in self.lines.rosters[line]:
            writer.line(f"world.rosters[{roster}].remove(other)")
        writer.lines("other.held = line", "other.began = now")
        only = self.lines.only_step(line)
        if only is not None and only.duration is not None and self.written(only):
            self.granted(only, "other", INLINED)
        else:
            writer.line("other.step.granted(world, other)")

    # ------------------------------------------------------------ marks
    def marks(self, step: FlowStep, marks: tuple[int, ...], who: str) -> None:
        """Set time stamps and tell those who wait for them."""
        for mark in marks:
            self.mark(step, mark, who)

    def mark(self, step: FlowStep, mark: int, who: str) -> None:
        """Set one time stamp: what :meth:`FlowWorld.mark` does, for the kinds that come here."""
        writer = self.writer
        kinds = self.kinds[step.name]
        sequels = [self.program.sequels[mark][kind] for kind in kinds]
        if any(sequel != sequels[0] for sequel in sequels):
            writer.line(f"world.mark({who}, {mark})")
            return
        writer.line(f"{who}.marks[{mark}] = now")
        sequel = sequels[0] if sequels else None
        if sequel is None:
            return
        if sequel.ends or sequel.begins:
            writer.lines(f"number = {who}.id", "spans = world.spans")
        for span in sequel.ends:
            writer.line(f"spans[{span}].end(now, number, {who}.counted)")
        root = who
        if sequel.clocks or any(holding is not None or callable(target) for _, target, holding in sequel.begins):
            root = "root"
            writer.line(f"root = {who} if {who}.parent is None else {who}.root")
        with writer.block(f"if {who}.counted:"):
            writer.line(f"world.marked[{mark}] += 1")
            for span, target, holding in sequel.begins:
                minutes = writer.value(target, root) if callable(target) else writer.name(target)
                begin = f"spans[{span}].begin(now, number, {minutes})"
                if holding is None:
                    writer.line(begin)
                else:
                    with writer.block(f"if {root}.place is not None and {root}.place.index == {holding}:"):
                        writer.line(begin)
        for act in sequel.clocks:
            writer.line(f"{writer.name(act)}(world, {root})")

    # ------------------------------------------------------------ going on
    def go(self, way: Way | None, who: str, ahead: int) -> None:
        """Take the way on."""
        writer = self.writer
        if way is None:
            writer.line(f"world.finish_branch({who})")
        elif isinstance(way, CertainDeath):
            with writer.block(f"if {who}.counted:"):
                writer.line("world.expected_deaths.add(1.0)")
            self.go(way.way, who, ahead)
        elif isinstance(way, ByCondition):
            self.by_condition(way, who, ahead)
        elif isinstance(way, ByChance) and way.slot is None and way.otherwise is not None:
            self.by_chance(way.otherwise, writer.value(way.uniform, who), who, ahead)
        elif isinstance(way, FlowStep) and self.written(way):
            if ahead < INLINED and not isinstance(way, Leave | Parallel):
                self.enter(way, who, ahead + 1)
            else:
                writer.line(f"enter_{way.index}(world, {who})")
        else:
            writer.line(f"{writer.name(way)}.enter(world, {who})")

    def by_condition(self, way: ByCondition, who: str, ahead: int) -> None:
        """The first way whose condition holds."""
        writer = self.writer
        word = "if"
        for test, target in way.branches:
            if test is None:
                with writer.block("else:" if word == "elif" else "if True:"):
                    self.go(target, who, ahead)
                return
            with writer.block(f"{word} {writer.name(test)}({who}.values):"):
                self.go(target, who, ahead)
            word = "elif"

    def by_chance(self, case: tuple[list[float], list[Way], float], draw: str, who: str, ahead: int) -> None:
        """A way by the entity's own luck."""
        writer = self.writer
        tops, ways, deaths = case
        if deaths:
            with writer.block(f"if {who}.counted:"):
                writer.line(f"world.expected_deaths.add({deaths!r})")
        writer.line(f"luck = {draw}")
        for number, (top, target) in enumerate(zip(tops, ways, strict=True)):
            head = "else:" if number == len(ways) - 1 and number else f"{'elif' if number else 'if'} luck < {top!r}:"
            with writer.block(head):
                self.go(target, who, ahead)

    def together(self, step: Parallel, who: str) -> None:
        """Send out the tokens of the branches that are done for this entity."""
        writer = self.writer
        writer.line("tokens = []")
        for steps, chance in step.branches:
            head = "if True:" if chance is None else f"if {writer.value(chance, who)}:"
            with writer.block(head):
                writer.line(f"token = {who}.child({writer.name(steps[0])})")
                if steps[1:]:
                    writer.line(f"token.route = {writer.name(steps[1:])}")
                writer.line("tokens.append(token)")
        with writer.block("if tokens:"):
            writer.line(f"{who}.children = tokens[:]")
            with writer.block("for token in tokens:"):
                writer.line("token.step.enter(world, token)")
        with writer.block("else:"):
            self.marks(step, step.marks_end, who)
            self.go(step.way, who, INLINED)

    def leave(self, step: Leave, who: str) -> None:
        """Leave the world."""
        writer = self.writer
        writer.line(f"world.depart({who}, {step.outcome})")
        if step.again is not None:
            writer.line(f"{writer.name(let_go)}(world, {who}, {writer.name(step)})")


class _Function:
    """Context of a function being written: its head, the way out for worlds with a log, the time."""

    def __init__(self, writer: Writer, block: Any, plain: str, name: str) -> None:
        self.writer = writer
        self.block = block
        self.plain = plain
        self.name = name

    def __enter__(self) -> None:
        self.block.__enter__()
        self.writer.line(f"# {self.name}")
        with self.writer.block("if world.log is not None:"):
            self.writer.line(f"return {self.plain}(world, entity)")
        self.writer.line("now = world._now")

    def __exit__(self, *error: Any) -> None:
        self.block.__exit__(*error)
        self.writer.line("")


class LineFacts:
    """What the compiled scenario fixes about each line."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.pool = [line.needs[0][0] if line.needs else 0 for line in program.lines]
        self.reserved = {pool for pool, _ in program.reserves}
        self.called: set[int] = set()
        self.reordered: set[int] = set()
        self.rosters: list[list[int]] = [[] for _ in program.lines]
        self.steps: list[list[Any]] = [[] for _ in program.lines]
        for number, roster in enumerate(program.rosters):
            for line in roster.lines:
                self.rosters[line].append(number)
        for agent in program.agents:
            for move in agent.moves:
                if isinstance(move, OrderLever):
                    self.reordered.update(move.lines)
                if isinstance(move, GoFirst):
                    self.called.update(program.rosters[program.slot_lists[move.slots].roster].lines)
        for step in program.steps:
            if isinstance(step, Activity):
                self.steps[step.line].append(step)

    def plain(self, line: int) -> bool:
        """Whether a line is for one unit of a pool that only counts its units."""
        needs = self.program.lines[line].needs
        if len(needs) != 1 or needs[0][1] != 1 or needs[0][0] in self.reserved:
            return False
        pool = self.program.pools[needs[0][0]]
        return pool.clean is None and not pool.identified and not pool.preempting

    def passes_on(self, line: int) -> bool:
        """Whether a unit of its pool goes to the next of this line, and it is known who that is."""
        pool = self.pool[line]
        alone = sum(pool in [need for need, _ in other.needs] for other in self.program.lines) == 1
        return alone and line not in self.reordered and bool(self.sequence(line))

    def sequence(self, line: int) -> tuple[int, ...]:
        """Classes from first to last; empty if that is not fixed."""
        spec = self.program.lines[line]
        if len(spec.classes) <= 1:
            return (0,)
        return spec.discipline.sequence or ()

    def only_step(self, line: int) -> Any:
        """The step whose entities wait here, if it is but one."""
        return self.steps[line][0] if len(self.steps[line]) == 1 else None

    def class_of(self, line: int, who: str, writer: Writer) -> str:
        """The expression of an entity's class."""
        spec = self.program.lines[line]
        if spec.slot is None:
            return "0"
        return f"{writer.name(spec.classes)}[{who}.values[{spec.slot}]]"
