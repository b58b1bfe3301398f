"""A copy with another future depends on what can be observed and on its key alone; nothing hidden survives in it."""

import array
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import marl_health
from marl_health.kernel.world import CannotFork
from marl_health.worlds.flow.carrying import Carry
from marl_health.worlds.flow.fleets import FleetPool
from marl_health.worlds.flow.program import Program
from marl_health.worlds.flow.redraw import _shortening
from marl_health.worlds.flow.sources import Source
from marl_health.worlds.flow.units import BACK, IN, OUT
from marl_health.worlds.flow.world import FlowWorld
from tests.worlds.test_determinism import continuation, game_in_midst
from tests.worlds.test_invariants import audit
from tests.worlds.test_random_scenarios import Maker
from tests.worlds.worlds import EVERY, SMALL, short

MIDST = [
    (scenario, seed, round(share * min(48, marl_health.load(scenario).clock.steps or 20)))
    for scenario in EVERY
    for seed, share in ((1, 0.0), (2, 0.2), (3, 0.55))
]


def named(case):
    return f"{short(case[0])} {case[1]} {case[2]}" if isinstance(case, tuple) else str(case)


def anonymous(told):
    """A continuation with the entities of its event log numbered in the order in which the log names them."""
    told, kpis, events = told
    numbers = {}
    return told, kpis, [(row[0], numbers.setdefault(row[1], len(numbers)), *row[2:]) for row in events]


# ---------------------------------------------------------------- what it depends on
@pytest.mark.parametrize("case", MIDST, ids=named)
def test_worlds_that_differ_in_what_nobody_can_know_have_the_same_redrawn_future(case):
    game = game_in_midst(*case)
    expected = anonymous(continuation(game.fork(redraw=7), 3, 30))
    futures = [anonymous(continuation(game.fork(), 3, 30))]
    for key in (100, 101):
        other = game.fork(redraw=key)
        assert anonymous(continuation(other.fork(redraw=7), 3, 30)) == expected
        futures.append(anonymous(continuation(other, 3, 30)))
    assert expected not in futures
    assert len({repr(future) for future in futures}) == 3, "the true futures do differ"


def seen_kpis(game):
    """KPIs so far, without those that count work under way to the end that it will have."""
    kpis = game.program.scenario.kpis
    return {name: value for name, value in game.kpis().items() if ".booked" not in kpis[name].of}


@pytest.mark.parametrize("case", MIDST, ids=named)
def test_nothing_that_can_be_observed_changes_and_the_original_stays_as_it_is(case):
    game = game_in_midst(*case)
    untouched = game.fork()
    other = game.fork(redraw=5)
    for agent in game.agents:
        assert other.look(agent) == game.look(agent)
        assert other.mask(agent) == game.mask(agent)
    assert other.state() == game.state()
    assert repr(seen_kpis(other)) == repr(seen_kpis(game))
    assert other.conservation() == game.conservation()
    assert other.snapshot() == game.snapshot()
    assert other.events() == game.events()
    assert other.gains() == (pytest.approx([0.0] * 5), {agent: pytest.approx([0.0] * 5) for agent in other.gains()[1]})
    assert anonymous(continuation(game, 4, 12)) == anonymous(continuation(untouched, 4, 12))


OBSERVED = {
    *(
        "marks",
        "since",
        "joined",
        "placed",
        "began",
        "worked",
        "locked_until",
        "recent",
        "came",
        "ticket",
        "decided",
        *("made", "left", "arrives", "stub"),  # of units of a fleet: where they are, and when they will be where
    ),  # when something was seen to happen
    *("opening", "closing", "log", "cast", "spans", "spent", "expected_deaths", "totals", "rates", "deadly"),
    "tally",  # expected deaths by group, as above for all: the audit derives the rates from those of the clocks
    *("_queue", "near", "far", "step", "spec", "_edges", "_cumulative"),  # looked at elsewhere, or part of the scenario
}
UNHIDDEN = {
    *("Line", "Pool", "RotaPool", "TurnoverPool", "MachinePool", "FleetPool", "Roster", "Stock", "Batch"),
    *("RisingLine", "FleetLine", "Meeting"),
    *("Network", "FleetSpec"),  # the map is the same for every episode
}  # counters, and who stands where or did once
KNOWN_IN_TIME = {"ShiftChange", "CrewChange", "Effect", "Leaving", "Batch"}


