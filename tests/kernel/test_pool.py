"""Pools: capacity over time, cleaning, reserves, and units that can be told apart."""

import pytest

from marl_health.kernel.disciplines import ByClass
from marl_health.kernel.pool import Reserve
from tests.kernel.shop import CLASS, Serve, Shop


def test_raising_capacity_by_k_lets_up_to_k_in_at_once():
    shop = Shop()
    pool = shop.pool(1)
    shop.line(pool)
    for number in range(6):
        shop.come(number, number, 100.0)
    shop.advance(10)
    pool.set_capacity(shop, 4)
    assert shop.starts() == [(0, 0), (10, 1), (10, 2), (10, 3)]
    pool.set_capacity(shop, 40)
    assert len(shop.starts()) == 6
    assert pool.free == 34


def test_an_overfull_pool_drains_and_the_excess_is_overtime():
    shop = Shop()
    pool = shop.pool(3)
    line = shop.line(pool)
    for number, minutes in enumerate([30.0, 40.0, 50.0, 5.0]):
        shop.come(0, number, minutes)
    shop.advance(20)
    pool.set_capacity(shop, 1)
    assert (pool.free, pool.busy) == (-2, 3)
    shop.advance(45)
    assert line.waiting == 1, "nobody is let in while the pool drains"
    shop.advance(51)
    assert shop.starts()[-1] == (50, 3)
    pool.integrate(51)
    assert pool.over_minutes == pytest.approx(10 * 2 + 10 * 1)
    assert pool.busy_minutes == pytest.approx(30 + 40 + 50 + 1)
    assert pool.capacity_minutes == pytest.approx(20 * 3 + 31 * 1)


def test_capacity_that_falls_and_rises_again_while_overfull_grants_no_more_than_there_is():
    shop = Shop()
    pool = shop.pool(3)
    shop.line(pool)
    for number in range(5):
        shop.come(0, number, 30.0)
    shop.advance(5)
    pool.set_capacity(shop, 1)
    pool.set_capacity(shop, 3)
    assert pool.free == 0 and len(shop.starts()) == 3
    pool.set_capacity(shop, 4)
    assert len(shop.starts()) == 4


def test_a_vacated_unit_is_cleaned_before_the_next_may_have_it():
    shop = Shop()
    pool = shop.pool(1, clean=lambda world, entity: 7.0)
    shop.line(pool)
    shop.come(0, 1, 10.0)
    shop.come(1, 2, 10.0)
    shop.advance(12)
    assert (pool.busy, pool.cleaning, pool.free) == (0, 1, 0)
    shop.advance(100)
    assert shop.starts() == [(0, 1), (17, 2)]
    assert (pool.busy, pool.cleaning, pool.free) == (0, 0, 1)


def test_a_reserve_keeps_units_for_those_who_qualify():
    shop = Shop()
    pool = shop.pool(3)
    line = shop.line(pool, discipline=ByClass((0.0, 1.0)), classes=2)
    reserve = Reserve(lambda values: values[CLASS] == 0)
    reserve.level = 2
    pool.reserves.append(reserve)
    for number, cls in enumerate([1, 1, 0, 1]):
        shop.come(number, number, 100.0, cls=cls)
    shop.advance(10)
    assert [number for _, number in shop.starts()] == [0, 2]
    assert line.waiting == 2 and pool.free == 1
    shop.come(11, 5, 100.0, cls=0)
    shop.advance(12)
    assert [number for _, number in shop.starts()] == [0, 2, 5]
    reserve.level = 0
    pool.set_capacity(shop, 4)
    assert [number for _, number in shop.starts()] == [0, 2, 5, 1]


def test_those_who_qualify_are_served_although_somebody_before_them_does_not():
    shop = Shop()
    pool = shop.pool(2)
    shop.line(pool)  # first come, first served: one heap, whose head does not qualify
    reserve = Reserve(lambda values: values[CLASS] == 0)
    reserve.level = 1
    pool.reserves.append(reserve)
    shop.come(0, 0, 50.0, cls=0)
    shop.come(0, 1, 20.0, cls=0)
    shop.come(1, 2, 50.0, cls=1)
    shop.come(2, 3, 50.0, cls=0)
    shop.advance(30)
    assert shop.starts() == [(0, 0), (0, 1), (20, 3)]
    shop.advance(80)
    assert shop.starts()[-1] == (70, 2), "from 50 on one is free, but that one is kept"


# ---------------------------------------------------------------- units that can be told apart
def unit_of(entity, pool):
    return entity.units[pool.index]


