"""Two hundred mutated scenario files and more: a located error or a world that runs, soon and in little memory."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import marl_health
from marl_health.spec.document import load_document
from marl_health.spec.errors import ScenarioError
from marl_health.spec.scenario import Scenario, load, packaged_scenarios
from marl_health.worlds.flow.world import FlowWorld
from tests.spec.mutations import HUGE, OF_DATA, OF_TEXT, mutated, replaced, written

HERE = Path(__file__).parent
HOSPITAL = HERE.parent / "worlds" / "small_hospital.yaml"
SOURCES = [HOSPITAL, HOSPITAL, HERE / "small_ed.yaml", packaged_scenarios()["hospital_throughput"]]
MOST_SECONDS = 5.0  # of computing: what else runs on the machine does not matter
MOST_MEGABYTES = 600
MOST_EVENTS = 4_000


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables that the scenarios read."""
    folder = tmp_path_factory.mktemp("mutations")
    shutil.copy(HERE / "arrivals.csv", folder)
    return folder


def judge(room: Path, raw: bytes) -> Scenario | None:
    """Load a file; it is either valid or has located problems, and this is known soon."""
    file = room / "mutated.yaml"
    file.write_bytes(raw)
    lines = raw.count(b"\n") + raw.count(b"\r") + raw.count(b"\xc2\x85") + raw.count(b"\xe2\x80") + 2
    start = time.process_time()
    try:
        return load(file)
    except ScenarioError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.file
            assert 1 <= problem.line <= lines
            assert problem.column >= 1
            assert problem.message
            assert len(str(problem)) < 2_000
            assert str(problem).isprintable()
        return None
    finally:
        assert time.process_time() - start < MOST_SECONDS


def play(scenario: Scenario) -> None:
    """Run a valid scenario: a bounded number of events, and whole episodes with agents if it is small."""
    world = FlowWorld(scenario.program, 1)
    events = 0
    while world.peek() < scenario.program.length and events < MOST_EVENTS:
        world.step()
        events += 1
    if events == MOST_EVENTS or not scenario.roles:
        return
    env = marl_health.parallel_env(scenario)
    _, infos = env.reset(seed=1)
    random = np.random.default_rng(1)
    for _ in range(60):
        if not env.agents:
            break
        masks = {agent: np.flatnonzero(infos[agent]["action_mask"]) for agent in env.agents}
        observations, _, _, _, infos = env.step({agent: int(random.choice(legal)) for agent, legal in masks.items()})
        assert all(np.isfinite(seen).all() for seen in observations.values())
    counts = env.conservation()
    assert counts["arrived"] == sum(counts[key] for key in ("discharged", "died", "left", "inside"))


@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(source=st.sampled_from(SOURCES), seed=st.integers(0, 2**32))
def test_a_mutated_file_is_refused_in_words_or_runs(room: Path, source: Path, seed: int) -> None:
    raw = mutated(source.read_text(encoding="utf-8"), load_document(source).data, seed)
    scenario = judge(room, raw)
    if scenario is not None:
        play(scenario)


@pytest.mark.parametrize("mutate", OF_DATA, ids=lambda mutate: mutate.__name__)
def test_each_mutation_of_the_data(mutate: Callable[[Any, Random], None], room: Path) -> None:
    for seed in range(3):
        data = load_document(HOSPITAL).data
        mutate(data, Random(seed))
        scenario = judge(room, written(data).encode())
        if scenario is not None:
            play(scenario)


@pytest.mark.parametrize("mutate", OF_TEXT, ids=lambda mutate: mutate.__name__)
def test_each_mutation_of_the_text(mutate: Callable[[str, Random], bytes], room: Path) -> None:
    for seed in range(4):
        judge(room, mutate(HOSPITAL.read_text(encoding="utf-8"), Random(seed)))


@pytest.mark.parametrize("number", range(len(HUGE)), ids=lambda number: ".".join(map(str, HUGE[number][0])))
def test_what_nobody_could_simulate_is_refused(number: int, room: Path) -> None:
    path, value, words = HUGE[number]
    data = load_document(HOSPITAL).data
    replaced(data, path, value)
    file = room / "huge.yaml"
    file.write_text(written(data), encoding="utf-8")
    start = time.process_time()
    with pytest.raises(ScenarioError, match=words):
        load(file)
    assert time.process_time() - start < MOST_SECONDS


@pytest.mark.filterwarnings("error")
def test_a_stay_that_lasts_no_time_has_no_past(room: Path) -> None:
    data = load_document(HOSPITAL).data
    replaced(data, ("pathway", "ward_stay", "stay"), {"constant": "0 min"})
    scenario = judge(room, written(data).encode())
    assert scenario is not None
    play(scenario)


