"""Logs for other programs: what they are given, that TensorBoard can read it, and who is told what is not installed."""

import importlib.util
import math
import struct

import pytest

from orchestration.experiment.logs import PACKAGES, LogError, Logs, check_logs, numbers
from tests.orchestration.experiment.test_running import VDN, no_ray, refused, written  # noqa: F401

FACTS = {"algorithm": "vdn", "seed": 3, "settings": {"lr": 0.001}}


def row(iteration):
    return {"iteration": iteration, "env_steps": 400 * iteration, "return_mean": -2.5, "entropy": math.nan}


RESULT = {
    "learners": {"clerk": {"qf_loss": 0.5, "shape": "none", "nothing": math.nan}, "__all_modules__": {"steps": 3}},
    "judged": {"stage": 0, "values": {"return": [-2.0, -3.0, -1.0, 20], "wait": [math.nan, 0, 0, 0]}},
    "config": {"lambda": 0.9},
}


def test_numbers_are_what_people_look_at():
    assert numbers(row(2), RESULT) == {
        "training_iteration": 2,
        "training": {"env_steps": 800, "return_mean": -2.5},
        "learners": {"clerk": {"qf_loss": 0.5}},
        "evaluation": {"return": -2.0},
    }
    assert numbers(row(1), {}) == {"training_iteration": 1, "training": {"env_steps": 400, "return_mean": -2.5}}


def events(folder):
    """Step, tag and value of all that TensorBoard finds, in the order of writing."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for file in sorted(folder.glob("events.out.tfevents.*"), key=lambda f: f.stat().st_mtime_ns):
        data = file.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            if event.HasField("session_log"):
                found.append((event.step, "forget", event.session_log.status))
            found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
    return found


def test_tensorboard_shows_the_curve_and_forgets_what_is_trained_again(tmp_path):
    logs = Logs(["tensorboard"], tmp_path, "tiny", FACTS)
    for iteration in (1, 2, 3):
        logs.write(row(iteration), RESULT)
    logs.close()
    found = events(tmp_path / "tensorboard")
    assert [(step, value) for step, tag, value in found if tag == "ray/tune/training/env_steps"] == [
        (1, 400.0),
        (2, 800.0),
        (3, 1200.0),
    ]
    assert {tag for _, tag, _ in found} >= {"ray/tune/learners/clerk/qf_loss", "ray/tune/evaluation/return"}
    again = Logs(["tensorboard"], tmp_path, "tiny", FACTS, iteration=2)
    again.write(row(3), {})
    again.close()
    assert [step for step, tag, _ in events(tmp_path / "tensorboard") if tag == "forget"] == [3]


@pytest.mark.parametrize(
    ("name", "where", "options"),
    [
        ("wandb", "ray.air.integrations.wandb.WandbLoggerCallback", {"project": "tiny", "resume": "allow"}),
        ("mlflow", "ray.air.integrations.mlflow.MLflowLoggerCallback", {"experiment_name": "tiny"}),
    ],
)
def test_others_are_given_the_same_by_rays_callbacks(name, where, options, tmp_path, monkeypatch):
    calls = []

    class Stub:
        def __init__(self, *_, **given):
            assert given == options

        def __getattr__(self, method):
            return lambda *given: calls.append((method, given))

    monkeypatch.setattr(where, Stub)
    monkeypatch.setattr("orchestration.experiment.logs.importlib.util.find_spec", lambda package: True)
    run = tmp_path / "20261121-tiny-s3"
    run.mkdir()
    logs = Logs([name], run, "tiny", FACTS)
    logs.write(row(2), RESULT)
    logs.close()
    assert [method for method, _ in calls] == [
        "setup",
        "log_trial_start",
        "log_trial_result",
        "log_trial_end",
        "on_experiment_end",
    ]
    (trial,) = calls[1][1]
    assert (trial.trial_id, str(trial), trial.config) == (run.name, run.name, FACTS)
    iteration, of, shown = calls[2][1]
    assert (iteration, of) == (2, trial) and shown == numbers(row(2), RESULT)


def test_log_that_cannot_be_written_is_told(monkeypatch):
    with pytest.raises(LogError, match="no log 'tensorbord'; there are tensorboard, wandb, mlflow"):
        check_logs(["tensorbord"])
    monkeypatch.setattr("orchestration.experiment.logs.importlib.util.find_spec", lambda package: None)
    for name, package in PACKAGES.items():
        with pytest.raises(LogError, match=f"'{name}' needs the package {package}: pip install {package}"):
            check_logs([name])


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="wandb is installed here")
def test_missing_package_is_told_before_anything_starts(written, tmp_path, no_ray):  # noqa: F811
    out = tmp_path / "runs"
    text = VDN + "log: [tensorboard, wandb]\n"
    assert "log: the log 'wandb' needs the package wandb: pip install wandb" in refused(written(text), out)
    assert "'wandbb' is not allowed here" in refused(written(text.replace("wandb]", "wandbb]")), out)
