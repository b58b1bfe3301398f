"""Whoever is ended in the middle of a long command takes its workers along and leaves nothing half done."""

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from tests.orchestration.test_cli import CLINIC, start


@pytest.fixture
def running(tmp_path):
    """A long simulation in two processes, with two of its workers started; nothing of it outlives the test."""
    process = start(
        *("simulate", CLINIC, "--replications", 100000, "--jobs", 2, "--json", tmp_path / "out.json"),
        start_new_session=True,
        # Whoever runs the tests in the background has told them to ignore an interrupt; a person's shell does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    try:
        while len(workers(process.pid)) < 2:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        time.sleep(1.5)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def workers(parent):
    """Process ids of the workers of a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            facts = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if int(facts[1]) == parent and "spawn_main" in command:
            found.append(int(folder.name))
    return found


def gone(process_id):
    try:
        return (Path("/proc") / str(process_id) / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
@pytest.mark.parametrize("how", ["worker killed", "interrupted", "everybody interrupted", "terminated", "killed"])
def test_whoever_is_ended_takes_the_others_along_and_leaves_nothing_half_done(running, tmp_path, how):
    process = running
    children = workers(process.pid)
    if how == "worker killed":
        os.kill(children[0], signal.SIGKILL)
    elif how == "everybody interrupted":  # what Ctrl-C does
        os.killpg(process.pid, signal.SIGINT)
    else:
        names = {"interrupted": signal.SIGINT, "terminated": signal.SIGTERM, "killed": signal.SIGKILL}
        process.send_signal(names[how])
    _, told = process.communicate(timeout=120)
    expected = {
        "worker killed": (1, "marl-health: a worker process was killed"),
        "interrupted": (1, "marl-health: interrupted\n"),
        "everybody interrupted": (1, "marl-health: interrupted\n"),
        "terminated": (128 + signal.SIGTERM, ""),
        "killed": (-signal.SIGKILL, ""),
    }
    code, said = expected[how]
    assert process.returncode == code
    if how != "killed":  # then multiprocessing has a word to say of what it had to tidy up
        assert told.startswith(said) and told.count("\n") <= 1
    deadline = time.monotonic() + 60
    while not all(map(gone, children)):
        assert time.monotonic() < deadline, "workers live on"
        time.sleep(0.05)
    if how != "killed":
        assert not list(tmp_path.iterdir())
