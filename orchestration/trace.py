"""One entity's story, told from the event log of an episode, under one policy or several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import groupby
from math import inf, isfinite
from typing import Any

import policies as policies_by_name
from marl_health import Scenario
from orchestration.episodes import Replication, run, tasks
from orchestration.explain import DAY, HOUR, WEEKDAYS
from orchestration.timeline import Span, Timeline

WEEK = 7 * DAY


class UnknownEntity(ValueError):
    """There is nobody of that number or name in the episode."""


@dataclass(frozen=True)
class Line:
    """Something that happened. Minutes; nan where nothing was waited for, or where the end is not known.

    Attributes:
        time: since the world began. what: in words. brief: the same without the units, which differ between policies.
        key: the same for the same happening under every policy.
        where: the place the entity is in. waited: how long for this. lasted: how long it took.
    """

    time: float
    what: str
    brief: str
    key: tuple[str, str]
    where: str = ""
    waited: float = float("nan")
    lasted: float = float("nan")


@dataclass
class Story:
    """An entity's episode.

    Attributes:
        policy: who decided. name: of the entity, the same under every policy. number: in this event log.
        outcome: how it left; empty while it is inside. end: when it left, or the log ended.
    """

    policy: str
    name: str
    number: int
    kind: str
    attributes: dict[str, Any]
    start: float
    end: float
    outcome: str
    waited: float
    lines: list[Line] = field(default_factory=list)


def stories(scenario: Scenario, policies: Sequence[str], entity: str, seed: int) -> list[Story | None]:
    """The same entity under several policies; None where it never came (only a return can depend on the policy).

    Args:
        scenario: where it happened.
        policies: names that :func:`policies.make` knows.
        entity: its number in the event log of the first policy, or its name, which all logs share.
        seed: of the episode.

    Raises:
        UnknownEntity: nobody is called so.
        PolicyError: a policy is not known or cannot act here.
    """
    for policy in policies:
        policies_by_name.check(policy)
    episodes = [run(task) for task in tasks(scenario, policies, [seed], events=True)]
    name = _name_of(entity, episodes[0])
    return [tell(scenario, policy, episode, name) for policy, episode in zip(policies, episodes, strict=True)]


def _name_of(entity: str, episode: Replication) -> str:
    people = episode.people
    if entity.isdecimal() and int(entity) in people:
        return str(people[int(entity)].name)
    if any(person.name == entity for person in people.values()):
        return entity
    if not people:
        raise UnknownEntity(f"nobody came in the episode with seed {episode.seed}; try another --seed")
    last: dict[str, str] = {}
    for person in people.values():
        if "/" not in person.name:
            last[person.kind] = person.name
    names = ", ".join(f"{kind}-1 to {name}" for kind, name in last.items())
    raise UnknownEntity(
        f"there is no entity '{entity}' in the episode with seed {episode.seed}; "
        f"numbers go from 1 to {max(people)}, names are {names}"
    )


def tell(scenario: Scenario, policy: str, episode: Replication, name: str) -> Story | None:
    """The story of one entity in an episode whose event log was kept; None if it is not in there."""
    number = next((number for number, person in episode.people.items() if person.name == name), None)
    if number is None:
        return None
    rows = [event for event in episode.events if event[1] == number]
    # The whole log is read, for the numbers of the units depend on who else has one.
    spans = [span for span in Timeline.of(scenario, episode.people, episode.events).spans if span.entity == number]
    left = rows[-1][3] == "depart"
    end = rows[-1][0] if left else scenario.program.length
    person = episode.people[number]
    waits = [(span.start, min(span.end, end)) for span in spans if span.what == "wait"]
    return Story(
        policy,
        name,
        number,
        person.kind,
        person.attributes,
        start=rows[0][0],
        end=end,
        outcome=rows[-1][4] if left else "",
        waited=_union(waits),
        lines=_lines(rows[0][0], spans, person.changes),
    )


def _lines(start: float, spans: list[Span], changes: Sequence[tuple[float, str, Any]]) -> list[Line]:
    """What happened, in order: a line for each thing that began, with the wait before it."""
    waits = [span for span in spans if span.what == "wait"]
    rest = [span for span in spans if span.what != "wait"]
    there = any(span.step == "arrival" for span in rest)
    lines = [] if there else [Line(start, "arrives", "arrives", ("arrival", ""))]
    for (step, time), group in groupby(rest, key=lambda span: (span.step, span.start)):
        begun = list(group)
        wait = next((w for w in waits if w.served and w.step == step and w.end == time), None)
        waited = wait.end - wait.start if wait is not None else 0.0 if begun[0].what != "delay" else float("nan")
        place = next((span for span in begun if span.what == "place"), None)
        where = _where(rest, time)
        parts = [f"moves to {where}"] if place is not None else []
        staff = [span for span in begun if span.what == "work" and span.resource]
        parts += [f"with {' and '.join(f'{span.resource} {span.unit}' for span in staff)}"] if staff else []
        what = f"{step}: {', '.join(parts)}" if parts else step
        if step == "arrival":
            what, waited = f"has been in {where} since before the first day", float("nan")
        brief = re.sub(r" \d+\b", "", what)
        ends = [span.end for span in begun if span.what != "place"]
        lasted = ends[0] - time if ends and isfinite(ends[0]) else float("nan")
        lines.append(Line(time, what, brief, (step, begun[-1].what), where, waited, lasted))
    for wait in waits:
        if not wait.served:
            what = f"waits for {wait.step} {'in vain' if isfinite(wait.end) else 'and still does'}"
            waited = wait.end - wait.start if isfinite(wait.end) else float("nan")
            lines.append(Line(wait.start, what, what, (wait.step, "wait"), _where(rest, wait.start), waited))
    for time, word, value in changes:
        what = f"{word} becomes {shown(value)}"
        lines.append(Line(time, what, what, (word, "change"), _where(rest, time)))
    return sorted(lines, key=lambda line: line.time)


def _where(spans: list[Span], time: float) -> str:
    """The place that an entity is in at a time, the one it moves to if it moves then."""
    found = [span for span in spans if span.what == "place" and span.start <= time < max(span.end, span.start + 1e-9)]
    return f"{found[-1].resource} {found[-1].unit}" if found else ""


def _union(stretches: list[tuple[float, float]]) -> float:
    """Minutes covered by stretches of time, of which some may run side by side."""
    total, reached = 0.0, -inf
    for start, end in sorted(stretches):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def aligned(first: Story, other: Story) -> list[tuple[Line | None, Line | None]]:
    """The lines of two stories side by side: what happened in both stands in one row."""
    matcher = SequenceMatcher(
        a=[line.key for line in first.lines], b=[line.key for line in other.lines], autojunk=False
    )
    rows: list[tuple[Line | None, Line | None]] = []
    for what, a, a_end, b, b_end in matcher.get_opcodes():
        if what == "equal":
            rows.extend(zip(first.lines[a:a_end], other.lines[b:b_end], strict=True))
        else:
            rows.extend((line, None) for line in first.lines[a:a_end])
            rows.extend((None, line) for line in other.lines[b:b_end])
    return rows


def moment(scenario: Scenario, time: float) -> str:
    """Weekday and time of day, ``Mon 07:05``; with the week where the run is longer than one."""
    program = scenario.program
    week, minute = divmod(time + program.start, WEEK)
    day, minute = divmod(minute, DAY)
    text = f"{WEEKDAYS[int(day)][:3]} {int(minute // HOUR):02d}:{int(minute % HOUR):02d}"
    return f"week {int(week - program.start // WEEK) + 1}, {text}" if program.length > WEEK else text


def stretch(minutes: float) -> str:
    """Minutes in words that stand in a column: ``3 h 05 min``."""
    if not isfinite(minutes):
        return ""
    whole = round(minutes)
    hours, rest = divmod(whole, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def shown(value: Any) -> str:
    """The value of an attribute."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
