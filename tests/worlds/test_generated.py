"""Generated functions do what the classes of the steps do: worlds with an event log take the latter."""

import linecache
import traceback

import pytest

import marl_health
from experiments.benchmarks.kernel import SCENARIO
from marl_health.spec.components import COMPONENTS
from marl_health.worlds.flow.generate import text_of
from marl_health.worlds.flow.generate.sights import scaled
from marl_health.worlds.flow.world import FlowWorld
from tests.worlds.test_random_scenarios import Maker
from tests.worlds.worlds import EVERY, SMALL, Player, env_of, short, steps_of

SEED = 4
FLOW = str(SCENARIO)
"""The pathway of the benchmark, whose other models are compared with the classes."""


def told(env, seed):
    """What an episode shows: views, rewards, and in the end where everybody is and the KPIs."""
    seen = [
        ({agent: view.tobytes() for agent, view in views.items()}, rewards)
        for views, rewards, _ in steps_of(env, seed, Player(seed))
    ]
    return seen, env.conservation(), env.kpis()


def assert_alike(scenario, seed):
    """Rewards and KPIs may differ in the last digit, for sums are taken in another order; nothing else may."""
    (plain, where, kpis), (logged, logged_where, logged_kpis) = (
        told(env_of(scenario, events=events), seed) for events in (False, True)
    )
    assert plain == [(views, pytest.approx(rewards, abs=1e-9)) for views, rewards in logged]
    assert where == logged_where
    assert kpis == pytest.approx(logged_kpis, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("scenario", [*EVERY, FLOW], ids=short)
def test_an_episode_is_the_same_with_and_without_generated_functions(scenario):
    assert_alike(scenario, SEED)


@pytest.mark.parametrize("seed", range(1000, 1060))
def test_so_is_an_episode_of_a_random_scenario(tmp_path, seed):
    scenario = Maker(seed).make(tmp_path)
    written = [step for step in scenario.program.steps if "enter" in vars(step)]
    assert written, "nothing was generated, so nothing is tested"
    assert_alike(scenario.file, seed)


def paid(score, values, before):
    """The team's reward by component, and what agents get beside it, one line of the score after the other."""
    team, own = [0.0] * len(COMPONENTS), {}
    for line, value, last in zip(score, values, before, strict=True):
        for found in [team] if line.to is None else [own.setdefault(to, [0.0] * len(COMPONENTS)) for to in line.to]:
            found[line.component] += (value - last) * line.worth
    return team, own


def assert_seen_alike(env, seed):
    """What agents see and may do, and what they are paid for, as the classes of sights, levers and readings say it."""
    game = env.game
    for _ in steps_of(env, seed, Player(seed)):
        world = game.running
        for agent, spec in game.specs.items():
            possible = [1]
            for move in spec.moves:
                move.mask(world, possible)
            if agent not in game.due():
                possible = [1] + [0] * (len(possible) - 1)
            assert game.mask(agent) == possible
            scales = [scale for _, scale in game.observation_meanings(agent)]
            assert game.observe(agent) == scaled(game.look(agent), scales)
        assert game.observe_all() == [number for agent in game.agents for number in game.observe(agent)]
        assert game.mask_all() == [possible for agent in game.agents for possible in game.mask(agent)]
        values = world.program.read_score(world)
        assert values == [line.reading.read(world) for line in world.program.score]
        before = [value - number for number, value in enumerate(values)]
        assert world.program.pay(values, before) == paid(world.program.score, values, before)


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_what_is_seen_possible_and_paid_is_what_the_classes_say(scenario):
    assert_seen_alike(env_of(scenario), SEED)


@pytest.mark.parametrize("seed", range(2000, 2020))
def test_so_it_is_in_a_random_scenario(tmp_path, seed):
    assert_seen_alike(env_of(Maker(seed).make(tmp_path).file), seed)


def test_forks_and_pickles_go_on_with_generated_functions():
    program = marl_health.load(SMALL).program
    world = FlowWorld(program, SEED)
    world.open()
    other = world.fork()
    for each in (world, other):
        each.advance(program.horizon)
        each.close()
    assert world.conservation() == other.conservation() and world.population == other.population > 100


def test_an_error_in_a_generated_function_shows_its_line():
    program = marl_health.load(SMALL).program
    step = next(step for step in program.steps if "enter" in vars(step))
    assert f"# {step.name!r}" in text_of(program)
    try:
        step.enter(None, None)
    except AttributeError as error:
        shown = "".join(traceback.format_exception(error))
    linecache.checkcache()
    assert "if world.log is not None" in shown
