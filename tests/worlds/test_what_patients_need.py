"""What a patient needs does not depend on the policy: every draw, in every step, as long as the attributes agree.

``test_common_random_numbers.py`` looks at who comes and at single steps; here, nothing that is drawn is left out.
"""

from collections import Counter, defaultdict
from itertools import pairwise
from typing import NamedTuple

import pytest

import marl_health
from marl_health.kernel.randomness import Rows
from marl_health.worlds.flow import sources
from tests.worlds.worlds import EVERY, Player, env_of, short, steps_of

HOSPITAL = "hospital_throughput"
CUT_OFF = ("died", "left_without_being_seen", "cancelled", "cancelled_late", "gave_up", "rebooked")


class Row(list):
    """A row of uniforms that counts how often each of its columns is read."""

    def __init__(self, uniforms):
        super().__init__(uniforms)
        self.read = Counter()

    def __getitem__(self, column):
        self.read[column] += 1
        return super().__getitem__(column)


def rows_of(scenario, player, monkeypatch):
    """{source: [row of each entity, in order]} of an episode."""
    found = defaultdict(list)

    class Ready(list):
        """The rows of a block that are left; whichever is handed out is noted."""

        def pop(self):
            row = Row(super().pop())
            self.noted.append(row)
            return row

    class Spied(Rows):
        def __init__(self, seed, source, columns):
            super().__init__(seed, source, columns)
            self.source = source

        def next(self):
            row = Row(super().next())
            self.ready = Ready(self.ready)
            self.ready.noted = found[self.source]
            self.ready.noted.append(row)
            return row

    monkeypatch.setattr(sources, "Rows", Spied)
    for _ in steps_of(env_of(scenario), 6, player):
        pass
    return found


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_everybody_brings_the_same_draws_and_uses_each_once(scenario, monkeypatch):
    waiting = rows_of(scenario, None, monkeypatch)
    acting = rows_of(scenario, Player(6, eager=1.0), monkeypatch)
    assert waiting.keys() == acting.keys()
    for source, rows in waiting.items():
        both = len(rows) if not marl_health.load(scenario).clock.until_gone else min(len(rows), len(acting[source]))
        assert rows[:both] == acting[source][:both]
        assert both == len(acting[source]) or marl_health.load(scenario).clock.until_gone
    rows = [row for found in (waiting, acting) for rows in found.values() for row in rows]
    assert len(rows) > 30
    assert sum(sum(row.read.values()) for row in rows) > len(rows) / 2, "rows are read through the spy"
    # Column 0 is the key, from which others are hashed: it may be read again.
    again = Counter(column for row in rows for column, times in row.read.items() if column and times > 1)
    assert not again, f"these columns serve two purposes: {dict(again)}"


class Step(NamedTuple):
    """One visit of a patient to a step: what it was like before and after, how long it took, what came next."""

    attributes: tuple
    minutes: float
    then: str


class Life(NamedTuple):
    """An entity's episode: when it came, its visits, its changes (minutes after it came), how and when it left."""

    came: float
    steps: dict[str, Step]
    changes: list[tuple[float, str, object]]
    end: str
    left: float


def lives(seed, player):
    """{name: life} of everybody in an episode of the hospital; nobody there enters a step twice."""
    env = marl_health.parallel_env(HOSPITAL, events=True)
    for _ in steps_of(env, seed, player):
        pass
    rows = defaultdict(list)
    for time, entity, kind, event, resource in env.event_log():
        rows[entity].append((time, kind, event, resource))
    people = env.game.running.cast.people
    return {people[entity].name: life(people[entity], found) for entity, found in rows.items()}


def life(person, rows):
    came, end, left = rows[0][0], "", float("inf")
    if rows[-1][2] == "depart":
        left, end = rows[-1][0], rows[-1][3]
    steps = {}
    for stay in ("treatment", "icu_stay", "ward_stay", "last_checks"):  # they end when the next step begins
        for (time, kind, event, _), after in pairwise(rows):
            if kind == "queue" and event == stay:
                steps[stay] = Step(attributes_between(person, time, after[0]), after[0] - time, after[2])
    worked, begun, first = defaultdict(float), {}, {}
    for number, (time, kind, event, _) in enumerate(rows):
        if kind == "resource_use":
            begun[event] = time
            first.setdefault(event, time)
        elif kind == "resource_use_end":
            worked[event] += time - begun.pop(event)  # the parts of work that was interrupted add up
            after = rows[number + 1] if number + 1 < len(rows) else None
            then = "" if after is None else after[3] if after[2] == "depart" else after[2]
            steps[event] = Step(attributes_between(person, first[event], time), worked[event], then)
    for event in begun:
        steps.pop(event, None)  # interrupted, and not over when the episode ended
    changes = [(time - came, word, value) for time, word, value in person.changes]
    return Life(came, steps, changes, end, left)


