"""The benchmark of sampling: what the environment costs is the environment's, whoever steps it."""

import json
from time import process_time

import pytest

from experiments.benchmarks import training
from experiments.benchmarks.training import BATCHED, STOCK
from tests.policies.toy_env import ToyEnv

SLOW = 6e-3


class SlowEnv(ToyEnv):
    """Takes six milliseconds of CPU time longer for every step."""

    def step(self, actions):
        until = process_time() + SLOW
        while process_time() < until:
            pass
        return super().step(actions)


@pytest.fixture(scope="module")
def pace():
    return training.measure(SlowEnv, runners=0, envs=4, steps=40, turns=3, learn=False)


def test_the_environment_is_no_overhead(pace):
    added = 1e6 * SLOW / pace.agents
    for kind in (STOCK, BATCHED):
        assert len(pace.turns[kind]) == 3
        assert added < pace.median(kind, "raw") < 2 * added
        assert 0 < pace.median(kind, "forward") < added
        assert 0 < pace.median(kind, "own") < added / 2
        for turn in pace.turns[kind]:
            assert turn.raw + turn.forward + turn.own == pytest.approx(turn.cpu)


def test_the_batched_runner_costs_less(pace):
    assert pace.median(BATCHED, "own") < pace.median(STOCK, "own") / 2
    assert pace.gain("cpu") > 1


def test_it_prints_both_beside_the_environment(pace, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(training, "measure", lambda *_, **__: pace)
    path = tmp_path / "figures.json"
    training.main(["hospital_throughput", "--envs", "4", "--runners", "0", "--sampling", "--json", str(path)])
    (found,) = json.loads(path.read_text())
    assert found["us"][BATCHED]["own"] == pace.median(BATCHED, "own") and found["envs"] == 4
    printed = capsys.readouterr().out
    assert f"{pace.gain('cpu'):.2f}" in printed and f"{pace.median(STOCK, 'over'):.1f}" in printed


def test_an_unknown_scenario_is_told():
    with pytest.raises(SystemExit, match="hospital_thrughput"):
        training.main(["hospital_thrughput"])
