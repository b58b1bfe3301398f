"""Interruption: less urgent work stops at once, and goes on or starts again at exactly the right time."""

import random

import pytest

from marl_health.kernel.disciplines import ByClass
from marl_health.kernel.pool import Reserve
from tests.kernel.shop import CLASS, Serve, Shop


def urgent_shop(capacity=1, resume=True, classes=3):
    shop = Shop()
    pool = shop.pool(capacity, preempting=True)
    shop.line(pool, discipline=ByClass(tuple(float(cls) for cls in range(classes))), classes=classes)
    shop.step_of = Serve(0, preempt=True, resume=resume)
    return shop, pool


def test_the_interrupted_resumes_where_it_was():
    shop, _ = urgent_shop()
    shop.come(0, 1, 10.0, cls=1)
    shop.come(4, 2, 3.0, cls=0)
    shop.advance(100)
    assert shop.told == [(0, 1, "start"), (4, 2, "start"), (7, 2, "end"), (7, 1, "start"), (13, 1, "end")]


def test_the_interrupted_starts_again_where_the_scenario_says_so():
    shop, _ = urgent_shop(resume=False)
    shop.come(0, 1, 10.0, cls=1)
    shop.come(4, 2, 3.0, cls=0)
    shop.advance(100)
    assert shop.ends() == {2: 7, 1: 17}


def test_interrupted_twice_the_work_left_adds_up():
    shop, _ = urgent_shop()
    shop.come(0, 1, 10.0, cls=2)
    shop.come(2, 2, 10.0, cls=1)
    shop.come(5, 3, 10.0, cls=0)
    shop.come(27, 4, 1.0, cls=0)
    shop.advance(100)
    assert shop.ends() == {3: 15, 2: 22, 4: 28, 1: 31}


def test_equals_do_not_interrupt_each_other():
    shop, _ = urgent_shop()
    shop.come(0, 1, 10.0, cls=1)
    shop.come(4, 2, 3.0, cls=1)
    shop.advance(100)
    assert shop.ends() == {1: 10, 2: 13}


def test_the_least_urgent_is_interrupted_even_if_it_began_first():
    shop, _ = urgent_shop(capacity=3)
    for number, cls in ((1, 1), (2, 2), (3, 1)):
        shop.come(number, number, 50.0, cls=cls)
    shop.come(10, 4, 5.0, cls=0)
    shop.advance(200)
    assert shop.ends() == {4: 15, 1: 51, 3: 53, 2: 57}


def test_the_interrupted_keeps_its_place_before_later_ones_of_its_class():
    shop, _ = urgent_shop()
    shop.come(0, 1, 10.0, cls=1)
    shop.come(2, 2, 10.0, cls=1)
    shop.come(4, 3, 1.0, cls=0)
    shop.advance(100)
    assert shop.ends() == {3: 5, 1: 11, 2: 21}


def test_one_served_at_once_who_waited_elsewhere_before_does_not_overtake_when_interrupted():
    shop = Shop()
    desk, pool = shop.pool(1), shop.pool(1, preempting=True)
    front, line = shop.line(desk), shop.line(pool, discipline=ByClass((0.0, 1.0)), classes=2)
    shop.come(0, 0, 20.0, step=Serve(front.index))
    slow = shop.come(1, 1, 1.0, cls=1, step=Serve(front.index))  # waits at the desk from 1 to 20
    shop.advance(22)
    slow.values[1] = 30.0
    serve = Serve(line.index, preempt=True)
    shop.come(21.5, 9, 1.0, cls=1, step=Serve(front.index))
    slow.step = serve
    serve.enter(shop, slow)  # is served at once, at 22
    shop.come(23, 2, 10.0, cls=0, step=serve)
    shop.advance(24)
    assert slow.line is line and slow.since == 22.0


def test_waits_of_the_interrupted_are_the_times_they_stood_in_line():
    shop, _ = urgent_shop()
    line = shop.lines[0]
    shop.come(0, 1, 10.0, cls=1)  # waits 4 to 7
    shop.come(4, 2, 3.0, cls=0)
    shop.come(5, 3, 1.0, cls=1)  # waits 5 to 13
    shop.advance(100)
    assert line.minutes(shop.now) == pytest.approx(3 + 8)
    assert line.waited(shop.now) == pytest.approx(3 + 8)
    assert line.grants == 3


def test_several_needs_are_freed_by_interrupting_as_few_as_needed():
    shop = Shop()
    doctor, nurse = shop.pool(2, preempting=True), shop.pool(2, preempting=True)
    one = shop.line(doctor, discipline=ByClass((0.0, 1.0)), classes=2)
    two = shop.line(nurse, discipline=ByClass((0.0, 1.0)), classes=2)
    both = shop.line(doctor, (nurse, 2), discipline=ByClass((0.0, 1.0)), classes=2, priority=-1.0)
    for number, line in ((1, one), (2, one), (3, two)):
        shop.come(number, number, 50.0, cls=1, step=Serve(line.index))
    shop.come(10, 4, 5.0, cls=0, step=Serve(both.index, preempt=True))
    shop.advance(11)
    assert (doctor.free, nurse.free) == (0, 0)
    assert one.waiting == two.waiting == 1
    shop.advance(200)
    # One of the two doctors' customers stands from 10 to 15, and so does the only nurse's.
    assert shop.ends() in ({4: 15, 1: 56, 2: 52, 3: 58}, {4: 15, 1: 51, 2: 57, 3: 58})
    assert (doctor.free, nurse.free) == (2, 2)


