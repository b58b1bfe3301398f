"""The world: an event loop on SimPy's, whose things can be cancelled, copied and pickled."""

import copy
import pickle

import pytest

from marl_health.kernel import World
from marl_health.kernel.world import EARLY, CannotFork
from tests.kernel.shop import Shop


class Bell:
    """Rings at its time: the world hears its name."""

    def __init__(self, name):
        self.epoch = 0
        self.name = name

    def fire(self, world):
        world.heard.append((world.now, self.name))


class Hall(World):
    def __init__(self):
        super().__init__()
        self.heard = []


def test_things_fire_in_order_of_time_then_priority_then_of_being_put_there():
    hall = Hall()
    for time, name in ((5, "b"), (3, "a"), (5, "c")):
        hall.at(time, Bell(name))
    hall.at(5, Bell("shift"), EARLY)
    hall.advance(10)
    assert hall.heard == [(3, "a"), (5, "shift"), (5, "b"), (5, "c")]
    assert hall.now == 10


def test_advance_stops_before_what_happens_at_its_end():
    hall = Hall()
    hall.at(10, Bell("a"))
    hall.advance(10)
    assert hall.heard == []
    hall.advance(10.5)
    assert hall.heard == [(10, "a")]


def test_a_thing_whose_epoch_moved_on_does_not_fire():
    hall = Hall()
    bell = Bell("a")
    hall.at(1, bell)
    bell.epoch += 1
    hall.at(2, bell)
    hall.advance(10)
    assert hall.heard == [(2, "a")]


def test_simpys_processes_and_events_run_beside_things():
    hall = Hall()

    def walk(world):
        yield world.timeout(2)
        world.heard.append((world.now, "walk"))
        value = yield world.timeout(3, value="there")
        world.heard.append((world.now, value))
        return "done"

    hall.at(3, Bell("thing"))
    hall.at(5, Bell("later"))
    process = hall.process(walk(hall))
    hall.advance(20)
    assert hall.heard == [(2, "walk"), (3, "thing"), (5, "later"), (5, "there")]
    assert process.value == "done"


def test_simpys_own_run_and_step_take_things_too():
    hall = Hall()
    hall.at(3, Bell("thing"))
    hall.at(4, Bell("last"))
    assert hall.run(until=hall.timeout(3.5, "out")) == "out"
    assert hall.heard == [(3, "thing")]
    hall.run()
    assert hall.heard == [(3, "thing"), (4, "last")]


def test_simpys_interrupts_and_resources_work_as_ever():
    import simpy

    hall = Hall()
    desk = simpy.Resource(hall, 1)

    def customer(world, name, minutes):
        with desk.request() as request:
            found = yield request | world.timeout(4)
            if request in found:
                yield world.timeout(minutes)
                world.heard.append((world.now, name))
            else:
                world.heard.append((world.now, name + " left"))

    hall.process(customer(hall, "first", 6))
    hall.process(customer(hall, "second", 6))
    hall.advance(50)
    assert hall.heard == [(4, "second left"), (6, "first")]


def test_a_failing_process_fails_the_world():
    hall = Hall()

    def trip(world):
        yield world.timeout(1)
        raise ValueError("tripped")

    hall.process(trip(hall))
    with pytest.raises(ValueError, match="tripped"):
        hall.advance(10)


def test_a_world_that_runs_a_process_cannot_be_forked_and_says_so():
    hall = Hall()

    def walk(world):
        yield world.timeout(5)

    hall.process(walk(hall))
    hall.advance(1)
    for copied in (hall.fork, lambda: copy.deepcopy(hall), lambda: copy.copy(hall)):
        with pytest.raises(CannotFork, match="SimPy process"):
            copied()
    hall.advance(10)
    hall.fork()


def busy_shop():
    shop = Shop()
    shop.line(shop.pool(2, preempting=True, identified=True), classes=1)
    for number in range(40):
        shop.come(number * 0.9, number, 2.0 + number % 5)
    shop.advance(15)
    return shop


COPIES = {
    "fork": lambda shop: shop.fork(),
    "pickle": lambda shop: pickle.loads(pickle.dumps(shop)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "fork of a fork": lambda shop: shop.fork().fork(),
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_continues_like_the_original_and_leaves_it_alone(how):
    plain = busy_shop()
    plain.advance(500)
    shop = busy_shop()
    copied = COPIES[how](shop)
    copied.advance(500)
    assert copied.told == plain.told
    assert shop.told == busy_shop().told
    shop.advance(500)
    assert shop.told == plain.told
    assert copied.next_number() == shop.next_number()


def test_making_a_copy_does_not_change_what_follows():
    plain, copied = busy_shop(), busy_shop()
    for time in range(16, 100):
        copied.fork()
        plain.advance(time)
        copied.advance(time)
    assert plain.told == copied.told
    assert plain.next_number() == copied.next_number()
