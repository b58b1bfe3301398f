"""Rosters: kept in order as entities come, go and change."""

import random

from marl_health.kernel import Entity
from marl_health.kernel.roster import Roster
from tests.kernel.shop import Shop


def test_a_roster_is_always_sorted_by_its_key_then_by_joining():
    generator = random.Random(2)
    shop, inside, everybody = Shop(), [], []
    roster = Roster(lambda world, entity: entity.values[0])
    for number in range(300):
        entity = Entity(0, number, [0.5], shop.step_of)
        entity.values = [float(generator.randrange(6))]
        everybody.append(entity)
        roster.add(shop, entity)
        inside.append(entity)
        if generator.random() < 0.45:
            gone = generator.choice(inside)
            roster.remove(gone)
            inside.remove(gone)
            roster.remove(gone)  # is not here any more, so nothing happens
        if inside and generator.random() < 0.5:
            changed = generator.choice(inside)
            changed.values[0] = float(generator.randrange(6))
            roster.rekey(shop, changed)
        expected = sorted(inside, key=lambda entity: (entity.values[0], entity.id))
        assert roster.first(1000) == expected
        assert len(roster) == len(expected)
        assert roster.first(3, lambda entity: entity.id % 2 == 0) == [e for e in expected if e.id % 2 == 0][:3]
        assert all((entity in roster) == (entity in inside) for entity in everybody[-20:])
