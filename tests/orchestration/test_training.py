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
from policies.rllib.best import KeepBest
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
        minutes=2,
        env_steps=35_000,
        out=tmp_path,
        env_runners=2,
        console=Console(file=told, width=200),
    )
    returns, optima = greedy_returns(CheckpointPolicy(result.checkpoint), range(100))
    assert (returns <= optima + 1e-9).all()
    assert returns.mean() > 0.9 * optima.mean(), "a random policy earns about 0, the best 33.6"

    rows = list(csv.DictReader(result.curve.open()))
    assert len(rows) == result.iterations
    assert float(rows[0]["return_mean"]) < 8
    kept = next(row for row in rows if int(row["iteration"]) == result.best_iteration)
    assert float(kept["return_smooth"]) == result.best_return
    assert result.env_steps >= 35_000
    manifest = json.loads((result.checkpoint / "checkpoint.json").read_text())
    assert manifest["scenario"] == "toy"
    assert manifest["seed"] == 3
    assert manifest["training_return"] == result.best_return
    assert sum(p.stat().st_size for p in result.checkpoint.rglob("*")) < 5e6
    assert json.loads((result.run_dir / "training.json").read_text())["best_return"] == result.best_return

    out, err = capfd.readouterr()
    assert "steps/s" in told.getvalue()
    assert out + err == "", "Ray and RLlib must be quiet"


class Broken(ToyEnv):
    """Fails in the middle of an episode."""

    def step(self, actions):
        if self.t == 7:
            raise ZeroDivisionError("the ward has no beds")
        return super().step(actions)


class Endless(ToyEnv):
    """Never ends an episode."""

    def step(self, actions):
        observations, rewards, terminations, truncations, infos = super().step(actions)
        self.t %= 10
        return observations, rewards, terminations, truncations, infos


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


@pytest.mark.slow
def test_nothing_kept_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="no episode ended"):
        train(
            "toy",
            make_env=Endless,
            minutes=1,
            env_steps=1,
            out=tmp_path,
            env_runners=1,
            console=Console(file=io.StringIO()),
        )


def test_result_without_environments_is_an_error(tmp_path):
    keep = KeepBest(tmp_path / "checkpoint", agents=3, facts={})
    with pytest.raises(RuntimeError, match="no environment reported results"):
        keep.on_train_result(algorithm=None, result={"training_iteration": 1})


def test_best_is_by_the_mean_of_a_hundred_episodes(tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr("policies.rllib.best.save_checkpoint", lambda path, modules, facts: saved.append(facts))
    algorithm = SimpleNamespace(config=SimpleNamespace(policies={}))
    keep = KeepBest(tmp_path / "checkpoint", agents=2, facts={})

    def iterate(number, episodes, mean):
        returns = {"num_episodes": episodes} | ({"episode_return_mean": 2 * mean} if episodes else {})
        result = {"env_runners": returns, "training_iteration": number, "num_env_steps_sampled_lifetime": 0}
        keep.on_train_result(algorithm=algorithm, result=result)
        return result

    assert math.isnan(iterate(1, 0, 0)["best_return"]), "nothing has ended yet"
    assert iterate(2, 40, 10.0)["best_return"] == 10.0
    assert iterate(3, 40, 0.0)["best_return"] == 5.0, "few episodes: the latest counts, not the luckiest"
    assert iterate(4, 40, 2.0)["best_return"] == 4.0
    result = iterate(5, 40, 3.0)
    assert result["smooth_return"] == pytest.approx((0 + 2 + 3) / 3)
    assert (result["best_return"], result["best_iteration"]) == (4.0, 4)
    assert math.isnan(iterate(6, 0, 0)["team_return"])
    assert iterate(7, 100, 9.0)["best_iteration"] == 7
    assert [facts["iteration"] for facts in saved] == [2, 3, 4, 7]


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
