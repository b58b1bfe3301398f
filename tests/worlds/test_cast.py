"""Names of entities: the same patient has the same one under every policy."""

import random
from pathlib import Path

import marl_health

SMALL = Path(__file__).with_name("small_hospital.yaml")


def people(moves):
    """Everybody of an episode in which the agents move at random, or wait."""
    env = marl_health.parallel_env(SMALL, events=True)
    env.reset(seed=3)
    while env.agents:
        env.step({agent: moves.randrange(env.action_space(agent).n) if moves else 0 for agent in env.agents})
    return env.game.people()


def test_names_follow_the_patient_where_numbers_do_not():
    waiting, moving = people(None), people(random.Random(1))
    numbers = [{person.name: number for number, person in found.items()} for found in (waiting, moving)]
    assert len(numbers[0]) == len(waiting) and len(numbers[1]) == len(moving)
    common = numbers[0].keys() & numbers[1].keys()
    assert any(numbers[0][name] != numbers[1][name] for name in common)  # returns shift the numbers
    assert all(waiting[numbers[0][name]][:3] == moving[numbers[1][name]][:3] for name in common)
    assert all("/" in name for name in numbers[0].keys() ^ numbers[1].keys())  # only returns depend on the policy
    assert any(name.endswith("/2") for name in common)


def test_nobody_is_named_without_an_event_log():
    env = marl_health.parallel_env(SMALL)
    env.reset(seed=3)
    assert env.game.people() == {}


def test_changes_of_attributes_are_kept():
    changes = [change for person in people(None).values() for change in person.changes]
    assert {word for _, word, _ in changes} >= {"acuity", "work_up"}
    assert all(value == 1 for _, word, value in changes if word == "work_up")  # what `review` sets
