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
MOST_SECONDS = 5.0
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
    start = time.perf_counter()
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
        assert time.perf_counter() - start < MOST_SECONDS


def play(scenario: Scenario) -> None:
    """Run a valid scenario: a bounded number of events, and whole episodes with agents if it is small."""
    world = FlowWorld(scenario.program, 1)
    events = 0
    while world._queue and events < MOST_EVENTS and world.now < scenario.program.length:
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
    start = time.perf_counter()
    with pytest.raises(ScenarioError, match=words):
        load(file)
    assert time.perf_counter() - start < MOST_SECONDS


@pytest.mark.filterwarnings("error")
def test_a_stay_that_lasts_no_time_has_no_past(room: Path) -> None:
    data = load_document(HOSPITAL).data
    replaced(data, ("pathway", "ward_stay", "stay"), {"constant": "0 min"})
    scenario = judge(room, written(data).encode())
    assert scenario is not None
    play(scenario)


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
import resource, sys
import marl_health
for file in sys.argv[1:]:
    try:
        marl_health.load(file)
    except marl_health.ScenarioError:
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    done = subprocess.run([sys.executable, "-c", script, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < MOST_MEGABYTES