def hidden_numbers(world):
    """{number: where it stands} of every number in a world that nobody can know, if it is not a round one."""
    forms = [item for kind in world.program.scenario.entities.values() for item in kind.has.items()]
    hidden = {world.program.slots_of_values[name] for name, form in forms if getattr(form, "hidden", False)}
    found, seen = {}, {}
    todo, certain = [(world, "")], set()
    for time, _, _, thing, epoch in world.agenda:
        if type(thing).__name__ not in KNOWN_IN_TIME and thing.epoch == epoch:
            todo += [(time, "agenda"), (thing, "agenda")]
            minutes = [time - getattr(thing, name) for name in ("since", "began") if hasattr(thing, name)]
            written = [value for value in getattr(thing, "values", ()) if isinstance(value, float)]
            if any(min(abs(passed - whole) for whole in (round(passed), *written)) < 1e-9 for passed in minutes):
                certain.add(time)  # five minutes sharp, or as an attribute says that everybody may know
    while todo:
        thing, path = todo.pop()
        kind = type(thing).__name__
        if isinstance(thing, float):
            if abs(thing) < 1e300 and thing * 1440 != int(thing * 1440):
                found.setdefault(thing, path)
        elif id(thing) in seen or isinstance(thing, int | str | type(None) | Program) or kind in UNHIDDEN:
            continue
        elif isinstance(thing, dict):
            todo += [(part, path) for pair in thing.items() for part in pair]
        elif path.endswith((".values", ".known")):
            todo += [(part, path) for slot, part in enumerate(thing) if slot in hidden]
        elif isinstance(thing, list | tuple | set | deque | array.array):
            todo += [(part, path) for part in thing]
        elif type(thing).__module__.startswith("marl_health.") and not callable(thing):
            names = set(getattr(thing, "__dict__", ())).union(
                *(getattr(c, "__slots__", ()) for c in type(thing).__mro__)
            )
            todo += [(getattr(thing, name, None), f"{kind}.{name}") for name in sorted(names - OBSERVED)]
        seen[id(thing)] = thing
    for entity in world.entities.values():
        for token in entity.tokens():
            if token.remaining is not None and token.worked is not None:  # interrupted work of sixty minutes sharp
                whole = token.remaining + token.worked[1]
                certain |= {token.remaining} if abs(whole - round(whole)) < 1e-9 else set()
        certain |= {token.until for token in entity.tokens() if token.until <= world.now or token.line is not None}
    for pool in world.pools:  # how long the way takes is known
        units = pool.units.values() if isinstance(pool, FleetPool) else ()
        certain |= {unit.until for unit in units if unit.state in (OUT, IN, BACK)}
    for entity in world.entities.values():  # nor do agents forget which stays they have ended, and how soon
        certain |= {mark + move.lead for mark in entity.marks if mark is not None for move in _shortening(world)}
        certain |= {token.until for token in entity.tokens() if isinstance(token.step, Carry)}  # of the step before
    certain.add(world.now)
    return {number: path for number, path in found.items() if number not in certain}


@pytest.mark.parametrize("case", MIDST, ids=named)
def test_no_number_that_nobody_can_know_survives(case):
    game = game_in_midst(*case)
    before = hidden_numbers(game.running)
    assert hidden_numbers(game.fork().running).keys() == before.keys(), "an exact copy keeps them all"
    there = {"agenda", "Entity.row"} if game.running.entities else {"agenda"}
    assert there <= set(before.values())
    redrawn = game.fork(redraw=11).running
    audit(redrawn)
    after = hidden_numbers(redrawn)
    assert not {number: (path, after[number]) for number, path in before.items() if number in after}


