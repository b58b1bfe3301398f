"""What the pictures need to know of an episode, gathered in the process that runs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import policies as policies_by_name
from marl_health import Scenario
from orchestration.episodes import Event, Replication, Task, run, tasks
from orchestration.simulate import NOBODY, Progress, seeds_from
from orchestration.timeline import Span, Timeline
from orchestration.workers import in_order

KIND = "+ "
"""Before the name of a kind among the ends of moves, as a place may have the same."""

OUTCOME = "> "
"""Before the name of an outcome, likewise."""

Moves = Counter[tuple[str, str]]


@dataclass(frozen=True)
class Observed:
    """Episodes of one policy, as pictures show them.

    Attributes:
        scenario: what was simulated. policy: who decided.
        replications: with ``hours``, ``taken``, ``capacity`` and ``waiting`` at every decision.
        moves: from one place to the next during the episode, a day, mean over replications; see :func:`moves_of`.
        spans: of the first replication, from the beginning of its world.
        people: who is who in these.
    """

    scenario: Scenario
    policy: str
    replications: list[Replication]
    moves: Mapping[tuple[str, str], float]
    spans: list[Span]
    people: Mapping[int, Any]


@dataclass
class _Episode:
    replication: Replication
    moves: Moves
    spans: list[Span] = field(default_factory=list)
    people: dict[int, Any] = field(default_factory=dict)


def observe(
    scenario: Scenario, policy: str, replications: int, seed: int, *, jobs: int = 1, progress: Progress | None = None
) -> Observed:
    """Run replications and keep what the pictures need; number i has the seed ``seed + i``.

    Raises:
        PolicyError: there is no such policy, or it cannot act here.
    """
    policies_by_name.check(policy)
    name = policy if scenario.roles else NOBODY
    todo = tasks(scenario, [name], seeds_from(seed, replications), events=True, occupancy=True)
    days = (scenario.program.horizon - scenario.program.warm_up) / 1440.0
    total: Moves = Counter()
    found: list[_Episode] = []
    given = ((task, number == 0) for number, task in enumerate(todo))
    with closing(in_order(_watch, given, min(jobs, replications))) as finished:
        for episode in finished:
            total.update(episode.moves)
            found.append(episode)
            if progress is not None:
                progress()
    return Observed(
        scenario,
        name,
        [episode.replication for episode in found],
        {move: count / replications / days for move, count in total.items()},
        found[0].spans,
        found[0].people,
    )


def _watch(given: tuple[Task, bool]) -> _Episode:
    task, whole = given
    scenario = task.scenario.load()
    episode = run(task)
    timeline = Timeline.of(scenario, episode.people, episode.events)
    moves = moves_of(timeline, episode.events, scenario.program.warm_up, scenario.program.horizon)
    light = replace(episode, events=[], people={})
    return _Episode(light, moves, timeline.spans, episode.people) if whole else _Episode(light, moves)


def moves_of(timeline: Timeline, events: Sequence[Event], begin: float, end: float) -> Moves:
    """Count moves between two times of the world.

    They lead from the kind that comes to the first place, from place to place, from the last to the outcome. Staff and
    visited places stand for the place of those who have none.
    """
    work = timeline.steps.work
    at: dict[int, str] = {number: KIND + person.kind for number, person in timeline.people.items()}
    in_place: set[int] = set()
    came = {span.entity for span in timeline.spans if span.step == "arrival"}
    stops: list[tuple[float, int, str, bool]] = []
    for span in timeline.spans:
        if span.what == "place":
            stops.append((span.start, span.entity, span.resource, True))
        elif span.what == "work" and span.resource == next(iter(work[span.step]), ""):
            stops.append((span.start, span.entity, span.resource, False))
    stops += [(row[0], row[1], OUTCOME + row[4], True) for row in events if row[3] == "depart"]
    moves: Moves = Counter()
    for time, entity, name, is_place in sorted(stops, key=lambda stop: stop[0]):
        if not is_place and entity in in_place:
            continue
        if is_place:
            in_place.add(entity)
        old, at[entity] = at[entity], name
        if old != name and begin <= time < end and not (old.startswith(KIND) and entity in came):
            moves[old, name] += 1
    return moves
