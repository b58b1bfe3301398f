"""Lines: who is next, who is served at once, and that nobody is ever given a part of what they need."""

import random

import pytest

from marl_health.kernel.disciplines import Ageing, ByClass, FirstCome
from tests.kernel.shop import CLASS, Serve, Shop


def order_of_service(discipline, customers, classes=5):
    """Who is served in which order by one server that is busy until time 100 while all these come."""
    shop = Shop()
    shop.line(shop.pool(1), discipline=discipline, classes=classes)
    shop.come(0, 0, 100.0)
    for number, (time, cls) in enumerate(customers, start=1):
        shop.come(time, number, 1.0, cls=cls)
    shop.advance(1000)
    return [number for _, number in shop.starts()][1:]


def test_first_come_first_served_takes_no_notice_of_classes():
    customers = [(1, 4), (2, 0), (3, 2), (4, 0), (5, 4)]
    assert order_of_service(FirstCome(), customers) == [1, 2, 3, 4, 5]


def test_strict_priority_goes_by_class_then_by_time_of_joining():
    customers = [(1, 4), (2, 0), (3, 2), (4, 0), (5, 4)]
    assert order_of_service(ByClass((0, 1, 2, 3, 4)), customers) == [2, 4, 3, 1, 5]


def test_an_order_may_put_any_class_first_and_let_others_tie():
    customers = [(1, 4), (2, 0), (3, 2), (4, 0), (5, 4)]
    assert order_of_service(ByClass((1, 1, 1, 1, 0)), customers) == [1, 5, 2, 3, 4]


def test_ageing_lets_a_long_wait_outweigh_a_class():
    # At 100 the first has waited 99 min at 1 point, the second 10 min at 9 points, the third 12 min at 9 points.
    customers = [(1, 1), (90, 0), (88, 0)]
    assert order_of_service(Ageing((9.0, 1.0)), customers, classes=2) == [3, 1, 2]
    assert order_of_service(Ageing((20.0, 1.0)), customers, classes=2) == [3, 2, 1]


def test_ageing_is_the_largest_of_rate_times_wait_whoever_comes_when():
    generator = random.Random(1)
    rates = (7.0, 3.0, 1.5, 1.0, 0.2)
    for _ in range(20):
        customers = [(generator.uniform(0.01, 99.9), generator.randrange(5)) for _ in range(12)]
        found = order_of_service(Ageing(rates), customers)
        waiting, expected, now = dict(enumerate(customers, start=1)), [], 100.0
        while waiting:
            first = max(waiting, key=lambda n: rates[waiting[n][1]] * (now - waiting[n][0]))
            expected.append(first)
            del waiting[first]
            now += 1.0
        assert found == expected


def test_a_discipline_can_be_switched_without_moving_anybody():
    shop = Shop()
    line = shop.line(shop.pool(1), classes=2)
    shop.come(0, 0, 100.0)
    for number, cls in enumerate([1, 1, 0, 0], start=1):
        shop.come(number, number, 10.0, cls=cls)
    shop.advance(105)
    line.discipline = ByClass((0.0, 1.0))
    shop.advance(125)
    line.discipline = FirstCome()
    shop.advance(500)
    assert [number for _, number in shop.starts()] == [0, 1, 3, 4, 2]


def test_an_agents_call_goes_before_every_class_and_twice_called_is_called_once():
    shop = Shop()
    line = shop.line(shop.pool(1), discipline=ByClass((0.0, 1.0)), classes=2)
    shop.come(0, 0, 100.0)
    customers = [shop.come(number, number, 10.0, cls=cls) for number, cls in enumerate([0, 1, 1, 0], start=1)]
    shop.advance(50)
    line.call(customers[2])
    line.call(customers[1])
    line.call(customers[2])
    shop.advance(500)
    assert [number for _, number in shop.starts()] == [0, 3, 2, 1, 4]


def test_a_call_survives_a_change_of_class():
    shop = Shop()
    line = shop.line(shop.pool(1), discipline=ByClass((0.0, 1.0, 2.0)), classes=3)
    shop.come(0, 0, 100.0)
    customers = [shop.come(number, number, 10.0, cls=cls) for number, cls in enumerate([0, 2], start=1)]
    shop.advance(50)
    line.call(customers[1])
    customers[1].values[CLASS] = 1
    line.reclass(shop, customers[1], 2)
    shop.advance(500)
    assert [number for _, number in shop.starts()] == [0, 2, 1]


def test_those_who_left_are_passed_over_and_counters_follow():
    shop = Shop()
    line = shop.line(shop.pool(1), discipline=ByClass((0.0, 1.0)), classes=2)
    shop.come(0, 0, 100.0)
    customers = [shop.come(number, number, 10.0, cls=number % 2) for number in range(1, 5)]
    shop.advance(50)
    assert (line.waiting, line.count) == (4, [2, 2])
    shop.withdraw(customers[1])
    shop.withdraw(customers[0])
    assert (line.waiting, line.count) == (2, [1, 1])
    assert line.oldest(0, 50.0) == 46.0
    shop.advance(500)
    assert [number for _, number in shop.starts()] == [0, 4, 3]
    assert (line.waiting, line.count, shop.pools[0].waiting) == (0, [0, 0], 0)


