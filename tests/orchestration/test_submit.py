"""Experiments as jobs of a Ray cluster; one is started here, on this machine, and stopped again."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from orchestration.experiment.reading import load_experiment
from orchestration.jobs import JobError, check_address, collect
from orchestration.store import open_store
from tests.orchestration.command_line import invoke

WALK_IN = Path(__file__).resolve().parent / "walk_in.yaml"
TINY = """\
schema: marl_health/experiment/v1
name: tiny
description: A few steps of VDN.
scenarios: [walk_in.yaml]
algorithm:
  name: vdn
  settings: {num_env_runners: 0, num_envs_per_env_runner: 2, min_sample_timesteps_per_iteration: 200, updates: 1}
seeds: [3]
budget: {steps: 200}
evaluation: {every: 400, replications: 2, policies: [wait], final: {replications: 3}}
"""


TOKEN = "0123456789abcdef" * 4


@pytest.fixture
def tiny(tmp_path):
    """An experiment in a folder of its own, with its scenario and a run beside it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "walk_in.yaml").write_text(WALK_IN.read_text())
    (home / "tiny.yaml").write_text(TINY)
    (home / "notes.txt").write_text("not sent")
    return home / "tiny.yaml"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def no_job(monkeypatch):
    def sent(*_, **__):
        raise AssertionError("a job was sent")

    monkeypatch.setattr("orchestration.jobs.submit", sent)


# ------------------------------------------------------------ before anything starts
def test_a_cluster_that_does_not_answer_is_told_before_anything_starts(tiny, tmp_path, no_job):
    nowhere = f"http://127.0.0.1:{free_port()}"
    out = tmp_path / "runs"
    told = invoke("submit", tiny, "--address", nowhere, "--out", out, code=1).stderr
    assert f"{nowhere}: no Ray cluster answers there" in told and "ray start --head" in told
    told = invoke("submit", tiny, "--address", "head:8265", "--out", out, code=1).stderr
    assert "--address head:8265: name the dashboard of the cluster's head, as in http://head:8265" in told
    assert "did you mean" in invoke("submit", "two_clinic", "--address", nowhere, code=1).stderr
    assert not out.exists()


@contextmanager
def answering(answer):
    """A server that gives an answer, code and text, to the token that it is told; its address."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            code, text = answer(self.headers.get("Authorization"))
            self.send_response(code)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("code", "text"), [(404, b"no"), (200, b"[]"), (200, b"<html>")])
def test_what_answers_has_to_be_a_cluster(code, text):
    wanted = r"not the dashboard of a Ray cluster|no Ray cluster answers"
    with answering(lambda _: (code, text)) as address, pytest.raises(JobError, match=wanted):
        check_address(address)


def test_a_token_is_sent_to_clusters_that_want_one_and_to_no_others(monkeypatch, tmp_path):
    told = []

    def guarded(header):
        told.append(header)
        return (200, b'{"ray_version": "2.60.0"}') if header == f"Bearer {TOKEN}" else (401, b"a token")

    def open_to_all(header):
        told.append(header)
        return 200, b'{"ray_version": "2.60.0"}'

    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    with (
        answering(guarded) as address,
        pytest.raises(JobError, match="this cluster wants a token; `ray get-auth-token`"),
    ):
        check_address(address)
    (tmp_path / "token").write_text("something else\n")
    with answering(guarded) as address, pytest.raises(JobError, match="this cluster wants another token"):
        check_address(address)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with answering(guarded) as address:
        assert check_address(address) == {"Authorization": f"Bearer {TOKEN}"}
    told.clear()
    with answering(open_to_all) as address:
        assert check_address(address) == {} and told == [None]


def test_what_an_experiment_needs_is_sent_and_is_the_same_there(tiny, tmp_path):
    sent = tmp_path / "sent"
    sent.mkdir()
    assert collect(load_experiment(tiny), sent) == "tiny.yaml"
    assert sorted(path.name for path in sent.iterdir()) == ["tiny.yaml", "walk_in.yaml"]
    assert load_experiment(sent / "tiny.yaml").hash == load_experiment(tiny).hash
    assert collect(load_experiment("two_clinics"), tmp_path / "nothing") == "two_clinics"
    assert not (tmp_path / "nothing").exists()


def test_what_lies_elsewhere_cannot_be_sent(tiny, tmp_path):
    tiny.write_text(TINY.replace("walk_in.yaml", str(WALK_IN)))
    with pytest.raises(JobError, match=r"walk_in\.yaml is not sent with it; put it into .*home"):
        collect(load_experiment(tiny), tmp_path / "sent")
    (tiny.parent / ".own").mkdir()
    (tiny.parent / ".own" / "walk_in.yaml").write_text(WALK_IN.read_text())
    tiny.write_text(TINY.replace("walk_in.yaml", ".own/walk_in.yaml"))
    with pytest.raises(JobError, match="cannot be read where it is sent to; put all that it needs into"):
        collect(load_experiment(tiny), tmp_path / "sent")


# ------------------------------------------------------------ a cluster of one
@pytest.fixture
def head(monkeypatch):
    """A Ray head of its own, which nothing else on this machine finds, and which wants a token; its address."""
    pytest.importorskip("aiohttp", reason="a Ray head needs its dashboard for jobs: pip install 'ray[default]'")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="mh", dir="/tmp", ignore_cleanup_errors=True) as folder:
        settings = {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
        monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
        scripts = Path(sys.executable).parent
        env = {**os.environ, **settings, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
        command = [scripts / "ray", "start", "--head", "--block", "--num-cpus=2", "--node-ip-address=127.0.0.1"]
        command += [f"--port={free_port()}", f"--dashboard-port={port}", f"--temp-dir={folder}"]
        with (Path(folder) / "head.log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=env, start_new_session=True)
        try:
            address = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 120
            while True:
                try:
                    check_address(address)
                    break
                except JobError:
                    said = (Path(folder) / "head.log").read_text()
                    assert process.poll() is None and time.monotonic() < deadline, said
                    time.sleep(0.3)
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for pid in of_the_head(folder):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def of_the_head(folder):
    """Processes that name the head's own folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if folder.encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
    return found


@pytest.mark.slow
def test_a_submitted_experiment_is_run_and_its_results_are_in_the_store(tiny, tmp_path, head):
    out = tmp_path / "runs"
    told = invoke("submit", tiny, "--address", head, "--out", out, "--jobs", 1)
    assert (
        "walk_in: 3 replications, seeds 1000000 to 1000002" in told.stdout
        and "run 1 in marl-health runs" in told.stdout
    )
    assert f"of {head}" in told.stderr and "finished (its 200 steps are used up)" in told.stderr
    with open_store(out / "results.db") as store:
        (job,) = store.jobs(experiment="tiny")
        assert (job["status"], job["seed"], job["attempts"]) == ("finished", 3, 1)
        assert job["configuration"]["experiment_hash"] == load_experiment(tiny).hash
        found = {
            (row["policy"], row["reference"]) for row in store.kpis(job["id"], metric="return", evaluation="final")
        }
        assert found == {("vdn", ""), ("wait", ""), ("wait", "vdn")}
        assert (Path(job["folder"]) / "report.html").is_file() and Path(job["folder"]).parent == out
    tiny.write_text(TINY.replace("updates: 1", "updates: 0"))
    told = invoke("submit", tiny, "--address", head, "--out", out, "--jobs", 1, code=1).stderr
    assert "updates is at least 1, not 0" in told and "job" not in told, "it is told here, and nothing is sent"