def attributes_between(person, begin, end):
    """What decides how long a step takes and where it leads, when it begins and when it ends."""
    found = []
    for moment in (begin, end):
        now = person.attributes | {word: value for when, word, value in person.changes if when <= moment}
        found += [(word, now.get(word)) for word in ("acuity", "expedited", "outlying", "planned_stay", "booked")]
    return tuple(found)


@pytest.fixture(scope="module")
def pairs():
    """Everybody's life under waiting and under acting at random, over five episodes.

    The same people come of themselves under both. Who was sent home in haste may come again (``emergency-17/2``), and
    somebody may do so under one of them only: whether that is so is the policy's doing, so there is nothing to compare.
    """
    found, again = [], 0
    for seed in (21, 22, 23, 24, 25):
        waiting, acting = lives(seed, None), lives(seed, Player(seed, eager=1.0))
        both = waiting.keys() & acting.keys()
        assert all("/" in name for name in waiting.keys() ^ acting.keys())
        again += len(acting.keys() - both)
        found += [(waiting[name], acting[name]) for name in waiting if name in both]
    assert len(found) > 5000 and again > 0, "people come again only where somebody discharges early"
    return found


def same_steps(pairs):
    """(name, visit, visit) of every step that a patient finished under both policies, with the same attributes."""
    for first, other in pairs:
        if first.end not in CUT_OFF and other.end not in CUT_OFF:
            for name in first.steps.keys() & other.steps.keys():
                if first.steps[name].attributes == other.steps[name].attributes:
                    yield name, first.steps[name], other.steps[name]


def test_every_step_takes_as_long_as_under_another_policy(pairs):
    compared = Counter()
    for name, first, other in same_steps(pairs):
        assert first.minutes == pytest.approx(other.minutes, abs=1e-6), name
        compared[name] += first.minutes > 0
    assert all(compared[name] > 500 for name in ("triage", "first_look", "draw", "scan", "treatment", "disposition"))
    assert all(compared[name] > 10 for name in ("resuscitation", "surgery", "emergency_surgery", "recovering"))
    assert all(compared[name] > 10 for name in ("outpatient_scan", "icu_stay", "handing_over", "last_checks"))
    assert all(compared[name] > 100 for name in ("ward_stay", "scan_before_leaving", "going_home")), compared


def test_every_fork_is_taken_as_under_another_policy(pairs):
    forks = {
        "disposition": {"discharged", "handing_over", "to_icu", "emergency_surgery"},
        "emergency_surgery": {"recovering", "to_icu"},
        "recovering": {"to_icu", "to_medical", "to_surgical"},
        "ward_stay": {"going_home", "last_checks", "scan_before_leaving"},
    }
    ways = defaultdict(Counter)
    for name, first, other in same_steps(pairs):
        if name in forks:
            assert first.then == other.then, name
            ways[name][first.then] += 1
    assert {name: set(taken) for name, taken in ways.items()} == forks
    assert all(min(taken.values()) > 1 for taken in ways.values()), ways
    examined = Counter()
    for first, other in pairs:
        visits = [life.steps.get("treatment") for life in (first, other)]
        if all(visits) and visits[0].attributes == visits[1].attributes:  # they have been through the work-up
            work_up = [life.steps.keys() & {"draw", "scan"} for life in (first, other)]
            assert work_up[0] == work_up[1]
            examined[len(work_up[0])] += 1
    assert min(examined[0], examined[1], examined[2]) > 100, examined


def test_patients_deteriorate_and_lose_patience_at_their_own_time(pairs):
    deteriorated = gave_up = 0
    for first, other in pairs:
        worse = [[change for change in life.changes if change[1] == "acuity"][:1] for life in (first, other)]
        if all(worse):
            assert worse[0][0] == (pytest.approx(worse[1][0][0]), *worse[1][0][1:])
            deteriorated += 1
        if first.end == other.end == "left_without_being_seen" and len(worse[0]) == len(worse[1]):
            assert first.left == pytest.approx(other.left)
            gave_up += 1
    assert deteriorated > 30 and gave_up > 30, (deteriorated, gave_up)