def test_a_change_of_class_keeps_the_time_of_joining():
    shop = Shop()
    line = shop.line(shop.pool(1), discipline=ByClass((0.0, 1.0)), classes=2)
    shop.come(0, 0, 100.0)
    customers = [shop.come(number, number, 10.0, cls=cls) for number, cls in enumerate([0, 1, 0, 1], start=1)]
    shop.advance(50)
    customers[1].values[CLASS] = 0
    line.reclass(shop, customers[1], 1)
    assert line.count == [3, 1]
    shop.advance(500)
    assert [number for _, number in shop.starts()] == [0, 1, 2, 3, 4]


def test_time_spent_waiting_is_counted_exactly():
    shop = Shop()
    line = shop.line(shop.pool(1))
    for number, time in enumerate([0.0, 2.0, 3.0]):
        shop.come(time, number, 10.0)
    shop.advance(15)
    assert line.minutes(shop.now) == pytest.approx(8 + 12)
    shop.advance(100)
    assert line.grants == 3
    assert line.waited(shop.now) == line.minutes(shop.now) == pytest.approx(0 + 8 + 17)


# ---------------------------------------------------------------- several needs at once
def test_a_line_with_two_needs_takes_both_or_nothing():
    shop = Shop()
    nurse, room = shop.pool(1), shop.pool(1)
    both, alone = shop.line(nurse, room), shop.line(nurse)
    shop.come(0, 1, 10.0, step=Serve(both.index))
    shop.come(1, 2, 5.0, step=Serve(both.index))
    shop.come(2, 3, 30.0, step=Serve(alone.index))
    shop.advance(11)
    # At 10 both come free; who waited longest among the heads of the nurse's lines goes first.
    assert shop.starts() == [(0, 1), (10, 2)]
    assert (nurse.free, room.free) == (0, 0)
    shop.advance(16)
    assert shop.starts()[-1] == (15, 3)
    shop.come(20, 4, 5.0, step=Serve(both.index))
    shop.advance(21)
    assert (nurse.free, room.free, both.waiting) == (0, 1, 1), "the room stays free while the nurse is lacking"
    shop.advance(100)
    assert shop.starts()[-1] == (45, 4)


def test_several_units_of_one_pool_are_taken_together():
    shop = Shop()
    crew = shop.pool(3)
    two, one = shop.line((crew, 2)), shop.line(crew)
    shop.come(0, 1, 10.0, step=Serve(one.index))
    shop.come(0, 2, 20.0, step=Serve(one.index))
    shop.come(1, 3, 5.0, step=Serve(two.index))
    shop.advance(9)
    assert crew.free == 1 and two.waiting == 1
    shop.advance(50)
    assert shop.starts() == [(0, 1), (0, 2), (10, 3)]
    assert crew.free == 3


def test_no_pool_is_ever_overdrawn_and_no_unit_lost_in_a_random_shop():
    generator = random.Random(7)
    shop = Shop()
    pools = [shop.pool(capacity) for capacity in (2, 3, 1, 4)]
    lines = [
        shop.line(pools[0], discipline=ByClass((0.0, 1.0, 2.0)), classes=3),
        shop.line(pools[0], (pools[1], 2)),
        shop.line(pools[1], pools[2], pools[3], discipline=Ageing((3.0, 2.0, 1.0)), classes=3),
        shop.line((pools[3], 3), priority=-1.0),
        shop.line(pools[3], pools[0], priority=1.0),
    ]
    customers = [
        shop.come(generator.uniform(0, 500), number, generator.expovariate(0.5), cls=generator.randrange(3),
                  step=Serve(generator.choice(lines).index))
        for number in range(600)
    ]  # fmt: skip
    for time in range(0, 600, 3):
        shop.advance(time)
        for customer in generator.sample(customers, 2):
            if customer.line is not None or customer.held is not None:
                shop.withdraw(customer)
        held = [customer.held for customer in customers if customer.held is not None]
        for pool in pools:
            taken = sum(units for line in held for need, units in line.needs if need is pool)
            assert 0 <= pool.free == pool.capacity - taken
            assert pool.busy == taken
            assert pool.waiting == sum(line.waiting for line in pool.lines)
        for line in lines:
            assert line.waiting == sum(line.count) == sum(customer.line is line for customer in customers)
            assert not (line.feasible() and line.head(shop.now)), "somebody waits for what is free"
    shop.advance(10_000)
    assert [pool.free for pool in pools] == [2, 3, 1, 4]