HEAD = """
schema: marl_health/v1
name: overgrown
description: A scenario that grew too large.
tags: [test]
split: train
clock: {episode: 1 day, decide_every: 1 day}
places: {room: {count: 1}}
entities: {patient: {arrive: {rate: {per_hour: 600}}, begins: s0}}
pathway:
  out: {leave: done}
  end: {move_to: room, next: out}
"""


def loop(steps: int) -> str:
    """Every step leads on, and back to the first."""
    ways = [f"{{split: {{{f's{n + 1}' if n < steps - 1 else 'end'}: 90%, s0: else}}}}" for n in range(steps)]
    return HEAD + "".join(f"  s{n}: {{wait: 1 min, next: {way}}}\n" for n, way in enumerate(ways))


def side_by_side(count: int) -> str:
    """Much work side by side, again and again."""
    work = ", ".join(f"w{n}" for n in range(50))
    branches = ", ".join(f"b{n}: {{do: [{work}]}}" for n in range(20))
    steps = [
        f"  s{n}: {{together: {{{branches}}}, next: {f's{n + 1}' if n < count - 1 else 'end'}}}\n" for n in range(count)
    ]
    return HEAD + "".join(steps) + "".join(f"  w{n}: {{wait: 1 min}}\n" for n in range(50))


def misspelt(steps: int) -> str:
    """No name refers to anything."""
    return HEAD + "".join(f"  s{n}: {{use: d{n}, for: 1 min, next: t{n}, queue: q{n}}}\n" for n in range(steps))


def dependent(attributes: int) -> str:
    """Each attribute depends on the one before."""
    has = "".join(f",\n  a{n}: {{times: [a{n - 1}, 1.5]}}" for n in range(1, attributes))
    return HEAD.replace("begins: s0", f"begins: end, has: {{a0: 2{has}}}")


def at_once(steps: int) -> str:
    """Steps that take no time."""
    return HEAD + "".join(f"  s{n}: {{next: {f's{n + 1}' if n < steps - 1 else 'end'}}}\n" for n in range(steps))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (loop(1000), None),
        (side_by_side(15), None),
        (misspelt(800), "no step named 't0'"),
        (dependent(200), None),
        (dependent(2000), "at most 200 entries"),
        (at_once(50), None),
        (at_once(100), "102 steps in a row may take no time"),
    ],
    ids=["loop", "side_by_side", "misspelt", "dependent", "too_dependent", "at_once", "too_much_at_once"],
)
def test_overgrown_files(text: str, words: str | None, room: Path) -> None:
    scenario = judge(room, text.encode())
    if words is None:
        assert scenario is not None
        play(scenario)
    else:
        assert scenario is None
        with pytest.raises(ScenarioError, match=words):
            load(room / "mutated.yaml")


def test_a_long_row_of_full_places_moves_up_at_once(room: Path) -> None:
    places = "".join(f", p{n}: {{count: 1}}" for n in range(480))
    steps = [
        f"  s{n}: {{move_to: p{n}, next: w{n}}}\n  w{n}: {{wait: {'1 s' if n < 479 else '3 h'}, "
        f"next: {f's{n + 1}' if n < 479 else 'end'}}}\n"
        for n in range(480)
    ]
    scenario = judge(room, (HEAD.replace("{room: {count: 1}", "{room: {count: 1}" + places) + "".join(steps)).encode())
    assert scenario is not None
    game = scenario.kind.make_game(scenario.program)
    game.reset(1, events=False)
    game.advance()
    assert game.conservation()["left"] == 7


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory from /proc")
def test_hostile_files_need_little_memory(room: Path) -> None:
    """In a process of its own that may not grow: bombs, endless nesting, large files, enormous numbers."""
    text = HOSPITAL.read_text(encoding="utf-8")
    hostile = [mutate(text, Random(seed)) for mutate in OF_TEXT for seed in (5, 6)]
    for path, value, _ in HUGE:
        data = load_document(HOSPITAL).data
        replaced(data, path, value)
        hostile.append(written(data).encode())
    for number, raw in enumerate(hostile):
        (room / f"hostile_{number}.yaml").write_bytes(raw)
    files = sorted(map(str, room.glob("hostile_*.yaml")))
    script = """
import pathlib, re, sys
import marl_health
for file in sys.argv[1:]:
    try:
        marl_health.load(file)
    except marl_health.ScenarioError:
        pass
# What getrusage tells includes what the parent had when it forked; this is the process's own.
print(int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", script, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MOST_MEGABYTES