@pytest.mark.parametrize("seed", range(20))
def test_all_of_it_holds_in_scenarios_put_together_at_random(tmp_path, seed):
    loaded = Maker(seed).make(tmp_path)
    game = loaded.kind.make_game(loaded.program)
    game.reset(seed, events=True)
    continuation(game, seed, 5 + seed % 12)
    other = game.fork(redraw=seed)
    assert (other.look("chief_0"), other.mask("chief_0")) == (game.look("chief_0"), game.mask("chief_0"))
    audit(other.running)
    before, after = hidden_numbers(game.running), hidden_numbers(other.running)
    assert not {number: (path, after[number]) for number, path in before.items() if number in after}
    again = game.fork(redraw=seed + 1).fork(redraw=seed)
    futures = [anonymous(continuation(world, seed, 1000)) for world in (other, again)]
    assert futures[0] == futures[1] and other.finished
    audit(other.running)


# ---------------------------------------------------------------- it is a world like any other
@given(
    scenario=st.sampled_from(EVERY),
    seed=st.integers(0, 2**20),
    steps=st.integers(0, 40),
    keys=st.lists(st.integers(0, 2**63), min_size=1, max_size=2),
)
@settings(max_examples=12)
def test_it_can_be_played_to_the_end_and_keeps_its_books(scenario, seed, steps, keys):
    game = game_in_midst(scenario, seed, steps)
    for key in keys:
        game = game.fork(redraw=key)
        continuation(game, seed, 5)
    continuation(game, seed + 1, 1000)
    inside = game.conservation()
    assert game.finished
    assert inside["arrived"] == sum(inside[where] for where in ("discharged", "died", "left", "inside"))
    for pool in game.running.pools:
        assert pool.busy >= 0 and pool.cleaning >= 0 and pool.waiting >= 0


def test_the_same_key_gives_the_same_future_and_another_key_another():
    game = game_in_midst(str(SMALL), 1, 12)
    first, again, other = (continuation(game.fork(redraw=key), 2, 20) for key in (1, 1, 2))
    assert first == again != other


def test_the_future_of_a_key_has_nothing_of_the_episode_with_that_seed():
    game = game_in_midst(str(SMALL), 1, 12)
    fresh, other = FlowWorld(game.program, 77), game.fork(redraw=77).running
    for world in (fresh, other):
        for entry in world.agenda:
            if isinstance(entry[3], Source):
                entry[3].rows.next()  # draws a block of rows
    assert not hidden_numbers(fresh).keys() & hidden_numbers(other).keys()


def test_keys_from_which_further_numbers_are_hashed_are_new():
    world = game_in_midst(str(SMALL), 1, 20).running
    redrawn = game_in_midst(str(SMALL), 1, 20).fork(redraw=3).running
    inside, gone = len(world.entities), len(world.leavers)
    keys = [{entity.key for entity in one.entities.values()} | {leaver.key for leaver in one.leavers}
            for one in (world, world.fork(), redrawn)]  # fmt: skip
    assert inside and gone and keys[0] == keys[1] and len(keys[0]) == len(keys[2]) == inside + gone
    assert not keys[0] & keys[2]
    assert world.nobody.key == world.fork().nobody.key != redrawn.nobody.key


def test_an_env_is_forked_with_all_that_belongs_to_it():
    env = marl_health.parallel_env(str(SMALL))
    env.reset(seed=4)
    env.step({"bed_manager_0": 1})
    exact, other = env.fork(), env.fork(redraw=3)
    assert exact.agents == other.agents == env.agents and exact.agents is not env.agents
    told = [[copied.step({})[1:3] for _ in range(10)] for copied in (exact, other, env)]
    assert repr(told[0]) == repr(told[2]) != repr(told[1])
    assert other.observation_space("bed_manager_0") is env.observation_space("bed_manager_0")


def test_a_world_with_a_process_says_that_it_cannot_be_forked():
    game = game_in_midst(str(SMALL), 1, 2)

    def strike(world):
        yield world.timeout(60)

    game.running.process(strike(game.running))
    with pytest.raises(CannotFork, match="SimPy process"):
        game.fork(redraw=1)