def test_nobody_is_interrupted_in_vain():
    shop = Shop()
    doctor, nurse = shop.pool(1, preempting=True), shop.pool(1, preempting=True)
    one = shop.line(doctor, discipline=ByClass((0.0, 1.0)), classes=2)
    both = shop.line(doctor, nurse, discipline=ByClass((0.0, 1.0)), classes=2)
    shop.come(0, 1, 50.0, cls=0, step=Serve(shop.line(nurse, priority=-5.0).index))  # more urgent than anybody
    shop.come(0, 2, 20.0, cls=1, step=Serve(one.index))
    shop.come(5, 3, 5.0, cls=0, step=Serve(both.index, preempt=True))
    shop.advance(10)
    assert [number for _, number in shop.starts()] == [1, 2], "the nurse cannot be had, so the doctor goes on"
    shop.advance(100)
    assert shop.ends() == {2: 20, 1: 50, 3: 55}


def test_a_unit_to_be_cleaned_is_no_use_to_an_emergency_so_nobody_is_interrupted():
    shop = Shop()
    pool = shop.pool(1, preempting=True, clean=lambda world, entity: 5.0)
    shop.line(pool, discipline=ByClass((0.0, 1.0)), classes=2)
    shop.step_of = Serve(0, preempt=True)
    shop.come(0, 1, 10.0, cls=1)
    shop.come(4, 2, 3.0, cls=0)
    shop.advance(100)
    assert shop.ends() == {1: 10, 2: 18}
    assert pool.free == 1


def test_the_place_of_somebody_is_not_taken_away():
    shop = Shop()
    bay, doctor = shop.pool(1, preempting=True), shop.pool(2, preempting=True)
    move = shop.line(bay, kept=bay)
    look = shop.line(doctor, discipline=ByClass((0.0, 1.0)), classes=2)
    urgent = shop.line(bay, doctor, discipline=ByClass((0.0, 1.0)), classes=2, priority=-1.0, kept=bay)
    first = shop.come(0, 1, 1.0, cls=1, step=Serve(move.index, keeps=bay.index))
    shop.advance(2)
    first.values[1] = 50.0
    first.step = Serve(look.index)
    first.step.enter(shop, first)
    shop.come(10, 2, 5.0, cls=0, step=Serve(urgent.index, preempt=True, keeps=bay.index))
    shop.advance(11)
    assert bay.free == 0 and bay.busy == 1
    assert first.held is look, "to interrupt the doctor would not free the bay"


def test_a_move_under_way_is_not_interrupted():
    shop = Shop()
    bed, porter = shop.pool(1, preempting=True), shop.pool(1, preempting=True)
    move = shop.line(bed, porter, kept=bed)
    urgent = shop.line(porter, priority=-1.0)
    shop.come(0, 1, 10.0, step=Serve(move.index, keeps=bed.index))
    shop.come(4, 2, 3.0, step=Serve(urgent.index, preempt=True))
    shop.advance(100)
    assert shop.ends() == {1: 10, 2: 13}


def test_an_emergency_does_not_take_what_is_kept_for_others():
    shop, pool = urgent_shop(capacity=2)
    reserve = Reserve(lambda values: values[CLASS] == 2)
    reserve.level = 1
    pool.reserves.append(reserve)
    shop.come(0, 1, 50.0, cls=0)
    shop.come(1, 2, 5.0, cls=0)
    shop.advance(40)
    assert shop.starts() == [(0, 1)]


def test_one_who_wants_a_certain_unit_does_not_interrupt_others():
    shop = Shop()
    pool = shop.pool(2, identified=True, preempting=True)
    line = shop.line(pool, discipline=ByClass((0.0, 1.0)), classes=2)
    first = shop.come(0, 1, 1.0, cls=0)
    shop.advance(2)
    wanted = first.units[0]
    other = shop.come(2, 2, 30.0, cls=1)
    shop.advance(3)
    assert other.units[0] == wanted and pool.free == 1
    first.values[1] = 5.0
    first.step = Serve(line.for_unit(shop, wanted).index, preempt=True)
    first.step.enter(shop, first)
    shop.advance(100)
    assert shop.ends() == {2: 32, 1: 37}


def test_the_interrupted_whose_unit_went_home_takes_anybody():
    shop = Shop()
    pool = shop.pool(2, identified=True, preempting=True)
    line = shop.line(pool, discipline=ByClass((0.0, 1.0)), classes=2)
    first = shop.come(0, 1, 1.0, cls=1)
    shop.advance(2)
    first.values[1] = 30.0
    first.step = Serve(line.for_unit(shop, first.units[0]).index)
    first.step.enter(shop, first)
    shop.come(2.5, 2, 40.0, cls=1)
    shop.advance(5)
    pool.set_capacity(shop, 1)
    shop.come(6, 3, 5.0, cls=0, step=Serve(line.index, preempt=True))
    shop.advance(1000)
    assert sorted(shop.ends().values()) == pytest.approx([11, 11 + 26, 11 + 26 + 36.5])
    assert pool.busy == 0 and pool.free == 1


def test_work_is_conserved_under_random_interruptions():
    generator = random.Random(11)
    shop, pool = urgent_shop(capacity=3, classes=4)
    work = {}
    for number in range(400):
        work[number] = generator.expovariate(0.4)
        shop.come(generator.uniform(0, 300), number, work[number], cls=generator.randrange(4))
    shop.advance(1e6)
    pool.integrate(shop.now)
    assert pool.busy_minutes == pytest.approx(sum(work.values()), rel=1e-12)
    assert len(shop.ends()) == 400 and pool.free == 3 and not pool.users
    line = shop.lines[0]
    assert line.waited(shop.now) == pytest.approx(line.minutes(shop.now))
