"""Two policies on the same seed see the same patients: who comes when, what they are like, and what each step takes."""

from collections import defaultdict

import pytest

import marl_health
from tests.worlds.worlds import EVERY, SMALL, Player, env_of, short, steps_of


def arrivals(env, seed, player):
    """{kind: [(minute, attributes)]} of everybody who came from outside, in order of coming."""
    found = defaultdict(list)
    for _ in steps_of(env, seed, player):
        pass
    world = env.game.running
    times = {row[1]: row[0] for row in env.event_log() if row[3] == "arrival"}
    for number, person in world.cast.people.items():
        if "/" not in person.name and number >= 0:  # a machine is told of in the log, but did not come
            found[person.kind].append((times[number], person.name, person.attributes))
    return found


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_the_same_patients_come_under_every_policy(scenario):
    env = env_of(scenario, events=True)
    waiting, acting = arrivals(env, 4, None), arrivals(env, 4, Player(1, eager=1.0))
    assert waiting == acting
    assert sum(map(len, waiting.values())) > 10
    assert arrivals(env, 5, None) != waiting


def durations(env, seed, player):
    """{(person, step): [minutes of work, visit by visit]}, for work that was not broken off."""
    for _ in steps_of(env, seed, player):
        pass
    people = env.game.running.cast.people
    begun, found = {}, defaultdict(list)
    for time, entity, kind, event, _ in env.event_log():
        key = (people[entity].name, event)
        if kind == "resource_use":
            begun[key] = time
        elif kind == "resource_use_end" and key in begun:
            found[key].append(round(time - begun.pop(key), 6))
    return found


@pytest.mark.parametrize(
    ("scenario", "steps"),
    [(str(SMALL), ("triage", "surgery", "draw")), ("hospital_throughput", ("triage", "surgery"))],
    ids=["small_hospital", "hospital_throughput"],
)
def test_who_goes_first_does_not_change_what_anybody_needs(scenario, steps):
    if scenario not in EVERY:
        pytest.skip(f"there is no {scenario}")
    env = env_of(scenario, events=True)
    waiting, acting = durations(env, 3, None), durations(env, 3, Player(3, eager=1.0))
    common = [key for key in waiting if key in acting and key[1] in steps]
    assert len(common) > 100
    assert {key: waiting[key][0] for key in common} == {key: acting[key][0] for key in common}


ORDERS = """
schema: marl_health/v1
name: orders
version: 1
description: One physician, two orders of service; nothing else differs.
tags: [test]
split: train
clock: {episode: 10 days, decide_every: 10 days}
staff: {nurse: {count: 1}, physician: {count: 1}}
entities:
  patient:
    arrive: {rate: {per_hour: 2.4, day_to_day: {gamma: {cv: 0.2}}}}
    has: {acuity: {choice: {1: 20%, 2: 80%}}, size: {lognormal: {mean: 3, sd: 1}}}
    begins: triage
pathway:
  triage: {use: nurse, for: {exponential: {mean: 8 min}}, next: look}
  look: {use: physician, queue: line, for: {gamma: {mean: 15 min, sd: 9 min}}, next: {split: {test: 30%, home: 70%}}}
  test: {together: {a: {do: [draw, laboratory]}, b: {do: draw, chance: 50%}}, next: look}
  draw: {use: nurse, for: {lognormal: {mean: 4 min, sd: 3 min}}}
  laboratory: {wait: {weibull: {mean: 30 min, shape: 2}}}
  home: {leave: discharged}
queues: {line: {classes: acuity, order: ORDER}}
"""


def story_by_person(tmp_path, order, seed):
    file = tmp_path / f"{order.split()[0].strip('{:')}.yaml"
    file.write_text(ORDERS.replace("ORDER", order))
    loaded = marl_health.load(file)
    game = loaded.kind.make_game(loaded.program)
    game.reset(seed, events=True)
    while not game.finished:
        game.advance()
    world = game.running
    found = defaultdict(list)
    for time, entity, kind, event, _ in game.events():
        found[entity].append((time, kind, event))
    here = {}
    for entity, rows in found.items():
        begun, took = {}, []
        for time, kind, event in rows:
            if kind == "resource_use" and event in ("triage", "look"):
                begun[event] = time
            elif kind == "resource_use_end" and event in ("triage", "look"):
                took.append((event, round(time - begun.pop(event), 6)))
        tests = sum(event == "laboratory" for _, _, event in rows)
        gone = rows[-1][2] == "depart"
        here[entity] = (rows[0][0], world.cast.people[entity].attributes, took, tests, gone, rows[-1][0])
    return here


def test_the_order_of_service_moves_waits_and_nothing_else(tmp_path):
    first = story_by_person(tmp_path, "arrival", 11)
    other = story_by_person(tmp_path, "class", 11)
    assert first.keys() == other.keys() and len(first) > 400
    moved = 0
    for entity, (came, attributes, took, tests, gone, left) in first.items():
        assert other[entity][:2] == (came, attributes)
        if gone and other[entity][4]:
            assert other[entity][2:4] == (took, tests), "the same visits, each as long as before"
            moved += other[entity][5] != left
    assert moved > 100, "the orders do differ"


def test_a_source_does_not_notice_that_another_is_added(tmp_path):
    def times(text, name):
        file = tmp_path / name
        file.write_text(text)
        loaded = marl_health.load(file)
        game = loaded.kind.make_game(loaded.program)
        game.reset(2, events=True)
        while not game.finished:
            game.advance()
        people = game.running.cast.people
        return [(row[0], people[row[1]].attributes) for row in game.events()
                if row[3] == "arrival" and people[row[1]].kind == "patient"]  # fmt: skip

    text = ORDERS.replace("ORDER", "arrival")
    more = text.replace(
        "pathway:",
        "  other: {arrive: {rate: {per_hour: 3}}, has: {acuity: 2}, begins: laboratory_2}\npathway:\n"
        "  laboratory_2: {wait: 5 min, next: home}",
        1,
    )
    plain, beside = times(text, "one.yaml"), times(more, "two.yaml")
    assert [time for time, _ in plain] == [time for time, _ in beside]
