"""Text of what happens in lines: standing in one, and passing a unit on to who is next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marl_health.worlds.flow.decisions import GoFirst, OrderLever
from marl_health.worlds.flow.steps import Activity

if TYPE_CHECKING:
    from marl_health.worlds.flow.generate.writer import Writer
    from marl_health.worlds.flow.program import Program


class LineText:
    """Writes joining and passing on, with what the compiled scenario fixes about each line.

    Attributes:
        pool: index of the first pool that each line draws on.
    """

    def __init__(self, program: Program, writer: Writer) -> None:
        self.program = program
        self.writer = writer
        self.pool = [line.needs[0][0] if line.needs else 0 for line in program.lines]
        self._reserved = {pool for pool, _ in program.reserves}
        self._called: set[int] = set()
        self._reordered: set[int] = set()
        self._rosters: list[list[int]] = [[] for _ in program.lines]
        self._steps: list[list[Activity]] = [[] for _ in program.lines]
        for number, roster in enumerate(program.rosters):
            for line in roster.lines:
                self._rosters[line].append(number)
        for agent in program.agents:
            for move in agent.moves:
                if isinstance(move, OrderLever):
                    self._reordered.update(move.lines)
                if isinstance(move, GoFirst):
                    self._called.update(program.rosters[program.slot_lists[move.slots].roster].lines)
        for step in program.steps:
            if isinstance(step, Activity):
                self._steps[step.line].append(step)

    def plain(self, line: int) -> bool:
        """Whether a line is for one unit of a pool that only counts its units and keeps none back."""
        needs = self.program.lines[line].needs
        if len(needs) != 1 or needs[0][1] != 1 or needs[0][0] in self._reserved:
            return False
        pool = self.program.pools[needs[0][0]]
        return (
            pool.clean is None and not pool.identified and not pool.preempting and not pool.crews and pool.stock is None
        )

    def interrupted(self, line: int) -> bool:
        """Whether work of those from a line may be interrupted."""
        return any(self.program.pools[pool].preempting for pool, _ in self.program.lines[line].needs)

    def only_step(self, line: int) -> Any:
        """The step whose entities wait in a line, if it is but one."""
        return self._steps[line][0] if len(self._steps[line]) == 1 else None

    def join(self, line: int, who: str) -> None:
        """Start waiting: what :meth:`Line.join` does. ``line`` and ``pool`` are set."""
        writer, spec = self.writer, self.program.lines[line]
        cls = "0"
        if len(spec.classes) > 1:
            cls = "cls"
            writer.line(f"cls = {writer.name(spec.classes)}[{who}.values[{spec.slot}]]")
        writer.lines(
            f"{who}.line = line",
            f"{who}.since = {who}.joined = now",
            f"{who}.ticket = ticket = next(world.numbers)",
            f"line.tickets[{cls}].append((now, ticket, {who}))",
            "line.stood -= now",
            "line.waiting += 1",
        )
        if cls != "0":
            writer.line("line.counts[cls] += 1")
        for roster in self._rosters[line]:
            writer.line(f"world.rosters[{roster}].add(world, {who})")

    def hand_back(self, line: int) -> bool:
        """Write that a unit comes free, and that it goes to the next in its line.

        ``pool`` is set. Returns whether a block has to follow in which ``other``, who was given the unit, is told so.
        """
        writer = self.writer
        pool = self.pool[line]
        rivals = [
            number for number, other in enumerate(self.program.lines) if pool in [need for need, _ in other.needs]
        ]
        sequence = self._sequence(line)
        if len(rivals) > 1 or not sequence:
            writer.lines("pool.free += 1", "pool.used += now")
            with writer.block(f"if {' or '.join(f'world.lines[{number}].waiting' for number in rivals)}:"):
                writer.line("pool.dispatch(world)")
            return False
        writer.line(f"line = world.lines[{line}]")
        with writer.block("if not line.waiting:"):
            writer.lines("pool.free += 1", "pool.used += now")
        unclear = ["line.called"] if line in self._called else []
        if line in self._reordered:
            unclear.append("line.discipline.sequence is None")
        if unclear:
            with writer.block(f"elif {' or '.join(unclear)}:"):
                writer.lines("pool.free += 1", "pool.used += now", "pool.dispatch(world)")
        return True

    def pass_on(self, line: int) -> None:
        """Give the unit in hand to ``other``, who is next: what :meth:`Line.pass_on` does up to telling them."""
        writer, sequence = self.writer, self._sequence(line)
        cls = "0"
        if sequence != "(0,)":
            cls = "cls"
            writer.line("counts = line.counts")
            with writer.block(f"for cls in {sequence}:"), writer.block("if counts[cls]:"):
                writer.line("break")
            writer.line("counts[cls] -= 1")
        writer.lines(f"queue = line.tickets[{cls}]", "_, ticket, other = queue.popleft()")
        with writer.block("while other.ticket != ticket:"):
            writer.line("_, ticket, other = queue.popleft()")
        writer.lines(
            "other.ticket = other.line = None",
            "line.waiting -= 1",
            "line.stood += now",
            "line.grants += 1",
        )
        for roster in self._rosters[line]:
            writer.line(f"world.rosters[{roster}].remove(other)")
        writer.lines("other.held = line", "other.began = now")

    def _sequence(self, line: int) -> str:
        """Classes from first to last; empty if the order is not strict."""
        spec = self.program.lines[line]
        if len(spec.classes) <= 1:
            return "(0,)"
        if spec.rises:
            return ""
        if line in self._reordered:
            return "line.discipline.sequence"
        return repr(spec.discipline.sequence) if spec.discipline.sequence else ""
