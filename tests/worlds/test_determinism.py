"""The same seed and actions give the same episode, bit for bit: in another process, and in every kind of copy."""

import copy
import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import marl_health
from marl_health.kernel.world import CannotFork
from tests.worlds.worlds import EVERY, SMALL, Player, env_of, record, short

ROOT = Path(__file__).parent.parent.parent
SEEDS = (0, 1)
PROGRAM = """
import json, sys
from tests.worlds.test_determinism import digests
print(json.dumps(digests(sys.argv[1:])))
"""


def digests(scenarios):
    """Fingerprint of everything that whole episodes tell."""
    found = {}
    for scenario in scenarios:
        for seed in SEEDS:
            told = record(env_of(scenario, events=True), seed, Player(seed))
            found[f"{short(scenario)} {seed}"] = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return found


def in_another_process(hash_seed):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", PROGRAM, *EVERY]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_episodes_are_the_same_in_every_process_whatever_the_hash_seed():
    first, second = in_another_process("1"), in_another_process("4242")
    assert first == second == digests(EVERY)
    assert len(set(first.values())) == len(EVERY) * len(SEEDS)


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_an_episode_does_not_depend_on_those_before_it(scenario):
    fresh = record(env_of(scenario, events=True), 3, Player(3))
    used = env_of(scenario, events=True)
    record(used, 8, Player(8))
    assert record(used, 3, Player(3)) == fresh
    assert record(used, 4, Player(3)) != fresh


def test_the_event_log_and_its_absence_make_no_difference():
    with_log = record(marl_health.parallel_env(SMALL, events=True), 2, Player(2))
    without = record(marl_health.parallel_env(SMALL), 2, Player(2))
    assert with_log[0] == without[0] and with_log[1] and not without[1]


# ---------------------------------------------------------------- copies
COPIES = {
    "fork": lambda game: game.fork(),
    "pickle": lambda game: pickle.loads(pickle.dumps(game)),
    "deepcopy": copy.deepcopy,
    "fork of a fork": lambda game: game.fork().fork(),
}


def continuation(game, seed, steps):
    """What a game tells from here on, under actions that depend on seed and decision alone."""
    player, told = Player(seed, eager=0.9), []
    while not game.finished and len(told) < steps:
        for agent in game.agents:
            mask = game.mask(agent)
            pick, active = player.generator.random(2)
            possible = [action for action, allowed in enumerate(mask) if allowed]
            game.act(agent, possible[int(pick * len(possible))] if active < player.eager else 0)
        minutes = game.advance()
        observations = [[number.hex() for number in map(float, game.observe(agent))] for agent in game.agents]
        told.append((minutes, observations, repr(game.gains()), repr(game.state()), game.conservation()))
    return told, repr(game.kpis()), game.events()


def game_in_midst(scenario, seed, steps):
    loaded = marl_health.load(scenario)
    game = loaded.kind.make_game(loaded.program)
    game.reset(seed, events=True)
    continuation(game, seed + 50, steps)
    return game


@pytest.mark.parametrize("scenario", EVERY, ids=short)
@pytest.mark.parametrize("how", COPIES)
def test_a_copy_of_a_running_game_continues_like_the_original_and_leaves_it_alone(scenario, how):
    steps = 1000
    expected = continuation(game_in_midst(scenario, 1, 17), 3, steps)
    game = game_in_midst(scenario, 1, 17)
    before = pickle.dumps(game)
    copied = COPIES[how](game)
    elsewhere = COPIES[how](game)
    assert continuation(copied, 3, steps) == expected
    continuation(elsewhere, 4, steps)
    assert len(pickle.dumps(game)) == len(before), "the original has not moved"
    assert continuation(game, 3, steps) == expected


@pytest.mark.parametrize("scenario", EVERY, ids=short)
def test_a_world_can_be_copied_at_any_decision(scenario):
    game = game_in_midst(scenario, 2, 0)
    plain = game_in_midst(scenario, 2, 0)
    for _ in range(6):
        game = game.fork()
        first, second = continuation(game, 5, 3), continuation(plain, 5, 3)
        assert first == second


def test_a_copy_in_another_process_continues_like_the_original(tmp_path):
    game = game_in_midst(str(SMALL), 6, 20)
    (tmp_path / "game").write_bytes(pickle.dumps(game))
    code = """
import hashlib, pathlib, pickle, sys
from tests.worlds.test_determinism import continuation
game = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())
print(hashlib.sha256(repr(continuation(game, 7, 1000)).encode()).hexdigest())
"""
    command = [sys.executable, "-c", code, str(tmp_path / "game")]
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == hashlib.sha256(repr(continuation(game, 7, 1000)).encode()).hexdigest()


def test_the_world_alone_can_be_copied_too():
    game = game_in_midst(str(SMALL), 3, 10)
    world = game.running
    copies = [world.fork(), copy.deepcopy(world), copy.copy(world), pickle.loads(pickle.dumps(world))]
    for other in (*copies, world):
        other.advance(world.program.horizon if other is not world else other.program.horizon)
    logs = {repr(other.log) for other in (*copies, world)}
    assert len(logs) == 1 and len(world.log) > 100


def test_a_scenario_that_changed_on_disk_is_not_mixed_up_with_a_pickled_game(tmp_path):
    file = tmp_path / "copy.yaml"
    text = SMALL.read_text()
    file.write_text(text)
    pickled = pickle.dumps(game_in_midst(str(file), 1, 3))
    file.write_text(text.replace("bay: {count: 9", "bay: {count: 8"))
    with pytest.raises(marl_health.ScenarioError, match="changed"):
        pickle.loads(pickled)


@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_an_env_in_mid_episode_can_be_copied(how):
    env = marl_health.parallel_env(str(SMALL), events=True)
    player = Player(1)
    _, infos = env.reset(seed=9)
    for _ in range(10):
        infos = env.step(player.act(env, infos))[4]
    other = COPIES[how](env)
    for _ in range(20):
        first, second = env.step({}), other.step({})
        assert repr(first) == repr(second)
    assert env.event_log() == other.event_log() and repr(env.kpis()) == repr(other.kpis())


# ---------------------------------------------------------------- SimPy beside it
def test_simpy_processes_run_beside_patients_and_say_that_they_cannot_be_copied():
    game = game_in_midst(str(SMALL), 1, 2)
    world = game.running
    seen = []

    def strike(world):
        yield world.timeout(60)
        world.extra[world.program.pool_index["porter"]] -= 1
        world.refresh_capacity(world.program.pool_index["porter"])
        yield world.timeout(120)
        world.extra[world.program.pool_index["porter"]] += 1
        world.refresh_capacity(world.program.pool_index["porter"])
        seen.append(world.now)

    start = world.now
    world.process(strike(world))
    game.advance()
    game.advance()
    assert world.pools[world.program.pool_index["porter"]].capacity == 1
    for copied in (world.fork, lambda: copy.deepcopy(world)):
        with pytest.raises(CannotFork, match="SimPy process"):
            copied()
    with pytest.raises(CannotFork, match="SimPy process"):
        game.fork()
    game.advance()
    game.advance()
    assert seen == [start + 180]
    assert world.pools[world.program.pool_index["porter"]].capacity == 2
    game.fork()
