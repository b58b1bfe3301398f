"""An episode with everybody's marks, and what was taken of every resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

import policies
from marl_health import HealthParallelEnv, Scenario
from marl_health.kernel.entity import Entity
from marl_health.kernel.pool import Pool
from marl_health.worlds.flow.game import FlowGame
from marl_health.worlds.flow.program import Program
from marl_health.worlds.flow.world import FlowWorld
from orchestration.episodes import own_seed


@dataclass
class Person:
    """Somebody who came.

    Attributes:
        kind: entity type. attributes: as they were on arrival. arrived: in minutes since the world began.
        marks: (minutes, mark, place that was occupied or None), in order. outcome: empty while inside.
    """

    kind: str
    attributes: dict[str, Any]
    arrived: float
    marks: list[tuple[float, str, str | None]] = field(default_factory=list)
    outcome: str = ""

    def has(self, mark: str) -> bool:
        """Whether a mark was set."""
        return any(name == mark for _, name, _ in self.marks)


@dataclass
class Episode:
    """What became of everybody.

    Attributes:
        begins, ends, over: minutes at which the measured time begins and ends, and the run-out ends.
        people: who came, in order. hours: by resource, unit-hours taken and unit-hours there were in the measured time.
        kpis: KPIs.
    """

    begins: float
    ends: float
    over: float
    people: list[Person]
    hours: dict[str, tuple[float, float]]
    kpis: dict[str, float]

    @property
    def came(self) -> Iterator[Person]:
        """Those who came in the measured time."""
        return (person for person in self.people if self.begins <= person.arrived < self.ends)

    def between(self, person: Person, begins: str, ends: str, holding: str | None) -> Iterator[float]:
        """Minutes between two marks, for each time that somebody passes the first in the measured time."""
        began: float | None = None
        for minutes, mark, place in person.marks:
            if mark == ends and began is not None:
                yield minutes - began
                began = None
            if mark == begins and began is None and holding in (None, place) and self.begins <= minutes < self.ends:
                began = minutes
        if began is not None and not person.outcome:
            yield self.over - began


class NoLog(list[Any]):
    """An event log that keeps nothing; a world that has one tells of every mark."""

    @override
    def append(self, event: Any) -> None:
        pass


class RecordedWorld(FlowWorld):
    """A world that remembers everybody."""

    def __init__(self, program: Program, seed: int) -> None:
        self.people: dict[int, Person] = {}
        self.taken: list[dict[str, tuple[float, float]]] = []
        self.mark_names = {number: name for name, number in program.marks.items()}
        super().__init__(program, seed, events=True)
        self.log, self.cast = NoLog(), None

    @override
    def admit(self, entity: Entity) -> None:
        program = self.program
        if self.cast is not None:  # while the world is made, those who are there at the start come
            self.log, self.cast = NoLog(), None
        values = {name: entity.values[slot] for name, slot in program.slots_of_values.items()}
        self.people[entity.id] = Person(program.kinds[entity.kind], values, self._now)
        super().admit(entity)

    @override
    def mark(self, entity: Entity, mark: int) -> None:
        patient = entity.root
        place = patient.place.name if patient.place is not None else None
        self.people[patient.id].marks.append((self._now, self.mark_names[mark], place))
        super().mark(entity, mark)

    @override
    def depart(self, entity: Entity, outcome: int) -> None:
        self.people[entity.id].outcome = self.program.outcome_names[outcome]
        super().depart(entity, outcome)

    @override
    def open(self) -> None:
        super().open()
        self.look()

    @override
    def close(self) -> None:
        self.look()
        super().close()

    def look(self) -> None:
        """Note what was taken of every resource so far."""
        self.taken.append({pool.name: self.hours_of(pool) for pool in self.pools})

    def hours_of(self, pool: Pool) -> tuple[float, float]:
        """Unit-hours taken and unit-hours there were, since the world began."""
        pool.integrate(self.now)
        return pool.busy_minutes / 60.0, pool.capacity_minutes / 60.0


class RecordedGame(FlowGame):
    """A game in a recorded world."""

    @override
    def reset(self, seed: int, *, events: bool) -> None:
        self.world = RecordedWorld(self.program, seed)
        self.world.open()
        self._read = [line.reading.read(self.world) for line in self.program.score]


def play(scenario: Scenario, policy: str, seed: int) -> Episode:
    """Play an episode.

    Args:
        scenario: what is simulated.
        policy: a name that :func:`policies.make` knows; nobody decides without agents.
        seed: the same seed, the same patients.

    Raises:
        PolicyError: the policy cannot act in this scenario.
    """
    program = scenario.program
    game = RecordedGame(program)
    if scenario.roles:
        env = HealthParallelEnv(scenario)
        env.game = game
        decide = policies.make(policy)
        observations, infos = env.reset(seed=seed)
        try:
            decide.reset(env, own_seed(policy, seed))
        except ValueError as error:
            raise policies.PolicyError(str(error)) from error
        while env.agents:
            observations, _, _, _, infos = env.step(decide.act(env, observations, infos))
    else:
        game.reset(seed, events=False)
        game.finish()
    world = game.running
    assert isinstance(world, RecordedWorld)
    before, after = world.taken
    hours = {name: (after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in after}
    people = list(world.people.values())
    return Episode(program.warm_up, program.horizon, program.length, people, hours, game.kpis())
