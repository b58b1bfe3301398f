"""Training end to end on the toy: it learns, keeps its best and its budget, and says what failed."""

import csv
import io
import json
import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from orchestration.progress import Budget
from orchestration.training import TrainingError, train
from policies.rllib.best import SEEDS, KeepBest
from policies.rllib.checkpoint import CheckpointPolicy
from tests.policies.toy_env import ToyEnv


def greedy_returns(policy, seeds):
    """Returns of the policy, and the best possible ones, episode by episode."""
    env, returns, optima = ToyEnv(), [], []
    for seed in seeds:
        observations, infos = env.reset(seed=seed)
        policy.reset(env, seed)
        optima.append(env.optimal_return())
        total = 0.0
        while env.agents:
            observations, rewards, _, _, infos = env.step(policy.act(env, observations, infos))
            total += rewards["loader_0"]
        returns.append(total)
    return np.array(returns), np.array(optima)


@pytest.mark.slow
def test_training_learns_the_toy_and_keeps_what_is_needed(tmp_path, capfd):
    told = io.StringIO()
    result = train(
        "toy",
        make_env=ToyEnv,
        seed=3,
        minutes=15,  # the steps end it, however busy the machine is
        env_steps=23_000,
        out=tmp_path,
        env_runners=2,
        console=Console(file=told, width=200),
    )
    returns, optima = greedy_returns(CheckpointPolicy(result.checkpoint), range(100))
    assert (returns <= optima + 1e-9).all()
    assert returns.mean() > 0.95 * optima.mean(), "a random policy earns about 0, the best 33.6"

    rows = list(csv.DictReader(result.curve.open()))
    assert len(rows) == result.iterations
    assert float(rows[0]["return_mean"]) < 5
    assert float(rows[-1]["return_mean"]) > 20
    kept = next(row for row in rows if int(row["iteration"]) == result.best_iteration)
    assert float(kept["return_greedy"]) == result.best_return
    assert result.env_steps >= 23_000
    manifest = json.loads((result.checkpoint / "checkpoint.json").read_text())
    assert manifest["scenario"] == "toy"
    assert manifest["seed"] == 3
    assert manifest["greedy_return"] == result.best_return
    assert sum(p.stat().st_size for p in result.checkpoint.rglob("*")) < 5e6
    assert json.loads((result.run_dir / "training.json").read_text())["best_return"] == result.best_return

    out, err = capfd.readouterr()
    assert "steps/s" in told.getvalue()
    assert out + err == "", "Ray and RLlib must be quiet"


@pytest.mark.slow
def test_training_is_repeatable(tmp_path):
    def trained(name):
        quiet = Console(file=io.StringIO())
        result = train("toy", make_env=ToyEnv, env_steps=1, out=tmp_path / name, env_runners=2, console=quiet)
        manifest = json.loads((result.checkpoint / "checkpoint.json").read_text())
        return manifest["greedy_return"], {f: d for f, d in manifest["files"].items() if "module_state" in f}

    assert trained("one") == trained("two")


class Broken(ToyEnv):
    """Fails in the middle of an episode."""

    def step(self, actions):
        if self.t == 7:
            raise ZeroDivisionError("the ward has no beds")
        return super().step(actions)


@pytest.mark.slow
def test_error_in_the_environment_is_told_not_hidden(tmp_path):
    with pytest.raises(TrainingError, match="ZeroDivisionError: the ward has no beds"):
        train(
            "toy",
            make_env=Broken,
            minutes=1,
            out=tmp_path,
            env_runners=1,
            console=Console(file=io.StringIO()),
        )


def test_result_without_environments_is_an_error(tmp_path):
    keep = KeepBest(tmp_path / "checkpoint", agents=3, facts={})
    with pytest.raises(RuntimeError, match="no environment reported results"):
        keep.on_train_result(algorithm=None, result={"training_iteration": 1})


def test_best_is_by_the_same_episodes_every_time(tmp_path, monkeypatch):
    saved, tried = [], []
    monkeypatch.setattr("policies.rllib.best.save_checkpoint", lambda path, modules, facts: saved.append(facts))
    greedy = iter([-5.0, 3.0, 1.0, 4.0])

    def foreach_env_runner(func, local_env_runner):
        value = next(greedy)

        def play(seeds):
            tried.append(list(seeds))
            return [value] * len(seeds)

        return [func(SimpleNamespace(worker_index=i, play=play)) for i in (1, 2)]

    algorithm = SimpleNamespace(
        config=SimpleNamespace(policies={}, num_env_runners=2),
        env_runner_group=SimpleNamespace(foreach_env_runner=foreach_env_runner),
    )
    keep = KeepBest(tmp_path / "checkpoint", agents=2, facts={})
    results = []
    for iteration in range(1, 31):
        returns = {"num_episodes": iteration - 1, "episode_return_mean": 2.0 * iteration}
        result = {"env_runners": returns, "training_iteration": iteration, "num_env_steps_sampled_lifetime": 0}
        keep.on_train_result(algorithm=algorithm, result=result)
        results.append(result)
    assert [facts["iteration"] for facts in saved] == [1, 10, 30], "a worse trial replaces nothing"
    assert [facts["greedy_return"] for facts in saved] == [-5.0, 3.0, 4.0]
    assert sorted(tried[0] + tried[1]) == sorted(tried[-2] + tried[-1]) == list(SEEDS)
    assert math.isnan(results[0]["training_return"]), "no episode ended"
    assert results[1]["training_return"] == 2.0, "RLlib adds up two agents"
    assert math.isnan(results[1]["greedy_return"])
    assert (results[25]["best_return"], results[25]["best_iteration"]) == (3.0, 10)


def test_budget_does_not_start_an_iteration_that_would_overrun_it(monkeypatch):
    now = partial(monkeypatch.setattr, "orchestration.progress.time.monotonic")
    budget = Budget(deadline=100.0, env_steps=None)
    result = {"num_env_steps_sampled_lifetime": 10, "time_this_iter_s": 5.0}
    now(lambda: 94.0)
    assert not budget("trial", result)
    now(lambda: 96.0)
    assert budget("trial", result)
    assert Budget(deadline=1e9, env_steps=10)("trial", result)
    assert not Budget(deadline=1e9, env_steps=11)("trial", result)
