"""The flow world as a game."""

from __future__ import annotations

from copy import copy
from sys import getrefcount
from typing import Any, Self

from marl_health.kernel.world import exact_copy
from marl_health.worlds.flow.cast import Person
from marl_health.worlds.flow.groups import split_kpis, value_of_kpi
from marl_health.worlds.flow.local import local, names_of_actions, names_seen
from marl_health.worlds.flow.overview import Overview
from marl_health.worlds.flow.program import AgentSpec, Program
from marl_health.worlds.flow.redraw import redrawn
from marl_health.worlds.flow.snapshot import take_snapshot
from marl_health.worlds.flow.world import FlowWorld

HELD_HERE = 2
"""References to a world that nobody but its game holds: the game's, and that of the question."""


class FlowGame:
    """One scenario of the flow world, episode after episode.

    Args:
        program: the compiled scenario.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.specs: dict[str, AgentSpec] = {spec.name: spec for spec in program.agents}
        self.agents = tuple(self.specs)
        self.world: FlowWorld | None = None
        self._read: list[float] = []
        self._scales = {agent: self._scales_of(spec) for agent, spec in self.specs.items()}
        self._numbers = {agent: number for number, agent in enumerate(self.agents)}
        self._actions = {
            agent: [(move, number) for move in spec.moves for number in range(len(move.names))]
            for agent, spec in self.specs.items()
        }
        self._names = {agent: names_seen(spec) for agent, spec in self.specs.items()}
        self._overview = Overview(program, program.agents)

    def _scales_of(self, spec: AgentSpec) -> list[float]:
        scales = [scale for sight in spec.sights for scale in sight.scales]
        return scales + [0.0] * sum(len(move.sights) for move in spec.moves)

    # ------------------------------------------------------------ what there is to see and do
    def observation_names(self, agent: str) -> list[str]:
        """Name of each number in the agent's observation."""
        return list(self._names[agent])

    def observation_meanings(self, agent: str) -> list[tuple[str, float]]:
        """(meaning, scale) of each number in the agent's observation."""
        spec = self.specs[agent]
        meanings = [meaning for sight in spec.sights for meaning in sight.meanings]
        meanings += [meaning for move in spec.moves for _, meaning in move.sights]
        return list(zip([local(text, spec.site) for text in meanings], self._scales[agent], strict=True))

    def action_names(self, agent: str) -> list[str]:
        """Name of each action; the first is ``wait``."""
        return names_of_actions(self.specs[agent])

    def action_meanings(self, agent: str) -> list[str]:
        """What each action does."""
        spec = self.specs[agent]
        return ["do nothing now", *(local(meaning, spec.site) for move in spec.moves for meaning in move.meanings)]

    # ------------------------------------------------------------ playing
    def reset(self, seed: int, *, events: bool) -> None:
        """Begin an episode: the same seed, the same patients."""
        if self.world is not None and getrefcount(self.world) == HELD_HERE:
            self.world.dissolve()
        self.world = None  # or the old one would live on while the new one is made
        self.world = FlowWorld(self.program, seed, events=events)
        self.world.open()
        self._read = [line.reading.read(self.world) for line in self.program.score]

    @property
    def running(self) -> FlowWorld:
        """The world of this episode."""
        if self.world is None:
            raise RuntimeError("call reset() first")
        return self.world

    @property
    def now(self) -> float:
        """Minutes since the first decision."""
        return self.running.now - self.program.warm_up

    @property
    def finished(self) -> bool:
        """Whether the last decision was taken and the run-out is over."""
        return self.running.closed

    @property
    def ended(self) -> bool:
        """Whether the world itself came to an end, before its horizon."""
        return self.running.ended

    def due(self) -> list[str]:
        """Agents that have a decision to take now: all of them at a fixed interval, those who were asked at events."""
        turns = self.running.turns
        return [agent for number, agent in enumerate(self.agents) if turns is None or turns.due[number]]

    def look(self, agent: str) -> list[float]:
        """Raw numbers that the agent sees."""
        world, spec = self.running, self.specs[agent]
        out: list[float] = []
        for sight in spec.sights:
            sight.look(world, out)
        for move in spec.moves:
            move.look(world, out)
        return out

    def observe(self, agent: str) -> list[float]:
        """The same, scaled into [-1, 1]."""
        world: Any = self.world  # observe and mask are called more often than anything else
        return self.program.observe[self._numbers[agent]](world)

    def mask(self, agent: str) -> list[int]:
        """1 for each action that is possible now."""
        world: Any = self.world
        return self.program.mask[self._numbers[agent]](world)

    def observe_all(self) -> list[float]:
        """What each agent sees, one after the other."""
        found: list[float] = self.program.observe_all(self.world)
        return found

    def mask_all(self) -> list[int]:
        """What is possible to each agent, one after the other."""
        found: list[int] = self.program.mask_all(self.world)
        return found

    def act(self, agent: str, action: int) -> bool:
        """Do an action; False if it was not possible (then nothing happens)."""
        if action == 0:
            return True
        actions = self._actions[agent]
        if not 0 < action <= len(actions):
            return False
        move, number = actions[action - 1]
        allowed: list[int] = []
        world = self.running
        if world.turns is not None and not world.turns.due[self._numbers[agent]]:
            return False
        move.mask(world, allowed)
        if not allowed[number]:
            return False
        move.act(world, number)
        return True

    def advance(self, *, last: bool = False) -> float:
        """Run the world to the next decision; after the ``last`` one, through the run-out. Minutes that passed."""
        world, program = self.running, self.program
        start = world.now
        if world.turns is None:
            steps = round((start - program.warm_up) / program.decide_every) + 1
            world.advance(min(program.horizon, program.warm_up + steps * program.decide_every))
        else:
            world.advance(world.turns.until(program.horizon))
            world.turns.take(world.now)
        passed = world.now - start
        if last or world.ended or world.now >= program.horizon:
            world.close()
        return passed

    def skip(self, until: float) -> None:
        """Run the world to a time (minutes since the first decision) within the episode, without any decision.

        It stops earlier where the world itself comes to an end; nothing is closed.
        """
        world, time = self.running, self.program.warm_up + until
        while world.now < time and not world.ended:
            world.advance(time)
            if world.turns is not None:
                world.turns.take(world.now)

    def finish(self) -> None:
        """Run the world to the end of the episode and through the run-out, without another decision."""
        if not self.running.closed:
            self.skip(self.program.horizon - self.program.warm_up)
            self.running.close()

    def gains(self) -> tuple[list[float], dict[str, list[float]]]:
        """Reward by component since the last call: the team's, and what roles got beside it, by agent."""
        world, program = self.running, self.program
        over = bool(world.closing)
        values = [line.reading.total(world) for line in program.score] if over else program.read_score(world)
        before, self._read = self._read, values
        gained: tuple[list[float], dict[str, list[float]]] = program.pay(values, before)
        return gained

    def fork(self, redraw: int | None = None) -> Self:
        """A copy, while this one stays as it is.

        Args:
            redraw: without it the copy is exact and continues as this game would. That is for tests and checkpoints; a
                policy that plans with it would be clairvoyant. With a key, the copy gets another future, drawn from
                what can be observed: see :mod:`marl_health.worlds.flow.redraw`.

        Raises:
            CannotFork: if a SimPy process is under way.
        """
        other = copy(self)  # the rest is compiled, and shared
        other.world = exact_copy(self.world) if redraw is None else redrawn(self.running, redraw)
        other._read = list(self._read)
        return other

    # ------------------------------------------------------------ the whole picture
    def state_names(self) -> list[str]:
        """Name of each number in the global state."""
        return list(self._overview.names)

    def state(self) -> list[float]:
        """The global state, in [-1, 1]: see :class:`marl_health.worlds.flow.overview.Overview`."""
        return self._overview.read(self.running)

    def kpis(self) -> dict[str, float]:
        """KPIs of the measured time so far."""
        return {kpi.name: value_of_kpi(self.running, kpi) for kpi in self.program.kpis}

    def kpis_by(self, attribute: str) -> dict[str, dict[str, float]]:
        """KPIs of the measured time so far by group, without those that :meth:`whole_kpis` names.

        Raises:
            ValueError: the scenario does not name the attribute under ``groups``.
        """
        return split_kpis(self.running, attribute)

    def groups(self) -> dict[str, list[str]]:
        """Groups by which KPIs can be split, by attribute."""
        table = self.program.groups
        return {} if table is None else {name: list(grouping.names) for name, grouping in table.by.items()}

    def whole_kpis(self) -> dict[str, str]:
        """KPIs that cannot be split by group, and why."""
        return {kpi.name: kpi.whole for kpi in self.program.kpis if kpi.whole}

    def kpi_units(self) -> dict[str, str]:
        """Unit of each KPI."""
        return {kpi.name: kpi.unit for kpi in self.program.kpis}

    def conservation(self) -> dict[str, int]:
        """Where everybody is who ever came."""
        return self.running.conservation()

    def events(self) -> list[tuple[Any, ...]]:
        """The event log: (minutes since the world began, entity, event type, event, resource or outcome)."""
        return list(self.running.log or [])

    def people(self) -> dict[int, Person]:
        """Who is who in the event log."""
        cast = self.running.cast
        return {} if cast is None else dict(cast.people)

    def snapshot(self) -> dict[str, Any]:
        """What is where, for pictures; see :func:`marl_health.worlds.flow.snapshot.take_snapshot`."""
        return take_snapshot(self.running)