def test_the_very_same_unit_is_waited_for_while_others_are_free():
    shop = Shop()
    pool = shop.pool(3, identified=True)
    line = shop.line(pool)
    first = shop.come(0, 1, 10.0)
    shop.advance(11)
    wanted = unit_of(first, pool)
    others = [shop.come(11, number, 20.0) for number in (2, 3, 4)]
    shop.advance(12)
    holder = next(other for other in others if unit_of(other, pool) == wanted)
    holder_ends = shop.now - 1 + 20.0
    for other in others:
        if other is not holder:
            shop.withdraw(other)
    personal = line.for_unit(shop, wanted)
    first.step = Serve(personal.index)
    first.step.enter(shop, first)
    assert pool.free == 2 and personal.waiting == 1
    shop.advance(200)
    assert (holder_ends, 1) in shop.starts()
    assert unit_of(first, pool) == wanted
    assert pool.free == 3 and sorted(pool.idle) == sorted(pool.on_duty)


def test_units_go_home_when_the_shift_ends_and_their_callers_take_anybody():
    shop = Shop()
    pool = shop.pool(2, identified=True)
    line = shop.line(pool)
    first, second = shop.come(0, 1, 10.0), shop.come(0, 2, 40.0)
    shop.advance(11)
    wanted = unit_of(second, pool)
    personal = line.for_unit(shop, wanted)
    first.step = Serve(personal.index)
    first.step.enter(shop, first)
    pool.set_capacity(shop, 0)
    assert pool.on_duty == {wanted} and pool.idle == []
    shop.advance(50)
    assert pool.on_duty == set() and pool.idle == []
    assert (personal.waiting, line.waiting) == (0, 1)
    pool.set_capacity(shop, 1)
    assert shop.starts()[-1] == (50, 1)
    assert unit_of(first, pool) != wanted


def test_idle_units_are_as_many_as_are_free_whatever_happens():
    import random

    generator = random.Random(3)
    shop = Shop()
    pool = shop.pool(4, identified=True)
    line = shop.line(pool)
    customers = [shop.come(generator.uniform(0, 400), number, generator.expovariate(0.2)) for number in range(300)]
    for time in range(0, 500, 2):
        shop.advance(time)
        if generator.random() < 0.3:
            pool.set_capacity(shop, generator.randrange(0, 7))
        for customer in generator.sample(customers, 3):
            if customer.held is not None and generator.random() < 0.3:
                shop.withdraw(customer)
            elif customer.units is not None and customer.held is None and customer.line is None:
                unit = unit_of(customer, pool)
                if unit in pool.on_duty:
                    customer.step = Serve(line.for_unit(shop, unit).index)
                    customer.step.enter(shop, customer)
        assert len(pool.idle) == max(0, pool.free)
        busy = [unit_of(customer, pool) for customer in customers if customer.held is not None]
        assert len(set(busy)) == len(busy) == pool.busy
        assert set(busy) | set(pool.idle) == pool.on_duty
        for other in shop.lines:
            assert not other.waiting or other.unit is None or other.unit in pool.on_duty, "waits for one who went home"
    pool.set_capacity(shop, 4)
    shop.advance(100_000)
    assert pool.busy == pool.waiting == 0


def test_a_unit_that_is_cleaned_comes_back():
    shop = Shop()
    pool = shop.pool(2, identified=True, clean=lambda world, entity: 5.0)
    shop.line(pool)
    for number in range(6):
        shop.come(0, number, 10.0)
    shop.advance(1000)
    assert [time for time, _ in shop.starts()] == [0, 0, 15, 15, 30, 30]
    assert len(pool.idle) == pool.free == 2


def test_two_units_taken_together_are_both_busy():
    shop = Shop()
    pool = shop.pool(3, identified=True)
    shop.line((pool, 2))
    shop.come(0, 1, 10.0)
    shop.advance(5)
    assert pool.free == 1 and len(pool.idle) == 1
    shop.advance(20)
    assert pool.free == 3 and sorted(pool.idle) == [0, 1, 2]


def test_cleaning_beyond_the_shift_is_overtime_until_it_is_done():
    shop = Shop()
    pool = shop.pool(1, clean=lambda world, entity: 7.0)
    shop.line(pool)
    shop.come(0, 1, 10.0)
    shop.advance(5)
    pool.set_capacity(shop, 0)
    shop.advance(100)
    pool.integrate(100)
    assert pool.over_minutes == pytest.approx(17 - 5)
