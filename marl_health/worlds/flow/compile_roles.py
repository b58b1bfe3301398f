"""Compiles who decides: slot lists, what agents see and can do, the score and the KPIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marl_health.spec.components import COMPONENTS
from marl_health.spec.errors import Where
from marl_health.worlds.flow import decisions, model
from marl_health.worlds.flow.compile_kpis import compile_kpis
from marl_health.worlds.flow.compile_machines import check_order, compile_machine_move
from marl_health.worlds.flow.compile_slots import SlotTable
from marl_health.worlds.flow.compile_stock import make_issue, make_order
from marl_health.worlds.flow.lending import make_lend
from marl_health.worlds.flow.local import check_alike
from marl_health.worlds.flow.program import AgentSpec, ScoreLine
from marl_health.worlds.flow.references import ReadingTable, SightTable
from marl_health.worlds.flow.switched import NextLever

if TYPE_CHECKING:
    from marl_health.worlds.flow.compile import Compiler
    from marl_health.worlds.flow.compile_lines import LineTable

MOST_NUMBERS = 4096
"""Most numbers in an observation."""


def compile_roles(compiler: Compiler, lines: LineTable) -> None:
    """Compile slots, agents, score and KPIs."""
    program, scenario = compiler.program, compiler.scenario
    slots = SlotTable(compiler, lines)
    moves = MoveTable(compiler, lines, slots)
    called: dict[str, list[str]] = {}  # by role, and by the name in the scenario
    for key, agent in scenario.agents.items():
        path: Where = ("agents", key)
        role = agent.role or key
        compiled: list[decisions.Move] = []
        for number, move in enumerate(agent.can):
            made = moves.move(move, (*path, "can", number))
            if made is not None:
                made.agent = len(program.agents)
                made.number = len(compiled)
                compiled.append(made)
        sights = SightTable(compiler, lines, slots.index)
        seen = [sights.sight(sight, (*path, "sees", number)) for number, sight in enumerate(agent.sees)]
        made_sights = tuple(sight for sight in seen if sight is not None)
        if sum(len(sight.names) for sight in made_sights) > MOST_NUMBERS:
            compiler.names.problem((*path, "sees"), f"more than {MOST_NUMBERS} numbers are seen; show fewer slots")
        name_of_agent = f"{role}_{len(called.setdefault(role, []))}"
        called[role].append(name_of_agent)
        if key != role:
            called[key] = [name_of_agent]
        program.agents.append(AgentSpec(role, made_sights, tuple(compiled), name_of_agent, agent.site))
        check_alike(compiler, program.agents[-1], path)
    slots.finish()
    readings = ReadingTable(compiler, lines)
    for component, name in enumerate(COMPONENTS):
        for number, worth in enumerate(getattr(scenario.score, name)):
            where: Where = ("score", name, number)
            reading = readings.reading(worth.of, (*where, "of"))
            if worth.to is not None and worth.to not in called:
                compiler.names.unknown((*where, "to"), "agent", worth.to, called)
            if reading is None:
                continue
            if not reading.cumulative:
                compiler.names.problem(
                    (*where, "of"),
                    f"'{worth.of}' does not add up over time, so no reward can be paid for its gains; "
                    "use a count, hours, spent or expected_deaths",
                )
                continue
            to = None if worth.to is None else tuple(called.get(worth.to, ()))
            per = 1.0 if worth.per is None else readings.unit(worth.per, reading, (*where, "per"))
            program.score.append(ScoreLine(component, reading, worth.worth / per, to))
    compile_kpis(compiler, readings)


class MoveTable:
    """Makes the moves of agents."""

    def __init__(self, compiler: Compiler, lines: LineTable, slots: SlotTable) -> None:
        self.compiler = compiler
        self.lines = lines
        self.slots = slots

    def move(self, move: Any, path: Where) -> decisions.Move | None:
        """Compile one entry of ``can``, or ``None`` after a problem."""
        lever = self.compiler.program.levers
        self.compiler.program.levers += 1
        if isinstance(move, model.SetOrder):
            return self._order(move, path, lever)
        if isinstance(move, model.SetExtra):
            return self._extra(move, path, lever)
        if isinstance(move, model.SetReserve):
            return self._reserve(move, path, lever)
        if isinstance(move, model.SetNext):
            return NextLever(**self._settings(move.set, list(move.to), move, lever))
        if isinstance(move, model.SetIssue):
            return make_issue(self.compiler, move, path, self._settings(move.set, list(move.to), move, lever))
        if isinstance(move, model.Lend):
            return make_lend(self, move, path, lever)
        if isinstance(move, model.OrderStock):
            return make_order(self.compiler, move, path, lever)
        if isinstance(move, model.CallIn):
            return self._call_in(move, path, lever)
        if isinstance(move, model.Maintain | model.Switch):
            return compile_machine_move(self.compiler, move, path, lever)
        assert isinstance(move, model.Choose)
        return self._choose(move, path, lever)

    def _settings(self, what: str, levels: list[str], move: model.Lever, lever: int) -> dict[str, Any]:
        return {
            "what": what,
            "levels": levels,
            "lever": lever,
            "lead": move.lead,
            "at_least": move.at_least,
            "at_most": move.at_most,
        }

    def _pool(self, name: str, path: Where) -> int | None:
        program = self.compiler.program
        if name not in program.pool_index:
            self.compiler.names.unknown(path, "resource", name, program.pool_index)
            return None
        spec = program.pools[program.pool_index[name]]
        if spec.stock is not None and path[-1] != "reserve":
            self.compiler.names.problem(
                path, f"'{name}' is stock; what agents may do is {{order: {name}, levels: [...]}}"
            )
            return None
        if spec.unlimited and spec.stock is None:
            self.compiler.names.problem(path, f"'{name}' is unlimited; a lever on it changes nothing")
            return None
        if path[-1] != "reserve" and name in self.compiler.scenario.places and self._machines(name):
            self.compiler.names.problem(path, f"units of '{name}' are machines; no lever adds any")
            return None
        return program.pool_index[name]

    def _machines(self, name: str) -> bool:
        spec = self.compiler.program.pools[self.compiler.program.pool_index[name]]
        return spec.wear is not None or spec.set_up is not None

    def _order(self, move: model.SetOrder, path: Where, lever: int) -> decisions.Move | None:
        queue = move.set.removesuffix(".order")
        queues = self.compiler.scenario.queues
        if queue not in queues:
            self.compiler.names.unknown((*path, "set"), "queue", queue, queues)
        if queue not in self.lines.of_queue or queue in self.lines.broken:
            return None
        index = self.lines.of_queue[queue][0]
        spec = self.compiler.program.lines[index]
        for name, order in move.to.items():
            if order == "set_up":
                check_order(self.compiler, spec, queues[queue].classes, (*path, "to", name))
        disciplines = [
            self.lines.discipline(order, spec.classes, (*path, "to", name)) for name, order in move.to.items()
        ]
        self.compiler.program.lines[index] = type(spec)(
            spec.name, spec.needs, spec.kept, spec.slot, spec.classes, disciplines[0], spec.priority
        )
        settings = self._settings(move.set, list(move.to), move, lever)
        return decisions.OrderLever(disciplines, (index,), **settings)

    def _extra(self, move: model.SetExtra, path: Where, lever: int) -> decisions.Move | None:
        pool = self._pool(move.set.removesuffix(".extra"), (*path, "set"))
        if pool is None:
            return None
        if move.levels[0] != 0:
            self.compiler.names.problem((*path, "levels"), "the first level is in force at the start and must be 0")
        most = max(units for _, units in self.compiler.program.pools[pool].shifts)
        if min(move.levels) < -most:
            self.compiler.names.problem((*path, "levels"), f"takes away {-min(move.levels)}, but there are only {most}")
        if len(set(move.levels)) < len(move.levels):
            self.compiler.names.problem((*path, "levels"), "the levels must differ from each other")
        settings = self._settings(move.set, [f"{level:+d}" for level in move.levels], move, lever)
        return decisions.ExtraLever(pool, move.levels, move.costs, **settings)

    def _reserve(self, move: model.SetReserve, path: Where, lever: int) -> decisions.Move | None:
        pool = self._pool(move.reserve, (*path, "reserve"))
        if pool is None:
            return None
        if move.levels[0] != 0:
            self.compiler.names.problem((*path, "levels"), "the first level is in force at the start and must be 0")
        program = self.compiler.program
        lines = tuple(self.lines.of_pool.get(move.reserve, ()))
        test = self.slots._test(move.condition, (*path, "for"), self.slots._kinds_waiting(lines))
        program.reserves.append((pool, test))
        settings = self._settings(f"{move.reserve}.reserve", [str(level) for level in move.levels], move, lever)
        return decisions.ReserveLever(len(program.reserves) - 1, pool, move.levels, **settings)

    def _call_in(self, move: model.CallIn, path: Where, lever: int) -> decisions.Move | None:
        pool = self._pool(move.call_in, (*path, "call_in"))
        if pool is None:
            return None
        if move.costs.dimension not in ("money", "number"):
            self.compiler.names.problem((*path, "costs"), "needs an amount of money, such as 2400 usd")
        return decisions.CallInMove(
            move.call_in, pool, lever, move.count, move.lead, move.duration, move.at_most, move.costs.value
        )

    def _choose(self, move: model.Choose, path: Where, lever: int) -> decisions.Move | None:
        program, scenario = self.compiler.program, self.compiler.scenario
        if move.choose not in self.slots.index:
            if move.choose not in scenario.slots:
                self.compiler.names.unknown((*path, "choose"), "slot list", move.choose, scenario.slots)
            return None
        slots = self.slots.index[move.choose]
        spec = program.slot_lists[slots]
        settings: dict[str, Any] = {
            "slots_name": move.choose,
            "slots": slots,
            "top": spec.top,
            "lever": lever,
            "at_most": move.at_most,
            "cost": move.costs.value,
        }
        inside = scenario.slots[move.choose].inside
        if isinstance(move.do, model.Go):
            return self._send(move.do, path, settings)
        if move.do == "first":
            if inside is not None:
                self.compiler.names.problem((*path, "do"), "only those who wait for something can be put first")
                return None
            return decisions.GoFirst(verb="first", **settings)
        step = scenario.pathway.get(inside or "")
        if not isinstance(step, model.Stay) or step.shorten is None:
            self.compiler.names.problem(
                (*path, "do"), "shorten needs slots of those in a stay step that says shorten: {...}"
            )
            return None
        shorten, (mark, *others) = step.shorten, (program.marks[mark] for mark in step.shorten.mark)
        planned = None
        if shorten.of is not None:
            kinds = self.compiler.graph.kinds_of[inside or ""]
            found = self.compiler.names.attribute(shorten.of, ("pathway", inside or "", "shorten", "of"), kinds)
            planned = None if found is None else found[0]
        self.slots.shortened[move.choose] = mark
        return decisions.ShortenStay(shorten.at_least, planned, shorten.lead, mark, others, verb="shorten", **settings)

    def _send(self, do: model.Go, path: Where, settings: dict[str, Any]) -> decisions.Move | None:
        program, choice = self.compiler.program, None
        if do.set:
            choice = len(program.choices)
            program.choices.append(self.compiler.sets.get((*path, "do", "set"), ()))
        changes = ", ".join(f"{name} {_written(value)}" for name, value in do.set.items())
        if do.go is None:
            assert choice is not None
            return decisions.Change(choice, verb=f"set {changes}", **settings)
        way = program.step_index.get(do.go)
        if way is None:
            return None  # the graph has told that there is no such step
        verb = f"send to {do.go}" + (f" with {changes}" if changes else "")
        return decisions.SendTo(program.steps[way], choice, verb=verb, **settings)


def _written(value: Any) -> str:
    """What an attribute becomes, in the name of a move."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, int | str) else "anew"
